# SPDX-FileCopyrightText: 2026 Keystead contributors
# SPDX-License-Identifier: GPL-3.0-or-later
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)

"""What a task returns: a record of each identity, the diff, and the statistics. Never a secret."""

from __future__ import annotations

import re
import typing as t
from collections import Counter

from ..module_utils._core.adopted import adopted_id
from ..module_utils._core.checks import sentence
from ..module_utils._core.model import PARTS_OF
from ..module_utils._core.plan import REPLACES
from ..module_utils._core.publication import is_copy
from ..module_utils._host.layout import current_path
from ._consumers import lacking_parts
from ._serial import with_colons

if t.TYPE_CHECKING:
    from ..module_utils._core.model import Credential, Observed, X509Facts
    from ._action import Task
    from ._work import Work

DONE = ("issued", "renewed", "changed")
NAMED = 3  # identities that failed for one reason; the others are in the records


def result(works: t.Sequence[Work], store: str, task: Task, warnings: list[str]) -> dict[str, t.Any]:
    """Return what the task returns about all identities of a host."""
    records = [record(work, store, check=task.check) for work in works]
    failed = [work for work in works if work.error]
    said: dict[str, t.Any] = {
        "changed": any(one["changed"] for one in records),
        "identities": records,
        "warnings": warnings,
        "ansible_stats": statistics(records, check=task.check),
    }
    if failed:
        said.update(failed=True, msg="; ".join(_complaints(failed)))
    if task.diff:
        said["diff"] = diff(works)
    return said


def _complaints(failed: t.Sequence[Work]) -> t.Iterator[str]:
    """Yield what went wrong, once for all that it went wrong for; an error that names an identity needs no more."""
    names: dict[str, list[str]] = {}
    for work in failed:
        text = str(work.error)
        others = names.setdefault(text, [])
        if work.name not in re.split(r"[^a-z0-9._-]+", text):
            others.append(work.name)
    for text, others in names.items():
        shown = ", ".join(others[:NAMED]) + (f" and {len(others) - NAMED} more" if len(others) > NAMED else "")
        yield f"{shown}: {text}" if others else text


def record(work: Work, store: str, *, check: bool) -> dict[str, t.Any]:
    """Return the record of one identity."""
    seen = work.after or work.found
    credential = seen.credential if seen else None
    number = seen.generation if seen else None
    there = number is not None and credential is not None
    return {
        "name": work.name,
        "changed": any(step.action != "prove" for step in work.steps) if check and not work.error else work.changed,
        "failed": work.error is not None,
        "msg": str(work.error) if work.error else _message(work, check=check),
        "generation": number,
        "steps": _steps(work) if check or not work.error else _taken(work),
        "certificate": certificate(credential) if credential else None,
        "findings": list(work.findings),
        "custody": seen.custody if seen and there else None,
        "key_uri": seen.key_uri if seen and there else None,
        "paths": _paths(work, store, seen) if seen and there else {},
    }


def _paths(work: Work, store: str, seen: Observed) -> dict[str, str]:
    """Return where consumers read the parts of the current generation, as far as they are known to be there."""
    kind = seen.credential.kind if seen.credential else work.identity.kind
    return paths(store, work.name, seen.custody or "file", kind, token=work.identity.key.token is not None)


def paths(store: str, name: str, custody: str, kind: str = "x509", *, token: bool = False) -> dict[str, str]:
    """Return where the parts of an identity are whose key lives there; `token` tells that it is one of the host."""
    lacking = lacking_parts(custody, token=token)
    return {part: current_path(store, name, part, kind) for part in PARTS_OF[kind] if part not in lacking}


def certificate(credential: Credential) -> dict[str, t.Any]:
    """Return the facts of a certificate; times in RFC 3339, the serial number in hexadecimal with colons."""
    facts: X509Facts = credential.facts
    return {
        "serial_number": with_colons(facts.serial_number),
        "fingerprint_sha256": credential.credential_id,
        "spki_sha256": credential.public_id,
        "not_before": f"{credential.not_before.isoformat()[:19]}Z",
        "not_after": f"{credential.not_after.isoformat()[:19]}Z",
        "issuer": facts.issuer,
        "subject": facts.subject_name,
        "dns_names": list(facts.subject.dns_names),
        **_principals(credential),
    }


def _principals(credential: Credential) -> dict[str, list[str]]:
    """Return what a host certificate of SSH has in place of names of several forms."""
    named = credential.facts.subject
    return {"principals": [*named.dns_names, *named.ip_addresses]} if credential.kind == "ssh_host" else {}


def diff(works: t.Sequence[Work]) -> list[dict[str, str]]:
    """Return what a run changes, or would change, for each identity that has steps."""
    return [
        {
            "before_header": f"{work.name} (as found)",
            "after_header": f"{work.name} (as declared)",
            "before": _found(work, work.found),
            "after": _declared(work),
        }
        for work in works
        if work.steps and work.found
    ]


def statistics(records: t.Sequence[dict[str, t.Any]], *, check: bool) -> dict[str, t.Any]:
    """Return the counts for `ansible_stats`, added up over all hosts."""
    counts = Counter(told(one, check=check).replace(" ", "_") for one in records)
    return {"data": {f"keystead_{word}": count for word, count in counts.items()}, "per_host": False, "aggregate": True}


def told(one: t.Mapping[str, t.Any], *, check: bool) -> str:
    """Return the outcome as the end of a run tells it: in check mode nothing is done."""
    word = outcome(one)
    return f"would be {word}" if check and word in DONE else word


def outcome(one: t.Mapping[str, t.Any]) -> str:
    """Return what happened to an identity, in one word: issued, renewed, changed, unchanged or failed."""
    reasons = {step["action"]: step["reason"] for step in reversed(one["steps"])}  # copies come after the generation
    if one["failed"]:
        return "failed"
    if "issue" in reasons:
        return "renewed" if REPLACES in reasons["publish"] else "issued"
    return "changed" if one["changed"] else "unchanged"


def _steps(work: Work) -> list[dict[str, str]]:
    steps = [{"action": step.action, "reason": step.reason} for step in work.steps]
    known = {step.action for step in work.steps}
    return steps + [
        {"action": done.action, "reason": done.reason} for done in work.done if done.action not in known
    ]


def _taken(work: Work) -> list[dict[str, str]]:
    """Return the steps of an identity that failed, as far as they were taken; the last one may be what failed."""
    granted = {"stage_key": bool(work.csr), "issue": work.generation is not None}
    taken = [(step.action, step.reason) for step in work.steps if granted.get(step.action)]
    taken += [(done.action, done.reason) for done in work.done]
    return [{"action": action, "reason": reason} for action, reason in taken]


def _message(work: Work, *, check: bool) -> str:
    """Say what the steps do not: that a consumer was left alone, and what check mode cannot foresee."""
    if check and work.needs("issue"):
        return "check mode asks no issuer and no consumer; they may still refuse"
    if not work.done:
        return ""
    from ._work import skipped

    return next((done.reason for done in work.done if skipped(done)), "")


def _found(work: Work, found: Observed | None) -> str:
    if found is not None and found.original is not None:
        facts: X509Facts = found.original.credential.facts
        return "\n".join(["generation: none", f"issuer: {facts.issuer}", *_facts(facts.key_type, facts.subject)]) + "\n"
    if found is None or found.generation is None:
        return ""
    lines = [f"generation: {found.generation}", f"issuer: {found.issuer_id}"]
    if work.credential:
        facts = work.credential.facts
        lines += _facts(facts.key_type, facts.subject, found.custody)
    lines += [f"link: {link.path} -> {link.part}" for link in found.links if link.state == "ok"]
    lines += [f"link: {path}" for path in found.stale_links]
    lines += [f"copy: {copy.where} ({copy.publisher})" for copy in found.copies if copy.state == "ok"]
    lines += [f"copy: {path}" for path in found.stale_copies]
    lines += [f"finding: {sentence(finding)}" for finding in (*found.damage, *found.drift)]
    lines += [f"pending: generation {found.pending}"] if found.pending is not None else []
    return "\n".join(lines) + "\n"


def _declared(work: Work) -> str:
    wanted, found = work.identity, work.found
    if wanted.state != "present" or found is None:
        return ""
    original = found.original if work.needs("adopt") else None
    number = max(found.newest, work.known.newest) + 1 + bool(original)
    if work.needs("issue"):
        lines = [f"generation: {number}", f"issuer: {wanted.issuer_id}"]
        lines += _facts(wanted.key.type, wanted.subject, wanted.key.custody)
    elif original:
        facts: X509Facts = original.credential.facts
        lines = [f"generation: {number - 1}", f"issuer: {adopted_id(original.credential)}"]
        lines += _facts(facts.key_type, facts.subject)
    else:
        lines = [f"generation: {_chosen(work, found)}", f"issuer: {found.issuer_id}"]
        lines += _facts(wanted.key.type, wanted.subject, wanted.key.custody)
    lines += [f"link: {link.path} -> {link.part}" for link in wanted.files.links]
    lines += [f"copy: {one.path} ({one.publisher})" for one in wanted.publish]
    return "\n".join(lines) + "\n"


def _chosen(work: Work, found: Observed) -> int | None:
    steps = (step for step in work.steps if step.action == "publish" and not is_copy(step))
    return next((int(step.about) for step in steps if step.about), found.generation)


def _facts(key_type: str, subject: t.Any, custody: str | None = None) -> list[str]:
    return [
        f"key: {key_type}" + (f" in {custody}" if custody not in (None, "file") else ""),
        f"common name: {subject.common_name or 'none'}",
        *(f"name: {name}" for name in sorted(subject.dns_names)),
        *(f"name: {name}" for name in sorted((*subject.ip_addresses, *subject.uris, *subject.email_addresses))),
    ]
