# SPDX-FileCopyrightText: 2026 Keystead contributors
# SPDX-License-Identifier: GPL-3.0-or-later
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)

"""The host's half is killed before every call by which it, or the token in its process, changes anything.

SoftHSM keeps each object in a file and writes it in the process that asks, so that a kill cuts a key pair in two.
"""

from __future__ import annotations

import re
import subprocess
import typing as t

import pytest
from ansible_collections.keystead.identity.tests.harness.faults import ForkServer
from ansible_collections.keystead.identity.tests.harness.softhsm import CONFIGURATION, MODULE, PIN, SO_PIN
from ansible_collections.keystead.identity.tests.harness.sweep import CONTROLLER, LONG, NAME, Scene, Sweep, directory
from ansible_collections.keystead.identity.tests.integration.survival.killing import Beside
from cryptography.hazmat.primitives.serialization import Encoding, PublicFormat

pytestmark = [pytest.mark.needs("strace", "root", "softhsm", "pkcs11-tool", "python-pkcs11"), pytest.mark.one_core]
TOKEN = "swept"
FEWEST = 100
EVERY = 4  # points of a sweep, but for the long one
FILES = {
    "certificate.pem", "chain.pem", "fullchain.pem", "generation.json", "key_uri.txt", "nginx_tls.conf", "roots.pem",
}  # fmt: skip


@pytest.fixture
def scene(monkeypatch: pytest.MonkeyPatch) -> t.Iterator[Scene]:
    """Return an empty host with a token (kept as `empty`), and one with a first generation (kept as `first`)."""
    with directory() as base:
        (base / "world" / "tokens").mkdir(parents=True)
        configuration = base / "softhsm2.conf"
        configuration.write_text(CONFIGURATION.format(tokens=base / "world" / "tokens"), encoding="utf-8")
        monkeypatch.setenv("SOFTHSM2_CONF", str(configuration))
        said = ["softhsm2-util", "--init-token", "--free", "--label", TOKEN, "--pin", PIN, "--so-pin", SO_PIN]
        subprocess.run(said, check=True, capture_output=True)
        with ForkServer() as server:
            made = Scene(base, server)
            made.world = Beside(base / "world")
            made.keep("empty")
            made.settle(identity(made))
            made.keep("first")
            yield made


def identity(scene: Scene, *names: str, **changed: t.Any) -> dict[str, t.Any]:
    """Return an identity whose key is in the token."""
    custody = {"pkcs11": {"module_path": MODULE, "token_label": TOKEN, "pin": PIN}}
    links = {str(scene.world.links / "web.conf"): "nginx_tls", str(scene.world.links / "web.pem"): "fullchain"}
    return scene.identity(*names, key={"custody": custody}, links=links, **changed)


def tool(*arguments: str) -> str:
    """Return what pkcs11-tool says of the token."""
    said = ["pkcs11-tool", "--module", MODULE, "--token-label", TOKEN, "--login", "--pin", PIN, *arguments]
    return subprocess.run(said, check=True, capture_output=True, text=True).stdout


def halves() -> tuple[int, int]:
    """Return how many private and public keys pkcs11-tool sees.

    SoftHSM makes a file for an object before it writes what the object is: a kill in between leaves one without a
    label, an id or a value, which is no key, and which nobody could tell from another program's that is being made.
    """
    objects = re.split(r"^(?=\S+ Key Object)", tool("--list-objects"), flags=re.MULTILINE)
    keys = [one for one in objects if re.search(r"^ +ID: +\S|^ +label: +\S|^ +EC_PARAMS: +\S", one, re.MULTILINE)]
    return tuple(sum(one.startswith(kind) for one in keys) for kind in ("Private Key", "Public Key"))  # type: ignore[return-value]


def unsafe(scene: Scene) -> t.Iterator[str]:
    """Yield what may never be seen, not even after a kill: a generation that is not whole, or one without its key."""
    current = scene.place / "current"
    if not current.exists():
        if current.is_symlink():
            yield "current leads nowhere"
        return
    if {entry.name for entry in current.iterdir()} != FILES:
        yield f"a generation has only {sorted(entry.name for entry in current.iterdir())}"
        return
    uri = (current / "key_uri.txt").read_text(encoding="ascii")
    identifier = uri.partition(";id=")[2].partition(";")[0].replace("%", "").lower()
    shown = tool("--list-objects", "--type", "pubkey", "--id", identifier)
    key = scene.world.certificate(NAME).public_key()
    point = key.public_bytes(Encoding.X962, PublicFormat.UncompressedPoint).hex()
    if point not in shown.lower():
        yield f"the token has no key {identifier} that the certificate is for"
    if identifier not in tool("--list-objects", "--type", "privkey").lower():
        yield f"the token has no private key {identifier}"


def unwell(scene: Scene) -> t.Iterator[str]:
    """Yield what is not as it should be where nothing is left to do."""
    yield from unsafe(scene)
    if halves() != (1, 1):
        yield f"the token holds {halves()} private and public keys"
    there = {entry.name for entry in scene.place.iterdir()} - {"current", str(scene.world.current()), "lease.json"}
    if there:
        yield f"there is still {sorted(there)}"
    known = scene.world.remembered(NAME)
    if (known.generation, known.open_intent) != (scene.world.current(), None):
        yield f"the ledger knows generation {known.generation}, the host has {scene.world.current()}"


@pytest.mark.parametrize(("start", "name"), [("empty", "a.example.org"), ("first", "b.example.org")])
def test_a_run_killed_before_any_call_leaves_a_whole_pair_and_no_stray_key_after_the_next(
    scene: Scene, start: str, name: str
) -> None:
    sweep = Sweep(scene, start, identity(scene, name))
    issued = 1 if start == "first" else 0
    points = 0
    for part in ("prepare", "install", CONTROLLER):
        calls = sweep.recorded(part)
        points += len(calls)
        for call in calls[:: 1 if LONG else EVERY]:
            sweep.broken(part, call)
            for one in unsafe(scene):
                sweep.complain(part, call, f"after the kill, {one}")
            sweep.heal(part, call, issued, unwell)
    print(f"{start}: {sweep.tried} of {points} points, {sweep.extra} issued too many")  # noqa: T201
    assert not sweep.complaints, "\n".join(sweep.complaints)
    assert points >= FEWEST
    assert sweep.tried >= points // EVERY if not LONG else points
    assert sweep.extra == 0


def test_a_withdrawal_killed_before_any_call_leaves_no_key_in_the_token(scene: Scene) -> None:
    sweep = Sweep(scene, "first", {**identity(scene), "state": "absent"})
    for part in ("prepare", "install"):
        for call in sweep.recorded(part)[:: 1 if LONG else EVERY]:
            sweep.broken(part, call)
            sweep.heal(part, call, 0, emptied)
    assert not sweep.complaints, "\n".join(sweep.complaints)
    assert sweep.tried >= 10


def emptied(_scene: Scene) -> t.Iterator[str]:
    """Yield what is left in the token."""
    if halves() != (0, 0):
        yield f"the token holds {halves()} private and public keys"
