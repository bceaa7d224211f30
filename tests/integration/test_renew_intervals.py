# SPDX-FileCopyrightText: 2026 Keystead contributors
# SPDX-License-Identifier: GPL-3.0-or-later
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)

"""The intervals of the role `renew`, as systemd and as AWX understand them."""

from __future__ import annotations

import itertools
import re
import subprocess
from datetime import datetime, timedelta
from pathlib import Path

import pytest
import yaml


@pytest.mark.needs("systemd-analyze")
def test_every_interval_is_as_long_for_systemd_and_for_awx_as_it_says() -> None:
    from dateutil import rrule

    variables = yaml.safe_load((Path(__file__).parents[2] / "roles/renew/vars/main.yml").read_text(encoding="utf-8"))
    options = yaml.safe_load(
        (Path(__file__).parents[2] / "roles/renew/meta/argument_specs.yml").read_text(encoding="utf-8")
    )
    schedules = variables["__renew_schedules"]
    assert [*schedules] == options["argument_specs"]["main"]["options"]["renew_every"]["choices"]
    for every, said in schedules.items():
        wanted = timedelta(minutes=int(every[:-1]) * {"m": 1, "h": 60, "d": 1440}[every[-1]])
        argv = ["systemd-analyze", "calendar", "--iterations=50", said["calendar"]]
        shown = subprocess.run(argv, check=True, capture_output=True, text=True, timeout=60, env={"TZ": "UTC"}).stdout
        moments = [datetime.fromisoformat(one) for one in re.findall(r": \w{3} (\d{4}-\S+ \S+) UTC", shown)]
        assert len(moments) == 50
        assert {later - one for one, later in itertools.pairwise(moments)} == {wanted}
        first, second = rrule.rrulestr(f"DTSTART:20260101T000700Z RRULE:{said['rrule']};COUNT=2")
        assert second - first == wanted
