# SPDX-FileCopyrightText: 2026 Keystead contributors
# SPDX-License-Identifier: GPL-3.0-or-later
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)

"""What the PKI of an OpenBao remembers to have signed: found, looked at, and taken back."""

from __future__ import annotations

import contextlib
import datetime as dt
import functools
import re
import typing as t

with contextlib.suppress(ImportError):
    from cryptography import x509
    from cryptography.hazmat.primitives.serialization import Encoding, load_pem_private_key

from ...module_utils._core import pki
from ...module_utils._core.errors import Denied, KeysteadError, Misconfigured, Unavailable
from ...module_utils._core.ports import Good, IssuedRecord, Revoked, Unknown
from .._serial import with_colons
from .batch import side_by_side
from .errors import WHO, Refused, not_understood, plain, section

if t.TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Sequence

    from ...module_utils._core.model import Generation
    from .client import Client, Json

Entry = tuple[str, dt.datetime]  # a serial number, and from when it is valid

BACKDATING = dt.timedelta(minutes=10)  # the server antedates by 30 s, a role may by more
PAGE, PAGES = 1000, 20  # certificates that one call lists, and calls
MOST_READ = 1000  # certificates that are read one by one
_UNSAID = dt.datetime.max.replace(tzinfo=dt.UTC)  # then the certificate is read
_NO_REASON = "unspecified"  # RFC 5280, 5.3.1: the server keeps none


class Records:
    """The certificates of one mount. `generation` makes one from a certificate of its issuer."""

    def __init__(
        self,
        client: Client,
        mount: str,
        generation: Callable[[x509.Certificate], Generation],
        advise: Callable[[str], None],
        elsewhere: Callable[[bytes], Good | Revoked | Unknown],
    ) -> None:
        """Keep whom to ask; `elsewhere` knows what was not kept."""
        self.page, self._elsewhere = PAGE, elsewhere
        self._client, self._mount, self._generation, self._advise = client, mount, generation, advise
        self._read: dict[str, x509.Certificate | None] = {}

    def revoke(self, certificates: Sequence[bytes], reason: str) -> list[Revoked | KeysteadError]:
        """Take certificates (DER) back, some at once; one that is another's is refused in its place."""
        return side_by_side(certificates, lambda der: self._revoked(der, reason))

    def status(self, certificate: bytes) -> Good | Revoked | Unknown:
        """Say what the mount knows of a certificate (DER): of one that it did not keep, what its issuer publishes."""
        found = self._kept(certificate)
        if found is None:
            return self._elsewhere(certificate)
        return _revocation(found) or Good()

    def revoke_with_key(self, der: bytes, private_key: bytes) -> Revoked:
        """Take a certificate (DER) back for who has its key (PEM, not encrypted), which goes to the server.

        Raises Denied for a key that is another's, without sending it.
        """
        try:
            certificate = x509.load_der_x509_certificate(der)
            fits = load_pem_private_key(private_key, None).public_key() == certificate.public_key()
        except pki.MALFORMED:
            fits = False
        if not fits:
            raise Denied(f"{WHO}: {pki.fingerprint(der)} is not revoked: what was given is not its private key in PEM")
        body = {"certificate": certificate.public_bytes(Encoding.PEM).decode(), "private_key": private_key.decode()}
        try:
            said = self._client.call("POST", f"{self._mount}/revoke-with-key", body)
        except KeysteadError as error:
            raise plain(error) from None
        found = _revocation(section(said, "data"))
        if found is None:
            raise Denied(f"{WHO}: it did not revoke {pki.fingerprint(der)}, which may have ended; see its log")
        return found

    def issued(self, since: dt.datetime) -> Iterator[IssuedRecord]:
        """Yield what was signed since then and kept, as far as the policy lets us look."""
        begin = since - BACKDATING
        for serial, start in self._listed:
            certificate = self._certificate(serial) if start >= begin else None
            if certificate is not None and certificate.not_valid_before_utc >= begin:
                generation = self._generation(certificate)
                signed_at, number = certificate.not_valid_before_utc, certificate.serial_number
                yield IssuedRecord(generation, generation.public_id or "", number, signed_at)

    def forget(self) -> None:
        """Forget what was listed: more is signed."""
        self.__dict__.pop("_listed", None)

    def _revoked(self, der: bytes, reason: str) -> Revoked:
        """Name the certificate itself: a serial number could be another's, and a role may have kept no copy."""
        try:
            certificate = x509.load_der_x509_certificate(der)
        except pki.MALFORMED:
            raise Denied(f"{WHO}: mount {self._mount} did not sign what is no certificate") from None
        try:
            pem = certificate.public_bytes(Encoding.PEM).decode()
            said = self._client.call("POST", f"{self._mount}/revoke", {"certificate": pem})
        except (Refused, Unavailable) as error:
            if isinstance(error, Unavailable) and "verify signature" not in str(error):
                raise
            if isinstance(error, Refused) and error.status == 403:
                raise
            said = self._by_number(der, certificate)
        if reason != _NO_REASON:
            self._advise(f"{WHO}: it keeps no reason of a revocation; {reason} is recorded as {_NO_REASON}")
        found = _revocation(section(said, "data")) if said.get("data") else None
        if found is None:
            raise Denied(f"{WHO}: it did not revoke {pki.fingerprint(der)}, which may have ended; see its log")
        return found

    def _by_number(self, der: bytes, certificate: x509.Certificate) -> Json:
        """Take back what an issuer has signed that is no longer there, if the mount kept exactly this one."""
        if self._kept(der) is None:
            raise Denied(
                f"{WHO}: mount {self._mount} did not sign the certificate {pki.fingerprint(der)}; "
                "name who signed it in issuers"
            )
        number = with_colons(certificate.serial_number)
        return self._client.call("POST", f"{self._mount}/revoke", {"serial_number": number})

    def _kept(self, der: bytes) -> Json | None:
        """Return what the mount says of exactly this certificate."""
        try:
            number = with_colons(x509.load_der_x509_certificate(der).serial_number)
            found = self._entry(number)
            same = found is not None and pki.der_certificates(str(found["certificate"]).encode()) == (der,)
        except pki.MALFORMED:
            return None
        return found if same else None

    def _entry(self, serial: str) -> Json | None:
        try:
            found = section(self._client.public(f"{self._mount}/cert/{serial}"), "data")
        except Refused as refused:
            if refused.status != 404:
                raise
            return None
        if not isinstance(found.get("certificate"), str):
            raise not_understood("certificate")
        return found

    def _certificate(self, serial: str) -> x509.Certificate | None:
        if serial not in self._read:
            found = self._entry(serial)
            try:
                pem = str(found["certificate"]).encode() if found else b""
                self._read[serial] = x509.load_pem_x509_certificate(pem) if pem else None
            except pki.MALFORMED:
                self._read[serial] = None
        return self._read[serial]

    @functools.cached_property
    def _listed(self) -> list[Entry]:
        """What the mount kept: in no order of time, so it is asked for once."""
        try:
            return list(self._detailed())
        except (Refused, Misconfigured):  # Vault has no such list; a policy may not permit it
            return self._all()

    def _detailed(self) -> Iterator[Entry]:
        after = ""
        for _page in range(PAGES):
            found = self._list(f"certs/detailed?limit={self.page}" + (f"&after={after}" if after else ""))
            keys, about = _keys(found), found.get("key_info")
            yield from [(key, _starts(about, key)) for key in keys]
            if len(keys) != self.page:
                return
            after = keys[-1].replace(":", "-")  # as it is stored and sorted: with colons, it skips some
        self._advise(f"{WHO}: {self._mount} has too many certificates to look at all of them; tidy it")

    def _all(self) -> list[Entry]:
        try:
            keys = _keys(self._list("certs"))
        except Refused as refused:
            self._advise(f"{WHO}: lost answers cannot be looked for: {str(refused).removeprefix(f'{WHO}: ')}")
            raise
        if len(keys) > MOST_READ:
            self._advise(f"{WHO}: {self._mount} has too many certificates to read all of them; tidy it")
        return [(key, _UNSAID) for key in keys[:MOST_READ]]

    def _list(self, path: str) -> Json:
        try:
            return section(self._client.call("LIST", f"{self._mount}/{path}"), "data")
        except Refused as refused:
            if refused.status != 404 or refused.said:  # without a word, it says that there is nothing
                raise
            return {"keys": []}


def _keys(data: Json) -> list[str]:
    """Return the serial numbers of a list. Raises Unavailable where there is none: it is not an empty one."""
    keys = data.get("keys")
    listed = keys if isinstance(keys, list) else [None]
    found = list(filter(re.compile("[0-9a-f]{2}([:-][0-9a-f]{2}){0,40}").fullmatch, map(str, listed)))
    if listed and not found:
        raise not_understood("list of certificates")
    return found


def _starts(about: t.Any, key: str) -> dt.datetime:
    """Return from when a certificate of a list is valid, as far as the list says it as a time."""
    try:
        found = dt.datetime.fromisoformat(about[key]["not_before"])
    except (TypeError, KeyError, ValueError):
        return _UNSAID
    return found if found.tzinfo else found.replace(tzinfo=dt.UTC)


def _revocation(data: Json) -> Revoked | None:
    moment = data.get("revocation_time")
    if not isinstance(moment, int) or moment <= 0:
        return None
    return Revoked(_NO_REASON, dt.datetime.fromtimestamp(moment, dt.UTC))
