# SPDX-FileCopyrightText: 2026 Keystead contributors
# SPDX-License-Identifier: GPL-3.0-or-later
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)

from __future__ import annotations

import typing as t

import yaml

from ..module_utils._options.common import COMMON
from ..module_utils._options.lookups import LEDGER
from ..module_utils._options.option import doc


def _sources(name: str, *, secret: bool) -> dict[str, t.Any]:
    """Return where a plugin outside of tasks finds an option that is not given to it; a configuration has no secret."""
    found = {"vars": [{"name": f"keystead_{name}"}], "env": [{"name": f"KEYSTEAD_{name.upper()}"}]}
    return found if secret else {**found, "ini": [{"section": "keystead", "key": name}]}


_PLUGIN = {name: {**option.doc(), **_sources(name, secret=option.no_log is True)} for name, option in LEDGER.items()}


class ModuleDocFragment:
    """What every action of the group accepts, and PLUGIN what of it other plugins do."""

    DOCUMENTATION: str = yaml.safe_dump({"options": doc(COMMON)}, sort_keys=False)
    PLUGIN: str = yaml.safe_dump({"options": _PLUGIN}, sort_keys=False)
