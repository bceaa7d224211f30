# SPDX-FileCopyrightText: 2026 Keystead contributors
# SPDX-License-Identifier: GPL-3.0-or-later
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)

"""The revocation list of an authority (RFC 5280, 5): complete, with numbers that only grow, in PEM and in DER.

A list is made from the one before and from the records that this lacks, so one more revocation beside many reads one
record. When its time has come it is made from all records, and those leave it that it had after their end.
"""

from __future__ import annotations

import contextlib
import datetime as dt
import typing as t

with contextlib.suppress(ImportError):
    from cryptography import x509
    from cryptography.hazmat.primitives.serialization import Encoding

from ...module_utils._core.errors import Misconfigured
from ...module_utils._core.keys import signing_hash
from ...module_utils._core.pki import MALFORMED
from .._durations import shown
from . import records
from .files import locked, put_all, read, sync, write
from .signing import key_identifier

if t.TYPE_CHECKING:
    from .store import Authority

SKEW = dt.timedelta(minutes=5)
_UNREADABLE: tuple[type[Exception], ...] = (*MALFORMED, LookupError)
_MOST_DIGITS = 48  # of a number (RFC 5280, 5.2.3: 20 octets)


class Facts(t.NamedTuple):
    """What a list says of itself, and how many certificates it has."""

    number: int
    this_update: dt.datetime
    next_update: dt.datetime | None
    entries: int


def facts(authority: Authority) -> Facts | None:
    """Return what the list of an authority says of itself; None where there is none."""
    return _facts(current(authority)) if authority.crl_path.exists() else None


def due(authority: Authority, now: dt.datetime) -> str | None:
    """Say why the list must be made anew: it is missing, its time has come, it lacks something, or nobody finds it."""
    if not authority.crl_path.exists():
        return "there is no revocation list yet"
    crl = current(authority)
    if not _is_signed(authority, crl):
        return f"{authority.crl_path.name} is not signed by this authority"
    return _is_over(authority, crl, now) or _lacks(authority, crl) or _is_not_published(authority, crl)


def publish(authority: Authority, key: t.Any, now: dt.datetime) -> None:
    """Make the list anew."""
    with locked(authority.lock):
        make(authority, key, now)


def make(authority: Authority, key: t.Any, now: dt.datetime) -> None:
    """Make the list anew; the caller holds the lock.

    The number is written down before anything is signed by it: whatever happens to the list, none comes twice.
    """
    now = now.replace(microsecond=0)
    last = current(authority) if authority.crl_path.exists() else None
    ours = last if last is not None and _is_signed(authority, last) else None
    entries = _entries(authority, ours, now)
    number = max(_noted(authority), _facts(ours).number if ours else 0) + 1
    write(authority.crl_number_path, b"%d\n" % number)
    crl = (
        # the list of entries goes in at once: the builder would copy it for each that is added
        x509.CertificateRevocationListBuilder(revoked_certificates=entries)
        .issuer_name(authority.certificate.subject)
        .last_update(now)
        .next_update(now + authority.publication.life)
        .add_extension(key_identifier(authority), critical=False)
        .add_extension(x509.CRLNumber(number), critical=False)
        .sign(key, signing_hash(key))
    )
    put_all({
        authority.certificate_der_path: authority.certificate.public_bytes(Encoding.DER),
        authority.crl_der_path: crl.public_bytes(Encoding.DER),
        authority.crl_path: crl.public_bytes(Encoding.PEM),
    })  # fmt: skip
    sync(authority.path)


def current(authority: Authority) -> x509.CertificateRevocationList:
    """Return the list; raises Misconfigured for what is none."""
    try:
        crl = x509.load_pem_x509_crl(read(authority.crl_path))
        _facts(crl)
    except _UNREADABLE:
        raise Misconfigured(f"local: {authority.crl_path} is not a revocation list; restore it from a backup") from None
    return crl


def _facts(crl: x509.CertificateRevocationList) -> Facts:
    """Return what a list says of itself; raises one of MALFORMED, or LookupError, where it cannot be understood."""
    try:
        number = crl.extensions.get_extension_for_class(x509.CRLNumber).value.crl_number
    except x509.ExtensionNotFound:
        raise LookupError("no number") from None
    crl.issuer.rfc4514_string()
    return Facts(number, crl.last_update_utc, crl.next_update_utc, len(crl))


def _entries(
    authority: Authority, last: x509.CertificateRevocationList | None, now: dt.datetime
) -> list[x509.RevokedCertificate]:
    """Return what the next list has: of all records when its time has come, else what it had and what it lacks."""
    if last is None or _is_over(authority, last, now):
        if last is not None:
            if last.last_update_utc > now:  # by a clock that was ahead, others may have been put away too early
                records.take_back(authority, now)
            records.retire(authority, {entry.serial_number for entry in last}, min(last.last_update_utc, now))
        return [records.entry(authority, one) for one in records.serial_numbers(authority)]
    had = {entry.serial_number for entry in last}
    return [*last, *(records.entry(authority, one) for one in records.serial_numbers(authority) if one not in had)]


def _is_over(authority: Authority, crl: x509.CertificateRevocationList, now: dt.datetime) -> str | None:
    begin, end, life = crl.last_update_utc, crl.next_update_utc, authority.publication.life
    if end is None or end - now <= authority.publication.margin:
        return f"the revocation list ends {f'on {end:%Y-%m-%d}' if end else 'at no time'} and is due"
    if begin > now + SKEW:
        return f"the revocation list begins on {begin:%Y-%m-%d %H:%M} UTC only: a clock was ahead when it was made"
    if end - begin != life:
        return f"the revocation list lives {_shown(end - begin)}, declared is {_shown(life)}"
    return None


def _shown(duration: dt.timedelta) -> str:
    return shown(int(duration.total_seconds()))


def _lacks(authority: Authority, crl: x509.CertificateRevocationList) -> str | None:
    missing = records.serial_numbers(authority) - {entry.serial_number for entry in crl}
    return f"the revocation list lacks {len(missing)} revoked certificates" if missing else None


def _is_not_published(authority: Authority, crl: x509.CertificateRevocationList) -> str | None:
    """Say what is not there as clients read it. A list in DER may be the newer one, of a run that was killed."""
    wanted = {
        authority.crl_der_path: crl.public_bytes(Encoding.DER),
        authority.certificate_der_path: authority.certificate.public_bytes(Encoding.DER),
    }
    for path, content in wanted.items():
        if not path.exists():
            return f"there is no {path.name} yet"
        if read(path) != content:
            return f"{path.name} differs from what is in PEM beside it"
    return None


def _is_signed(authority: Authority, crl: x509.CertificateRevocationList) -> bool:
    if crl.issuer != authority.certificate.subject:
        return False
    with contextlib.suppress(*MALFORMED):
        return crl.is_signature_valid(t.cast("t.Any", authority.certificate.public_key()))
    return False


def _noted(authority: Authority) -> int:
    """Return the highest number that was ever taken; older releases noted none."""
    if not authority.crl_number_path.exists():
        return 0
    text = read(authority.crl_number_path).strip()
    if not text.isdigit() or len(text) > _MOST_DIGITS:
        raise Misconfigured(
            f"local: {authority.crl_number_path} is not the number of a revocation list; restore it from a backup"
        )
    return int(text)
