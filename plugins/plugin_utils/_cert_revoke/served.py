# SPDX-FileCopyrightText: 2026 Keystead contributors
# SPDX-License-Identifier: GPL-3.0-or-later
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)

"""Where certificates are in use: by the deliveries of the ledger, and by what services show in a handshake now."""

from __future__ import annotations

import datetime as dt
import queue
import socket
import threading
import time
import typing as t

from ...module_utils._core import pki
from ...module_utils._core.errors import KeysteadError, first_line
from ...module_utils._host.endpoint import Endpoint
from .._ledger import revocations
from .._ledger.port import INTENT_HOLDS
from .wanted import WHO

if t.TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Sequence

    from .._ledger.chain import Readable
    from .._ledger.nouns import ProvedAt
    from .decide import Found
    from .kept import Holder

SECONDS = 5.0  # for one handshake
MOST_AT_ONCE = 50
GRACE = 2.0  # for what cannot be interrupted: a name being resolved

Places = dict[str, list[str]]
Shown = bytes | str  # the certificate, encoded, or why none was seen
Asked = tuple["ProvedAt", bytes | None]  # with a certificate of SSH, where it is one that is looked for
_DER = b"\x30"


def delivered(ledger: Readable, found: Sequence[Found], now: dt.datetime) -> Places:
    """Return where certificates, by their fingerprints, are delivered and have no successor, or are about to be."""
    pairs = [(one.target.kept, holder) for one in found for holder in one.target.holders]
    live = revocations.live(ledger, (holder.row for _kept, holder in pairs))
    places: Places = {}
    for kept, holder in pairs:
        there = places.setdefault(kept.fingerprint, [])
        there.extend(_places(holder, live.get(holder.row, ())))
        if holder.state == "issued":
            begun = now - kept.issued < dt.timedelta(seconds=INTENT_HOLDS)
            what = "may be about to install it" if begun else "never came back to say whether it installed it"
            there.append(f"issued for {holder.host} by a run that {what}")
    return places


def _places(holder: Holder, paths: Iterable[str]) -> Iterator[str]:
    """Yield where one holder has a certificate: at its links, else where the generation itself is."""
    at = [*paths]
    if not at and holder.current == "present":
        at = [f"{holder.store}/{holder.identity}/current"]
    if not at and holder.current == "released":
        yield f"released to the host {holder.host} as plain files, where nobody here sees when it is replaced"
    yield from (f"{path} on {holder.host}" for path in at)


class Serving(t.NamedTuple):
    """What services show: where certificates are, by fingerprint, and what is to be said of who could not be asked.

    `silent` says, by the row of an identity in the ledger, who did not answer, where none of its services did.
    """

    places: Places
    warnings: list[str]
    silent: dict[int, str]


def served(ledger: Readable, found: Sequence[Found]) -> Serving:
    """Ask every service that proved an identity what it shows now."""
    meant = {one.target.kept.fingerprint for one in found}
    owners = {holder.identity_row: holder for one in found for holder in one.target.holders}
    ways = _ways(found)
    known = revocations.endpoints(ledger, owners)
    each = [(row, one, way) for row, places in known.items() for one in places for way in ways[row]]
    asked = list(dict.fromkeys((one, way) for _row, one, way in each))
    shown = dict(zip(asked, _shown(asked), strict=True))
    places: Places = {}
    warnings: dict[str, None] = {}
    silent: dict[int, str] = {}
    for row, endpoint, way in each:
        answer, holder = shown[endpoint, way], owners[row]
        where = f"{_called(endpoint)}, which proved {holder.identity} of {holder.host}"
        if isinstance(answer, str):
            warnings[f"{WHO}: {where}, could not be asked what it serves now: {answer}"] = None
            silent.setdefault(row, f"{where} ({answer})")
        elif pki.fingerprint(answer) in meant:
            places.setdefault(pki.fingerprint(answer), []).append(where)
    answered = {row for row, endpoint, way in each if not isinstance(shown[endpoint, way], str)}
    return Serving(places, list(warnings), {row: said for row, said in silent.items() if row not in answered})


def _ways(found: Sequence[Found]) -> dict[int, list[bytes | None]]:
    """Return how to ask for what an identity has: a handshake, and a key exchange for each type of a key of SSH.

    So its certificates that differ in that have a question each, with one of them as the pattern.
    """
    ways: dict[int, dict[bytes, bytes | None]] = {}
    for one in found:
        content = one.target.kept.certificate or b""
        of_ssh = content if content and not content.startswith(_DER) else None
        for holder in one.target.holders:
            ways.setdefault(holder.identity_row, {})[_type(of_ssh)] = of_ssh
    return {row: list(patterns.values()) for row, patterns in ways.items()}


def _type(of_ssh: bytes | None) -> bytes:
    """Return how the type of a certificate of SSH is called; empty for one of TLS."""
    from ...module_utils._core.ssh import Reader

    return Reader(of_ssh).string() if of_ssh else b""


def _called(endpoint: ProvedAt) -> str:
    host = f"[{endpoint.host}]" if ":" in endpoint.host else endpoint.host
    return f"{host}:{endpoint.port}"


def _shown(endpoints: Sequence[Asked]) -> list[Shown]:
    """Shake hands with all of them, many at once; threads that hang in a resolver are left behind."""
    waiting: queue.SimpleQueue[tuple[int, Asked]] = queue.SimpleQueue()
    answers: queue.SimpleQueue[tuple[int, Shown]] = queue.SimpleQueue()
    for pair in enumerate(endpoints):
        waiting.put(pair)
    for _thread in range(min(MOST_AT_ONCE, len(endpoints))):
        threading.Thread(target=_work, args=(waiting, answers), daemon=True).start()
    found: list[Shown] = [f"no answer within {SECONDS:g} s"] * len(endpoints)
    rounds = -(-len(endpoints) // MOST_AT_ONCE)
    until = time.monotonic() + rounds * (SECONDS + GRACE)
    for _answer in endpoints:
        try:
            index, found_now = answers.get(timeout=max(0.0, until - time.monotonic()))
        except queue.Empty:
            break
        found[index] = found_now
    return found


def _work(
    waiting: queue.SimpleQueue[tuple[int, Asked]], answers: queue.SimpleQueue[tuple[int, Shown]]
) -> None:
    while True:
        try:
            index, endpoint = waiting.get_nowait()
        except queue.Empty:
            return
        answers.put((index, _leaf(endpoint)))


def _leaf(asked: Asked) -> Shown:
    place, ours = asked
    if ours is not None:
        return _certificate(place, ours)
    from ...module_utils._host.handshake import looking
    from ...module_utils._host.handshake import served as shown_by

    name = place.server_name or place.host
    endpoint = Endpoint(place.host, place.port, place.starttls, name, must_bear_name=False)
    try:
        return shown_by(endpoint, looking(), time.monotonic() + SECONDS) or "it showed no certificate"
    except TimeoutError:
        return f"no answer within {SECONDS:g} s"
    except OSError as error:
        return error.strerror or first_line(error)
    except KeysteadError as error:
        return str(error)
    except ValueError as error:  # what cannot be a name in SNI
        return first_line(error)


def _certificate(place: ProvedAt, ours: bytes) -> Shown:
    """Return the certificate of SSH that is shown to who asks for one like ours."""
    from ...module_utils._host.ssh_exchange import shown

    deadline = time.monotonic() + SECONDS
    try:
        with socket.create_connection((place.host, place.port), SECONDS) as connection:
            return shown(connection, ours, deadline)
    except TimeoutError:
        return f"no answer within {SECONDS:g} s"
    except OSError as error:
        return error.strerror or first_line(error)
    except KeysteadError as error:
        return f"it {error}"
