# SPDX-FileCopyrightText: 2026 Keystead contributors
# SPDX-License-Identifier: BSD-2-Clause
# Simplified BSD License (see LICENSES/BSD-2-Clause.txt or https://opensource.org/licenses/BSD-2-Clause)

"""What a task may say to identity_trend."""

from __future__ import annotations

from .identity_audit import OPTIONS as OF_AUDIT
from .identity_audit import SIGNING_KEY
from .option import Option

OPTIONS = {
    "directory": Option(
        "Where runs are kept, on the controller: C(DIRECTORY/runs/MOMENT-DIGEST). It is made.",
        type="path",
        required=True,
    ),
    "key": Option(
        "What signs each run: exactly one of these.", type="dict", options=SIGNING_KEY, one_of=True, required=True
    ),
    "public_keys": OF_AUDIT["public_keys"]._replace(
        help="The public keys that may have signed the last run, as PEM or the paths of PEM files. That of O(key) is "
        "one of them."
    ),
    "findings": Option(
        "What was found, as RV(keystead.identity.identity_policy#module:fails) and "
        "RV(keystead.identity.identity_policy#module:findings). Two are the same by their C(code), C(rule), C(name), "
        "C(host), C(store) and C(source).",
        type="list",
        elements="dict",
    ),
    "counts": Option(
        "Whole numbers by their names, as RV(keystead.identity.identity_report#module:totals), to compare.", type="dict"
    ),
    "files": Option(
        "Files on the controller that are kept with the run, signed like all of it.", type="list", elements="path"
    ),
    "keep": Option(
        "How long runs are kept, for example V(730d). The last one is kept whatever its age. The default is for ever.",
        no_log=False,
    ),
}
