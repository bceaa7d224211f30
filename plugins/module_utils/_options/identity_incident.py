# SPDX-FileCopyrightText: 2026 Keystead contributors
# SPDX-License-Identifier: BSD-2-Clause
# Simplified BSD License (see LICENSES/BSD-2-Clause.txt or https://opensource.org/licenses/BSD-2-Clause)

"""What a task may say to identity_incident."""

from __future__ import annotations

from .blast_radius import OPTIONS as BLAST_RADIUS
from .identity_audit import SIGNING_KEY
from .ledger_info import CERTIFICATES, RECORDS, SELECT
from .machine_identity import DURATION
from .option import Option

STAGES = ("detected", "triaged", "contained", "recovered", "verified")
ABOUT = {
    **SELECT,
    **CERTIFICATES,
    **{name: BLAST_RADIUS[name] for name in ("authority", "issued_after", "issued_before")},
}
OPTIONS = {
    "name": Option(
        "What the incident is called: up to 64 letters, digits, dots, dashes and underscores. With O(about), the "
        "default is the one about the same that is not verified yet; or that was, when O(detected) is its moment, or "
        "O(totals) says that nothing is affected; or else a new name of its day and a digest. Without both, all "
        "incidents are returned.",
    ),
    "about": Option(
        "What the incident is about, as M(keystead.identity.blast_radius) selects. One that the ledger does not know "
        "is opened; the same name cannot be that of something else.",
        type="dict",
        options=ABOUT,
    ),
    "reason": Option(
        "What happened, as in O(keystead.identity.blast_radius#module:reason). Needs O(about).",
        default="key_compromise",
        choices=BLAST_RADIUS["reason"].choices,
    ),
    "detected": Option(
        "When it was detected, in ISO 8601 with a time zone. The default is now. It is what every limit runs from, and "
        "is never changed."
    ),
    "limit": Option(
        f"How long after that nothing of it may be good any more: {DURATION}. The default is what the Baseline "
        "Requirements of the CA/Browser Forum (4.9.1.1) give an authority: V(1d) with O(reason=key_compromise), else "
        "V(5d). It is written down when the incident is opened."
    ),
    "stage": Option(
        "What is reached now: V(triaged), it is known what is touched; V(contained), nothing of it is good any more; "
        "V(recovered), all of it is replaced; V(verified), a look has shown that nothing is left. One that was reached "
        "before is left alone.",
        choices=STAGES[1:],
    ),
    "again": Option(
        "Write O(stage) down, although it was reached before: more was found, or done. An incident that is V(triaged) "
        "again is open again.",
        type="bool",
        default=False,
    ),
    "totals": Option(
        "What is written down with O(stage), as RV(keystead.identity.blast_radius#module:totals): whole numbers.",
        type="dict",
    ),
    **RECORDS,
    "evidence": Option(
        "Writes a signed folder of what is known of the incident: its times, the events of all that it touches, their "
        "certificates, and O(evidence.files). One that is there is never replaced; where it was altered, the task "
        "fails. M(keystead.identity.identity_audit) verifies it. Needs O(about).",
        type="dict",
        options={
            "directory": Option(
                "Where the folders are kept, on the controller: C(DIRECTORY/incident/DAY-DIGEST).",
                type="path",
                required=True,
            ),
            "key": Option(
                "What signs it: exactly one of these.", type="dict", options=SIGNING_KEY, one_of=True, required=True
            ),
            "files": Option(
                "Further files on the controller that go into it, each by another name. One that has a private key is "
                "refused.",
                type="list",
                elements="path",
            ),
        },
    ),
}
