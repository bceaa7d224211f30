# SPDX-FileCopyrightText: 2026 Keystead contributors
# SPDX-License-Identifier: GPL-3.0-or-later
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)

"""Keys in a PKCS#11 token: each generation has a label of its own, for ever, and a CKA_ID of its own.

The first has the label that is declared, the next ones have a number behind it. So whoever names a key by its label
alone finds one at most, and the same one, until it is destroyed (ADR 26).
"""

from __future__ import annotations

import itertools
import typing as t

from ...module_utils._core.errors import Misconfigured, NotConverged
from ...module_utils._core.held import Errand, capabilities, generation_label, generation_of, usages_of
from .._hsm_key.decide import name_of
from .._hsm_key.record import place_of
from .._key import token
from .decide import WHO
from .model import There, Version

if t.TYPE_CHECKING:
    from ...module_utils._core.held import Held, Seen
    from .._hsm_key.asking import Ask
    from .model import History
    from .wanted import Options


class TokenKeys:
    """The port Keys over `{at, label, module_path, token_label, token_serial, pin, pin_env, pin_file}`."""

    def __init__(self, options: Options, ask: Ask) -> None:
        """Check what can be checked without the token. Raises Misconfigured."""
        self._label, self._ask = str(options["label"]), ask
        where = f"{WHO}: option keys[{self._label[:80]}].custody.pkcs11."
        if not self._label or not self._label.isprintable():
            raise Misconfigured(f"{where}label: it is empty or has control characters; write a printable text")
        self._token = token(options, where)
        self._held: dict[str, Held] = {}

    def look(self, history: History) -> There:
        """Return what the token has under the label and those that are made of it."""
        del history
        seen = self._ask(Errand("look", self._token, self._label, generations=True))
        called = f"key {self._label} in {name_of(seen)}"
        versions = tuple(sorted(self._versions(seen), key=lambda one: one.number))
        for one, other in itertools.pairwise(versions):
            if one.number == other.number:
                raise Misconfigured(
                    f"{WHO}: {called}: {one.uri} and {other.uri} have the same label, so nobody knows which one is "
                    "meant; destroy one of them"
                )
        return There(place_of(seen), called, versions)

    def make(self, number: int, like: Version) -> Version:
        """Make a key of the same type, for the same usage, that can come out only if the other one could."""
        model = self._held[like.uri]
        usage = tuple(name for name in usages_of(like.type) if capabilities(like.type, (name,)) <= {*model.has})
        label, extractable = generation_label(self._label, number), "extractable" in model.has
        errand = Errand("make", self._token, label, type=like.type, usage=usage, extractable=extractable)
        made = next(iter(self._versions(self._ask(errand))), None)
        if made is None or made.type != like.type:
            raise NotConverged(f"{WHO}: the key with label {label} was made, and is not there; run again")
        return made

    def prove(self, version: Version) -> None:
        """Let it sign, or decrypt, in the token."""
        self._ask(Errand("prove", self._token, self._held[version.uri].label, uri=version.uri))

    def lead(self, version: Version) -> None:
        """Do nothing: a token has no name that leads from one key to another."""

    def destroy(self, version: Version) -> None:
        """Destroy both halves of it."""
        label = self._held[version.uri].label
        self._ask(Errand("destroy", self._token, label, type=version.type, doomed=(version.uri,)))

    def is_extractable(self, version: Version) -> bool:
        """Tell whether it can come out of the token."""
        return "extractable" in self._held[version.uri].has

    def _versions(self, seen: Seen) -> t.Iterator[Version]:
        for key in seen.keys:
            number = generation_of(key.label, self._label)
            if number is not None:
                self._held[key.uri] = key
                yield Version(key.uri, number, key.type, key.public_key, usable=key.usable)
