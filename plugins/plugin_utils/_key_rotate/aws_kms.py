# SPDX-FileCopyrightText: 2026 Keystead contributors
# SPDX-License-Identifier: GPL-3.0-or-later
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)

"""Keys in AWS KMS: a generation is a key of its own, and an alias leads to the active one.

KMS rotates no asymmetric key in place. The next one waits behind `ALIAS-next`, and is found by its tags where a run was
killed before that led there; then the alias is moved, and whoever asks for the key by alias has the new one.
"""

from __future__ import annotations

import typing as t

from ...module_utils._core.errors import Denied, Misconfigured, NotConverged
from ...module_utils._core.keys import spki
from ...module_utils._pkcs11.trial import TRIAL, verifies
from .._aws.errors import Refused
from .._aws.kms import DISABLED, ENABLED, PENDING, Kms
from .._aws.kms_key import SPECS, WHO
from .._keystores.aws_kms import checked_alias, checked_days
from .decide import WHO as MODULE
from .model import There, Version

if t.TYPE_CHECKING:
    from .._aws.kms import Found
    from .model import History, Known
    from .wanted import Options

_TYPES = {spec: key_type for key_type, spec in SPECS.items()}
_SIGNS = "SIGN_VERIFY"


class KmsKeys:
    """The port Keys over `{alias, region, pending_window, timeout}`."""

    def __init__(self, options: Options) -> None:
        """Check what can be checked without AWS. Raises Misconfigured."""
        where = f"{MODULE}: option keys[{options['alias'][:80]}].custody.aws_kms."
        self._alias = checked_alias(str(options["alias"]), where)
        self._next = f"{self._alias}-next"
        self._days = checked_days(options["pending_window"], where)
        self._kms = Kms(options, self._alias)
        self._there: dict[str, Found] = {}

    def look(self, history: History) -> There:
        """Return the keys that the ledger knows, the one that the alias leads to, and the one that waits."""
        led = self._kms.found(self._alias)
        if led is None:
            where = f"{self._alias} leads to no key in {self._kms.region}"
            raise Misconfigured(f"{WHO}: {where}; make one first, or correct it")
        if led.state == PENDING:
            raise Misconfigured(
                f"{WHO}: {self._alias} leads to {led.uri}, which is to be deleted; save it with aws kms "
                f"cancel-key-deletion --key-id {led.key_id}, after which it is disabled and can be replaced"
            )
        place = f"{led.uri.rpartition(':')[0]}:{self._alias}"
        known = history(place)
        self._there = {led.uri: led}
        versions = [*self._recorded(known), *self._unrecorded(known, led)]
        return There(place, f"{self._alias} of {self._kms.region}", tuple(versions), led.uri)

    def make(self, number: int, like: Version) -> Version:
        """Make a key with tags that say what it is, and let `ALIAS-next` lead to it."""
        made = self._kms.make(like.type, number)
        self._kms.lead(self._next, made.uri, new=self._kms.found(self._next) is None)
        return self._version(made, number)

    def prove(self, version: Version) -> None:
        """Let it sign."""
        key = self._kms.key(self._there[version.uri])
        if not verifies(version.type, key.public_key(), key.sign(TRIAL)):
            raise NotConverged(f"{WHO}: {version.uri} does not sign as it should")

    def lead(self, version: Version) -> None:
        """Let the alias lead to it, and nothing wait any more."""
        led = self._kms.found(self._alias)
        if led is None or led.uri != version.uri:
            self._kms.lead(self._alias, version.uri, new=led is None)
        self._forget(version)

    def destroy(self, version: Version) -> None:
        """Schedule its deletion, unless another alias leads to it. Raises Denied then."""
        ours = (self._alias, self._next)
        others = [alias for alias in self._kms.aliases_of(version.uri) if alias not in ours]
        if others:
            raise Denied(f"{WHO}: {others[0]} leads to {version.uri}, so it is not deleted; move that alias first")
        self._kms.retire(self._there[version.uri], self._days)
        self._forget(version)

    def _forget(self, version: Version) -> None:
        waits = self._kms.found(self._next)
        if waits is not None and waits.uri == version.uri:
            self._kms.forget(self._next)

    def _recorded(self, known: Known) -> t.Iterator[Version]:
        for row in known.live:
            found = self._there.get(row.uri) or self._kms.found(row.uri)
            if found is not None and found.state != PENDING:
                yield self._version(found, row.number)

    def _unrecorded(self, known: Known, led: Found) -> t.Iterator[Version]:
        """Yield what the alias leads to, and what waits, where the ledger has neither: the next numbers are theirs."""
        number = known.newest
        if known.of(led.uri) is None:
            number += 1
            yield self._version(led, number)
        waits = self._waiting(known, number + 1)
        if waits is not None and waits.uri != led.uri and known.of(waits.uri) is None and waits.state != PENDING:
            yield self._version(waits, number + 1)

    def _waiting(self, known: Known, number: int) -> Found | None:
        """Return the key that waits: behind its alias, or made by a run that was killed before that led there."""
        found = self._kms.found(self._next)
        if found is not None and not self._kms.is_ours(found) and found.state != PENDING:
            raise Misconfigured(
                f"{WHO}: {self._next} leads to {found.uri}, which no run of ours made; the next key waits there, so "
                "delete that alias, or choose another one"
            )
        if found is not None or number not in known.begun:
            return found
        every = (self._kms.found(uri) for uri in self._kms.all(number))
        return next((one for one in every if one is not None and one.state == ENABLED), None)

    def _version(self, found: Found, number: int) -> Version:
        """Return a generation. Raises Misconfigured for a key that is not for signing."""
        if found.usage != _SIGNS or found.spec not in _TYPES:
            raise Misconfigured(
                f"{WHO}: {found.uri} is a {found.spec} key for {found.usage}, and keys for {_SIGNS} are rotated here; "
                "let KMS rotate it itself: aws kms enable-key-rotation"
            )
        self._there[found.uri] = found
        enable = f"disabled; aws kms enable-key --key-id {found.key_id}"
        return Version(
            found.uri, number, _TYPES[found.spec], self._public(found), found.made_at, found.state == ENABLED,
            stopped=enable if found.state == DISABLED else "",
        )  # fmt: skip

    def _public(self, found: Found) -> bytes | None:
        """Return the public key in DER; None where KMS does not tell that of a key which is not enabled."""
        try:
            return spki(self._kms.key(found).public_key())
        except Refused:
            if found.state == ENABLED:
                raise
            return None
