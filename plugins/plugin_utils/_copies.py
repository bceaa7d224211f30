# SPDX-FileCopyrightText: 2026 Keystead contributors
# SPDX-License-Identifier: GPL-3.0-or-later
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)

"""What a run has to do with copies that only the controller reaches; without any, nothing is loaded for them."""

from __future__ import annotations

import typing as t

if t.TYPE_CHECKING:
    from collections.abc import Sequence

    from ._host_half import HostHalf
    from ._ledger.port import Batch, Ledger
    from ._work import Work


def look(works: Sequence[Work], ledger: Ledger, batch: Batch, host: HostHalf | None) -> list[str]:
    """Read each such copy once, and decide once more; return what a user is to be warned of.

    A `host` is asked once more where a copy lacks a private key, and so there is something to do there as well.
    """
    kept = [warning for work in works for warning in _kept(work)]
    concerned = [work for work in works if _has_copies(work) and not work.error]
    if not concerned:
        return kept
    from ._remote_copies import RemoteCopies, forgotten

    copies = RemoteCopies(ledger, batch.host, batch.store)
    missed = copies.look(concerned, batch.at)
    if missed and host:
        host.prepare(missed, batch.at)
        copies.look_again([work for work in missed if not work.error], batch.at)
    return [*kept, *forgotten(concerned)]


def write(works: Sequence[Work], ledger: Ledger, batch: Batch) -> None:
    """Write such copies: the hosts have done and proved their part."""
    concerned = [work for work in works if _has_copies(work) and not work.error]
    if concerned:
        from ._remote_copies import RemoteCopies, finish

        RemoteCopies(ledger, batch.host, batch.store).write(concerned)
        finish(concerned)


def _kept(work: Work) -> t.Iterator[str]:
    """Yield a warning for each file that is to go, and stays with its key."""
    for path in work.found.kept_copies if work.found else ():
        yield (
            f"{work.name}: {path} was changed by others since it was written, so it stays, and it may hold a private "
            "key; look at it, and delete it where nobody needs it"
        )


def _has_copies(work: Work) -> bool:
    """Tell whether there are any, declared or known from before."""
    return bool(work.declaration.remotes) or any(not path.startswith("/") for path in work.known.links)
