# SPDX-FileCopyrightText: 2026 Keystead contributors
# SPDX-License-Identifier: GPL-3.0-or-later
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)

"""Words that the files of trust_bundle share."""

from __future__ import annotations

WHO = "trust_bundle"
OR_DROP = "or say drop_in_use: true"
PROVE = "run machine_identity with prove and its when: always"
ACTIVATE = "activate"
UNTOLD = "no run told the service that reads it"
MOST_SHOWN = 3  # of what there may be many of, in a sentence
