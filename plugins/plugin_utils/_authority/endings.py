# SPDX-FileCopyrightText: 2026 Keystead contributors
# SPDX-License-Identifier: GPL-3.0-or-later
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)

"""When the authorities of a directory and their revocation lists end."""

from __future__ import annotations

import typing as t

from .._chain_endings import authority_ending
from .._endings import Ending
from . import lists
from .about import ABOUT
from .files import speaking
from .store import load

if t.TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from .store import Authority

REMEDY = "run certificate_authority, which makes the list anew, on a timer that is shorter"


def endings(directory: Path) -> Iterator[Ending]:
    """Yield every authority of a directory and every list. Raises Misconfigured for what cannot be read."""
    with speaking("list", directory):
        names = sorted(path.name for path in directory.iterdir() if path.name[:1] != "." and (path / ABOUT).exists())
    for name in names:
        authority = load(directory, name)
        for one in (authority.certificate, *authority.issuers):
            yield authority_ending(one)
        yield from _list(authority)


def _list(authority: Authority) -> Iterator[Ending]:
    """Yield how the list stands; nothing where there is none, and no URL where it would be looked for."""
    if not authority.crl_path.exists():
        if authority.publication.crl_url:
            yield Ending("list", authority.id, "there is no revocation list yet", REMEDY, state="critical")
        return
    found = lists.found(authority.crl_path)
    if found is None or not found.is_of(authority):
        wrong = f"{authority.crl_path} is no revocation list of this authority"
        yield Ending("list", authority.id, wrong, REMEDY, state="critical")
        return
    facts = found.facts
    yield Ending("list", authority.id, "", REMEDY, facts.next_update, facts.this_update)
