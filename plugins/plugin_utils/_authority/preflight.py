# SPDX-FileCopyrightText: 2026 Keystead contributors
# SPDX-License-Identifier: GPL-3.0-or-later
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)

"""Whether an authority could sign now: its certificates, its key, and where it writes down what it signs."""

from __future__ import annotations

import os
import typing as t

from ...module_utils._core.ports import Check
from .opening import FILE
from .signing import check_is_alive
from .store import load

if t.TYPE_CHECKING:
    import datetime as dt

    from .about import About
    from .opening import Opening

SOON = 30  # days


def checks(about: About, opening: Opening, now: dt.datetime) -> t.Iterator[Check]:
    """Yield what was found; raises KeysteadError where an authority cannot be read, has ended, or does not open."""
    authority = load(about.path.parent, about.name)
    check_is_alive(authority, now)
    end = min(one.not_valid_after_utc for one in (authority.certificate, *authority.issuers))
    found = f"{about.id} signs until {end:%Y-%m-%d}"
    if (end - now).days < SOON:
        yield Check("authority", "warning", found, "make another authority in time and name it in the issuer")
    else:
        yield Check("authority", "ok", found)
    authority.open(opening)
    yield Check("key", "ok", _key(about))
    if os.access(authority.issued, os.W_OK | os.X_OK):
        yield Check("record", "ok", f"{authority.issued} may be written")
    else:
        remedy = "let this user write there, or run Ansible as the user who made the authority"
        yield Check("record", "failed", f"this user may not write in {authority.issued}", remedy)


def _key(about: About) -> str:
    if about.custody != FILE:
        return f"the private key is in its custody: {about.key_uri}"
    return "the private key opens" + (" with its passphrase" if about.encrypted else "")
