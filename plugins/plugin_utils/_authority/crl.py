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
from .._durations import shown
from . import lists, records
from .files import locked, put_all, read, settled, sync, write
from .known import NOTHING, known
from .signing import key_identifier

if t.TYPE_CHECKING:
    from .known import Elsewhere
    from .lists import List
    from .store import Authority

SKEW = dt.timedelta(minutes=5)
_MOST_BITS = 159  # of a number (RFC 5280, 5.2.3: 20 octets, of which the first bit tells the sign)
_MOST_DIGITS = 48


def facts(authority: Authority) -> lists.Facts | None:
    """Return what the list of an authority says of itself; None where there is none that can be read."""
    crl = lists.found(authority.crl_path)
    return crl.facts if crl else None


def due(authority: Authority, now: dt.datetime, elsewhere: Elsewhere = NOTHING) -> list[str]:
    """Say why the list must be made anew, if it must.

    It is missing, its time has come, it lacks something, or nobody finds it; or others know more than the records of
    the authority. A revocation that is about to make the list is waited for, and not taken for one that was cut off.
    """
    with settled(authority.lock):
        return reasons(authority, now, elsewhere)


def reasons(authority: Authority, now: dt.datetime, elsewhere: Elsewhere = NOTHING) -> list[str]:
    """Say what `due` does; the caller holds the lock."""
    recorded = records.serial_numbers(authority)
    wrong = _wrong(authority, recorded, now)
    return [*known(authority, elsewhere, recorded).reasons(), *([wrong] if wrong else [])]


def _wrong(authority: Authority, recorded: frozenset[int], now: dt.datetime) -> str | None:
    if not authority.crl_path.exists():
        return "there is no revocation list yet"
    crl = lists.found(authority.crl_path)
    if crl is None:
        return f"{authority.crl_path.name} is not a revocation list"
    if not crl.is_of(authority):
        return f"{authority.crl_path.name} is not signed by this authority"
    return _is_over(authority, crl.facts, now) or _lacks(recorded, crl) or _is_not_published(authority, crl)


def publish(
    authority: Authority, key: t.Callable[[], t.Any], now: dt.datetime, elsewhere: Elsewhere = NOTHING
) -> None:
    """Make the list anew where it is due; `key` opens the private key."""
    with locked(authority.lock):
        if reasons(authority, now, elsewhere):
            make(authority, key(), now, elsewhere)


def make(authority: Authority, key: t.Any, now: dt.datetime, elsewhere: Elsewhere = NOTHING) -> None:
    """Make the list anew; the caller holds the lock.

    What others know to be revoked is written down first. The number is written down before anything is signed by it:
    whatever happens to the list, none comes twice.
    """
    now = now.replace(microsecond=0)
    told = known(authority, elsewhere)
    records.restore(authority, [one for source in told.lost for one in source.unrecorded])
    entries = _entries(authority, told.ours, now)
    number = told.next_number(_noted(authority), now)
    if number.bit_length() > _MOST_BITS:
        raise Misconfigured(
            f"local: {authority.crl_number_path} leaves no number for another revocation list; write a lower one into "
            "it that no list had, or create another authority"
        )
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


def _entries(authority: Authority, last: List | None, now: dt.datetime) -> list[x509.RevokedCertificate]:
    """Return what the next list has: of all records when its time has come, else what it had and what it lacks."""
    if last is None or _is_over(authority, last.facts, now):
        if last is not None:
            if last.facts.this_update > now:  # by a clock that was ahead, others may have been put away too early
                records.take_back(authority, now)
            records.retire(authority, last.serial_numbers, min(last.facts.this_update, now))
        return [records.entry(authority, one, now) for one in records.serial_numbers(authority)]
    lacking = records.serial_numbers(authority) - last.serial_numbers
    return [*last.crl, *(records.entry(authority, one, now) for one in lacking)]


def _is_over(authority: Authority, crl: lists.Facts, now: dt.datetime) -> str | None:
    begin, end, life = crl.this_update, crl.next_update, authority.publication.life
    if end is None or end - now <= authority.publication.margin:
        return f"the revocation list ends {f'on {end:%Y-%m-%d}' if end else 'at no time'} and is due"
    if begin > now + SKEW:
        return f"the revocation list begins on {begin:%Y-%m-%d %H:%M} UTC only: a clock was ahead when it was made"
    if end - begin != life:
        return f"the revocation list lives {_shown(end - begin)}, declared is {_shown(life)}"
    return None


def _shown(duration: dt.timedelta) -> str:
    return shown(int(duration.total_seconds()))


def _lacks(recorded: frozenset[int], crl: List) -> str | None:
    missing = recorded - crl.serial_numbers
    return f"the revocation list lacks {len(missing)} revoked certificates" if missing else None


def _is_not_published(authority: Authority, crl: List) -> str | None:
    """Say what is not there as clients read it. A list in DER may be the newer one, of a run that was killed."""
    wanted = {
        authority.crl_der_path: crl.der,
        authority.certificate_der_path: authority.certificate.public_bytes(Encoding.DER),
    }
    for path, content in wanted.items():
        if not path.exists():
            return f"there is no {path.name} yet"
        if read(path) != content:
            return f"{path.name} differs from what is in PEM beside it"
    return None


def _noted(authority: Authority) -> int:
    """Return the highest number that was ever taken; older releases noted none."""
    if not authority.crl_number_path.exists():
        return 0
    text = read(authority.crl_number_path).strip()
    if not text.isdigit() or len(text) > _MOST_DIGITS or int(text).bit_length() > _MOST_BITS:
        raise Misconfigured(
            f"local: {authority.crl_number_path} is not the number of a revocation list; restore it from a backup"
        )
    return int(text)
