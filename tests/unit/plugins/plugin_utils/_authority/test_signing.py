# SPDX-FileCopyrightText: 2026 Keystead contributors
# SPDX-License-Identifier: GPL-3.0-or-later
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)

"""From when to when a certificate of an authority is valid, and when it was signed."""

from __future__ import annotations

import datetime as dt
import typing as t

import pytest
from ansible_collections.keystead.identity.plugins.module_utils._core.model import Generation
from ansible_collections.keystead.identity.plugins.plugin_utils._issuers.local import LocalIssuer
from ansible_collections.keystead.identity.tests.harness import local as make

if t.TYPE_CHECKING:
    from pathlib import Path

MOMENT = dt.timedelta(milliseconds=700)


@pytest.mark.parametrize(
    ("lifetime", "backdated"), [(60, 6), (65, 6), (69, 6), (150, 15), (2999, 299), (3000, 300), (86400, 300)]
)
def test_it_is_antedated_by_a_tenth_of_its_life_and_five_minutes_at_most(
    tmp_path: Path, lifetime: int, backdated: int
) -> None:
    now = make.now().replace(microsecond=0) + MOMENT
    issuer = LocalIssuer(make.two_tiers(tmp_path), now=lambda: now)
    (one,) = issuer.begin([make.request(lifetime=lifetime)])
    assert isinstance(one, Generation)
    assert one.not_before == now - MOMENT - dt.timedelta(seconds=backdated)
    assert one.not_after == now - MOMENT + dt.timedelta(seconds=lifetime)
    (record,) = [found for found in issuer.issued(now) if found.public_id == make.public_id()]
    assert record.issued_at == now - MOMENT
