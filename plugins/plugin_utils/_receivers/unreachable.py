# SPDX-FileCopyrightText: 2026 Keystead contributors
# SPDX-License-Identifier: GPL-3.0-or-later
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)

"""Why a receiver could not be reached, in a few words."""

from __future__ import annotations

import ssl

from ...module_utils._enrol.tls import untrusted
from .._causes import causes


def why(error: BaseException) -> str:
    """Return what is below the errors of libraries."""
    found = list(causes(error))
    for one in found:
        if isinstance(one, ssl.SSLCertVerificationError):
            return f"its TLS certificate {untrusted(one.verify_code)}"
    if any(isinstance(one, TimeoutError) for one in found):
        return "it did not answer in time"
    if any(isinstance(one, UnicodeError) for one in found):
        return "that is no name of a host"
    told = [one.strerror for one in found if isinstance(one, OSError) and one.strerror]
    return told[-1] if told else type(found[-1]).__name__
