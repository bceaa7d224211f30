# SPDX-FileCopyrightText: 2026 Keystead contributors
# SPDX-License-Identifier: GPL-3.0-or-later
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)

"""What the survival tests share."""

from __future__ import annotations

import typing as t

import pytest
from ansible_collections.keystead.identity.tests.harness.faults import ForkServer
from ansible_collections.keystead.identity.tests.harness.sweep import Scene, directory


@pytest.fixture
def scene() -> t.Iterator[Scene]:
    """Return an empty host (kept as `empty`), and one with a first generation (kept as `first`), in place."""
    with directory() as base, ForkServer() as server:
        made = Scene(base, server)
        made.keep("empty")
        made.settle(made.identity())
        made.keep("first")
        yield made
