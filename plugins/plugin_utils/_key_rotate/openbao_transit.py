# SPDX-FileCopyrightText: 2026 Keystead contributors
# SPDX-License-Identifier: GPL-3.0-or-later
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)

"""Keys in the transit engine of an OpenBao, or of a HashiCorp Vault: a generation is a version of the key.

A new version is used at once by everybody who asks for the key by name, so it is proved after it was made, and nothing
is prepared. The active one is held by `min_encryption_version`: older ones sign and encrypt nothing any more, and go on
verifying and decrypting. The server destroys versions from the oldest on.
"""

from __future__ import annotations

import base64
import typing as t

from ...module_utils._core.errors import Misconfigured, NotConverged, Pending
from ...module_utils._core.keys import spki
from ...module_utils._pkcs11.trial import TRIAL, verifies
from .._openbao.transit import TYPES, WHO
from .._openbao.transit_at import transit_at
from .model import There, Version

if t.TYPE_CHECKING:
    from .._openbao.transit import Found
    from .._openbao.transit_key import TransitKey
    from .model import History
    from .wanted import Options

_SIGNS = {theirs: ours for ours, theirs in TYPES.items()}
_ENCRYPTS = ("aes128-gcm96", "aes256-gcm96", "chacha20-poly1305", "xchacha20-poly1305")
_STOPS = ("auto_rotate_period", "soft_deleted")
"""What keeps a key from being rotated here, by the field of the server that says so."""


class TransitKeys:
    """The port Keys over `{url, mount, name, namespace, auth, ca_bundle, timeout}`."""

    def __init__(self, options: Options) -> None:
        """Check what can be checked without the server. Raises Misconfigured."""
        self._transit = transit_at(options, f"{WHO}: keys[{options['name'][:80]}].custody.openbao_transit")
        self._place = self._transit.place
        self._found: Found | None = None

    def look(self, history: History) -> There:
        """Return the versions of the key."""
        del history
        found = self._found = self._transit.look()
        called = str(self._place)
        if found is None:
            path = f"{self._place.mount}/keys/{self._place.name}"
            return There(self._place.key, called, (), how=f"as with bao write {path} type=ecdsa-p256")
        self._check(found)
        versions = tuple(self._version(found, number) for number in range(found.oldest, found.latest + 1))
        least = max(found.oldest, found.floors[1])
        return There(self._place.key, called, versions, self._place.uri(found.latest), one_by_one=False, least=least)

    def make(self, number: int, like: Version) -> Version:
        """Make one more version, of which all are of one type."""
        del like
        self._transit.rotate()
        found = self._found = self._transit.look()
        if found is None or found.latest != number:
            latest = found.latest if found else "none"
            raise Pending(
                f"{WHO}: {self._place} was to have version {number} now, and has {latest}: somebody else changes it; "
                "run again"
            )
        return self._version(found, number)

    def prove(self, version: Version) -> None:
        """Let it sign, or encrypt and decrypt."""
        if version.type in _ENCRYPTS:
            derived = self._found is not None and "derived" in self._found.flaws
            context = {"context": base64.b64encode(b"keystead").decode()} if derived else {}
            good = self._transit.comes_back(version.number, TRIAL, context)
        else:
            key = self._key(version.number, version.type)
            good = verifies(version.type, key.public_key(), key.sign(TRIAL))
        if not good:
            raise NotConverged(f"{WHO}: {self._place} has version {version.number}, which does not do what it is for")

    def lead(self, version: Version) -> None:
        """Let older versions sign and encrypt nothing any more."""
        if self._found is None or self._found.floors[1] < version.number:
            self._transit.use_from(version.number)

    def destroy(self, version: Version) -> None:
        """Destroy it, and what is older."""
        found = self._transit.look()
        if found is not None and found.oldest <= version.number:
            self._transit.trim(found, version.number + 1)
            found = self._transit.look()
        if found is None or found.oldest <= version.number:
            raise NotConverged(
                f"{WHO}: {self._place} still has version {version.number}, and it cannot be destroyed; see the log of "
                "the server"
            )

    def _check(self, found: Found) -> None:
        """Refuse what is not rotated here. Raises Misconfigured."""
        if found.kind not in (*_SIGNS, *_ENCRYPTS):
            raise Misconfigured(
                f"{WHO}: {self._place} is of type {found.kind}, which is not rotated here; leave it out, and use "
                f"bao write -f {self._place.mount}/keys/{self._place.name}/rotate"
            )
        for field in _STOPS:
            if field in found.flaws:
                path = f"{self._place.mount}/keys/{self._place.name}"
                raise Misconfigured(f"{WHO}: {self._place} {found.flaws[field].format(path=path)}")

    def _version(self, found: Found, number: int) -> Version:
        """Return a version; one below `min_decryption_version`, which does nothing, is not told of and yet there."""
        uri, key_type, public_key = self._place.uri(number), _SIGNS.get(found.kind, found.kind), None
        if number not in found.every:
            return Version(uri, number, key_type, usable=False)
        made = found.every[number]
        if made.public is not None:
            public_key = spki(self._key(number, key_type, made.public).public_key())
        return Version(uri, number, key_type, public_key, made.at)

    def _key(self, number: int, key_type: str, public: str | None = None) -> TransitKey:
        from .._openbao.transit_key import TransitKey

        if public is None and self._found is not None:
            public = self._found.every[number].public
        return TransitKey(self._transit, number, key_type, str(public))
