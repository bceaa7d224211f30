# SPDX-FileCopyrightText: 2026 Keystead contributors
# SPDX-License-Identifier: GPL-3.0-or-later
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)

"""The custody `aws_kms`: a new key for each generation, an alias that leads to the current one.

`ALIAS-next` marks a change that is not finished: it is made with the next key, and the last thing to go when the keys
that were replaced are scheduled for deletion. A key that a killed run made without it has its tags, by which `delete`
finds it.
"""

from __future__ import annotations

import re
import typing as t

from ...module_utils._core.errors import Misconfigured
from .._aws.kms import ENABLED, PENDING, Kms
from .._aws.kms_key import SPECS, WHO
from .._durations import seconds

if t.TYPE_CHECKING:
    from ...module_utils._core.ports import Slot
    from .._aws.kms import Found
    from .._aws.kms_key import KmsKey

DAY = 86400
_ALIAS = re.compile(r"alias/[A-Za-z0-9/_-]{1,245}", re.ASCII)  # 256 with `-next`


class AwsKmsKeyStore:
    """KeyStore and Leftovers over `{alias, region, pending_window, timeout}`."""

    def __init__(self, options: t.Mapping[str, t.Any], slot: Slot) -> None:
        """Check what can be checked without AWS. Raises Misconfigured."""
        self._alias = checked_alias(str(options["alias"]))
        self._next = f"{self._alias}-next"
        self._days = checked_days(options.get("pending_window") or "30d")
        self._slot = slot
        self._kms = Kms(options, slot.label)

    def current(self) -> KmsKey | None:
        """Return the current key; None where it is gone, disabled or to be deleted. One call where all is well.

        Raises Misconfigured where the alias leads to somebody else's key.
        """
        found, wanted = self._led(self._alias), self._slot.current
        if wanted is None or not _is_arn(wanted):
            return None
        if found is None or found.uri != wanted:
            found = self._kms.found(wanted)
        return self._kms.key(found) if found is not None and found.state == ENABLED else None

    def staged(self) -> KmsKey | None:
        """Return the key that `ALIAS-next` leads to, unless a generation has it."""
        found = self._led(self._next)
        taken = (*self._slot.used, *self._slot.spent)
        waits = found is not None and found.state == ENABLED and found.uri not in taken
        return self._kms.key(found) if found is not None and waits else None

    def stage(self, key_type: str) -> KmsKey:
        """Make a key, and let `ALIAS-next` lead to it; one of this type that waits already is what this returns (R1).

        A key of another type that waited is left to `delete`. Nothing is made where an alias is somebody else's.
        """
        self._led(self._alias)
        waits = self.staged()
        if waits is not None and waits.spec == SPECS.get(key_type):
            return waits
        made = self._kms.make(key_type)
        self._lead(self._next, made.uri)
        return self._kms.key(made)

    def promote(self) -> None:
        """Let the alias lead to the current key, and save used keys from the deletion that an earlier run scheduled."""
        current = self._slot.current
        if current is None or not _is_arn(current):
            return
        for found in self._endangered():
            self._kms.save(found)
        self._lead(self._alias, current)
        if self._led(self._next) is not None and not any(self._alive(besides=(current,))):
            self._kms.forget(self._next)  # there is nothing for `delete` to do, now or when this run was killed

    def delete(self) -> None:
        """Schedule the deletion of every key with the tags of this identity that no generation has, and look."""
        for found in self._alive(besides=self._slot.used):
            self._kms.retire(found, self._days)
        if self._slot.current is None and self._led(self._alias) is not None:
            self._kms.forget(self._alias)
        if self._led(self._next) is not None:
            self._kms.forget(self._next)

    def left(self) -> str | None:
        """Return what `promote` or `delete` would change, as far as aliases and the states of used keys show it."""
        led, waiting, current = self._led(self._alias), self._led(self._next), self._slot.current
        said = [f"{one.uri} is in use and yet scheduled for deletion" for one in self._endangered(led)]
        if current is not None and _is_arn(current) and (led is None or led.uri != current):
            said.append(f"{self._alias} does not lead to the current key")
        if current is None and led is not None:
            said.append(f"{self._alias} leads to a key that no generation has")
        if waiting is not None:
            used = waiting.uri in self._slot.used
            about = "keys that were replaced may still be there" if used else "it leads to a key that no generation has"
            said.append(f"{self._next} is still there: {about}")
        return f"{WHO}: {'; '.join(said)}" if said else None

    def elsewhere(self, uri: str) -> str | None:
        """Return the region that an ARN is of, if that is another one."""
        region = uri.split(":")[3] if _is_arn(uri) else uri
        return None if region == self._kms.region else f"region {region}"

    def check(self, key_type: str) -> None:
        """Refuse a type that there is none of, or that the installed botocore does not know."""
        self._kms.check(key_type)

    def _led(self, alias: str) -> Found | None:
        """Return the key that an alias leads to. Raises Misconfigured where that is not a key of this identity."""
        found = self._kms.found(alias)
        if found is None or found.uri in self._slot.used or self._kms.is_ours(found):
            return found
        raise Misconfigured(
            f"{WHO}: option alias: {alias} leads to {found.uri}, which is not a key of this identity; "
            "choose another alias, or delete that one"
        )

    def _lead(self, alias: str, uri: str) -> None:
        found = self._led(alias)
        if found is None or found.uri != uri:
            self._kms.lead(alias, uri, new=found is None)

    def _alive(self, besides: t.Collection[str]) -> t.Iterator[Found]:
        """Yield the keys of this identity that are not to be deleted yet, but for some."""
        waiting = self._led(self._next)
        uris = [*self._kms.all(), *([waiting.uri] if waiting else [])]
        for uri in dict.fromkeys(uris):
            if uri not in besides:
                found = self._kms.found(uri)
                if found is not None and found.state != PENDING:
                    yield found

    def _endangered(self, seen: Found | None = None) -> t.Iterator[Found]:
        """Yield the used keys that an earlier run retired; `seen` is one that was looked at just now."""
        for uri in filter(_is_arn, self._slot.used):
            found = seen if seen is not None and seen.uri == uri else self._kms.found(uri)
            if found is not None and self._kms.is_retired(found):
                yield found


def _is_arn(uri: str) -> bool:
    """Tell whether a URI is of this custody: a generation may have its key in another one."""
    return uri.startswith("arn:")


def checked_alias(value: str, where: str = f"{WHO}: option ") -> str:
    """Return the name of an alias. Raises Misconfigured; `where` is what stands before the name of the option."""
    if value.startswith("alias/aws/"):
        raise Misconfigured(f"{where}alias: {value[:100]!r} is reserved for AWS; write another, as alias/web")
    if not _ALIAS.fullmatch(value):
        raise Misconfigured(
            f"{where}alias: {value[:100]!r} is no name of an alias; it begins with alias/, and has letters, "
            "digits, '/', '_' and '-' after that, for example alias/web"
        )
    return value


def checked_days(value: t.Any, where: str = f"{WHO}: option ") -> int:
    """Return a time to wait in days, as KMS counts it. Raises Misconfigured."""
    try:
        duration = seconds(value) if isinstance(value, str) else int(value)
    except Misconfigured as error:
        raise Misconfigured(f"{where}pending_window: {error}") from None
    days, rest = divmod(duration, DAY)
    if rest or not 7 <= days <= 30:
        raise Misconfigured(f"{where}pending_window: {value!r} is not possible; write whole days, 7d to 30d")
    return days
