# SPDX-FileCopyrightText: 2026 Keystead contributors
# SPDX-License-Identifier: GPL-3.0-or-later
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)

"""What the user of cert_revoke sees. Nothing in it is secret."""

from __future__ import annotations

import typing as t

from ...module_utils._core.errors import KeysteadError
from ...module_utils._core.ports import Revoked
from .._serial import with_colons
from .wanted import WHO

if t.TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from ...module_utils._core.model import Step
    from .act import Answer
    from .decide import Found

Record = dict[str, t.Any]


def report(
    found: Sequence[Found], steps: Sequence[Step], answers: Mapping[str, Answer] | None, *, reason: str, diff: bool
) -> Record:
    """Return the result of the task; in check mode, without answers, of what there is now."""
    records = [_record(one, (answers or {}).get(one.target.kept.fingerprint)) for one in found]
    changed = any(one["changed"] for one in records) or _mended(found, steps)
    said: Record = {
        "changed": bool(steps) if answers is None else changed,
        "certificates": records,
        "matched": len(records),
        "steps": [{"action": step.action, "reason": step.reason} for step in steps],
    }
    failed = [one for one in records if one["failed"]]
    if failed:
        more = f" ({len(failed)} of {len(records)} certificates failed)" if len(failed) > 1 else ""
        said.update(failed=True, msg=f"{failed[0]['msg']}{more}")
    if diff:
        said["diff"] = _diff(found, reason)
    return said


def _mended(found: Sequence[Found], steps: Sequence[Step]) -> bool:
    """Tell whether a step was about a list, which is no certificate."""
    return not {step.about for step in steps} <= {one.target.kept.fingerprint for one in found}


def _record(found: Found, answer: Answer | None) -> Record:
    kept, holders = found.target.kept, found.target.holders
    error = answer if isinstance(answer, KeysteadError) else found.error
    revoked = answer if isinstance(answer, Revoked) else found.revoked
    record: Record = {
        "serial_number": with_colons(int(kept.serial_number, 16)),
        "fingerprint_sha256": kept.fingerprint,
        "status": "revoked" if revoked else found.status,
        "reason": revoked.reason if revoked else None,
        "revoked_at": f"{revoked.when:%Y-%m-%dT%H:%M:%SZ}" if revoked else None,
        "issuer_id": kept.issuer_id or (found.issuer.id if found.issuer else None),
        "host": (holders[0].host or None) if holders else None,
        "identity": holders[0].identity if holders else None,
        "generation": holders[0].generation if holders else None,
        "why": kept.why,
        "changed": (found.to_revoke or found.lost) and isinstance(answer, Revoked),
        "failed": error is not None,
    }
    if error is not None:
        record["msg"] = str(error)
    elif found.status == "expired":
        record["msg"] = f"{WHO}: it ended on {kept.not_after:%Y-%m-%d %H:%M} UTC, and is not revoked"
    return record


def _diff(found: Sequence[Found], reason: str) -> dict[str, str]:
    """Show a line a certificate: how it stands, and how it will."""
    before = [f"{one.target.called}: {one.status}{', and not listed' if one.lost else ''}\n" for one in found]
    after = [f"{one.target.called}: revoked ({_reason(one, reason)})\n" if one.to_revoke or one.lost else line
             for one, line in zip(found, before, strict=True)]  # fmt: skip
    header = "certificates"
    return {"before": "".join(before), "after": "".join(after), "before_header": header, "after_header": header}


def _reason(found: Found, reason: str) -> str:
    return found.revoked.reason if found.revoked else reason
