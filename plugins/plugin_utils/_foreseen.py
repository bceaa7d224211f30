# SPDX-FileCopyrightText: 2026 Keystead contributors
# SPDX-License-Identifier: GPL-3.0-or-later
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)

"""What check mode can say of issuers: that a root changed, that who we are cannot be said, that nobody is asked yet."""

from __future__ import annotations

import typing as t

from ..module_utils._core.ports import Foresees
from ._enrolling import SECRET, instead, own
from ._verifying import check_before
from ._work import failing

if t.TYPE_CHECKING:
    from ._action import Task
    from ._ledger.port import Ledger
    from ._refusals import Refusals
    from ._signers import Signers
    from ._work import Work


def foresee(
    works: t.Sequence[Work], signers: Signers, ledger: Ledger, task: Task, refusals: Refusals | None = None
) -> None:
    """Let what has to be issued fail where the run would, as far as nobody has to be asked to sign."""
    for work in works:
        with failing([work]):
            if work.issuer is None:
                continue
            if refusals is not None:
                refusals.check(work)
            check_before(work, signers.anchors(work.issuer, ledger, pin=False))
            if isinstance(work.issuer, Foresees) and work.issuer.foresee(work.identity.subject, own(work)):
                task.refuse_secrets(SECRET, instead(work.issuer.id.partition(":")[0]))
