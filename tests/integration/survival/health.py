# SPDX-FileCopyrightText: 2026 Keystead contributors
# SPDX-License-Identifier: GPL-3.0-or-later
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)

"""What a host, its consumer and the ledger must look like: at any moment, and when nothing is left to do."""

from __future__ import annotations

import typing as t

from ansible_collections.keystead.identity.plugins.module_utils._core.keys import from_pem, spki_sha256
from ansible_collections.keystead.identity.plugins.plugin_utils._ledger import chain
from ansible_collections.keystead.identity.plugins.plugin_utils._ledger.registry import open_ledger
from ansible_collections.keystead.identity.tests.harness.sweep import LINKS, NAME
from cryptography import x509

if t.TYPE_CHECKING:
    from pathlib import Path

    from ansible_collections.keystead.identity.tests.harness.sweep import Scene

FILES = frozenset((
    "certificate.pem", "private_key.pem", "chain.pem", "fullchain.pem", "combined.pem", "nginx_tls.conf", "roots.pem",
    "generation.json",
))  # fmt: skip

Content = dict[str, bytes]


def content_of(generation: Path) -> Content:
    """Return every file of a generation."""
    return {entry.name: entry.read_bytes() for entry in generation.iterdir()}


def mismatch(content: Content) -> str | None:
    """Return what is wrong with the files of a generation; None for one complete, matching pair."""
    if set(content) != FILES:
        return f"a generation has only {sorted(content)}"
    leaf, key = content["certificate.pem"], content["private_key.pem"]
    if spki_sha256(x509.load_pem_x509_certificate(leaf).public_key()) != spki_sha256(from_pem(key).public_key()):
        return "key and certificate do not match"
    fullchain = leaf + content["chain.pem"]
    if (content["fullchain.pem"], content["combined.pem"]) != (fullchain, key + fullchain):
        return "the parts are not of one generation"
    return None


def unsafe(scene: Scene, before: Content | None = None) -> t.Iterator[str]:
    """Yield what may never be seen, not even after a kill. `before` is the generation that stood before the run."""
    current = scene.place / "current"
    if current.is_symlink():
        content = content_of(current) if current.exists() else {}
        if wrong := mismatch(content):
            yield f"current leads to no complete pair: {wrong}"
        if before is not None and scene.world.current() == 1 and content != before:
            yield "the pair that stood before was changed"
    elif before is not None:
        yield "current is gone"
    yield from (f"{path} leads nowhere" for path in dangling(scene))
    yield from (f"{path} may be read by others" for path in keys(scene) if path.stat().st_mode & 0o077)


def dangling(scene: Scene) -> list[Path]:
    """Return the links of the consumer that lead nowhere; those beside are of a rename that was not made."""
    links = (scene.world.links / name for name in LINKS)
    return [link for link in links if link.is_symlink() and not link.exists()]


def keys(scene: Scene) -> list[Path]:
    """Return the regular files of the host in which a private key stands, whole or cut."""
    found = [entry for top in (scene.world.store, scene.world.links) for entry in top.rglob("*")]
    regular = [entry for entry in (*found, scene.served) if not entry.is_symlink() and entry.is_file()]
    return [entry for entry in regular if b"PRIVATE KEY" in entry.read_bytes()]


def unwell(scene: Scene) -> t.Iterator[str]:
    """Yield what is not as it should be where nothing is left to do."""
    yield from unsafe(scene)
    current = scene.place / "current"
    if not current.is_symlink():
        yield "there is no current generation"
        return
    number = scene.world.current()
    expected = {scene.place / str(number) / name for name in ("private_key.pem", "combined.pem")}
    if set(keys(scene)) != expected:
        yield f"keys stand in {sorted(map(str, keys(scene)))}"
    # The lease of a run that was killed before it could give it back stays: the next one that needs it breaks it.
    there = {entry.name for entry in scene.place.iterdir()} - {"current", str(number), "lease.json"}
    beside = {entry.name for entry in scene.world.store.iterdir()} - {".keystead.json", NAME}
    if there or beside or {entry.name for entry in scene.world.links.iterdir()} != set(LINKS):
        yield f"there is still {sorted(there | beside)}, and {sorted(scene.world.links.iterdir())}"
    if not scene.served.exists() or scene.served.read_bytes() != (current / "fullchain.pem").read_bytes():
        yield "the consumer serves another certificate"
    yield from _unwell_ledger(scene, number)


def _unwell_ledger(scene: Scene, number: int) -> t.Iterator[str]:
    ledger = open_ledger(scene.world.url, read_only=True)
    try:
        if broken := chain.verify(ledger):
            yield f"the ledger is broken: {broken}"
    finally:
        ledger.close()
    known = scene.world.remembered(NAME)
    if known.open_intent is not None:
        yield f"the intent of generation {known.open_intent.number} is still open"
    if (known.generation, known.serial_number) != (number, scene.world.certificate(NAME).serial_number):
        yield f"the ledger knows generation {known.generation}, the host has {number}"
    if sorted(known.links) != sorted(str(scene.world.links / name) for name in LINKS):
        yield f"the ledger knows the links {known.links}"
