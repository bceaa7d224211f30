# SPDX-FileCopyrightText: 2026 Keystead contributors
# SPDX-License-Identifier: GPL-3.0-or-later
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)

"""How a certificate stands: good, revoked, expired or unknown. What nobody tells, or told too long ago, is unknown."""

from __future__ import annotations

import contextlib
import typing as t
from datetime import UTC, datetime

with contextlib.suppress(ImportError):
    from cryptography import x509
    from cryptography.hazmat.primitives.serialization import Encoding

from ..module_utils._core import credentials, pki
from ..module_utils._core.errors import Denied
from ..module_utils._core.model import ADOPTED, OBSERVED
from ..module_utils._core.ports import Good, Revoked
from ._ledger import queries, revocations
from ._ledger.moments import moment
from ._path import LONGEST, check_path, signed_by
from ._published import places
from ._revocation_list import SKEW
from ._ways import is_root, shortest

if t.TYPE_CHECKING:
    from collections.abc import Sequence

    from ._asking import Asking
    from ._ledger.chain import Readable
    from ._published import Told

GOOD, REVOKED, EXPIRED, UNKNOWN = "good", "revoked", "expired", "unknown"
UNKNOWN_TO_LEDGER = "the ledger does not know it"
GIVE = "give the certificate itself, by its path or as PEM"
Record = dict[str, t.Any]


class Meant(t.NamedTuple):
    """A certificate (DER), what stands above it as far as somebody says (DER), and what a ledger knows of it.

    `issuer_id` is None where no issuer of ours is recorded. A revoked one may be known by its record alone.
    """

    certificate: bytes | None
    above: tuple[bytes, ...] = ()
    known: bool = False
    issuer_id: str | None = None
    revoked: Revoked | None = None


class Standing(t.NamedTuple):
    """How a certificate stands; `source` is who says so: ledger, issuer, ocsp or crl. `why` is why it is unknown.

    `places` are what it names, where its clients look, and whoever asks as they do asks there; None for who does not.
    """

    status: str
    reason: str | None = None
    revoked_at: datetime | None = None
    source: str | None = None
    this_update: datetime | None = None
    next_update: datetime | None = None
    why: str | None = None
    places: tuple[str, ...] | None = None

    def record(self) -> Record:
        """Return it as a user reads it."""
        found = {name: _shown(value) for name, value in self._asdict().items() if name != "places"}
        found |= {} if self.places is None else {"places": list(self.places)}
        return {"status": found.pop("status"), **found}


class Standings:
    """Says how certificates stand: as the ledger says, or with `asking` as who can tell now does.

    With `roots` (DER), what does not lead to one of them is unknown. `as_clients` believes what clients find, and no
    ledger.
    """

    def __init__(self, asking: Asking | None, roots: Sequence[bytes] = (), *, as_clients: bool = False) -> None:
        """Keep whom to ask."""
        self._as_clients = as_clients
        self._asking, self._roots = asking, [x509.load_der_x509_certificate(root) for root in roots]
        self._now = datetime.now(UTC)
        self._above: dict[bytes, Told] = {}  # how authorities stand

    def of(self, meant: Meant) -> Standing:
        """Return how a certificate stands. What was revoked stays so, whatever anybody says, but to clients."""
        if meant.revoked is not None and not self._as_clients:
            return Standing(REVOKED, meant.revoked.reason, meant.revoked.when, "ledger")
        try:
            leaf, begins, ends = _read(meant.certificate or b"")
        except pki.MALFORMED:
            why = "it cannot be read" if meant.certificate else f"the ledger has its number alone; {GIVE}"
            return Standing(UNKNOWN, why=why)
        if ends <= self._now:
            return Standing(EXPIRED, why=f"it ended on {ends:%Y-%m-%d %H:%M} UTC")
        if begins > self._now + SKEW:
            return Standing(UNKNOWN, why=f"it begins on {begins:%Y-%m-%d %H:%M} UTC")
        try:
            way = _way(leaf, meant.above, self._roots, self._now) if leaf else []
        except pki.MALFORMED:
            return Standing(UNKNOWN, why="what stands above it cannot be read")
        found = (self._trusted(leaf, way) if leaf else None) or self._alive(way, meant)
        return found._replace(places=places(meant.certificate or b"")) if self._as_clients else found

    def _trusted(self, leaf: x509.Certificate, way: list[x509.Certificate]) -> Standing | None:
        """Say why a certificate leads to none of the roots; None where it does, or where none are declared."""
        try:
            if self._roots:
                check_path(leaf, way, self._roots, self._now)
        except Denied as error:
            return Standing(UNKNOWN, why=str(error))
        except pki.MALFORMED:
            return Standing(UNKNOWN, why="what stands above it cannot be read")
        return None

    def _alive(self, way: list[x509.Certificate], meant: Meant) -> Standing:
        if self._asking is None:
            if meant.known:
                return Standing(GOOD, source="ledger")
            return Standing(UNKNOWN, why=UNKNOWN_TO_LEDGER)
        anchors = tuple(root.public_bytes(Encoding.DER) for root in self._roots)
        above = [*meant.above, *anchors]
        leaf = meant.certificate or b""
        found = _told(self._asking.status(leaf, above, meant.issuer_id, anchors, as_clients=self._as_clients))
        if found.status != GOOD:
            return found
        return next((gone for one in way if (gone := self._gone(self._asking, one, above, anchors))), found)

    def _gone(
        self, asking: Asking, authority: x509.Certificate, above: Sequence[bytes], anchors: Sequence[bytes]
    ) -> Standing | None:
        """Say that an authority above was revoked: what it says itself of what it signed counts no more."""
        der = authority.public_bytes(Encoding.DER)
        if der not in self._above:
            self._above[der] = asking.status(der, above, None, anchors)
        found = self._above[der].status
        if not isinstance(found, Revoked):
            return None
        return Standing(UNKNOWN, why=f"{authority.subject.rfc4514_string()} above it was revoked ({found.reason})")


def _read(content: bytes) -> tuple[x509.Certificate | None, datetime, datetime]:
    """Return a certificate, None for one of SSH, and its life. Raises one of MALFORMED."""
    if credentials.is_of_ssh(content):
        found = credentials.credential(content)
        return None, found.not_before, found.not_after
    leaf = x509.load_der_x509_certificate(content)
    return leaf, leaf.not_valid_before_utc, leaf.not_valid_after_utc


def meant_by(ledger: Readable | None, certificate: bytes, above: Sequence[bytes] = ()) -> Meant:
    """Return a certificate (DER), and what a ledger knows of it."""
    by = {"credential_id": pki.fingerprint(certificate)}
    rows = revocations.credentials(ledger, by) if ledger else []
    if rows:
        return of_row(t.cast("Readable", ledger), rows, above)
    found = revocations.strangers(ledger, by) if ledger else []
    meant = Meant(certificate, tuple(above))
    return meant._replace(known=True, revoked=_revoked(found[0])) if found else meant


def of_stranger(row: revocations.Record) -> Meant:
    """Return a certificate of no identity, of which the ledger has that it was revoked."""
    return Meant(None, known=True, revoked=_revoked(row))


def of_row(ledger: Readable, rows: Sequence[revocations.Record], above: Sequence[bytes] = ()) -> Meant:
    """Return the certificate of rows of the ledger: it may have several holders, and any of them may know of its end.

    Raises ValueError for a certificate that cannot be read.
    """
    row = rows[0]
    kept = queries.certificate_of(ledger, row["host"], row["store"], row["identity"], row["credential_id"])
    chain = kept[1] if kept else ""
    issuers = [one["issuer_id"] for one in rows if not one["issuer_id"].startswith((ADOPTED, OBSERVED))]
    return Meant(
        credentials.encoded(row["certificate"].encode()),
        (*above, *(pki.der_certificates(chain.encode()) if chain else ())),
        known=True,
        issuer_id=issuers[0] if issuers else None,
        revoked=next((_revoked(one) for one in rows if one["revoked_at"]), None),
    )


def _revoked(row: revocations.Record) -> Revoked:
    return Revoked(row["reason"], moment(row["revoked_at"]))


def _told(told: Told) -> Standing:
    found = told.status
    if isinstance(found, Revoked):
        why, when = found.reason, found.when
        return Standing(REVOKED, why, when, told.source, told.this_update, told.next_update, told.why or None)
    if isinstance(found, Good):
        return Standing(GOOD, None, None, told.source, told.this_update, told.next_update, told.why or None)
    return Standing(UNKNOWN, why=told.why)


def _way(
    leaf: x509.Certificate, above: Sequence[bytes], roots: Sequence[x509.Certificate], now: datetime
) -> list[x509.Certificate]:
    """Return what stands above a certificate in order, without its root: the way to one of these, if there is one."""
    left, way = [x509.load_der_x509_certificate(der) for der in above], [leaf]
    for found in (shortest(leaf, left, root, now) for root in roots):
        if found:
            return found[1:-1]
    while len(way) <= LONGEST:
        higher = next((one for one in left if signed_by(way[-1], one) and not is_root(one)), None)
        if higher is None:
            break
        left.remove(higher)
        way.append(higher)
    return way[1:]


def _shown(value: t.Any) -> t.Any:
    return f"{value:%Y-%m-%dT%H:%M:%SZ}" if isinstance(value, datetime) else value
