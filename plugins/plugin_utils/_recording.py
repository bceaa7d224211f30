# SPDX-FileCopyrightText: 2026 Keystead contributors
# SPDX-License-Identifier: GPL-3.0-or-later
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)

"""What happened to identities, written down: also where their host was lost while it acted."""

from __future__ import annotations

import contextlib
import typing as t

from ..module_utils._core.errors import KeysteadError, Unavailable
from ._work import failing, is_behind, is_unknown, names_peers, was_proved

if t.TYPE_CHECKING:
    from ._ledger.port import Batch, Ledger
    from ._work import Work


def record(works: t.Sequence[Work], ledger: Ledger, batch: Batch, address: str) -> None:
    """Write down what was done of each; `address` is where their host is."""
    from ._outcomes import outcome

    if works:
        ledger.record(batch, [outcome(work, address) for work in works])


def catch_up(works: t.Sequence[Work], ledger: Ledger, batch: Batch, address: str) -> None:
    """Write down what is so by now, although no step of this run made it so."""
    settled = [work for work in works if not work.steps and not work.error]
    _complete(settled, ledger, batch)
    _see_proved(settled, ledger, batch, address)
    _name_peers([work for work in works if not work.error], ledger, batch)


def _complete(works: t.Sequence[Work], ledger: Ledger, batch: Batch) -> None:
    """Write down what a host completed in a run that was cut off before it could be recorded."""
    behind = [work for work in works if is_behind(work) and not is_unknown(work)]
    if not behind:
        return
    from ._outcomes import found_done

    with failing(behind):
        ledger.record(batch, [found_done(work) for work in behind])


def _see_proved(works: t.Sequence[Work], ledger: Ledger, batch: Batch, address: str) -> None:
    """Write down which services were asked and have what is current, where they might have shown something else."""
    seen = [work for work in works if was_proved(work)]
    if not seen:
        return
    from ._outcomes import seen_proved

    with failing(seen):
        ledger.record(batch, [seen_proved(work, address) for work in seen])


def _name_peers(works: t.Sequence[Work], ledger: Ledger, batch: Batch) -> None:
    """Write down whom identities trust by now: it is no change of the host."""
    naming = [work for work in works if names_peers(work)]
    if not naming:
        return
    from ._outcomes import named_peers

    with failing(naming):
        ledger.record(batch, [named_peers(work) for work in naming])


@contextlib.contextmanager
def remembering_loss(works: t.Sequence[Work], ledger: Ledger, batch: Batch, address: str) -> t.Iterator[None]:
    """Write down that a host was lost in the act, before Ansible calls it unreachable."""
    try:
        yield
    except KeysteadError:
        raise
    except Exception as error:
        for work in works:
            work.error = Unavailable(f"host: it was lost while it installed ({type(error).__name__}); run again")
        record(works, ledger, batch, address)
        raise
