# SPDX-FileCopyrightText: 2026 Keystead contributors
# SPDX-License-Identifier: GPL-3.0-or-later
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)

"""The lookup cert_status: which certificates its terms mean, and how each stands."""

from __future__ import annotations

import contextlib
import re
import typing as t

from ..module_utils._core.errors import KeysteadError, Misconfigured
from ._asking import asking
from ._given import given, is_certificate
from ._ledger import revocations
from ._ledger.registry import open_for
from ._recall import Asked, found, opened
from ._roots import named_roots
from ._standing import GIVE, UNKNOWN, UNKNOWN_TO_LEDGER, Standing, Standings, meant_by, of_row, of_stranger

if t.TYPE_CHECKING:
    from collections.abc import Iterator, Mapping, Sequence

    from ._ledger.chain import Readable
    from ._standing import Meant, Record

WHO = "cert_status"
_DIGITS = re.compile(r"[0-9A-Fa-f]{2}(:?[0-9A-Fa-f]{2})*")
_FINGERPRINT = 64  # digits of a SHA-256
_SERIAL_NUMBER = 40  # digits at most (RFC 5280, 4.1.2.2)


def tell(
    options: Mapping[str, t.Any], terms: Sequence[str], said: Mapping[str, t.Any], here: str
) -> list[str | Record]:
    """Return how the certificate of each term stands: in a word, or all that is known of it. Raises KeysteadError.

    `options` lead to the ledger; `said` are those of the lookup; `here` is the host of the template.
    """
    who = asking(said, WHO) if said["check_status"] != "ledger" else None
    as_clients = said["check_status"] == "published"
    standings = Standings(who, named_roots(said, f"{WHO}: option roots"), as_clients=as_clients)
    with _ledger(options, terms) as ledger:
        look = _Terms(ledger, said, here)
        answers = [one if isinstance(one, Standing) else standings.of(one) for one in map(look.of, terms)]
    return [one.record() if said["part"] == "record" else one.status for one in answers]


@contextlib.contextmanager
def _ledger(options: Mapping[str, t.Any], terms: Sequence[str]) -> Iterator[Readable | None]:
    """Open the ledger; what stands for itself needs none, unless one is named."""
    if options.get("ledger") is not None or not all(map(is_certificate, terms)):
        with opened(options, WHO) as ledger:
            yield ledger
        return
    try:
        default = open_for(options, read_only=True)
    except KeysteadError:
        yield None
        return
    with contextlib.closing(default):
        yield default if default.id is not None else None


class _Terms:
    """Finds what terms mean: certificates, paths, serial numbers, fingerprints, or names of identities of a host."""

    def __init__(self, ledger: Readable | None, said: Mapping[str, t.Any], here: str) -> None:
        self._ledger, self._issuer_id = ledger, said["issuer_id"]
        self._asked = Asked(said["host"] or here, said["store"], who=WHO)

    def of(self, term: str) -> Meant | Standing:
        """Return the certificate that a term means, or that it is unknown. Raises KeysteadError."""
        if is_certificate(term):
            return self._read(term)
        digits = term.replace(":", "").lower()
        if _DIGITS.fullmatch(term) and len(digits) == _FINGERPRINT:
            return self._recorded({"credential_id": digits}, term)
        if _DIGITS.fullmatch(term) and ":" in term and len(digits) <= _SERIAL_NUMBER:
            return self._recorded({"serial_number": digits.lstrip("0") or "0"}, term)
        return self._named(term)

    def _read(self, term: str) -> Meant:
        """Return the first certificate of a PEM text, or of a file on the controller; the others stand above it."""
        leaf, *above = given(term, WHO)
        return meant_by(self._ledger, leaf, above)

    def _recorded(self, by: dict[str, str], term: str) -> Meant | Standing:
        """Return the one certificate that the ledger has by a number or a digest."""
        ledger = t.cast("Readable", self._ledger)
        by |= {"issuer_id": self._issuer_id} if self._issuer_id is not None else {}
        rows, gone = revocations.credentials(ledger, by), revocations.strangers(ledger, by)
        prints = {row["credential_id"] for row in (*rows, *gone)}
        if len(prints) > 1:
            known = ", ".join(sorted({str(row["issuer_id"]) for row in (*rows, *gone)}))
            raise Misconfigured(f"{WHO}: {term}: several certificates have it, of {known}; set option issuer_id to one")
        if not rows and not gone:
            return Standing(UNKNOWN, why=f"{UNKNOWN_TO_LEDGER}; {GIVE}")
        return _of_rows(ledger, rows) if rows else of_stranger(gone[0])

    def _named(self, name: str) -> Meant | Standing:
        """Return the certificate that an identity has."""
        ledger = t.cast("Readable", self._ledger)
        row = found(ledger, name, self._asked)
        if row["credential_id"] is None:
            is_there = row["state"] == "present"
            return Standing(UNKNOWN, why="it was never published" if is_there else f"it is {row['state']}")
        return _of_rows(ledger, revocations.credentials(ledger, {"credential_id": row["credential_id"]}))


def _of_rows(ledger: Readable, rows: list[revocations.Record]) -> Meant | Standing:
    try:
        return of_row(ledger, rows)
    except ValueError:
        return Standing(UNKNOWN, why="the ledger holds a certificate of it that cannot be read")
