# SPDX-FileCopyrightText: 2026 Keystead contributors
# SPDX-License-Identifier: GPL-3.0-or-later
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)

"""What a policy says of a row: its rules about a credential that is there, as far as the row tells what they ask.

Nothing is refused here. What a row does not tell (who declared it, where its key was made) is left open, and rules that
ask for it cannot tell (`_policy/told.py`).
"""

from __future__ import annotations

import typing as t

from ...module_utils._core import credentials
from ...module_utils._core.errors import printable
from ...module_utils._core.model import Subject
from .._ledger.moments import moment
from .._policy.candidate import Candidate
from .._policy.found import LONGEST
from .._policy.live import DAY, ROUNDED, as_found
from .._policy.review import told
from .._policy.signer import of_id
from .signed import hash_of

if t.TYPE_CHECKING:
    from ...module_utils._core.model import Credential
    from .._policy.policy import Policy, Verdict
    from .row import Row

_OF_TASKS = frozenset(
    ("groups", "origin", "reuse", "links", "activate", "prove", "publish", "reached", "shared_with", "key_age",
     "extractable", "emergency")
)  # fmt: skip
"""What only tasks tell, of a host or of an identity."""
_OF_CREDENTIAL = frozenset(("subject", "profile", "key_type", "lifetime", "spki", "signature"))
_OF_IDENTITY = ("host", "service", "custody")
_NAMES = {"dns_names": "dns", "ip_addresses": "ip", "uris": "uri", "email_addresses": "email"}


def verdicts(policy: Policy, row: Row) -> list[Verdict]:
    """Return the findings of a policy about one row; severities are those of a task that would ask for it today."""
    return policy.verdicts(judgeable(row))


def sentences(policy: Policy, row: Row) -> list[str]:
    """Return the same as sentences without the name."""
    found = told(verdicts(policy, row))
    return [printable(text.replace(f", {row.name}: ", ": ", 1)[:LONGEST]) for text in found]


def judgeable(row: Row) -> Candidate:
    """Return what is to be judged of a row; who signed is known as far as its id tells."""
    untold = {name for name in _OF_IDENTITY if not (row.managed or getattr(row, name))}
    issuer = of_id(row.issuer_id or "")
    bare = Candidate(
        row.name, row.host or "", kind=row.kind, contact=row.contact, service=row.service,
        custody=row.custody or "file", issuer=issuer, spki=row.spki,
        untold=_OF_TASKS | untold | ({"issuer"} if issuer is None else set()),
    )  # fmt: skip
    if row.certificate is not None:
        try:
            content = credentials.encoded(row.certificate.encode())
            found = credentials.credential(content)
        except (ValueError, IndexError):
            pass  # then what the ledger wrote down beside it has to do
        else:
            return _of_content(bare, found, hash_of(content))
    return _of_fields(bare, row)


def _of_content(bare: Candidate, found: Credential, signature: str | None) -> Candidate:
    untold = bare.untold | ({"signature"} if signature is None else set())
    return as_found(bare._replace(spki=found.public_id, signature=signature, untold=untold), found)


def _of_fields(bare: Candidate, row: Row) -> Candidate:
    told: dict[str, t.Any] = {}
    names = {option: tuple(row.names[name]) for option, name in _NAMES.items() if name in row.names}
    if names:
        told["subject"] = Subject(None, **names)
    if row.profile:
        told["profile"] = row.profile
    if row.key_type is not None:
        told["key_type"] = row.key_type
    if row.spki is not None:
        told["spki"] = row.spki
    if row.not_before is not None and row.not_after is not None:
        life = int((moment(row.not_after) - moment(row.not_before)).total_seconds())
        told["lifetime"] = life - (life % DAY if life > DAY and life % DAY <= ROUNDED else 0)
    lacking = {name for name in ("common_name", *_NAMES) if name not in names}
    return bare._replace(**told, untold=bare.untold | (_OF_CREDENTIAL - told.keys()) | lacking)
