# SPDX-FileCopyrightText: 2026 Keystead contributors
# SPDX-License-Identifier: GPL-3.0-or-later
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)

"""The publisher `aws_acm`: a certificate of AWS Certificate Manager, imported under the same ARN each time."""

from __future__ import annotations

import hashlib
import re
import typing as t

from ...module_utils._core import pki
from ...module_utils._core.errors import Denied, Misconfigured, Unavailable
from ...module_utils._core.publication import CopyState
from .._aws.acm import ALGORITHMS, WHO, Acm
from .._aws.errors import Refused
from .._aws.tags import is_taggable, taggable
from .._copy_entry import MARK, Owner, is_at_hand, key_id, key_is_gone

if t.TYPE_CHECKING:
    from .._aws.acm import Imported

CONTENT = f"{MARK}:content"
MOST_TAGS = 48  # of a user; ACM has 50
LONGEST_NAME = 128  # of a tag
MOST_NAMED = 5
_ARN = re.compile(r"arn:aws[a-z-]*:acm:([a-z0-9-]+):[0-9]{12}:certificate/[A-Za-z0-9-]{1,64}", re.ASCII)
_IN_USE = "ResourceInUseException"
Parts = t.Mapping[str, bytes]


class AwsAcm:
    """Publisher over `{arn, region, tags, timeout}`. Making one reads options alone."""

    mends: t.ClassVar[tuple[str, ...]] = ("ok", "same", "tags")

    def __init__(self, options: t.Mapping[str, t.Any], owner: Owner) -> None:
        """Check what can be checked without AWS. Raises Misconfigured."""
        self._arn: str | None = options.get("arn") or None
        region = options.get("region") or _region_of(self._arn)
        if self._arn and region != _region_of(self._arn):
            raise Misconfigured(f"{WHO}.region: {region!r:.60} is not that of {self._arn}; leave it out")
        self._owner, self._label, self._tags = owner, taggable(owner.label), _tags(options.get("tags") or {})
        self._acm = Acm({**options, "region": region})
        shown = owner.label.rpartition(" ")[0]  # what follows tells ledgers apart, and there may be none yet
        self.where = f"{WHO} {self._arn}" if self._arn else f"{WHO} {shown}" + (f" in {region}" if region else "")

    def is_at(self, where: str) -> bool:
        """Tell whether this is the same certificate: a region that nobody writes is that of the controller."""
        if where == self.where:
            return True
        (mine, _in, here), (theirs, _in, there) = (one.partition(" in ") for one in (self.where, where))
        return mine == theirs and self._acm.region_of(here) == self._acm.region_of(there)

    def read(self, parts: Parts | None) -> CopyState:
        """Compare what is there with the parts, by certificate and chain: ACM shows no private key."""
        return self._state(self._found(), parts)

    def write(self, parts: Parts) -> None:
        """Import it, unless only tags are missing, and tag it."""
        found, tags = self._found(), {**self._tags, MARK: self._label}
        if found is None or self._state(found, parts).state not in self.mends:
            _check_pair(parts)
            there = found.arn if found else self._acm.tagged_lately(MARK, self._label)
            arn = self._acm.put(there, parts, tags)
            found = self._acm.at(arn)
            if found is None or not _holds(found, parts):
                told = f"{arn} does not hold what was imported"
                raise Unavailable(f"{WHO}: {told}; look who else imports there, then run again")
        self._acm.tag(found.arn, {**tags, CONTENT: _digest_of(found)})

    def delete(self) -> None:
        """Delete it, if it is ours and untouched."""
        found = self._found()
        if found is None or not self._is_untouched(found):
            return
        _check_free(found)
        try:
            self._acm.delete(found.arn)
        except Refused as refused:
            if refused.code != _IN_USE:
                raise
            _check_free(self._acm.at(found.arn) or found)
            raise
        if self._acm.at(found.arn) is not None:
            raise Unavailable(f"{WHO}: {found.arn} is still there; run again")

    def check_free(self) -> None:
        """Raise Denied where somebody uses what `delete` would delete."""
        found = self._found()
        if found is not None and self._is_untouched(found):
            _check_free(found)

    def _found(self) -> Imported | None:
        arn = self._arn or self._acm.tagged(MARK, self._label)
        found = self._acm.at(arn) if arn else None
        if found is None and self._arn:
            raise Misconfigured(f"{WHO}.arn: there is no certificate {self._arn}; correct it, or leave it out")
        return found

    def _state(self, found: Imported | None, parts: Parts | None) -> CopyState:
        """Return how what is there differs. Raises Misconfigured for somebody else's, and for what ACM would refuse."""
        if found is None:
            return CopyState(self.where, WHO, "missing")
        ours = found.tags.get(MARK) == self._label
        if ours or self._owner.replaces:
            self._check_key_type(found)
        if parts is not None and _holds(found, parts):
            missing = [f"{name}={value}" for name, value in self._tags.items() if found.tags.get(name) != value]
            if ours and self._is_untouched(found):
                return CopyState(self.where, WHO, "tags" if missing else "ok", missing[0] if missing else "")
            return CopyState(self.where, WHO, "same")
        if not ours and not self._owner.replaces:
            raise Misconfigured(
                f"{WHO}: {found.arn} holds something else, which is not of {self._owner.name}; declare another arn, or "
                f"say replace_files: true for {self._owner.name}"
            )
        how = _difference(found, parts) if parts else "certificate"
        return CopyState(self.where, WHO, how if ours else "file")

    def _check_key_type(self, found: Imported) -> None:
        """Refuse, before anything is issued, a type of key that ACM does not take under an ARN that has another."""
        declared = ALGORITHMS.get(self._owner.key_type, found.algorithm)
        if found.algorithm and declared != found.algorithm:
            raise Misconfigured(
                f"{WHO}: {found.arn} has a key of type {found.algorithm}, which ACM lets nobody change under the same "
                f"ARN; declare that type instead of {self._owner.key_type}, or delete it there first"
            )

    def _is_untouched(self, found: Imported) -> bool:
        return (found.tags.get(MARK), found.tags.get(CONTENT)) == (self._label, _digest_of(found))


def _holds(found: Imported, parts: Parts) -> bool:
    """Tell whether certificate and chain are those of the parts; what stands behind them, a service may have added."""
    try:
        theirs, ours = _ders(found.certificate, found.chain), _ders(parts["certificate"], parts["chain"])
    except ValueError:
        return False
    return theirs[: len(ours)] == ours


def _ders(certificate: bytes, chain: bytes) -> list[bytes]:
    return [*pki.der_certificates(certificate), *(pki.der_certificates(chain) if chain.strip() else ())]


def _difference(found: Imported, parts: Parts) -> str:
    theirs, ours = (pki.der_certificates(one)[0] for one in (found.certificate, parts["certificate"]))
    if theirs == ours:
        return "parts"
    try:
        return "certificate" if pki.credential(theirs).public_id == key_id(parts["private_key"]) else "key"
    except ValueError:
        return "unreadable"


def _check_pair(parts: Parts) -> None:
    """Refuse a private key that is not at hand, or not that of the certificate, whatever the service would take."""
    if not is_at_hand(parts["private_key"]):
        raise key_is_gone(WHO)
    if pki.credential(pki.der_certificates(parts["certificate"])[0]).public_id != key_id(parts["private_key"]):
        raise Denied(f"{WHO}: the private key is not that of the certificate; nothing was imported, run again")


def _check_free(found: Imported) -> None:
    if not found.users:
        return
    more = f" and {len(found.users) - MOST_NAMED} more" if len(found.users) > MOST_NAMED else ""
    raise Denied(
        f"{WHO}: {found.arn} is in use by {', '.join(found.users[:MOST_NAMED])}{more}; let them use another "
        "certificate first, then run again"
    )


def _digest_of(found: Imported) -> str:
    """Return what stands for certificate and chain as the service shows them."""
    return hashlib.sha256(found.certificate + b"\0" + found.chain).hexdigest()[:32]


def _region_of(arn: str | None) -> str | None:
    """Return the region of an ARN. Raises Misconfigured for what is none."""
    if arn is None:
        return None
    found = _ARN.fullmatch(arn)
    if found is None:
        raise Misconfigured(
            f"{WHO}.arn: {arn[:100]!r} is no ARN of a certificate; write arn:aws:acm:REGION:ACCOUNT:certificate/ID"
        )
    return found[1]


def _tags(said: t.Mapping[str, t.Any]) -> dict[str, str]:
    """Return what a task says of tags. Raises Misconfigured for what no tag can be."""
    tags = {str(name): str(value) for name, value in said.items()}
    for name, value in tags.items():
        can_be = is_taggable(name) and len(name) <= LONGEST_NAME and (not value or is_taggable(value))
        if not can_be or name.lower().startswith(MARK):
            raise Misconfigured(
                f"{WHO}.tags: {name[:60]!r} cannot be a tag; write a name and a value in letters, digits and _.:/=+@-, "
                f"which do not begin with aws: or {MARK}"
            )
    if len(tags) > MOST_TAGS:
        raise Misconfigured(f"{WHO}.tags: {len(tags)} are more than {MOST_TAGS}; write fewer")
    return tags
