# SPDX-FileCopyrightText: 2026 Keystead contributors
# SPDX-License-Identifier: GPL-3.0-or-later
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)

"""What is given to be judged beside the ledger: certificates by themselves, and what a task would declare."""

from __future__ import annotations

import typing as t

from ...module_utils._core import credentials
from ...module_utils._core.errors import Misconfigured
from .._action import Task
from .._declare import declarations
from .._given import given, is_path
from .._policy.candidate import candidates
from .._records.record import of_credential
from .._rows.row import OBSERVED, Delivery, Row
from .subject import Subject, of_rows

if t.TYPE_CHECKING:
    from .._inventory import Place

_OF_HOST = frozenset(("reached", "spki", "signature"))
"""What a declaration does not tell: by which way its host is reached, only its task does, and the rest is not made."""
_OF_INVENTORY = frozenset(("name", "contact"))
"""What a certificate by itself does not tell: which identity it is, and who answers for it."""
_AS_TASKS = {"store": "/declared", "scope": None, "purge": False, "issuers": None, "wait": "0s"}


def certificate(said: str, number: int, who: str, public: t.Sequence[str] = ()) -> Subject:
    """Return a certificate that is given as PEM or by its path; who answers for it, nobody says. Raises Misconfigured.

    It is called by its path, or else by its first name. `public` is as `of_rows` has it.
    """
    content = given(said, who)[0]
    try:
        found = credentials.credential(content)
    except (ValueError, IndexError):
        shown = said if is_path(said) else "the PEM given"
        raise Misconfigured(f"{who}: {shown} holds a certificate that cannot be read; replace it") from None
    path = said if is_path(said) else None
    names = (*found.facts.subject.dns_names, found.facts.subject_name, found.credential_id)
    bare = Row(
        key=("", 1, number), managed=False, name=path or next(filter(None, names)), host=None,
        state=OBSERVED, in_use=True, source=path, deliveries=(Delivery(path, "certificate"),) if path else (),
        certificate=credentials.as_text(content).decode(),
    )  # fmt: skip
    row = of_credential(bare, found)
    (found_so,) = of_rows([row._replace(key=(t.cast("str", row.not_after), 1, number))], public)
    candidate = found_so.candidate
    return found_so._replace(candidate=candidate._replace(untold=candidate.untold | _OF_INVENTORY))


def declared(said: t.Mapping[str, t.Any], where: Place, who: str) -> list[Subject]:
    """Return what validated options would declare on a host. Raises Misconfigured as a task of it would."""
    args = {**_AS_TASKS, **said}
    task = Task(where.host, None, True, False, _nobody, _silent, groups=where.groups)  # noqa: FBT003 - as it is
    found = candidates(args["identities"], declarations(args, f"{who}: declarations"), task)
    return [Subject(one._replace(untold=_OF_HOST)) for one in found]


def _nobody(_arguments: dict[str, t.Any]) -> dict[str, t.Any]:
    raise Misconfigured("identity_policy: it asks no host")


def _silent(_line: str) -> None:
    pass
