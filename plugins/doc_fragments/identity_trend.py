# SPDX-FileCopyrightText: 2026 Keystead contributors
# SPDX-License-Identifier: GPL-3.0-or-later
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)

from __future__ import annotations

import yaml

from ..module_utils._options.identity_trend import OPTIONS
from ..module_utils._options.option import doc


class ModuleDocFragment:
    """What the module identity_trend accepts."""

    DOCUMENTATION: str = yaml.safe_dump({"options": doc(OPTIONS)}, sort_keys=False)
