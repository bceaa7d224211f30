# SPDX-FileCopyrightText: 2026 Keystead contributors
# SPDX-License-Identifier: GPL-3.0-or-later
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)

"""What a task of cert_revoke declares: which certificates, why, and what has to be true before."""

from __future__ import annotations

import typing as t
from pathlib import Path

from ...module_utils._core import credentials
from ...module_utils._core.errors import Misconfigured, first_line
from .._as_said import digest, moment, serial_number
from .by_key import Key

if t.TYPE_CHECKING:
    import datetime as dt

Options = t.Mapping[str, t.Any]

WHO = "cert_revoke"
_NARROWS = ("issued_before", "issuer")
LARGEST_FILE = 1024 * 1024


class Entry(t.NamedTuple):
    """One entry of `certificates`: everything that is not None must hold. `at` is how messages call it.

    `serial_number` is lower-case hex without leading zeros; digests are lower-case hex; `certificate` is DER.
    """

    at: str
    serial_number: str | None = None
    issuer: str | None = None
    fingerprint: str | None = None
    certificate: bytes | None = None
    identity: str | None = None
    host: str | None = None
    spki: str | None = None
    issued_before: dt.datetime | None = None
    orphaned: bool = False
    superseded: bool = False

    @property
    def sweeps(self) -> bool:
        """Whether it selects what is of no use any more, which may be nothing."""
        return self.orphaned or self.superseded

    @property
    def names_one(self) -> bool:
        """Whether it names certificates by what only they have, so that finding none is an error."""
        return bool(self.serial_number or self.fingerprint or self.certificate or self.spki)


class Wanted(t.NamedTuple):
    """What is to be revoked, and how."""

    entries: tuple[Entry, ...]
    reason: str
    replaced_first: bool
    emergency: bool
    justification: str | None
    expect: int | None
    key: Key | None = None

    @property
    def waits(self) -> bool:
        """Whether successors have to be in place first."""
        return self.replaced_first and not self.emergency


def wanted(args: Options) -> Wanted:
    """Read validated options, and the files that they name. Raises Misconfigured."""
    said = args["justification"]
    if said is not None and not (said.strip() and said.isprintable() and len(said) <= 1000):
        raise Misconfigured(f"{WHO}: option justification: it is not 1 to 1000 printable characters; write a line")
    if args["emergency"] and said is None:
        raise Misconfigured(f"{WHO}: option emergency: justification is missing; write why it cannot wait")
    if said is not None and not args["emergency"]:
        raise Misconfigured(f"{WHO}: option justification: emergency is false; leave it out, or set emergency: true")
    if not args["certificates"]:
        raise Misconfigured(f"{WHO}: option certificates: the list is empty; write at least one entry")
    if args["expect"] is not None and args["expect"] < 0:
        raise Misconfigured(f"{WHO}: option expect: {args['expect']} is no number of certificates; write 0 or more")
    return Wanted(
        entries=tuple(_entry(one, f"certificates[{index}]") for index, one in enumerate(args["certificates"])),
        reason=args["reason"],
        replaced_first=args["replaced_first"],
        emergency=args["emergency"],
        justification=said,
        expect=args["expect"],
        key=Key(args["private_key_file"]) if args["private_key_file"] is not None else None,
    )


def _entry(said: Options, at: str) -> Entry:
    where = f"{WHO}: option {at}"
    given = [name for name, value in said.items() if value is not None and value is not False]
    _check_together(given, where)
    return Entry(
        at=at,
        serial_number=_given(said, "serial_number", lambda value: serial_number(value, f"{where}.serial_number")),
        issuer=said["issuer"],
        fingerprint=_given(said, "fingerprint_sha256", lambda value: digest(value, f"{where}.fingerprint_sha256")),
        certificate=_certificate(said, where),
        identity=said["identity"],
        host=said["host"],
        spki=_given(said, "spki_sha256", lambda value: digest(value, f"{where}.spki_sha256")),
        issued_before=_given(said, "issued_before", lambda value: moment(value, f"{where}.issued_before")),
        orphaned=bool(said["orphaned"]),
        superseded=bool(said["superseded"]),
    )


def _check_together(given: t.Sequence[str], where: str) -> None:
    if not given:
        raise Misconfigured(f"{where}: it is empty; write serial_number, fingerprint_sha256, path, identity or host")
    if len(given) == 1 and given[0] in _NARROWS:
        raise Misconfigured(
            f"{where}.{given[0]}: it stands alone, and would select nearly everything; write identity, host or "
            "another key beside it"
        )
    if {"orphaned", "superseded"} <= set(given):
        raise Misconfigured(f"{where}: orphaned and superseded: no certificate is both; write an entry for each")
    if {"path", "pem"} <= set(given):
        raise Misconfigured(f"{where}: path and pem both say which certificate; write one of them")


def _given(said: Options, name: str, read: t.Callable[[t.Any], t.Any]) -> t.Any:
    return None if said[name] is None else read(said[name])


def _certificate(said: Options, where: str) -> bytes | None:
    if said["path"] is None and said["pem"] is None:
        return None
    option = f"{where}.{'path' if said['pem'] is None else 'pem'}"
    content = said["pem"].encode() if said["pem"] is not None else _read(said["path"], option)
    try:
        lines = [line for line in content.split(b"\n") if _counts(line)]
        return credentials.encoded(b"\n".join(lines).lstrip())
    except (ValueError, IndexError):
        raise Misconfigured(f"{option}: it holds no certificate in PEM and none of SSH; write one that does") from None


def _counts(line: bytes) -> bool:
    """Tell whether a line is more than a blank one or a comment, as sshd(8) knows them in authorized_keys."""
    return bool(line.strip()) and not line.startswith(b"#")


def _read(path: str, option: str) -> bytes:
    try:
        with Path(path).open("rb") as file:
            return file.read(LARGEST_FILE)
    except OSError as error:
        why = error.strerror or first_line(error)
        raise Misconfigured(f"{option}: {path} cannot be read on the controller ({why}); correct it") from None
