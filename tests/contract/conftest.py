# SPDX-FileCopyrightText: 2026 Keystead contributors
# SPDX-License-Identifier: GPL-3.0-or-later
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)

"""Every issuer of the list, each over its real backend."""

from __future__ import annotations

import typing as t

import pytest
from ansible_collections.keystead.identity.plugins.plugin_utils._issuers.registry import ISSUERS
from ansible_collections.keystead.identity.tests.harness.issuers import Made, adapter

if t.TYPE_CHECKING:
    from pathlib import Path


def every_issuer(*names: str) -> list[t.Any]:
    """Return parameters of these issuers, else of all, with what each needs of the machine."""
    return [pytest.param(name, marks=pytest.mark.needs(*adapter(name).needs)) for name in sorted(names or ISSUERS)]


@pytest.fixture(params=every_issuer())
def made(request: pytest.FixtureRequest, tmp_path: Path) -> Made:
    """Set one backend up for this test."""
    kind = adapter(request.param)
    server = request.getfixturevalue(kind.server) if kind.server else None
    return Made(request.param, kind(tmp_path, server))
