# SPDX-FileCopyrightText: 2026 Keystead contributors
# SPDX-License-Identifier: GPL-3.0-or-later
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)

"""A run that writes copies is killed before every call by which the host's half changes anything.

Who reads a copy finds a whole pair throughout, the old one or the new one, and the next run completes what was begun.
"""

from __future__ import annotations

import typing as t

import pytest
from ansible_collections.keystead.identity.tests.harness.publishers import held
from ansible_collections.keystead.identity.tests.harness.sweep import CONTROLLER, LONG, NAME, Sweep
from ansible_collections.keystead.identity.tests.integration.survival.health import content_of, mismatch
from cryptography.hazmat.primitives.serialization import Encoding, pkcs12

if t.TYPE_CHECKING:
    from ansible_collections.keystead.identity.tests.harness.sweep import Scene

pytestmark = [pytest.mark.needs("strace", "root"), pytest.mark.one_core]

PASSWORD = "pass, word"
EVERY = 2


def copied(scene: Scene, *names: str, **said: t.Any) -> dict[str, t.Any]:
    """Return an identity with two copies beside its links."""
    links = scene.world.links
    publish = [
        {"pem_bundle": {"path": str(links / "copy.pem")}},
        {"pkcs12": {"path": str(links / "copy.p12"), "password": PASSWORD}},
    ]
    return scene.identity(*names, publish=publish, **said)


def generations(scene: Scene) -> list[bytes]:
    """Return key, certificate and chain of every generation that is there."""
    found = [path / "combined.pem" for path in scene.place.iterdir() if path.name.isdigit()]
    return [path.read_bytes() for path in found if path.exists()]


def half(scene: Scene, before: bytes | None) -> t.Iterator[str]:
    """Yield what nobody who reads a copy may ever find."""
    bundle, store = scene.world.links / "copy.pem", scene.world.links / "copy.p12"
    known = [*generations(scene), *([before] if before else [])]
    if bundle.exists() and bundle.read_bytes() not in known:
        yield "copy.pem is no whole generation"
    if store.exists():
        certificate = pkcs12.load_pkcs12(store.read_bytes(), PASSWORD.encode()).cert
        if not certificate or not any(certificate.certificate.public_bytes(Encoding.PEM) in one for one in known):
            yield "copy.p12 is no whole generation"
    if before and not (bundle.exists() and store.exists()):
        yield "a copy is gone"
    current = scene.place / "current"
    if current.exists() and (wrong := mismatch(content_of(current))):
        yield f"current leads to no complete pair: {wrong}"


def unwell(scene: Scene) -> t.Iterator[str]:
    """Yield what is not as it should be where nothing is left to do."""
    yield from half(scene, None)
    links = scene.world.links
    current = (scene.place / "current" / "combined.pem").read_bytes()
    if held((links / "copy.pem").read_bytes()) != held(current):
        yield "copy.pem is of another generation"
    if {path.name for path in links.iterdir()} != {"web.pem", "web.key", "web.both", "copy.pem", "copy.p12"}:
        yield f"there is still {sorted(links.iterdir())}"
    if scene.served.read_bytes() != (scene.place / "current" / "fullchain.pem").read_bytes():
        yield "the consumer serves another certificate"
    if sorted(scene.world.remembered(NAME).links) != sorted(map(str, links.iterdir())):
        yield f"the ledger knows {scene.world.remembered(NAME).links}"


@pytest.mark.parametrize("part", ["install", CONTROLLER])
def test_copies_are_whole_after_every_kill_of_a_renewal_and_the_next_run_completes_them(
    scene: Scene, part: str
) -> None:
    scene.settle(copied(scene))
    before = (scene.world.links / "copy.pem").read_bytes()
    scene.keep("copied")
    sweep = Sweep(scene, "copied", copied(scene, "b.example.org"))
    for call in sweep.recorded(part)[:: 1 if LONG else EVERY * (2 if part == CONTROLLER else 1)]:
        sweep.broken(part, call)
        for one in half(scene, before):
            sweep.complain(part, call, f"after the kill, {one}")
        sweep.heal(part, call, 1, unwell)
    assert not sweep.complaints, "\n".join(sweep.complaints)
    assert sweep.tried >= 8


def test_a_repair_that_is_killed_anywhere_is_repeated(scene: Scene) -> None:
    scene.settle(copied(scene))
    (scene.world.links / "copy.pem").unlink()
    scene.keep("drifted")
    sweep = Sweep(scene, "drifted", copied(scene))
    for call in sweep.recorded("install")[:: 1 if LONG else EVERY]:
        sweep.broken("install", call)
        sweep.heal("install", call, 0, unwell)
    assert not sweep.complaints, "\n".join(sweep.complaints)
    assert sweep.extra == 0
