# SPDX-FileCopyrightText: 2026 Keystead contributors
# SPDX-License-Identifier: GPL-3.0-or-later
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)

"""ACME Renewal Information (RFC 9773): when a server suggests to renew, and what names a certificate there."""

from __future__ import annotations

import base64
import contextlib
import datetime as dt
import hashlib
import typing as t

with contextlib.suppress(ImportError):
    from cryptography import x509

from ...module_utils._core.errors import Denied, Unavailable
from ...module_utils._core.pki import MALFORMED
from ...module_utils._core.schedule import Schedule
from .._retry_after import retry_after
from .errors import not_understood

if t.TYPE_CHECKING:
    from .client import Client
    from .errors import Answer

UNNAMED: tuple[type[Exception], ...] = MALFORMED
with contextlib.suppress(NameError):
    UNNAMED += (x509.ExtensionNotFound,)
SELDOM = dt.timedelta(days=1)  # for a server that has no such resource
SHORTEST, LONGEST = dt.timedelta(minutes=1), dt.timedelta(days=1)  # RFC 9773, 4.3.2: limits of a client
DEFAULT = 6 * 3600.0  # seconds; RFC 9773, 4.3.3


def schedule(client: Client, certificate: bytes) -> Schedule:
    """Ask for the window of a certificate (DER), and choose a time in it.

    Raises Denied for an answer that says nothing of this certificate, and other KeysteadError where there is none.
    """
    now = dt.datetime.now(dt.UTC)
    name, place = identifier(certificate), client.directory.get("renewalInfo")
    if name is None or not isinstance(place, str):
        return Schedule(None, now + SELDOM)
    answer = client.get(f"{place.rstrip('/')}/{name}", "renewal information")
    try:
        start, end = _window(answer)
    except Unavailable as error:
        raise Denied(str(error)) from None  # it did answer, and will not say more soon
    seconds = retry_after(answer.headers) if "Retry-After" in answer.headers else DEFAULT
    again = min(max(dt.timedelta(seconds=seconds), SHORTEST), LONGEST)
    return Schedule(chosen(start, end, name), now + again)


def _window(answer: Answer) -> tuple[dt.datetime, dt.datetime]:
    window = answer.object("renewal information").get("suggestedWindow")
    start, end = (_moment(window, which) for which in ("start", "end"))
    if end <= start:
        raise not_understood("window of renewal")
    return start, end


def chosen(start: dt.datetime, end: dt.datetime, name: str) -> dt.datetime:
    """Return a time in a window, uniform over certificates (RFC 9773, 4.2), and the same for all who ask."""
    seed = f"{name} {start.isoformat()} {end.isoformat()}".encode()
    fraction = int.from_bytes(hashlib.sha256(seed).digest()[:8], "big") / 2**64
    return start + (end - start) * fraction


def identifier(certificate: bytes) -> str | None:
    """Return what names a certificate (RFC 9773, 4.1); None where it does not name the key of its issuer."""
    try:
        found = x509.load_der_x509_certificate(certificate)
        issuer = found.extensions.get_extension_for_class(x509.AuthorityKeyIdentifier).value.key_identifier
    except UNNAMED:
        return None
    if issuer is None:
        return None
    serial = found.serial_number.to_bytes(found.serial_number.bit_length() // 8 + 1, "big")
    return f"{_encoded(issuer)}.{_encoded(serial)}"


def _encoded(value: bytes) -> str:
    return base64.urlsafe_b64encode(value).rstrip(b"=").decode()


def _moment(window: t.Any, which: str) -> dt.datetime:
    try:
        found = dt.datetime.fromisoformat(str(window[which]))
    except (ValueError, TypeError, KeyError, IndexError):
        raise not_understood("window of renewal") from None
    if found.tzinfo is None:
        raise not_understood("window of renewal")
    return found.astimezone(dt.UTC)
