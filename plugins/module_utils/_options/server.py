# SPDX-FileCopyrightText: 2026 Keystead contributors
# SPDX-License-Identifier: BSD-2-Clause
# Simplified BSD License (see LICENSES/BSD-2-Clause.txt or https://opensource.org/licenses/BSD-2-Clause)

"""What every server that the controller speaks to is told."""

from __future__ import annotations

from .option import Option

CA_BUNDLE = Option(
    "A PEM file on the controller with the authorities that may have signed the TLS certificate of the server, and no "
    "others. The default is what the system of the controller trusts.",
    type="path",
)
TIMEOUT = Option("The longest that one call may take in total, for example V(30s) or V(2m).", default="30s")
