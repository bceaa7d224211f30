# SPDX-FileCopyrightText: 2026 Keystead contributors
# SPDX-License-Identifier: GPL-3.0-or-later
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)

"""A key in a transit engine as the options of a task name it."""

from __future__ import annotations

import typing as t

from ...module_utils._core.errors import Misconfigured
from .._durations import timeout
from .address import address, name, path
from .errors import spoken_by
from .shared import shared
from .transit import WHO, Transit
from .transit_uri import Place


def transit_at(options: t.Mapping[str, t.Any], option: str) -> Transit:
    """Return the key that `{url, mount, name, namespace, auth, ca_bundle, timeout}` name; nothing is asked yet.

    `option` begins what is said of a wrong one. Raises Misconfigured.
    """
    where = address({**options, "timeout": _timeout(options, option)}, option)
    mount, key = path(options["mount"], f"{option}.mount"), name(options["name"], f"{option}.name")
    for said, value in (("mount", mount), ("name", key)):
        if not value:
            raise Misconfigured(f"{option}.{said} is empty; write where the key is to be")
    with spoken_by(WHO):
        return Transit(shared(where, options["auth"]), Place(where, mount, key))


def _timeout(options: t.Mapping[str, t.Any], option: str) -> int:
    try:
        return timeout(str(options["timeout"]))
    except Misconfigured as error:
        raise Misconfigured(f"{option}.timeout: {error}") from None
