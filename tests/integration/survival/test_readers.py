# SPDX-FileCopyrightText: 2026 Keystead contributors
# SPDX-License-Identifier: GPL-3.0-or-later
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)

"""Who reads while identities are issued and rotated: nobody else sees a key, nobody sees half a rotation."""

from __future__ import annotations

import contextlib
import json
import subprocess
import sys
import typing as t

import pytest
from ansible_collections.keystead.identity.plugins.module_utils._core.keys import from_pem, spki_sha256
from ansible_collections.keystead.identity.tests.harness import tally
from ansible_collections.keystead.identity.tests.harness.sweep import run_task
from cryptography import x509

if t.TYPE_CHECKING:
    from ansible_collections.keystead.identity.tests.harness.sweep import Scene

pytestmark = [pytest.mark.needs("root"), pytest.mark.one_core]

ROUNDS = 200

SPY = """
import json, os, sys
store, names = sys.argv[1], [f"i{number}" for number in range(int(sys.argv[2]))]
secret = ["next/private_key.pem", "next/.private_key.pem.new", "next/combined.pem", "next/.combined.pem.new"]
secret += [f"{where}/{file}" for where in ("1", "current") for file in ("private_key.pem", "combined.pem")]
paths = [f"{store}/{name}/{file}" for name in names for file in secret]
public = [f"{store}/{name}/1/certificate.pem" for name in names]
seen = {"looks": 0, "there": set(), "certificates": set(), "keys": set()}

def content(path):
    try:
        with open(path, "rb") as stream:
            return stream.read()
    except PermissionError:
        seen["there"].add(path)
    except OSError:
        pass
    return b""

os.setgroups([])
os.setgid(65534)
os.setuid(65534)
print("ready", flush=True)
os.set_blocking(0, False)
while True:
    seen["looks"] += 1
    for path in paths:
        if b"PRIVATE KEY" in content(path):
            seen["keys"].add(path)
    for path in public:
        if content(path):
            seen["certificates"].add(path)
    try:
        if os.read(0, 1) == b"":
            break
    except BlockingIOError:
        pass
print(json.dumps({key: value if isinstance(value, int) else len(value) for key, value in seen.items()}))
"""

READER = """
import json, os, time
import sys
place, links = sys.argv[1:]
seen = {"once": [], "combined": [], "twice": [], "gone": 0}
known = {kind: set() for kind in seen}

def content(path, directory=None):
    descriptor = os.open(path, os.O_RDONLY, dir_fd=directory)
    try:
        return os.read(descriptor, 65536).decode()
    finally:
        os.close(descriptor)

def note(kind, pair):
    seen[kind + "_reads"] = seen.get(kind + "_reads", 0) + 1
    if pair not in known[kind]:
        known[kind].add(pair)
        seen[kind].append(pair)

def once():
    directory = os.open(place + "/current", os.O_RDONLY | os.O_DIRECTORY)
    try:
        note("once", (content("certificate.pem", directory), content("private_key.pem", directory)))
    finally:
        os.close(directory)

def combined():
    key, mark, chain = content(links + "/web.both").partition("-----BEGIN CERTIFICATE-----")
    note("combined", (mark + chain, key))

def twice():
    note("twice", (content(links + "/web.pem"), content(links + "/web.key")))

print("ready", flush=True)
os.set_blocking(0, False)
while True:
    for read in (once, combined, twice):
        try:
            read()
        except FileNotFoundError:
            seen["gone"] += 1
    time.sleep(0.001)
    try:
        if os.read(0, 1) == b"":
            break
    except BlockingIOError:
        pass
print(json.dumps(seen))
"""


@contextlib.contextmanager
def reading(program: str, *arguments: str) -> t.Iterator[dict[str, t.Any]]:
    """Run a reader during the block; what it saw is in the yielded dictionary after it."""
    saw: dict[str, t.Any] = {}
    with subprocess.Popen(
        [sys.executable, "-c", program, *arguments], stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True
    ) as reader:
        assert reader.stdout is not None
        assert reader.stdout.readline() == "ready\n"
        yield saw
        saw.update(json.loads(reader.communicate()[0]))


def matches(pair: tuple[str, str]) -> bool:
    """Tell whether a key is that of a certificate."""
    certificate, key = pair
    leaf = x509.load_pem_x509_certificate(certificate.encode())
    return spki_sha256(leaf.public_key()) == spki_sha256(from_pem(key.encode()).public_key())


def test_an_unprivileged_reader_never_reads_a_key_while_200_are_made(scene: Scene) -> None:
    scene.restore("empty")
    identities = [{"name": f"i{number}", "dns_names": [f"i{number}.example.org"]} for number in range(ROUNDS)]
    with reading(SPY, str(scene.world.store), str(ROUNDS)) as saw:
        for start in range(0, ROUNDS, 20):
            tally.point(20)
            result = scene.server.run(run_task, scene.world, identities[start : start + 20]).value
            assert not result.get("failed"), result["msg"]
    print(saw)  # noqa: T201
    assert saw["keys"] == 0
    assert saw["certificates"] == ROUNDS, "the reader did not look at all of them"
    assert saw["there"] >= ROUNDS
    assert saw["looks"] >= 20


def test_a_reader_that_opens_current_once_or_reads_combined_sees_no_mismatch_in_200_rotations(scene: Scene) -> None:
    task = {name: value for name, value in scene.identity().items() if name not in ("activate", "prove")}
    with reading(READER, str(scene.place), str(scene.world.links)) as saw:
        for number in range(ROUNDS):
            tally.point()
            scene.settle({**task, "dns_names": [f"n{number}.example.org"]})
    wrong = {kind: sum(not matches(pair) for pair in saw[kind]) for kind in ("once", "combined", "twice")}
    reads = {kind: saw[f"{kind}_reads"] for kind in wrong}
    print(f"pairs that do not match: {wrong} of reads {reads}; files that were just going: {saw['gone']}")  # noqa: T201
    assert (wrong["once"], wrong["combined"]) == (0, 0)
    assert len(saw["combined"]) > ROUNDS // 2, "the reader missed most rotations"
