# SPDX-FileCopyrightText: 2026 Keystead contributors
# SPDX-License-Identifier: GPL-3.0-or-later
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)

from __future__ import annotations

import yaml

from ..module_utils._options.lookups import IDENTITY
from ..module_utils._options.machine_identity import INFO, OPTIONS, PREFLIGHT
from ..module_utils._options.option import doc


class ModuleDocFragment:
    """What machine_identity, machine_identity_info and preflight accept, and the lookup machine_identity."""

    DOCUMENTATION: str = yaml.safe_dump({"options": doc(OPTIONS)}, sort_keys=False)
    INFO: str = yaml.safe_dump({"options": doc(INFO)}, sort_keys=False)
    PREFLIGHT: str = yaml.safe_dump({"options": doc(PREFLIGHT)}, sort_keys=False)
    LOOKUP: str = yaml.safe_dump({"options": doc(IDENTITY)}, sort_keys=False)
