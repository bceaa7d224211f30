# SPDX-FileCopyrightText: 2026 Keystead contributors
# SPDX-License-Identifier: GPL-3.0-or-later
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)

"""A run that adopts a pair is killed before every call by which either half changes anything.

What the service reads stays the same bytes throughout, from the originals or from the store.
"""

from __future__ import annotations

import typing as t

import pytest
from ansible_collections.keystead.identity.plugins.plugin_utils._ledger import chain
from ansible_collections.keystead.identity.plugins.plugin_utils._ledger.registry import open_ledger
from ansible_collections.keystead.identity.tests.harness.brownfield import pair
from ansible_collections.keystead.identity.tests.harness.sweep import CONTROLLER, LONG, NAME, Sweep
from ansible_collections.keystead.identity.tests.integration.survival.health import content_of, mismatch

if t.TYPE_CHECKING:
    from ansible_collections.keystead.identity.tests.harness.sweep import Scene

pytestmark = [pytest.mark.needs("strace", "root"), pytest.mark.one_core]

FEWEST = 50
EVERY = 3  # points of the controller's half
NOTHING_ISSUED = -1
Contents = dict[str, bytes]


def adopted(scene: Scene) -> tuple[dict[str, t.Any], Contents]:
    """Put a pair where the links will be, and keep that start; return the declaration and what the service reads."""
    scene.restore("empty")
    made = pair("a.example.org")
    before = {"web.key": made.key, "web.pem": made.certificate + made.chain}
    for name, content in before.items():
        (scene.world.links / name).write_bytes(content)
        (scene.world.links / name).chmod(0o600)
    scene.keep("brownfield")
    paths = {"private_key": str(scene.world.links / "web.key"), "certificate": str(scene.world.links / "web.pem")}
    links = {paths["private_key"]: "private_key", paths["certificate"]: "fullchain"}
    return scene.identity(adopt=paths, links=links), before


def unsafe(scene: Scene, before: Contents) -> t.Iterator[str]:
    """Yield what may never be seen: another byte for the service, or half a generation."""
    for name, content in before.items():
        path = scene.world.links / name
        if not path.exists() or path.read_bytes() != content:
            yield f"{name} is not what it was"
    current = scene.place / "current"
    if current.exists() and (wrong := mismatch(content_of(current))):
        yield f"current leads to no complete pair: {wrong}"
    if scene.served.exists():
        yield "the service was told"


def unwell(scene: Scene, before: Contents) -> t.Iterator[str]:
    """Yield what is not as it should be where nothing is left to do."""
    yield from unsafe(scene, before)
    if scene.world.current() != 1 or not all(path.is_symlink() for path in scene.world.links.iterdir()):
        yield f"generation {scene.world.current()}, links {sorted(scene.world.links.iterdir())}"
    there = {entry.name for entry in scene.place.iterdir()} - {"current", "1", "lease.json"}
    if there:
        yield f"there is still {there}"
    ledger = open_ledger(scene.world.url, read_only=True)
    try:
        if broken := chain.verify(ledger):
            yield f"the ledger is broken: {broken}"
    finally:
        ledger.close()
    known = scene.world.remembered(NAME)
    if (known.generation, known.issuer_id, known.open_intent) != (1, "adopted:CN=Old Corp CA", None):
        yield f"the ledger knows {known}"
    if sorted(known.links) != sorted(map(str, scene.world.links.iterdir())):
        yield f"the ledger knows the links {known.links}"


@pytest.mark.parametrize("part", ["prepare", "install", CONTROLLER])
def test_an_adoption_killed_before_any_call_leaves_what_is_served_and_the_next_run_completes_it(
    scene: Scene, part: str
) -> None:
    identity, before = adopted(scene)
    sweep = Sweep(scene, "brownfield", identity)
    calls = sweep.recorded(part)
    assert (scene.world.current(), scene.world.issued()) == (1, [])
    for call in calls[:: EVERY if part == CONTROLLER and not LONG else 1]:
        sweep.broken(part, call)
        for one in unsafe(scene, before):
            sweep.complain(part, call, f"after the kill, {one}")
        sweep.heal(part, call, NOTHING_ISSUED, lambda scene: unwell(scene, before))
    assert not sweep.complaints, "\n".join(sweep.complaints)
    assert sweep.extra == 0
    assert sweep.tried >= {"install": FEWEST, "prepare": 5, CONTROLLER: 10}[part]


def half_way(scene: Scene, before: Contents) -> t.Iterator[str]:
    """Yield what may never be seen of a pair that is adopted and replaced: neither the originals nor a generation."""
    current = scene.place / "current"
    content = content_of(current) if current.exists() else {}
    if content and (wrong := mismatch(content)):
        yield f"current leads to no complete pair: {wrong}"
    served = {name: (scene.world.links / name).read_bytes() for name in before}
    renewed = {"web.key": content.get("private_key.pem"), "web.pem": content.get("fullchain.pem")}
    if served not in (before, renewed):
        yield "what is served is neither the originals nor the current generation"


def renewed(scene: Scene, before: Contents) -> t.Iterator[str]:
    """Yield what is not as it should be when the adopted pair was replaced."""
    yield from half_way(scene, before)
    known = scene.world.remembered(NAME)
    if (scene.world.current(), scene.world.generations(), known.open_intent) != (2, [2], None):
        yield f"generations {scene.world.generations()}, the ledger knows {known}"
    if not scene.served.exists() or scene.served.read_bytes() != (scene.world.links / "web.pem").read_bytes():
        yield "the service has another certificate"


@pytest.mark.parametrize("part", ["install", CONTROLLER])
def test_a_replacement_in_the_run_of_the_adoption_is_completed_after_a_kill(scene: Scene, part: str) -> None:
    identity, before = adopted(scene)
    identity["adopt"]["replace"] = "now"
    sweep = Sweep(scene, "brownfield", identity)
    for call in sweep.recorded(part)[:: 1 if LONG else 2 * EVERY]:
        sweep.broken(part, call)
        for one in half_way(scene, before):
            sweep.complain(part, call, f"after the kill, {one}")
        sweep.heal(part, call, 0, lambda scene: renewed(scene, before))
    assert not sweep.complaints, "\n".join(sweep.complaints)
    assert sweep.extra == 0
    assert sweep.tried >= 8
