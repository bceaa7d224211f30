# SPDX-FileCopyrightText: 2026 Keystead contributors
# SPDX-License-Identifier: GPL-3.0-or-later

"""How long a task of ours takes, as a multiple of one ping on the same inventory, and beside community.crypto.

Machines are noisy, so nothing is compared across rounds: every round runs a ping, a first issue and a run with nothing
to do, one after the other, and the table shows the medians of the rounds' ratios.
"""

from __future__ import annotations

import argparse
import datetime as dt
import json
import shutil
import statistics
import subprocess
import sys
import time
import typing as t
from dataclasses import asdict, dataclass
from pathlib import Path

from cryptography import x509
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.hazmat.primitives.serialization import Encoding, NoEncryption, PrivateFormat

HERE = Path(__file__).resolve().parent
RIVALS = {"cc_ownca": "community.crypto, CA on the host", "cc_pipe": "community.crypto, CA on the controller"}


@dataclass(frozen=True)
class Size:
    """How many hosts, how many identities on each, and how many times a ping each may take (None: no goal)."""

    hosts: int
    identities: int
    idle_goal: float | None
    issue_goal: float | None


@dataclass(frozen=True)
class Timing:
    """Medians of one size: seconds of a ping, and ratios to it."""

    size: Size
    ping: float
    issue: float
    idle: float
    issue_seconds: float
    idle_seconds: float


SIZES = (Size(1, 10, 1.15, 1.6), Size(1, 50, 1.15, 1.6), Size(1, 500, 1.25, None), Size(10, 10, 1.25, 2.4))
RIVAL_SIZES = (SIZES[0], SIZES[1], SIZES[3])
SLOPES = {"idle": 0.3, "issue": 3.0}  # milliseconds an identity


class Bench:
    """One directory with an authority, and inventories of any size."""

    def __init__(self, place: Path) -> None:
        """Begin anew in `place`."""
        shutil.rmtree(place, ignore_errors=True)
        self.place = place
        self.authorities = place / "authorities"
        self.rival = place / "rival"
        self.rival.mkdir(parents=True)
        self.authorities.mkdir(mode=0o700)

    def play(self, name: str, size: Size | None = None, **extra: t.Any) -> float:
        """Run one playbook and return how long that took, in seconds."""
        inventory = self.inventory(size) if size else Path("localhost,")
        settings = json.dumps({"authorities": str(self.authorities), "rival": str(self.rival), **extra})
        argv = ["ansible-playbook", "-i", str(inventory), "-f", "10", "-e", settings, str(HERE / f"{name}.yml")]
        start = time.monotonic()
        ran = subprocess.run(argv, check=False, capture_output=True, text=True)  # noqa: S603
        spent = time.monotonic() - start
        if ran.returncode:
            sys.exit(f"bench: {name} failed\n{ran.stdout[-4000:]}{ran.stderr[-4000:]}")
        return spent

    def inventory(self, size: Size) -> Path:
        """Return an inventory whose hosts are this machine, with names of their own."""
        path = self.place / f"{size.hosts}x{size.identities}.json"
        hosts = {f"host{n}": {"identities": identities(f"host{n}", size.identities)} for n in range(size.hosts)}
        common = {"ansible_connection": "local", "ansible_python_interpreter": "{{ ansible_playbook_python }}"}
        path.write_text(json.dumps({"fleet": {"hosts": hosts, "vars": common}}), encoding="utf-8")
        return path

    def work(self) -> str:
        """Return an empty directory."""
        path = self.place / "work"
        shutil.rmtree(path, ignore_errors=True)
        path.mkdir()
        return str(path)


def identities(host: str, count: int) -> list[dict[str, t.Any]]:
    """Return what one host shall have, as a task says it."""
    return [{"name": f"id{n}", "dns_names": [f"id{n}.{host}.example.org"]} for n in range(count)]


def make_rival_authority(place: Path) -> None:
    """Write the self-signed authority that community.crypto signs with."""
    key = ec.generate_private_key(ec.SECP256R1())
    name = x509.Name([x509.NameAttribute(x509.NameOID.COMMON_NAME, "Rival")])
    now = dt.datetime.now(dt.UTC)
    builder = x509.CertificateBuilder().subject_name(name).issuer_name(name).public_key(key.public_key())
    builder = builder.serial_number(x509.random_serial_number()).not_valid_before(now - dt.timedelta(hours=1))
    builder = builder.not_valid_after(now + dt.timedelta(days=365))
    builder = builder.add_extension(x509.BasicConstraints(ca=True, path_length=None), critical=True)
    certificate = builder.sign(key, hashes.SHA256())
    (place / "ca.crt").write_bytes(certificate.public_bytes(Encoding.PEM))
    (place / "ca.key").write_bytes(key.private_bytes(Encoding.PEM, PrivateFormat.PKCS8, NoEncryption()))


def measure(bench: Bench, size: Size, rounds: int) -> Timing:
    """Return the medians over some rounds of ping, first issue, nothing to do."""
    pings, issues, idles = [], [], []
    for _ in range(rounds):
        work = bench.work()
        pings.append(bench.play("ping", size))
        issues.append(bench.play("ours", size, work=work))
        idles.append(bench.play("ours", size, work=work))
    return Timing(
        size,
        statistics.median(pings),
        statistics.median(issue / ping for issue, ping in zip(issues, pings, strict=True)),
        statistics.median(idle / ping for idle, ping in zip(idles, pings, strict=True)),
        statistics.median(issues),
        statistics.median(idles),
    )


def verdict(value: float, goal: float | None) -> str:
    """Return a value with its goal, and whether it was met."""
    return f"{value:.2f}" if goal is None else f"{value:.2f} (goal {goal:g}: {'met' if value <= goal else 'MISSED'})"


def show_ours(timings: list[Timing]) -> None:
    """Print the table, and what one more identity costs."""
    print("| hosts x identities | ping | nothing to do, x ping | first issue, x ping |\n|---|---|---|---|")
    for one in timings:
        size = one.size
        idle, issue = verdict(one.idle, size.idle_goal), verdict(one.issue, size.issue_goal)
        print(f"| {size.hosts} x {size.identities} | {one.ping:.2f} s | {idle} | {issue} |")
    by_count = {one.size.identities: one for one in timings if one.size.hosts == 1}
    low, high = by_count[min(by_count)], by_count[max(by_count)]
    more = (high.size.identities - low.size.identities) / 1000
    idle = verdict((high.idle_seconds - low.idle_seconds) / more, SLOPES["idle"])
    issue = verdict((high.issue_seconds - low.issue_seconds) / more, SLOPES["issue"])
    print(f"One more identity, in ms: nothing to do {idle}, first issue {issue}")


def show_rivals(bench: Bench, timings: list[Timing]) -> None:
    """Print how many times longer community.crypto takes; one round each, for it takes minutes."""
    make_rival_authority(bench.rival)
    print("\n| hosts x identities | rival | first issue | ours is faster | nothing to do | ours is faster |")
    print("|---|---|---|---|---|---|")
    for one in timings:
        if one.size not in RIVAL_SIZES:
            continue
        for name, title in RIVALS.items():
            work = bench.work()
            issue, idle = (bench.play(name, one.size, work=work) for _ in range(2))
            times = f"{issue:.1f} s | {issue / one.issue_seconds:.0f}x | {idle:.1f} s | {idle / one.idle_seconds:.0f}x"
            print(f"| {one.size.hosts} x {one.size.identities} | {title} | {times} |", flush=True)


def main() -> None:
    """Measure, print, and keep the figures."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("place", type=Path, help="a directory that is emptied")
    parser.add_argument("--rounds", type=int, default=7)
    parser.add_argument("--no-rivals", action="store_true", help="leave community.crypto out; it takes minutes")
    options = parser.parse_args()
    bench = Bench(options.place)
    bench.play("authority")
    timings = [measure(bench, size, options.rounds) for size in SIZES]
    show_ours(timings)
    (options.place / "figures.json").write_text(
        json.dumps([asdict(one) for one in timings], indent=1), encoding="utf-8"
    )
    if not options.no_rivals:
        show_rivals(bench, timings)


if __name__ == "__main__":
    main()
