# SPDX-FileCopyrightText: 2026 Keystead contributors
# SPDX-License-Identifier: GPL-3.0-or-later
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)

"""One identity on its way through a run, as the controller sees it."""

from __future__ import annotations

import contextlib
import typing as t
from dataclasses import dataclass, field, replace

from ..module_utils._core.checks import Look
from ..module_utils._core.errors import KeysteadError, NotConverged
from ..module_utils._core.model import ADOPTED
from ..module_utils._core.plan import ELSEWHERE, decide
from ..module_utils._core.publication import is_remote

if t.TYPE_CHECKING:
    from datetime import datetime

    from ..module_utils._core.model import Credential, Done, Generation, Identity, Known, Observed, Step
    from ..module_utils._core.ports import Issuer
    from ._declare import Declaration
    from ._ledger.port import Orphaned, Remembered
    from ._remote_copies import RemoteCopy


@dataclass
class Work:
    """What is wanted and known, then what was found, asked, granted and done. `error` ends its way."""

    declaration: Declaration
    identity: Identity
    issuer: Issuer | None
    remembered: Remembered | None
    known: Known
    found: Observed | None = None
    credential: Credential | None = None
    steps: tuple[Step, ...] = ()
    lease: str | None = None
    csr: bytes = b""
    public_id: str = ""
    key_uri: str | None = None
    number: int | None = None
    generation: Generation | None = None
    orphaned: Orphaned | None = None
    lost_since: datetime | None = None
    done: list[Done] = field(default_factory=list)
    after: Observed | None = None
    error: KeysteadError | None = None
    findings: list[dict[str, str]] = field(default_factory=list)
    remotes: list[RemoteCopy] = field(default_factory=list)
    made: t.Any = field(default=None, repr=False)
    """The private key of the next generation, where the controller makes it; never written anywhere."""

    @property
    def name(self) -> str:
        """Return the name of the identity."""
        return self.identity.name

    @property
    def private_key(self) -> bytes | None:
        """Return the key of what was issued in PEM (RFC 5958); None where this run did not make it."""
        if self.made is None or self.generation is None:
            return None
        from ..module_utils._core.keys import to_pem

        return to_pem(self.made, self.identity.key.form)

    def needs(self, action: str) -> bool:
        """Tell whether a step with this action is to be done."""
        return any(step.action == action for step in self.steps)

    def reason(self, action: str) -> str:
        """Return why the first step with this action is to be done."""
        return next((step.reason for step in self.steps if step.action == action), "")

    def followed_by(self, then: Work) -> None:
        """Tell as one what was done in two turns: `then` began with what this one left."""
        self.steps, self.done = self.steps + then.steps, self.done + then.done
        self.csr, self.generation, self.number = then.csr, then.generation, then.number
        self.after, self.error = then.after or then.found or self.after, then.error
        self.settle_findings()

    def settle_findings(self) -> None:
        """Leave out what the renewal in the same run puts right."""
        if self.needs("issue"):
            self.findings = [one for one in self.findings if one["code"] not in ("differs", "shared_key", "weak_key")]

    def did(self, action: str) -> bool:
        """Tell whether a step with this action was done and went well."""
        return any(done.action == action and not done.error for done in self.done)

    @property
    def concerns_host(self) -> bool:
        """Tell whether the host has a part in what is to be done."""
        return any(map(is_the_hosts, self.steps))

    @property
    def changed(self) -> bool:
        """Tell whether anything but a look was taken."""
        return any(done.action != "prove" and not done.error and not skipped(done) for done in self.done)


def is_the_hosts(step: Step) -> bool:
    """Tell whether a host has a part in a step: to revoke, to strike off a list, or another's custody is not its."""
    if step.action == "revoke" or step.about == ELSEWHERE or is_remote(step):
        return False
    return step.action != "withdraw" or bool(step.about)


def skipped(done: Done) -> bool:
    """Tell whether a step found nothing to act on: a consumer that does not run."""
    return "; skipped: " in done.reason


def plan(work: Work, found: Observed, now: datetime) -> tuple[Step, ...]:
    """Decide once more, with what only the controller knows."""
    return decide(Look(work.identity, found, found.credential, work.known, now, found.other))


def check_settled(work: Work, now: datetime) -> None:
    """Raise NotConverged when something is left for the host to do; the rest is the controller's affair."""
    if work.after is None or work.error:
        return
    known = work.known.for_the_host()._replace(key_gone=None)
    left = plan(replace(work, known=known), work.after, now)
    if left and not (work.did("adopt") and left[0].action == "stage_key"):  # that is done next
        raise NotConverged(f"{work.name}: everything was done, and still {left[0].reason}")


@contextlib.contextmanager
def failing(works: t.Sequence[Work]) -> t.Iterator[None]:
    """Let an error end the way of these, and not that of their siblings."""
    try:
        yield
    except KeysteadError as error:
        for work in works:
            work.error = work.error or error


def is_elsewhere(work: Work) -> bool:
    """Tell whether only the controller reaches the key that is declared."""
    return not work.identity.key.on_host


def is_unknown(work: Work) -> bool:
    """Tell whether a host has a generation that the ledger never heard of."""
    found = work.found
    if found is None or work.identity.state == "observed":
        return False
    return bool(found.beside) or (found.generation or 0) > work.known.newest


def concerns_others(work: Work) -> bool:
    """Tell whether an identity has, had or may get what somebody else had issued."""
    found, state = work.found, work.identity.state
    if found is None or state not in ("present", "observed"):
        return False
    return state == "observed" or found.original is not None or is_foreign(found)


def is_foreign(found: Observed) -> bool:
    """Tell whether the current generation was adopted."""
    return (found.issuer_id or "").startswith(ADOPTED)


def names_peers(work: Work) -> bool:
    """Tell whether an identity that gets no other credential names other peers than the ledger has of it."""
    known, declared = work.remembered, work.declaration.trusts
    if known is None or known.state != "present" or work.identity.state != "present" or known.trusts == declared:
        return False
    return not (work.needs("issue") or work.needs("adopt") or (work.known.rotation and declared is None))


def was_proved(work: Work) -> bool:
    """Tell whether a service was seen to use what is current, and the ledger does not know that it does."""
    known, found = work.remembered, work.found
    if known is None or found is None or not known.unproved or work.identity.state != "present":
        return False
    return found.served == "ok" and found.generation == known.generation


def is_behind(work: Work) -> bool:
    """Tell whether a host that has nothing left to do shows more than the ledger was told."""
    known, found = work.remembered, work.found
    if known is None or found is None:
        return False
    if work.identity.state != "present":
        return False
    if found.generation == known.generation:
        return {*(link.path for link in found.links), *(copy.where for copy in found.copies)} != set(known.links)
    opened = known.open_intent
    if opened is None or opened.certificate is None:
        return work.identity.generation == "previous"
    return (opened.number, opened.public_id) == (found.generation, found.public_id)
