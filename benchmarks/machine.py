# SPDX-FileCopyrightText: 2026 Keystead contributors
# SPDX-License-Identifier: GPL-3.0-or-later
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)

"""Where and when the figures were measured, and how much else the machine had to do."""

from __future__ import annotations

import datetime as dt
import importlib.metadata
import importlib.util
import json
import os
import platform
import resource
import subprocess
import typing as t
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent
BUSY_LOAD = 0.3  # a processor, before the first run
BUSY_SHARE = 0.1  # of the machine, by others, while we ran


def about() -> dict[str, t.Any]:
    """Return what a file of figures begins with."""
    return {"format": 1, "date": now(), "commit": commit(), "machine": machine()}


def machine() -> dict[str, t.Any]:
    """Return what the figures depend on, without the machine's name."""
    return {
        "processor": _field("/proc/cpuinfo", "model name") or platform.machine(),
        "processors": os.cpu_count(),
        "memory_gib": round(os.sysconf("SC_PAGE_SIZE") * os.sysconf("SC_PHYS_PAGES") / 2**30, 1),
        "system": f"{platform.system()} {platform.release()}",
        "python": platform.python_version(),
        **{name.replace("-", "_"): importlib.metadata.version(name) for name in ("ansible-core", "cryptography")},
    }


def rival_version() -> str:
    """Return the version of community.crypto beside us."""
    where = importlib.util.find_spec("ansible_collections.community.crypto")
    places = [Path(place) for place in where.submodule_search_locations or ()] if where else []
    found = json.loads((places[0] / "MANIFEST.json").read_text(encoding="utf-8"))
    return str(found["collection_info"]["version"])


def commit() -> str:
    """Return what is measured: the commit, and whether the tree differs from it."""
    name = _git("rev-parse", "--short=12", "HEAD")
    changed = _git("status", "--porcelain", "--", "plugins", "benchmarks")
    return f"{name or 'unknown'}{' with changes that are not committed' if changed else ''}"


def _git(*arguments: str) -> str:
    ran = subprocess.run(["git", "-C", str(ROOT), *arguments], check=False, capture_output=True, text=True)  # noqa: S603, S607
    return ran.stdout.strip()


def now() -> str:
    """Return the moment, in UTC."""
    return dt.datetime.now(dt.UTC).strftime("%Y-%m-%d %H:%M UTC")


class Load:
    """Watches who else uses the processors."""

    def __init__(self) -> None:
        """Begin to watch."""
        self.begin = float(os.environ.get("BENCH_LOAD") or os.getloadavg()[0])  # tools/bench saw it before our own work
        self._start = self._used()

    def seen(self) -> dict[str, float]:
        """Return load averages at begin and end, and the share of the machine that others used in between."""
        total, busy, ours = (end - start for end, start in zip(self._used(), self._start, strict=True))
        others = max(0.0, busy - ours) / total if total else 0.0
        return {"begin": self.begin, "end": os.getloadavg()[0], "others": round(others, 4)}

    @staticmethod
    def _used() -> tuple[float, float, float]:
        """Return seconds of processor time: what there was, what was used (also by the hypervisor), and by us."""
        ticks = [int(number) for number in Path("/proc/stat").read_text(encoding="ascii").split("\n")[0].split()[1:9]]
        whose = (resource.RUSAGE_SELF, resource.RUSAGE_CHILDREN)
        ours = sum(used.ru_utime + used.ru_stime for used in map(resource.getrusage, whose))
        second = os.sysconf("SC_CLK_TCK")
        return sum(ticks) / second, (sum(ticks) - ticks[3] - ticks[4]) / second, ours


def warning(load: t.Mapping[str, float], processors: int) -> str | None:
    """Return why figures measured under this load are to be distrusted."""
    if load["begin"] <= BUSY_LOAD * processors and load["others"] <= BUSY_SHARE:
        return None
    return (
        f"the machine was busy: load {load['begin']:.1f} on {processors} processors before the first run, and other "
        f"processes used {load['others']:.0%} of them meanwhile; repeat this when it is quiet"
    )


def _field(path: str, name: str) -> str | None:
    try:
        lines = Path(path).read_text(encoding="utf-8").splitlines()
    except OSError:
        return None
    return next((line.partition(":")[2].strip() for line in lines if line.startswith(name)), None)
