# SPDX-FileCopyrightText: 2026 Keystead contributors
# SPDX-License-Identifier: GPL-3.0-or-later
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)

"""Anchors in a system's store: Debian's tool itself on directories of the test, and a stand-in for that of Red Hat."""

from __future__ import annotations

import multiprocessing
import os
import shutil
import signal
import ssl
import subprocess
import typing as t
from concurrent.futures import ProcessPoolExecutor
from pathlib import Path

import pytest
from ansible_collections.keystead.identity.plugins.module_utils._core import pki
from ansible_collections.keystead.identity.plugins.module_utils._core.errors import Misconfigured, Unavailable
from ansible_collections.keystead.identity.plugins.module_utils._host.safe_files import name_of_ours
from ansible_collections.keystead.identity.plugins.module_utils._host.trust_system import LAYOUTS, Layout, SystemStore
from ansible_collections.keystead.identity.tests.harness.two_tier import TwoTier

NEEDS = pytest.mark.needs("update-ca-certificates", "openssl")
FAKE = """#!/bin/sh
set -e
[ "$1" = extract ]
{{ cat {bundle}.system; for one in {source}/*; do [ -f "$one" ] && cat "$one"; done; :; }} > {bundle}.new
mv {bundle}.new {bundle}
"""


def der(pem: bytes) -> bytes:
    return pki.der_certificates(pem)[0]


ONE, TWO, THREE = (der(TwoTier(name).root) for name in ("one", "two", "three"))


@pytest.fixture
def debian(tmp_path: Path) -> Layout:
    """Return the layout of Debian, with its own tool, in directories of the test."""
    source, links, hooks = (tmp_path / name for name in ("local", "certs", "hooks"))
    for one in (source, links, hooks):
        one.mkdir()
    told = ("--localcertsdir", source, "--etccertsdir", links, "--hooksdir", hooks)
    tool = ("update-ca-certificates", *map(str, told))
    return Layout(tool, str(source), str(links / "ca-certificates.crt"), str(links))


@pytest.fixture
def fake_red_hat(tmp_path: Path) -> Layout:
    """Return the layout of Red Hat, where a fake stands for update-ca-trust, which no package of Debian brings."""
    source, bundle, tool = tmp_path / "anchors", tmp_path / "extracted" / "tls-ca-bundle.pem", tmp_path / "fake"
    for one in (source, bundle.parent):
        one.mkdir()
    Path(f"{bundle}.system").write_bytes(TwoTier("system").root)
    tool.write_text(FAKE.format(bundle=bundle, source=source))
    tool.chmod(0o755)
    subprocess.run([tool, "extract"], check=True)
    return Layout((str(tool), "extract"), str(source), str(bundle))


@pytest.fixture(params=[pytest.param("debian", marks=NEEDS), "fake_red_hat"])
def way(request: pytest.FixtureRequest) -> Layout:
    return t.cast("Layout", request.getfixturevalue(request.param))


def trusted(way: Layout) -> set[bytes]:
    """Return what OpenSSL reads in the bundle that programs read, of what the tests put there."""
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
    context.load_verify_locations(way.bundle)
    return set(context.get_ca_certs(binary_form=True)) & {ONE, TWO, THREE}


def by_hash(way: Layout) -> set[str]:
    """Return the names that lead nowhere among the links of a directory."""
    return {one.name for one in Path(way.links).iterdir() if one.is_symlink() and not one.exists()}


def test_anchors_come_and_go_and_programs_see_it(way: Layout) -> None:
    store = SystemStore("shop", way)
    assert (store.look().state, store.look().anchors) == ("missing", ())
    store.write((ONE, TWO))
    assert (store.look().state, set(store.look().anchors)) == ("ours", {ONE, TWO})
    assert trusted(way) == {ONE, TWO}
    store.write((TWO, THREE))
    assert trusted(way) == {TWO, THREE}
    store.write(())
    assert (store.look().state, trusted(way)) == ("missing", set())
    assert not (way.links and by_hash(way))


def test_only_files_of_the_bundle_are_touched(way: Layout) -> None:
    other = Path(way.source, "keystead-shop-2-0123456789abcdef.crt")
    other.write_bytes(pki.pem_certificate(THREE))
    foreign = Path(way.source, "corporate.crt")
    foreign.write_bytes(pki.pem_certificate(TWO))
    store = SystemStore("shop", way)
    assert store.look().anchors == ()
    store.write((ONE,))
    assert set(store.look().anchors) == {ONE}
    store.write(())
    assert sorted(one.name for one in Path(way.source).iterdir()) == ["corporate.crt", other.name]
    assert trusted(way) == {TWO, THREE}


@pytest.mark.parametrize("when", ["added", "removed"])
def test_what_a_killed_run_left_is_seen_and_completed(way: Layout, when: str) -> None:
    store = SystemStore("shop", way)
    store.write((ONE,) if when == "removed" else ())
    name = f"keystead-shop-{pki.fingerprint(ONE)[:16]}.crt"
    if when == "added":
        Path(way.source, name).write_bytes(pki.pem_certificate(ONE))
    else:
        Path(way.source, name).unlink()
    assert store.look().state == "drift", "the tool was not run"
    store.write((ONE,) if when == "added" else ())
    assert store.look().state == ("ours" if when == "added" else "missing")
    assert trusted(way) == ({ONE} if when == "added" else set())


def test_a_file_that_a_killed_run_had_not_renamed_yet_is_removed(way: Layout) -> None:
    half = Path(way.source, name_of_ours(f"keystead-shop-{pki.fingerprint(ONE)[:16]}.crt"))
    half.write_bytes(pki.pem_certificate(ONE))
    store = SystemStore("shop", way)
    assert (store.look().state, store.look().detail) == ("drift", "a run was cut off that wrote there")
    store.write((TWO,))
    assert (store.look().state, half.exists(), trusted(way)) == ("ours", False, {TWO})


@NEEDS
def test_links_by_hash_that_a_killed_run_left_are_seen_and_completed(debian: Layout) -> None:
    store = SystemStore("shop", debian)
    store.write((ONE,))
    Path(debian.source, f"keystead-shop-{pki.fingerprint(ONE)[:16]}.crt").unlink()
    Path(debian.links, f"keystead-shop-{pki.fingerprint(ONE)[:16]}.pem").unlink()
    assert len(by_hash(debian)) == 1
    assert store.look().state == "drift"
    store.write(())
    assert (store.look().state, by_hash(debian)) == ("missing", set())


def test_a_file_that_somebody_spoiled_is_written_again(way: Layout) -> None:
    store = SystemStore("shop", way)
    store.write((ONE,))
    (file,) = Path(way.source).iterdir()
    file.write_bytes(pki.pem_certificate(TWO))
    assert (store.look().state, store.look().detail) == ("drift", "somebody else changed its files")
    store.write((ONE,))
    assert (store.look().state, trusted(way)) == ("ours", {ONE})


def _write(way: Layout, name: str, anchor: bytes) -> None:
    SystemStore(name, way).write((anchor,))


def test_runs_for_several_bundles_at_once_call_the_tool_one_after_the_other(way: Layout) -> None:
    wanted = {"shop": ONE, "mail": TWO, "web": THREE}
    for _turn in range(4):
        with ProcessPoolExecutor(len(wanted)) as pool:
            for done in [pool.submit(_write, way, name, anchor) for name, anchor in wanted.items()]:
                done.result()
        assert trusted(way) == set(wanted.values())
        bundle = Path(way.bundle).read_bytes()
        assert all(bundle.count(pki.pem_certificate(one).split(b"\n")[1]) == 1 for one in wanted.values())
        for name in wanted:
            SystemStore(name, way).write(())


def test_a_file_that_others_may_write_is_made_anew(way: Layout) -> None:
    store = SystemStore("shop", way)
    store.write((ONE,))
    (file,) = Path(way.source).iterdir()
    file.chmod(0o666)
    assert (store.look().state, store.look().detail) == ("drift", f"of {file.name}, its mode is 0666, not 0644")
    store.write((ONE,))
    assert (store.look().state, file.stat().st_mode & 0o777) == ("ours", 0o644)


@NEEDS
@pytest.mark.needs("root")
def test_a_file_of_somebody_else_is_made_anew(debian: Layout) -> None:
    store = SystemStore("shop", debian)
    store.write((ONE,))
    (file,) = Path(debian.source).iterdir()
    os.chown(file, 65534, -1)
    assert (store.look().state, store.look().detail) == ("drift", f"of {file.name}, it belongs to nobody")
    store.write((ONE,))
    assert (store.look().state, file.stat().st_uid) == ("ours", 0)


@NEEDS
def test_a_run_that_is_killed_in_the_hooks_is_completed_and_they_are_told_again(tmp_path: Path, debian: Layout) -> None:
    told, hook = tmp_path / "told", tmp_path / "hooks" / "java"
    hook.write_text(f"#!/bin/sh\ncat >> {told}\nkill -9 $KEYSTEAD_TEST 2>/dev/null; exit 0\n")
    hook.chmod(0o755)
    runner = multiprocessing.get_context("fork").Process(target=_killed_in_hooks, args=(debian, hook))
    runner.start()
    runner.join()
    assert runner.exitcode == -signal.SIGKILL
    assert trusted(debian) == {ONE}
    name = f"keystead-shop-{pki.fingerprint(ONE)[:16]}"
    told.unlink(missing_ok=True)
    hook.write_text(f"#!/bin/sh\ncat >> {told}\n")
    store = SystemStore("shop", debian)
    assert (store.look().state, store.look().detail) == ("drift", "a run was cut off that wrote there")
    store.write((ONE,))
    assert (store.look().state, trusted(debian), by_hash(debian)) == ("ours", {ONE}, set())
    assert told.read_text() == f"+{debian.links}/{name}.pem\n"
    assert [one.name for one in Path(debian.source).iterdir()] == [f"{name}.crt"]


def _killed_in_hooks(way: Layout, hook: Path) -> None:
    hook.write_text(f"#!/bin/sh\nkill -9 {os.getpid()}\n")
    SystemStore("shop", way).write((ONE,))


@NEEDS
def test_a_bundle_that_lacks_a_part_of_the_systems_is_made_again(debian: Layout) -> None:
    store, bundle = SystemStore("shop", debian), Path(debian.bundle)
    store.write((ONE,))
    whole = bundle.read_bytes()
    ours = pki.pem_certificate(ONE)
    bundle.write_bytes(whole[: whole.index(b"-----END") + 26] + ours)
    less = whole.count(b"BEGIN CERTIFICATE") - bundle.read_bytes().count(b"BEGIN CERTIFICATE")
    assert less > 50
    assert store.look().detail == f"{bundle} lacks {less} certificates of the system's"
    store.write((ONE,))
    assert (store.look().state, bundle.read_bytes()) == ("ours", whole)


@NEEDS
def test_what_is_no_certificate_among_the_systems_is_in_nobodys_way(debian: Layout) -> None:
    """It gets into the bundle as it is."""
    broken = "-----BEGIN CERTIFICATE-----\nMIIB\nA\n-----END CERTIFICATE-----\n"
    Path(debian.source, "broken.crt").write_text(broken)
    store = SystemStore("shop", debian)
    store.write((ONE,))
    assert broken in Path(debian.bundle).read_text()
    assert (store.look().state, set(store.look().anchors)) == ("ours", {ONE})


@NEEDS
def test_what_a_killed_tool_left_is_not_appended_to(debian: Layout) -> None:
    store, half = SystemStore("shop", debian), Path(f"{debian.bundle}.new")
    half.write_bytes(pki.pem_certificate(TWO))
    os.utime(half, (0, 0))
    store.write((ONE,))
    assert (trusted(debian), half.exists()) == ({ONE}, False)


def test_a_tool_that_fails_is_named_with_what_it_said(way: Layout) -> None:
    broken = way._replace(tool=(shutil.which("false") or "", "extract"))
    with pytest.raises(Unavailable, match=r"^host: .*false.*; run .*false extract by hand to see why, then run again"):
        SystemStore("shop", broken).write((ONE,))
    assert SystemStore("shop", way).look().state == "drift"


def test_a_link_in_the_place_of_a_file_is_refused(way: Layout) -> None:
    Path(way.source, "keystead-shop-0123456789abcdef.crt").symlink_to("/etc/hosts")
    with pytest.raises(Misconfigured, match=r"0123456789abcdef\.crt is a link or no regular file; move it away"):
        SystemStore("shop", way).look()


def test_the_tools_are_those_of_debian_and_red_hat() -> None:
    assert [one.tool[0] for one in LAYOUTS] == ["update-ca-certificates", "update-ca-trust"]
