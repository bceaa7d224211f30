# SPDX-FileCopyrightText: 2026 Keystead contributors
# SPDX-License-Identifier: BSD-2-Clause
# Simplified BSD License (see LICENSES/BSD-2-Clause.txt or https://opensource.org/licenses/BSD-2-Clause)

"""The list of protocols by which a host enrols itself. A host loads only the one it needs."""

from __future__ import annotations

import typing as t

if t.TYPE_CHECKING:
    from .means import Means

Enrol = t.Callable[[t.Mapping[str, t.Any], "Means"], t.Dict[str, t.Any]]


def _est(said: t.Mapping[str, t.Any], means: Means) -> dict[str, t.Any]:
    from .est import enrol

    return enrol(said, means.secret, means.own)


def _scep(said: t.Mapping[str, t.Any], means: Means) -> dict[str, t.Any]:
    from .scep import enrol

    return enrol(said, means)


def _scep_program() -> str:
    from .scep_program import find

    return find()


ENROL: dict[str, Enrol] = {"est": _est, "scep": _scep}
PROGRAMS: dict[str, t.Callable[[], str]] = {"scep": _scep_program}
"""Which of them are spoken by a program of the host: who says where it is, or raises Misconfigured."""
