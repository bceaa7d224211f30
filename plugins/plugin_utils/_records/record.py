# SPDX-FileCopyrightText: 2026 Keystead contributors
# SPDX-License-Identifier: GPL-3.0-or-later
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)

"""One record of another system: the fields that it may have, and the row that it is (docs/docsite/rst/asking.rst).

It has either the certificate itself (`pem`), and nothing that this says already, or what is known of it, `not_after` at
least.
"""

from __future__ import annotations

import re
import typing as t

from ...module_utils._core import credentials
from ...module_utils._core.errors import Misconfigured
from ...module_utils._core.model import PROFILES
from .._as_said import digest, moment, serial_number
from .._ledger.moments import stamp
from .._rows.row import OBSERVED, Delivery, Row

if t.TYPE_CHECKING:
    from ...module_utils._core.model import Credential

PLACE = ("name", "host", "path", "service", "contact")
OF_CERTIFICATE = ("serial_number", "fingerprint_sha256", "spki_sha256", "not_before", "not_after", "key_type", "issuer",
                  "subject", "dns_names", "profile")  # fmt: skip
FIELDS = (*PLACE, "pem", *OF_CERTIFICATE)
LONGEST = 1000
"""Characters of a field, but for `pem` and `dns_names`."""
LONGEST_PEM = 65536
MOST_NAMES = 1000
_KEY_TYPE = re.compile(r"(rsa|dsa)-[1-9]\d{2,4}|ecdsa-p(256|384|521)|ed25519|ed448|ml-dsa-(44|65|87)", re.ASCII)

Fields = t.Mapping[str, t.Any]


def row(said: Fields, where: str, number: int, source: str) -> Row:
    """Return the row of a record; `where` begins what is said of a wrong one. Raises Misconfigured."""
    given = {name: value for name, value in said.items() if value not in (None, "", [])}
    for name in given:
        if name not in FIELDS:
            raise Misconfigured(f"{where}: field {name!r:.60} is unknown; known are {', '.join(FIELDS)}")
    names = _names(given.pop("dns_names", ()), where)
    for name, value in given.items():
        _check_text(name, value, where)
    if "name" not in given:
        raise Misconfigured(f"{where}: field name is missing; write what the system calls it")
    paths = (Delivery(given["path"], "certificate"),) if "path" in given else ()
    bare = Row(
        key=("", 1, number), managed=False, name=given["name"], host=given.get("host"), state=OBSERVED, in_use=True,
        service=given.get("service"), contact=given.get("contact"), deliveries=paths, source=source,
    )  # fmt: skip
    found = _of_pem(bare, given, names, where) if "pem" in given else _of_fields(bare, given, names, where)
    return found._replace(key=(t.cast("str", found.not_after), 1, number))


def _check_text(name: str, value: t.Any, where: str) -> None:
    if not isinstance(value, str):
        raise Misconfigured(f"{where}: field {name} is no text; quote it")
    longest = LONGEST_PEM if name == "pem" else LONGEST
    if len(value) > longest:
        raise Misconfigured(f"{where}: field {name} has {len(value)} characters, more than {longest}; shorten it")
    if name != "pem" and not value.isprintable():
        raise Misconfigured(f"{where}: field {name} has characters that cannot be printed; take them out")


def _names(said: t.Any, where: str) -> tuple[str, ...]:
    found = said.split() if isinstance(said, str) else said
    if not isinstance(found, (list, tuple)) or not all(isinstance(one, str) for one in found):
        raise Misconfigured(f"{where}: field dns_names is no list of names; write them with spaces between them")
    if len(found) > MOST_NAMES:
        raise Misconfigured(f"{where}: field dns_names has {len(found)} names, more than {MOST_NAMES}; shorten it")
    for one in found:
        _check_text("dns_names", one, where)
    return tuple(found)


def _of_pem(bare: Row, given: Fields, names: tuple[str, ...], where: str) -> Row:
    told = [name for name in OF_CERTIFICATE if name in given or (name == "dns_names" and names)]
    if told:
        raise Misconfigured(f"{where}: field pem says {told[0]} already; leave {told[0]} out")
    if "PRIVATE KEY" in given["pem"]:
        raise Misconfigured(f"{where}: field pem has a private key in it; take it out of there, and replace that key")
    try:
        credential = credentials.credential(credentials.encoded(given["pem"].encode()))
    except (ValueError, IndexError):
        raise Misconfigured(f"{where}: field pem holds no certificate in PEM; write one, with its lines") from None
    return of_credential(bare, credential)._replace(certificate=given["pem"])


def of_credential(bare: Row, credential: Credential) -> Row:
    """Return a row with what a certificate says."""
    facts, subject = credential.facts, credential.facts.subject
    return bare._replace(
        kind=credential.kind, key_type=facts.key_type, spki=credential.public_id, fingerprint=credential.credential_id,
        serial_number=f"{facts.serial_number:x}", issuer=facts.issuer, subject=facts.subject_name,
        names={"dns": subject.dns_names, "ip": subject.ip_addresses, "uri": subject.uris,
               "email": subject.email_addresses},
        not_before=stamp(credential.not_before), not_after=stamp(credential.not_after),
        issued_at=stamp(credential.not_before),
    )  # fmt: skip


def _of_fields(bare: Row, given: Fields, names: tuple[str, ...], where: str) -> Row:
    if "not_after" not in given:
        raise Misconfigured(f"{where}: neither pem nor not_after is there; write one of them")
    begins, ends = (_read(given, name, where, _stamped) for name in ("not_before", "not_after"))
    if begins is not None and begins > t.cast("str", ends):
        raise Misconfigured(f"{where}: not_after {given['not_after']} is before not_before {given['not_before']}")
    if given.get("profile", PROFILES[0]) not in PROFILES:
        raise Misconfigured(f"{where}: field profile: {given['profile']!r:.60} is none of {', '.join(PROFILES)}")
    if not _KEY_TYPE.fullmatch(given.get("key_type", "ed25519")):
        raise Misconfigured(
            f"{where}: field key_type: {given['key_type']!r:.60} is no type of a key; write it as rsa-2048, "
            "ecdsa-p256, ed25519 or ml-dsa-65"
        )
    return bare._replace(
        serial_number=_read(given, "serial_number", where, serial_number),
        fingerprint=_read(given, "fingerprint_sha256", where, digest), spki=_read(given, "spki_sha256", where, digest),
        not_before=begins, not_after=ends, issued_at=begins, key_type=given.get("key_type"), issuer=given.get("issuer"),
        subject=given.get("subject"), profile=given.get("profile"), names={"dns": names} if names else {},
    )  # fmt: skip


def _stamped(said: str, where: str) -> str:
    return stamp(moment(said, where))


def _read(given: Fields, name: str, where: str, reader: t.Callable[[str, str], str]) -> str | None:
    return None if name not in given else reader(given[name], f"{where}: field {name}")
