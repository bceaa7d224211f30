# SPDX-FileCopyrightText: 2026 Keystead contributors
# SPDX-License-Identifier: GPL-3.0-or-later
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)

"""Tags of AWS: which texts they can be."""

from __future__ import annotations

import hashlib
import re

_TAGGABLE = re.compile(r"(?!aws:)[A-Za-z0-9 _.:/=+@-]{1,256}", re.ASCII)


def is_taggable(text: str) -> bool:
    """Tell whether every service of AWS takes a text as the value of a tag."""
    return _TAGGABLE.fullmatch(text) is not None


def taggable(label: str) -> str:
    """Return the value of a tag that stands for a label: itself, or its digest where AWS would not take it."""
    return label if is_taggable(label) else f"sha256:{hashlib.sha256(label.encode()).hexdigest()}"
