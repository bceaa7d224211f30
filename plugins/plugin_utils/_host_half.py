# SPDX-FileCopyrightText: 2026 Keystead contributors
# SPDX-License-Identifier: GPL-3.0-or-later
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)

"""The controller's end of the wire: what goes down to host_half, and what may come up (rule C3)."""

from __future__ import annotations

import json
import os
import typing as t
from dataclasses import dataclass

from ..module_utils._core import wire
from ..module_utils._core.adopted import adopted_id
from ..module_utils._core.errors import KINDS, Denied, KeysteadError, Pending, Unavailable
from ..module_utils._core.model import Done, Observed
from ._actor import is_dead
from ._pipe import Weighed, check_size
from ._work import is_the_hosts, plan

if t.TYPE_CHECKING:
    from datetime import datetime

    from ..module_utils._core.ports import Enrolment
    from ._work import Work

LEASE_SECONDS = 300.0
LARGEST_SKEW = 300.0
FARTHEST = 10**6  # generations that a host may have beyond what the ledger remembers
LISTS = ("identities", "paths", "scan", "checks")  # of an answer; the rest of it is small
NEVER_THE_HOSTS = ("issue", "revoke")

Answer = t.Mapping[str, t.Any]
Execute = t.Callable[[dict[str, t.Any]], Answer]


@dataclass
class HostHalf:
    """One host's half, behind `execute`, which runs the module and returns its result.

    `store`, `host`, `ledger_id` and `holder` are the same in every phase. `warnings` collects what a user should know.
    Who only `looks` leaves the host as it is. `skew` is by how many seconds its clock was off when it answered last.
    """

    execute: Execute
    store: str
    host: str
    ledger_id: str | None
    holder: t.Mapping[str, t.Any]
    warnings: list[str]
    looks: bool = False
    skew: float = 0.0

    def prepare(self, works: t.Sequence[Work], now: datetime) -> None:
        """Look at every identity, and for those with something to do stage a key; a dead run's lease is broken."""
        ours = {work.name: work.lease for work in works if work.lease}  # one that looks again has its own
        busy = self._prepare(works, now, ours)
        dead = {name: str(lease.get("lease")) for name, lease in busy.items() if is_dead(lease["holder"])}
        if dead:
            again = [work for work in works if work.name in dead]
            for work in again:
                work.error = None
            self._prepare(again, now, dead)

    def _prepare(self, works: t.Sequence[Work], now: datetime, broken: dict[str, str]) -> dict[str, t.Any]:
        entries = [{"identity": wire.pack(work.identity), "known": _known(work)} for work in works]
        answers = self._call("prepare", entries, now, broken, _secrets(works))
        busy = {}
        for work in works:
            answer = answers.get(work.name, {})
            work.error = error_of(answer)
            if work.error is None:
                _take_look(work, answer, now)
            elif isinstance(work.error, Pending) and isinstance(answer["error"].get("holder"), dict):
                busy[work.name] = answer["error"]
        return busy

    def install(self, works: t.Sequence[Work], given_up: t.Sequence[Work], now: datetime) -> None:
        """Let the host do its part of the steps and look again; for those given up it only takes the lease back."""
        back = [{**_order(work), "steps": [], "waiting": isinstance(work.error, Pending)} for work in given_up]
        answers = self._call("install", [*(_order(work) for work in works), *back], now, {}, _secrets(works))
        for work in works:
            answer = answers.get(work.name, {})
            try:
                work.done += _done(work, answer)
                work.after = observed_of(work, answer) if "observed" in answer else None
            except (ValueError, TypeError, AttributeError) as error:
                work.error = Denied(f"host: its answer for {work.name} is refused: {error}")
            work.error = work.error or error_of(answer)

    def respond(self, entries: list[dict[str, t.Any]], now: datetime) -> dict[str, Answer]:
        """Let the host show what an issuer wants to see there; return its answer for each identity."""
        return self._call("respond", entries, now, {}, {})

    def enrol(self, asked: t.Sequence[tuple[Work, Enrolment]], now: datetime) -> dict[str, Answer]:
        """Let the host speak to an issuer; return what it was answered, by identity. A secret goes down a pipe only."""
        entries, secrets = [], {}
        for work, enrolment in asked:
            told = {"protocol": enrolment.protocol, "said": dict(enrolment.said), "lease": work.lease}
            entries.append({"identity": wire.pack(work.identity), "known": _known(work), **told})
            if enrolment.secret is not None:
                secrets[work.name] = {"enrol": enrolment.secret}
        return self._call("enrol", entries, now, {}, secrets)

    def read(
        self,
        entries: list[dict[str, t.Any]],
        now: datetime,
        *,
        others: bool,
        paths: list[str],
        scan: t.Sequence[str] = (),
    ) -> Answer:
        """Only look: at these identities, at all others of the store, at certificates in files, in directories."""
        said = {"phase": "read", "identities": entries, "others": others, "paths": paths}
        return self._ask({**said, "scan": list(scan)} if scan else said, now)

    def preflight(self, now: datetime, errand: t.Mapping[str, t.Any]) -> Answer:
        """Let the host look at itself, and whether it has what speaks the `protocols` of enrolment of the errand."""
        return self._ask({"phase": "preflight", "ledger_id": self.ledger_id, "errand": errand, "identities": []}, now)

    def errand(self, errand: dict[str, t.Any], pin: str | None, now: datetime, phase: str = "token") -> Answer:
        """Let the host do something in a token, or to its anchors; return its one answer. A PIN goes down a pipe."""
        secrets = {"secrets": {"key": {"pin": pin}}} if pin else {}
        answers = self._ask({**secrets, "phase": phase, "errand": errand, "identities": []}, now)["identities"]
        if len(answers) != 1 or not isinstance(answers[0], dict):
            raise Denied(f"host: its answer about the {phase} has another form; look at what runs on this host")
        return t.cast("Answer", answers[0])

    def _call(
        self,
        phase: str,
        entries: list[dict[str, t.Any]],
        now: datetime,
        broken: dict[str, str],
        secrets: dict[str, dict[str, str]],
    ) -> dict[str, Answer]:
        answer = self._ask(
            {
                **({"secrets": secrets} if secrets else {}),
                "phase": phase,
                "ledger_id": self.ledger_id,
                "deadline": LEASE_SECONDS,
                "holder": dict(self.holder),
                "broken": broken,
                "identities": entries,
            },
            now,
        )
        named = (one for one in answer["identities"] if isinstance(one, dict) and isinstance(one.get("name"), str))
        return {one["name"]: one for one in named}

    def _ask(self, said: dict[str, t.Any], now: datetime) -> Answer:
        """Run one phase, and refuse an answer of another format or of any size."""
        same = {"format": wire.FORMAT, "now": now.timestamp(), "host": self.host, "store": self.store}
        try:
            answer = self.execute({**same, "look": self.looks, **said})
            parts = [] if isinstance(answer, Weighed) else [answer.get(part) for part in LISTS]
            size = len(json.dumps(parts, default=str))
        except RecursionError:
            raise Denied("host: its answer is nested too deeply; look at what runs on this host") from None
        if answer.get("failed"):
            raise Unavailable(_why_failed(answer))
        if answer.get("format") != wire.FORMAT or not isinstance(answer.get("identities"), list):
            raise Denied("host: its answer has another format; use one version of keystead.identity for both halves")
        check_size(size)
        self._compare_clocks(answer.get("now"), now)
        return answer

    def _compare_clocks(self, theirs: t.Any, now: datetime) -> None:
        try:
            self.skew = skew = abs(wire.number(theirs) - now.timestamp())
        except ValueError:
            raise Denied("host: its answer says no time; look at what runs on this host") from None
        if skew > LARGEST_SKEW and not any("the clock of" in one for one in self.warnings):
            self.warnings.append(f"the clock of {self.host} is {skew:.0f} s off the controller's; synchronise both")


def _known(work: Work) -> dict[str, t.Any]:
    return t.cast("dict[str, t.Any]", wire.pack(work.known.for_the_host()))


def _secrets(works: t.Sequence[Work]) -> dict[str, dict[str, str]]:
    """Return PINs of the host's own tokens, passwords of its files by their paths, and keys that were made for it.

    No other secret goes down.
    """
    found = {work.name: dict(work.declaration.passwords) for work in works}
    for work in works:
        token = (work.declaration.custody or {}).get("pkcs11") if work.identity.key.token else None
        if token and token["pin"]:
            found[work.name]["pin"] = token["pin"]
        if made := work.private_key:
            found[work.name]["private_key"] = made.decode("ascii")
    return {name: secrets for name, secrets in found.items() if secrets}


def error_of(answer: Answer) -> KeysteadError | None:
    """Return what a host says went wrong with an identity; silence is an error too."""
    said = answer.get("error")
    if said is None:
        return None if "observed" in answer else Denied("host: it gave no answer for this identity")
    try:
        message, kind = wire.text(said["message"]), KINDS[said["kind"]]
        retry_after = float(wire.number(said.get("retry_after", 0.0)))
    except (ValueError, KeyError, TypeError):
        return Denied("host: it failed and does not say how")
    return Pending(message, retry_after) if kind is Pending else kind(message)


def _take_look(work: Work, answer: Answer, now: datetime) -> None:
    """Read what was found; the steps are the controller's own decision on it."""
    try:
        work.found = observed_of(work, answer)
        work.lease = wire.text(answer["lease"]) if "lease" in answer else None
        work.csr = wire.binary(answer["csr"]) if "csr" in answer else b""
        work.public_id = wire.text(answer["public_id"]) if "public_id" in answer else ""
        work.key_uri = wire.text(answer["key_uri"]) if "key_uri" in answer else None
        work.credential = work.found.credential
        work.steps = plan(work, work.found, now)
    except ValueError as error:
        work.error = Denied(f"host: its answer for {work.name} is refused: {error}")
    except KeysteadError as error:
        work.error = error


def observed_of(work: Work, answer: Answer) -> Observed:
    """Read what was found.

    Raises ValueError when it is about another identity, about paths that nobody named, or would spoil the numbers.
    """
    found = wire.unpack(Observed, answer["observed"])
    if found.name != work.name:
        raise ValueError("it is about something else")
    if found.links or found.stale_links or found.copies or found.stale_copies or found.kept_copies:
        _check_paths(work, found)
    if found.original is not None and work.identity.adopt is None:
        raise ValueError("it is about a pair that nobody named")
    highest = max(found.newest, found.generation or 0, found.pending or 0, *found.others)
    if highest > max(work.known.newest, work.number or 0) + FARTHEST:
        raise ValueError("its generations have impossible numbers")
    return found


def _check_paths(work: Work, found: Observed) -> None:
    """Raise ValueError when paths are among what was found that nobody named."""
    declared = {(link.path, link.part) for link in work.identity.files.links}
    if not declared >= {(link.path, link.part) for link in found.links}:
        raise ValueError("it is about something else")
    if not {path for path, _part in declared}.union(work.known.links) >= set(found.stale_links):
        raise ValueError("it is about links that nobody named")
    copies = {(one.path, one.publisher) for one in work.identity.publish}
    stale = set(found.stale_copies)  # the host's own word: they are shown, and told to nobody but this host again
    if not (copies >= {(one.where, one.publisher) for one in found.copies} and stale >= set(found.kept_copies)):
        raise ValueError("it is about copies that nobody named")
    if not all(map(_is_file, stale)):
        raise ValueError("it is about copies that nobody named")


def _is_file(path: str) -> bool:
    """Tell whether this is the path of a file: other places are the controller's alone."""
    return path.startswith("/") and os.path.normpath(path) == path


def _done(work: Work, answer: Answer) -> tuple[Done, ...]:
    """Return what the host did: only what it was told to do counts, and that it rolled back."""
    done: tuple[Done, ...] = wire.many(wire.one(Done))(answer.get("done", ()))
    told = {step.action for step in work.steps}.difference(NEVER_THE_HOSTS) | {"roll_back"}
    if not told >= {one.action for one in done}:
        raise ValueError("it did what nobody told it to do")
    return done


def _order(work: Work) -> dict[str, t.Any]:
    """Return what goes down for one identity: no issuer, no credential of one, no other host's data."""
    order: dict[str, t.Any] = {
        "identity": wire.pack(work.identity),
        "known": _known(work),
        "lease": work.lease,
        "steps": [wire.pack(step) for step in work.steps if is_the_hosts(step)],
    }
    if work.generation is not None:
        parts = {name: part.content.decode("ascii") for name, part in work.generation.parts.items()}
        order.update(number=work.number, issuer_id=work.generation.issuer_id, parts=parts)
        if not work.identity.key.on_host:
            order.update(key_uri=work.key_uri, public_id=work.public_id)
    elif work.needs("adopt") and work.found and work.found.original:
        credential = work.found.original.credential
        order.update(original=credential.credential_id, issuer_id=adopted_id(credential))
    return order


def _why_failed(answer: Answer) -> str:
    """Say in one line why the module did not answer; what it printed may hold anything and is not repeated."""
    message = " ".join(str(answer.get("msg", "")).split())
    if message.startswith("host:"):
        return message[: wire.LONGEST_TEXT]
    said = f"{message[:300] or 'no message'}, rc {answer.get('rc', '?')}"
    return f"host: its half ended without an answer ({said}); run again"
