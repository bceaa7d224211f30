# SPDX-FileCopyrightText: 2026 Keystead contributors
# SPDX-License-Identifier: GPL-3.0-or-later
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)

"""The custody `openbao_transit`: private keys in the transit engine of an OpenBao, or of a HashiCorp Vault.

One key there belongs to one identity, and its versions are the keys of its generations. So a version that no generation
has yet is staged, and those before the oldest one that some generation has are destroyed. The server destroys no others
alone: what lies between waits until it is the oldest, and what is newer is used by the next renewal.
"""

from __future__ import annotations

import typing as t

from ...module_utils._core.errors import Misconfigured, NotConverged
from .._openbao.transit import TYPES, WHO

if t.TYPE_CHECKING:
    from ...module_utils._core.ports import SigningKey, Slot
    from .._openbao.transit import Found, Transit

OPTION = f"{WHO}: key.custody.openbao_transit"
_OURS = {theirs: ours for ours, theirs in TYPES.items()}
_LATER = ("auto_rotate_period", "soft_deleted")  # flaws that a key of ours may have got since
_LARGEST_GAP = 100  # versions that a key made anew is short of those that were used


class OpenBaoTransitKeyStore:
    """KeyStore and Leftovers over `{url, mount, name, namespace, auth, ca_bundle, timeout}`.

    Making one reads options alone: a run that asks for no key opens no connection and imports no client.
    """

    def __init__(self, options: t.Mapping[str, t.Any], slot: Slot) -> None:
        """Check what can be checked without the server. Raises Misconfigured."""
        from .._openbao.transit_at import transit_at

        self._transit: Transit = transit_at(options, OPTION)
        self._place = self._transit.place
        self._current = self._place.version(slot.current)
        self._used = sorted(filter(None, map(self._place.version, slot.used)))
        self._spent = list(filter(None, map(self._place.version, slot.spent)))

    @property
    def place(self) -> str:
        """What all keys of this store begin with: who else has one there would lose it by `delete`."""
        return self._place.key

    def current(self) -> SigningKey | None:
        """Return the key of the current generation; None where it is gone, or below a minimum version."""
        found = None if self._current is None else self._sound()
        return None if found is None or self._current is None else self._key(found, self._current)

    def staged(self) -> SigningKey | None:
        """Return the newest version, where no generation has one that is as new."""
        found = self._sound()
        return None if found is None or found.latest <= self._newest else self._key(found, found.latest)

    def stage(self, key_type: str) -> SigningKey:
        """Make the key, or one more version of it; one that waits already is what this returns (R1).

        A key that is there is taken for this identity's, since nothing in the server can say otherwise; one that is
        not as we make them is refused. Raises Misconfigured.
        """
        self.check(key_type)
        if self._transit.look() is None:
            self._transit.create(key_type)
        found = self._of_type(key_type)
        if self._newest - found.latest > _LARGEST_GAP:
            raise Misconfigured(
                f"{WHO}: {self._place} has {found.latest} versions, and version {self._newest} was used: it was lost; "
                f"write another name in {OPTION.removeprefix(f'{WHO}: ')}.name"
            )
        for _missing in range(found.latest, self._newest + 1):
            self._transit.rotate()
        found = self._of_type(key_type)
        key = self._key(found, found.latest)
        if key is None:
            raise NotConverged(f"{WHO}: {self._place} has no version after {self._newest} that may sign; run again")
        return key

    def promote(self) -> None:
        """Do nothing: a version has no name that could be another one's."""

    def delete(self) -> None:
        """Destroy the versions that are older than all that generations have; without any such, the key. Prove it."""
        found = self._transit.look()
        if found is None:
            return
        if not self._used:
            self._check_is_ours(found)
            self._transit.destroy()
            found = self._transit.look()
        elif found.oldest < self._first_used(found):
            self._transit.trim(found, self._first_used(found))
            found = self._transit.look()
        if found is not None and self._unused(found):
            raise NotConverged(f"{WHO}: {self._unused(found)}, and cannot be destroyed; see the log of the server")

    def left(self) -> str | None:
        """Return which versions `delete` would destroy; None where there are none."""
        found = self._transit.look()
        return None if found is None else self._unused(found)

    def elsewhere(self, uri: str) -> str | None:
        """Return which key a URI names, if that is another one."""
        return None if self._place.version(uri) is not None else uri.partition("?")[0]

    def check(self, key_type: str) -> None:
        """Refuse a type that there is none of, or that the key of this name does not have while it is used."""
        if key_type not in TYPES:
            raise Misconfigured(f"{WHO}: it makes no {key_type} keys; write one of {', '.join(TYPES)} as key.type")
        if self._sound() is not None and self._used:
            self._of_type(key_type)

    @property
    def _newest(self) -> int:
        return max([*self._used, *self._spent], default=0)

    def _first_used(self, found: Found) -> int:
        """Return the oldest version that must stay: one that was lost keeps no others."""
        return min(self._used[0], found.latest)

    def _unused(self, found: Found) -> str | None:
        last = self._first_used(found) - 1 if self._used else found.latest
        if last < found.oldest:
            return None
        if last == found.oldest:
            return f"version {last} of {self._place} is used by no generation"
        return f"versions {found.oldest} to {last} of {self._place} are used by no generation"

    def _sound(self) -> Found | None:
        """Return what there is, if it is what may be there. Raises Misconfigured."""
        found = self._transit.look()
        if found is not None:
            for flaw in found.flaws.values():
                raise Misconfigured(f"{WHO}: {self._place} {flaw}")
            self._check_type(found)
        return found

    def _of_type(self, key_type: str) -> Found:
        found = self._sound()
        if found is None:
            raise NotConverged(f"{WHO}: {self._place} was made and is gone again; run again")
        if found.kind != TYPES[key_type]:
            when = "when its last certificate was replaced" if self._used else "if it is this identity's"
            raise Misconfigured(
                f"{WHO}: {self._place} is of type {found.kind}, and all versions of a key have one type; "
                f"for {key_type}, write another name, and delete this key {when}"
            )
        return found

    def _check_type(self, found: Found) -> None:
        if found.kind not in _OURS:
            raise Misconfigured(f"{WHO}: {self._place} is of type {found.kind}, which we do not make; name another one")

    def _check_is_ours(self, found: Found) -> None:
        """Refuse to destroy what we cannot have made: somebody else may need it. Raises Misconfigured."""
        self._check_type(found)
        for field, flaw in found.flaws.items():
            if field not in _LATER:
                raise Misconfigured(
                    f"{WHO}: {self._place} {flaw.partition(';')[0]}, so we did not make it; "
                    "delete it by hand, if it is this identity's"
                )

    def _key(self, found: Found, version: int) -> SigningKey | None:
        from .._openbao.transit_key import TransitKey

        public = found.public.get(version)
        return None if public is None else TransitKey(self._transit, version, _OURS[found.kind], public)
