# SPDX-FileCopyrightText: 2026 Keystead contributors
# SPDX-License-Identifier: GPL-3.0-or-later
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)

"""What is on a host, beside what the ledger says of it. Nothing here changes anything, and nobody signs."""

from __future__ import annotations

import typing as t
from datetime import UTC, datetime

from ..module_utils._core import credentials, pki, wire
from ..module_utils._core.checks import sentence
from ..module_utils._core.errors import Denied, KeysteadError, Misconfigured
from ..module_utils._core.model import OBSERVED, Identity, Known, Observed
from ._declare import Declaration, check_name, checked_store
from ._host_half import HostHalf, error_of, observed_of
from ._ledger.registry import open_for
from ._paths import absolute
from ._policy.found import found_by
from ._policy.load import load
from ._report import certificate, record
from ._scan import NOTHING as NOTHING_SCANNED
from ._scan import scanned as scan
from ._work import Work

if t.TYPE_CHECKING:
    from ._action import Task
    from ._host_half import Answer
    from ._info_status import Statuses
    from ._ledger.chain import Readable
    from ._ledger.port import Ledger, Remembered
    from ._policy.policy import Policy

    Judges = tuple[Policy, Statuses]

MODULE = "machine_identity_info"
Record = dict[str, t.Any]
Asked = tuple[str, list[str], list[str], list[str]]


def look(args: t.Mapping[str, t.Any], task: Task) -> Record:
    """Return what the task returns: `store`, `identities`, `paths`, and what a scan found."""
    asked = _checked(args)
    policy = load(args.get("policy"), datetime.now(UTC))
    warnings: list[str] = []
    ledger = _open(args, warnings)
    try:
        from ._info_status import Statuses

        return _look(asked, task, ledger, (policy, Statuses(args, t.cast("Readable | None", ledger))), warnings)
    finally:
        if ledger is not None:
            ledger.close()


def _look(asked_for: Asked, task: Task, ledger: Ledger | None, judges: Judges, warnings: list[str]) -> Record:
    store, names, paths, directories = asked_for
    policy, statuses = judges
    now = datetime.now(UTC)
    remembered = ledger.remembered(task.host, store) if ledger else {}
    asked = names or sorted(name for name, one in remembered.items() if one.state == "present")
    works = [_work(name, remembered.get(name)) for name in asked]
    entries = [{"identity": wire.pack(work.identity), "known": wire.pack(work.known)} for work in works]
    half = HostHalf(task.execute, store, task.host, None, {}, warnings)
    answer = half.read(entries, now, others=not names, paths=paths, scan=directories)
    about, found, files = store_of(answer, store), by(answer, "identities", "name"), by(answer, "paths", "path")
    if not names:
        works += [_work(name, None) for name in sorted(found.keys() - set(asked)) if _is_name(name)]
    if ledger and ledger.id and about["ledger_id"] not in (None, ledger.id):
        warnings.append(f"store {store} belongs to ledger {about['ledger_id']}, and this is ledger {ledger.id}")
        for work in works:
            work.remembered = None
    identities = [_identity(work, found.get(work.name, {}), about, now) for work in works]
    for one, work in zip(identities, works, strict=True):
        one["status"] = statuses.of_credential(work.credential, now)
        one["findings"] += _revoked_elsewhere(one)
    scanned = scan(answer, task.host, ledger, now) if directories else NOTHING_SCANNED
    warnings += [f"scan: {note}" for note in scanned["notes"]]
    return {
        "changed": False,
        "store": about,
        "identities": [_judged(one, work, policy, task) for one, work in zip(identities, works, strict=True)],
        "paths": [_path(path, files.get(path, {}), statuses) for path in paths],
        **{part: scanned[part] for part in ("scan", "proposals", "scan_complete")},
        "warnings": warnings,
    }


def _checked(args: t.Mapping[str, t.Any]) -> Asked:
    """Return store, names, paths and directories, each once. Raises Misconfigured."""
    option = ""
    try:
        store = checked_store(args)
        for option in ("names", "paths", "scan"):
            for value in args.get(option) or ():
                check_name(value) if option == "names" else absolute(value)
    except Misconfigured as error:
        raise Misconfigured(f"{MODULE}: option {option}{': ' if option else ''}{error}") from None
    names, paths, directories = (list(dict.fromkeys(args.get(option) or ())) for option in ("names", "paths", "scan"))
    return store, names, paths, directories


def _open(args: t.Mapping[str, t.Any], warnings: list[str]) -> Ledger | None:
    """Open the ledger to read. The default ledger may be out of reach, a named one not."""
    try:
        return open_for(args, read_only=True)
    except KeysteadError as error:
        if args["ledger"]:
            raise
        warnings.append(f"nothing is said from a ledger: {error}")
        return None


def _work(name: str, known: Remembered | None) -> Work:
    identity = Identity(name)
    declaration = Declaration(identity, None, None, {}, None, None, revoke_on_absent=False)
    return Work(declaration, identity, None, known, Known(links=known.links if known else ()))


def _is_name(name: str) -> bool:
    try:
        check_name(name)
    except Misconfigured:
        return False
    return True


def by(answer: Answer, listed: str, key: str) -> dict[str, Record]:
    """Return what has the form of answers, by what each is about; the rest is none."""
    said = answer.get(listed)
    entries = [one for one in said if isinstance(one, dict)] if isinstance(said, list) else []
    return {name: one for one in entries if (name := _text(one.get(key)))}


def store_of(answer: Answer, path: str) -> Record:
    """Return what a host says of its store."""
    said = answer.get("store")
    said = said if isinstance(said, dict) else {}
    error = error_of({"observed": (), **said})
    exists = said.get("exists") is True
    return {
        "path": path,
        "exists": exists,
        "host": _text(said.get("host")),
        "ledger_id": _text(said.get("ledger")),
        "failed": error is not None,
        "msg": str(error or ("" if exists else f"store {path} does not exist")),
    }


def _identity(work: Work, said: Record, about: Record, now: datetime) -> Record:
    work.error = error_of(said)
    if work.error is None:
        try:
            work.found = observed_of(work, said)
            work.credential = work.found.credential
        except ValueError as error:
            work.error = Denied(f"host: its answer for {work.name} is refused: {error}")
    if _is_observed(work.remembered):
        _show_observed(work)
    found, known = work.found or Observed(work.name), work.remembered
    return {
        **record(work, about["path"], check=True),
        **{fact: getattr(known, fact, None) for fact in ("contact", "service", "scope")},
        "state": "observed" if _is_observed(known) else getattr(known, "state", None),
        "issuer_id": found.issuer_id or (known.issuer_id if known else None),
        "links": list(found.stale_links),  # nothing is declared, so each one that leads here is one too many
        "pending": found.pending,
        "kept_generations": list(found.others),
        "findings": [] if work.error else list(_findings(work, found, about, now)),
    }


def _is_observed(known: Remembered | None) -> bool:
    return known is not None and known.state == "present" and (known.issuer_id or "").startswith(OBSERVED)


def _show_observed(work: Work) -> None:
    """Show the certificate that was seen last: it need not be in the store."""
    known = work.remembered
    if work.found is not None and work.found.generation is None and known is not None and known.certificate:
        work.credential = credentials.credential(credentials.encoded(known.certificate.encode()))
        work.found = work.found._replace(credential=work.credential)


def _judged(one: Record, work: Work, policy: Policy, task: Task) -> Record:
    """Add what the policy finds about a live credential."""
    if work.found is not None and work.credential is not None and work.error is None:
        one["findings"] += [_finding("policy", text) for text in found_by(policy, work, task)]
    return one


def _findings(work: Work, found: Observed, about: Record, now: datetime) -> t.Iterator[dict[str, str]]:
    """Yield what is wrong, each as a code and a sentence."""
    if found.generation is None and not _is_observed(work.remembered):
        yield _finding("missing", _why_missing(work, about))
    for damage in found.damage:
        yield _finding(damage.code, sentence(damage))
    if found.pending is not None:
        said = f"generation {found.pending} is in place, but its consumer was not told or not proved"
        yield _finding("pending", said)
    if found.unfinished:
        yield _finding("unfinished", "a run left an unfinished generation behind")
    known, credential = work.remembered, work.credential
    if credential and now >= credential.not_after:
        yield _finding("expired", f"it ended on {credential.not_after:%Y-%m-%d %H:%M} UTC")
    reason = dict(known.revoked).get(credential.credential_id) if credential and known else None
    if reason:
        yield _finding("revoked", f"it was revoked ({reason})")
    for path in sorted(set(known.links) - set(found.stale_links) if known else ()):
        yield _finding("link_missing", f"{path} does not lead to it any more")


def _revoked_elsewhere(one: Record) -> list[dict[str, str]]:
    """Return the finding that a certificate was revoked, where somebody says so of whom the ledger did not hear."""
    status = one["status"] or {}
    known = any(found["code"] == "revoked" for found in one["findings"])
    is_revoked = status.get("status") == "revoked" and not known
    return [_finding("revoked", f"it was revoked ({status['reason']})")] if is_revoked else []


def _finding(code: str, msg: str) -> dict[str, str]:
    return {"code": code, "msg": msg}


def _why_missing(work: Work, about: Record) -> str:
    where = f"store {about['path']} has no generation of {work.name}" if about["exists"] else about["msg"]
    known = work.remembered
    if known is None or known.state != "present" or known.generation is None:
        return where
    return f"{where}, and the ledger knows generation {known.generation}"


def _path(path: str, said: Record, statuses: Statuses) -> Record:
    """Return what a PEM file holds; `identity` and `part` where its path is a link of ours."""
    error, facts, count = error_of({"observed": (), **said} if said else {}), None, said.get("certificates")
    status = None
    if error is None:
        try:
            facts = certificate(pki.credential(der := wire.binary(said.get("certificate"))))
            status = statuses.of_certificate(der)
        except pki.MALFORMED:
            error = Denied(f"host: {path}: its first certificate cannot be read")
    return {
        "path": path,
        "failed": error is not None,
        "msg": str(error or ""),
        "certificate": facts,
        "status": status,
        "certificates": count if facts and isinstance(count, int) else 0,
        "identity": _text(said.get("identity")),
        "part": _text(said.get("part")),
    }


def _text(value: t.Any) -> str | None:
    """Return a text that a host said, if it is one."""
    try:
        return wire.text(value)
    except ValueError:
        return None
