# SPDX-FileCopyrightText: 2026 Keystead contributors
# SPDX-License-Identifier: GPL-3.0-or-later
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)

"""Whether hosts could be sent to a SCEP server, as far as the controller can tell: it asks no server itself."""

from __future__ import annotations

import typing as t

from ...module_utils._core.ports import Check
from .._roots import ca_bundle
from .address import WHO, challenge

if t.TYPE_CHECKING:
    from .address import Options
    from .errand import Errand


def checks(options: Options, errand: Errand) -> t.Iterator[Check]:
    """Yield what was found; an error ends it."""
    count = len(errand.roots())
    yield Check("trust", "ok", f"{count} trusted root{'s' * (count > 1)}, and one fingerprint; only hosts ask it")
    ca_bundle(options, WHO)
    said = "a challenge, which goes to hosts" if challenge(options) else "no challenge: its operator decides"
    yield Check("challenge", "ok", said)
