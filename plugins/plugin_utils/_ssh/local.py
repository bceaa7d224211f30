# SPDX-FileCopyrightText: 2026 Keystead contributors
# SPDX-License-Identifier: GPL-3.0-or-later
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)

"""What an authority of the controller does for SSH: signs, writes down, takes back. Its key is that of its directory.

All of it stands in `ssh` there: `issued/`, `revoked/`, the list of what was taken back, `revoked.krl`, and `ca.pub`.
"""

from __future__ import annotations

import contextlib
import datetime as dt
import functools
import json
import typing as t

with contextlib.suppress(ImportError):
    from cryptography.exceptions import InvalidSignature
    from cryptography.hazmat.primitives.serialization import SSHCertificate, load_ssh_public_identity

from ...module_utils._core import pki, ssh
from ...module_utils._core.errors import Denied, KeysteadError, Misconfigured
from ...module_utils._core.keys import key_type_of
from ...module_utils._core.ports import Good, IssuedRecord, Revoked, Unknown
from .._authority.files import entries, locked, put_all, read, read_if_there, speaking, sync, write
from .._authority.name_constraints import refusal
from .._authority.records import REASONS
from .._authority.signing import check_is_alive
from .._authority.store import Authority, load
from . import krl
from .certificate import generation, issued_at, signed

if t.TYPE_CHECKING:
    from pathlib import Path

    from ...module_utils._core.model import Generation
    from ...module_utils._core.ports import Order, Request
    from .._authority.about import About
    from .._authority.opening import Opening

WHO = "local_ssh"
_UNVERIFIED: tuple[type[Exception], ...] = pki.MALFORMED
with contextlib.suppress(NameError):
    _UNVERIFIED += (InvalidSignature,)
_OF_THE_KEY = ("key_compromise", "ca_compromise", "aa_compromise")  # whoever certified it, the key is bad


class Signer:
    """What an authority does once it is loaded. The private key is opened at the first signature and kept."""

    def __init__(self, about: About, opening: Opening, issuer_id: str, now: t.Callable[[], dt.datetime]) -> None:
        """Read the certificates of the authority. Raises Misconfigured for a key that SSH does not know."""
        self._authority: Authority = load(about.path.parent, about.name)
        self._opening, self._id, self._now = opening, issuer_id, now
        public = self._authority.certificate.public_key()
        if key_type_of(public).startswith("ml-dsa-"):
            raise Misconfigured(
                f"{WHO}: authority {about.name} has a key of type {key_type_of(public)}, which signs nothing for SSH; "
                "name one with an ecdsa, ed25519 or rsa key"
            )
        self.public_key = ssh.key_of(public)
        self._path = self._authority.path / "ssh"

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
        if not self.list_path.exists():  # sshd lets nobody in where RevokedKeys names a file that is missing
            self.publish_list()
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
        """Take certificates of this key back, those of users too, and publish one new list. The first reason stands."""
        if reason not in REASONS:
            raise Misconfigured(f"{WHO}: reason {reason!r} is none of {', '.join(REASONS)}")
        owned = [self._owned(content) for content in certificates]
        self._begin()
        with locked(self._authority.lock):
            for one in owned:
                if isinstance(one, ssh.Certificate) and self._revocation(one.serial_number) is None:
                    self._take_back(one, reason)
        self.publish_list()
        return [one if isinstance(one, KeysteadError) else self._recorded(one) for one in owned]

    def status(self, certificate: bytes) -> Good | Revoked | Unknown:
        """Say what the records of this authority know of a certificate."""
        owned = self._owned(certificate)
        return Unknown() if isinstance(owned, KeysteadError) else self._revocation(owned.serial_number) or Good()

    def publish_list(self) -> None:
        """Write the list anew where it is missing or lacks something; then its number is one more."""
        with locked(self._authority.lock):
            self._publish()

    @property
    def list_path(self) -> Path:
        """Where the list is."""
        return self._path / "revoked.krl"

    @property
    def _issued(self) -> Path:
        return self._path / "issued"

    @property
    def _revoked(self) -> Path:
        return self._path / "revoked"

    @functools.cached_property
    def _key(self) -> t.Any:
        return self._authority.open(self._opening)

    def _begin(self) -> None:
        with speaking("create", self._path):
            for place in (self._path, self._issued, self._revoked):
                place.mkdir(mode=0o755, exist_ok=True)
        if not (self._path / "ca.pub").exists():
            with locked(self._authority.lock):
                write(self._path / "ca.pub", ssh.as_text(self.public_key))

    def _signed(self, request: Request, now: dt.datetime) -> bytes | Denied:
        names = pki.alternative_names(request.subject)
        for above in (self._authority.certificate, *self._authority.issuers):
            if reason := refusal(above, names):
                remedy = "name another authority, or leave that principal out"
                return Denied(f"{WHO}: {request.name} is refused: {reason}; {remedy}")
        return signed(request, self._key, now, self._authority.certificate.not_valid_after_utc)

    def _owned(self, content: bytes) -> ssh.Certificate | Denied:
        """Return a certificate that this authority has signed, for a host or for a user."""
        try:
            said = ssh.parsed(content)
            found = load_ssh_public_identity(ssh.as_text(content))
            if said.authority == self.public_key and isinstance(found, SSHCertificate):
                found.verify_cert_signature()
                return said if said.serial_number else _numberless(self._authority.name)
        except _UNVERIFIED:
            pass
        return Denied(
            f"{WHO}: authority {self._authority.name} did not sign the certificate {pki.fingerprint(content)}"
        )

    def _take_back(self, said: ssh.Certificate, reason: str) -> None:
        record = {"reason": reason, "when": self._now().replace(microsecond=0).isoformat()}
        if reason in _OF_THE_KEY:
            record["key"] = ssh.as_text(said.key).decode().strip()
        write(self._revoked / f"{said.serial_number:x}.json", json.dumps(record).encode() + b"\n")

    def _recorded(self, said: ssh.Certificate) -> Revoked:
        found = self._revocation(said.serial_number)
        if found is None:
            raise Misconfigured(f"{WHO}: a record in {self._revoked} went away; restore it from a backup")
        return found

    def _revocation(self, serial_number: int) -> Revoked | None:
        content = read_if_there(self._revoked / f"{serial_number:x}.json")
        return None if content is None else self._parsed(serial_number, content)[0]

    def _parsed(self, serial_number: int, content: bytes) -> tuple[Revoked, bytes | None]:
        try:
            said = json.loads(content)
            if said["reason"] in REASONS:
                key = ssh.encoded(said["key"].encode()) if "key" in said else None
                return Revoked(said["reason"], dt.datetime.fromisoformat(said["when"])), key
        except (ValueError, KeyError, TypeError, AttributeError, RecursionError):
            pass
        where = self._revoked / f"{serial_number:x}.json"
        raise Misconfigured(f"{WHO}: {where} is not a revocation record; restore it from a backup")

    def _publish(self) -> None:
        numbers = {}
        for path in entries(self._revoked, ".json"):
            serial_number = _serial_number(path)
            numbers[serial_number] = self._parsed(serial_number, read(path))[1]
        keys = tuple(key for key in numbers.values() if key)
        there = read_if_there(self.list_path)
        try:
            number = 0 if there is None else krl.number_of(there)
        except ValueError:
            raise Misconfigured(f"{WHO}: {self.list_path} is not a revocation list; move it away") from None
        content = krl.written(krl.List(number + 1, self.public_key, tuple(numbers), keys), self._now())
        if there is None or krl.rest_of(there) != krl.rest_of(content):
            write(self.list_path, content)


def _numberless(name: str) -> Denied:
    return Denied(f"{WHO}: authority {name}: no list can name a certificate with serial number 0")


def _serial_number(path: Path) -> int:
    try:
        return int(path.stem, 16)
    except ValueError:
        raise Misconfigured(f"{WHO}: {path} is not named after a serial number; move it away") from None
