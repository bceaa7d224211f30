# SPDX-FileCopyrightText: 2026 Keystead contributors
# SPDX-License-Identifier: GPL-3.0-or-later
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)

"""What an authority of the controller does for SSH: signs, writes down, takes back. Its key is that of its directory.

All of it stands in `ssh` there: `issued/`, `revoked/`, the list of what was taken back, `revoked.krl`, and `ca.pub`.
What was taken back is records.py's, and the list published.py's.
"""

from __future__ import annotations

import functools
import typing as t

from ...module_utils._core import pki, ssh
from ...module_utils._core.errors import Denied, KeysteadError, Misconfigured, NotConverged
from ...module_utils._core.keys import key_type_of
from ...module_utils._core.ports import Good, IssuedRecord, Revoked, Unknown
from .._authority.files import entries, locked, put_all, read, read_if_there, settled, speaking, sync, write
from .._authority.name_constraints import refusal
from .._authority.records import REASONS
from .._authority.signing import check_is_alive
from .._authority.store import Authority, load
from .certificate import generation, issued_at, signed
from .published import PublishedList
from .records import OF_THE_KEY, WHO, Records
from .signature import is_signed

if t.TYPE_CHECKING:
    import datetime as dt
    from pathlib import Path

    from ...module_utils._core.model import Generation
    from ...module_utils._core.ports import Order, Request
    from ...module_utils._core.revoking import Revocation
    from .._authority.about import About
    from .._authority.opening import Opening

Say = t.Callable[[str], None]


class Signer:
    """What an authority does once it is loaded. The private key is opened at the first signature and kept."""

    def __init__(
        self, about: About, opening: Opening, issuer_id: str, now: t.Callable[[], dt.datetime], say: Say
    ) -> None:
        """Read the certificates of the authority; `say` hears of what is no answer.

        Raises Misconfigured for a key that SSH does not know.
        """
        self._authority: Authority = load(about.path.parent, about.name)
        self._opening, self._id, self._now, self._say = opening, issuer_id, now, say
        public = self._authority.certificate.public_key()
        if key_type_of(public).startswith("ml-dsa-"):
            raise Misconfigured(
                f"{WHO}: authority {about.name} has a key of type {key_type_of(public)}, which signs nothing for SSH; "
                "name one with an ecdsa, ed25519 or rsa key"
            )
        self.public_key = ssh.key_of(public)
        self._path = self._authority.path / "ssh"
        self._records = Records(self._path / "revoked")
        self._list = PublishedList(self._path / "revoked.krl", self.public_key, self._records)

    def sign(self, requests: t.Sequence[Request]) -> list[Generation | Order | KeysteadError]:
        """Sign what name constraints permit, and write all of it down before it is handed out."""
        if not requests:
            return []
        now = self._now()
        check_is_alive(self._authority, now)
        answers = [self._signed(request, now) for request in requests]
        self._begin()
        found = [one for one in answers if isinstance(one, bytes)]
        put_all({self._issued / f"{ssh.parsed(one).serial_number:x}.pub": ssh.as_text(one) for one in found})
        sync(self._issued)
        if not self._list.is_whole:  # of a missing RevokedKeys sshd lets nobody in, of an empty one everybody
            self._mend_list()
        return [one if isinstance(one, KeysteadError) else generation(one, self._id) for one in answers]

    def issued(self, since: dt.datetime) -> t.Iterator[IssuedRecord]:
        """Yield everything that was signed since then."""
        for path in entries(self._issued, ".pub") if self._issued.is_dir() else ():
            try:
                content = ssh.encoded(read(path))
                found, at = generation(content, self._id), issued_at(content)
            except ValueError:
                raise Misconfigured(f"{WHO}: {path} is not a certificate; restore it from a backup") from None
            if at >= since.replace(microsecond=0):
                yield IssuedRecord(found, str(found.public_id), ssh.parsed(content).serial_number, at)

    def revoke(self, certificates: t.Sequence[bytes], reason: str) -> list[Revoked | KeysteadError]:
        """Take certificates of this key back, those of users too, and publish one new list.

        The first reason stands, until a key is compromised: then that is the reason, and the key is listed.
        """
        if reason not in REASONS:
            raise Misconfigured(f"{WHO}: reason {reason!r} is none of {', '.join(REASONS)}")
        doomed = [self._nameable(self._owned(content), reason) for content in certificates]
        self._begin()
        with locked(self._authority.lock):
            if not self._list.is_whole:  # so that the first record of all finds a list, and its number one to follow
                self._list.publish(self._now())
            for one in doomed:
                if isinstance(one, ssh.Certificate):
                    self._records.take_back(one, reason, self._now())
        self.publish_list()
        return [one if isinstance(one, KeysteadError) else self._recorded(one) for one in doomed]

    def status(self, certificate: bytes) -> Good | Revoked | Unknown:
        """Say what the records of this authority know of a certificate."""
        owned = self._owned(certificate)
        if isinstance(owned, KeysteadError):
            return Unknown()
        record = self._records.of(owned)
        return record.revoked if record else Good()

    def lacks(self, known: t.Sequence[Revocation]) -> t.Container[int]:
        """Return the serial numbers of what is known to be revoked that nothing here tells of, or not of its key."""
        with settled(self._authority.lock):
            return {one.serial_number for one in self._records.lacking(known)}

    def restore(self, known: t.Sequence[Revocation]) -> None:
        """Take back again what is known to be revoked, and write a list that has it. Raises NotConverged."""
        self._begin()
        with locked(self._authority.lock):
            missing = self._records.lacking(known)
            for one in missing:
                self._records.restore(one)
            self._list.publish(self._now(), len(missing))
            why = self._list.due(self._now())
        if why or self.lacks(known):
            raise NotConverged(f"{WHO}: {why or f'{self._list.path} lacks what is revoked'}; run again")

    def lists_key(self, certificate: bytes) -> bool:
        """Tell whether the key of a certificate is to be listed, whoever certified it."""
        record = self._records.of(ssh.parsed(certificate))
        return record is not None and record.key is not None

    def listed_keys(self) -> t.Container[str]:
        """Return what the keys are called that are to be listed: their public ids."""
        return {ssh.public_id(record.key) for _number, record in self._records.all() if record.key}

    def list_due(self) -> str | None:
        """Say why the list has to be written anew."""
        return self._list.due(self._now())

    def publish_list(self) -> None:
        """Write the list anew where it is missing, lacks something or is another one; then its number is one more."""
        with locked(self._authority.lock):
            self._list.publish(self._now())

    def _mend_list(self) -> None:
        """Write the list anew, unless it has more than all records, as after a backup: only the ledger knows that."""
        with locked(self._authority.lock):
            more = self._list.more()
            if not more:
                self._list.publish(self._now())
                return
        self._say(
            f"{WHO}: {self._list.path} has {more} certificates or keys that no record tells of, as if the records came "
            "from a backup; the list is left as it is: run cert_revoke with this issuer, which brings back what the "
            "ledger knows, or take the list away if nothing in it counts"
        )

    @property
    def _issued(self) -> Path:
        return self._path / "issued"

    @functools.cached_property
    def _key(self) -> t.Any:
        return self._authority.open(self._opening)

    def _begin(self) -> None:
        with speaking("create", self._path):
            for place in (self._path, self._issued, self._path / "revoked"):
                place.mkdir(mode=0o755, exist_ok=True)
        line = ssh.as_text(self.public_key)
        if read_if_there(self._path / "ca.pub") != line:
            with locked(self._authority.lock):
                write(self._path / "ca.pub", line)

    def _signed(self, request: Request, now: dt.datetime) -> bytes | Denied:
        names = pki.alternative_names(request.subject)
        for above in (self._authority.certificate, *self._authority.issuers):
            if reason := refusal(above, names, untyped=True):
                remedy = "name another authority, or leave that principal out"
                return Denied(f"{WHO}: {request.name} is refused: {reason}; {remedy}")
        return signed(request, self._key, now, self._authority.certificate.not_valid_after_utc)

    def _owned(self, content: bytes) -> ssh.Certificate | Denied:
        """Return a certificate that this authority has signed, for a host or for a user."""
        try:
            said = ssh.parsed(content)
        except ValueError:
            said = None
        if said is not None and said.authority == self.public_key and is_signed(said):
            return said
        return Denied(
            f"{WHO}: authority {self._authority.name} did not sign the certificate {pki.fingerprint(content)}"
        )

    def _nameable(self, owned: ssh.Certificate | Denied, reason: str) -> ssh.Certificate | Denied:
        """Return a certificate if a list can say that it is taken back."""
        if isinstance(owned, Denied) or owned.serial_number or reason == OF_THE_KEY:
            return owned
        return Denied(
            f"{WHO}: authority {self._authority.name}: no list can name a certificate with serial number 0; with "
            f"reason: {OF_THE_KEY} its key is listed; else sign by ssh-keygen with -z"
        )

    def _recorded(self, said: ssh.Certificate) -> Revoked:
        record = self._records.of(said)
        if record is None:
            raise Misconfigured(
                f"{WHO}: a record in {self._path / 'revoked'} went away; restore it from a backup"
            )
        return record.revoked
