# SPDX-FileCopyrightText: 2026 Keystead contributors
# SPDX-License-Identifier: GPL-3.0-or-later
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)

"""An authority whose key is in a custody, over every real one: made, signing, revoking, healed and destroyed."""

from __future__ import annotations

import itertools
import shutil
import typing as t

import pytest
from ansible_collections.keystead.identity.plugins.module_utils._core.errors import KeysteadError, Misconfigured
from ansible_collections.keystead.identity.plugins.module_utils._core.keys import key_type_of, spki_sha256
from ansible_collections.keystead.identity.plugins.module_utils._core.ports import Good, Preflight, Revoked
from ansible_collections.keystead.identity.tests.harness import local as make
from ansible_collections.keystead.identity.tests.harness.authorities import Site, issued, led_to, openssl, pkilint
from ansible_collections.keystead.identity.tests.harness.issuers import check_sentence
from cryptography import x509
from cryptography.hazmat.primitives.serialization import Encoding

if t.TYPE_CHECKING:
    from pathlib import Path

    from ansible_collections.keystead.identity.tests.harness.keystores import Custody

DER, PEM = Encoding.DER, Encoding.PEM
CREATED = ["stage_key", "issue", "publish"]
_prefixes = itertools.count()


@pytest.fixture(scope="module")
def reached(running: tuple[str, Custody]) -> t.Iterator[Custody]:
    with led_to(running[1]):
        yield running[1]


@pytest.fixture
def site(reached: Custody, tmp_path: Path) -> Site:
    return Site(tmp_path / "ca", reached, f"ca{next(_prefixes)}")


def actions(outcome: t.Any) -> list[str]:
    """Return what was, or would be, done."""
    return [step.action for step in outcome.steps]


def certificate(site: Site, name: str = "root") -> x509.Certificate:
    """Return the certificate of an authority."""
    return x509.load_pem_x509_certificate((site.directory / name / "certificate.pem").read_bytes())


# what is made


def test_the_cycle_of_twelve_steps_with_each_step_twice(site: Site) -> None:
    for _twice in range(2):
        assert actions(site.make(check=True)) == CREATED
        assert site.seen() == []
        assert not site.directory.exists()
    assert actions(site.make()) == CREATED
    made = site.seen()
    assert made
    for check in (False, True, False):
        assert actions(site.make(check=check)) == []
    (site.directory / "root" / "crl.pem").unlink()
    assert actions(site.make(check=True)) == ["publish"]
    assert actions(site.make()) == ["publish"]
    assert actions(site.make()) == []
    assert site.seen() == made
    for _twice in range(2):
        assert actions(site.make(state="absent", check=True)) == ["destroy"]
        assert site.seen() == made
    assert actions(site.make(state="absent")) == ["destroy"]
    assert site.seen() == []
    assert actions(site.make(state="absent")) == actions(site.make(state="absent", check=True)) == []


def test_no_private_key_is_in_a_file_and_the_record_names_where_it_is(site: Site) -> None:
    site.make()
    files = {path.name for path in (site.directory / "root").iterdir()}
    public = {"certificate.pem", "certificate.der", "chain.pem", "crl.pem", "crl.der", "crl_number"}
    assert files == {".lock", "authority.json", "publication.json", "issued", "revoked"} | public
    record = site.record()
    assert record["format"] == 2, "which a release that knows files only refuses by number"
    assert record["custody"] == site.custody.name
    assert record["public_id"] == spki_sha256(certificate(site).public_key())
    assert site.custody.extract(record["key_uri"]) is None
    texts = [path.read_text(errors="replace") for path in site.directory.rglob("*") if path.is_file()]
    assert not [text for text in texts if "PRIVATE KEY" in text]


def test_an_authority_of_each_type_that_the_custody_makes_signs_what_others_verify(site: Site) -> None:
    for key_type in site.custody.key_types:
        site.make(key_type, key_type)
        found = certificate(site, key_type)
        assert key_type_of(found.public_key()) == key_type
        found.verify_directly_issued_by(found)
        (leaf,) = issued(site.issuer(key_type), 1)
        leaf.verify_directly_issued_by(found)
        crl = x509.load_pem_x509_crl((site.directory / key_type / "crl.pem").read_bytes())
        assert crl.is_signature_valid(t.cast("t.Any", found.public_key()))


def test_a_key_type_that_it_cannot_make_is_refused_and_nothing_is_left(site: Site) -> None:
    if site.custody.lacks.startswith("ml-dsa"):  # others are no choice of the option
        with pytest.raises(Misconfigured, match=site.custody.lacks) as refused:
            site.make(key_type=site.custody.lacks)
        check_sentence(refused.value, site.custody.name)
    assert site.seen() == []
    assert actions(site.make(state="absent", key={"type": "ecdsa-p256", "custody": site.option("root")})) in (
        [], ["destroy"],
    )  # fmt: skip
    assert not (site.directory / "root").exists()
    assert actions(site.make()) == CREATED


# what it signs


def test_it_issues_revokes_and_lists_and_pkilint_and_openssl_agree(site: Site, tmp_path: Path) -> None:
    site.make()
    issuer = site.issuer()
    leaves = issued(issuer, 3)
    ders = [leaf.public_bytes(DER) for leaf in leaves]
    assert all(isinstance(one, Revoked) for one in issuer.revoke(ders[:1], "superseded"))
    assert isinstance(issuer.status(ders[1]), Good)
    assert len(list(site.issuer().issued(make.now().replace(year=2000)))) == 3
    paths = [tmp_path / f"{number}.pem" for number in range(3)]
    for path, leaf in zip(paths, leaves, strict=True):
        path.write_bytes(leaf.public_bytes(PEM))
    root, crl = site.directory / "root" / "certificate.pem", site.directory / "root" / "crl.pem"
    pkilint(root, *paths, crls=[crl])
    assert openssl(root, *paths, crl=crl) == [False, True, True]


def test_a_parent_signs_with_its_key_in_the_custody_and_takes_back(site: Site) -> None:
    site.make()
    parent = {"name": "root", "custody": site.option("root")}
    assert actions(site.make("issuing", parent=parent, check=True)) == CREATED
    assert actions(site.make("issuing", parent=parent)) == CREATED
    assert actions(make.authority(site.directory, "file", parent=parent)) == CREATED
    for name in ("issuing", "file"):
        certificate(site, name).verify_directly_issued_by(certificate(site))
    (leaf,) = issued(site.issuer("issuing"), 1)
    leaf.verify_directly_issued_by(certificate(site, "issuing"))
    site.issuer("issuing").revoke([leaf.public_bytes(DER)], "superseded")
    assert actions(site.make("issuing", parent=parent, state="absent")) == ["revoke", "destroy"]
    assert actions(make.authority(site.directory, "file", parent=parent, state="absent")) == ["revoke", "destroy"]
    crl = x509.load_pem_x509_crl((site.directory / "root" / "crl.pem").read_bytes())
    assert len(crl) == 2
    assert site.seen("issuing") == []
    assert site.seen()


def test_a_preflight_says_where_the_key_is(site: Site) -> None:
    site.make()
    issuer = site.issuer()
    assert isinstance(issuer, Preflight)
    checks = {check.name: check for check in issuer.preflight()}
    assert {check.state for check in checks.values()} == {"ok"}
    assert site.record()["key_uri"] in checks["key"].found


# what is refused


def test_what_opens_the_key_is_asked_for_by_name(site: Site) -> None:
    site.make()
    name = site.custody.name
    with pytest.raises(Misconfigured, match=f"authority root .* lives in {name}; write custody {{{name}:") as refused:
        site.issuer(custody=None)
    check_sentence(refused.value, "local")
    with pytest.raises(Misconfigured, match=f"has passphrase and custody {name}; remove passphrase"):
        site.issuer(passphrase="open, sesame")
    with pytest.raises(Misconfigured, match=f"lives in {name}; write custody"):
        make.authority(site.directory, "issuing", parent={"name": "root"})
    with pytest.raises(Misconfigured, match=f"has key.custody {name}, declared is file"):
        make.authority(site.directory, "root")
    with pytest.raises(Misconfigured, match=f"has key.custody {name}, declared is file"):
        make.authority(site.directory, "root", state="absent")
    other = "aws_kms" if name != "aws_kms" else "openbao_transit"
    options = {
        "aws_kms": {"alias": "alias/other"},
        "openbao_transit": {"url": "https://localhost:1", "name": "x", "auth": {"token": {"token": "x"}}},
    }
    with pytest.raises(Misconfigured, match=f"lives in {name}, not in {other}"):
        site.issuer(custody={other: options[other]})


def test_a_custody_is_refused_where_the_key_is_a_file(site: Site) -> None:
    make.authority(site.directory, "root")
    with pytest.raises(Misconfigured, match=f"lives in a file; remove custody {site.custody.name}"):
        site.issuer()
    with pytest.raises(Misconfigured, match=f"has key.custody file, declared is {site.custody.name}"):
        site.make()
    with pytest.raises(Misconfigured, match=f"has key.custody file, declared is {site.custody.name}"):
        site.make(state="absent")
    assert issued(site.issuer(custody={"file": {}}), 1)


def test_the_key_of_another_is_refused(site: Site) -> None:
    """A record and a certificate that do not belong together: nothing is signed with a key that is not its own."""
    site.make()
    site.make("other")
    record = site.directory / "root" / "authority.json"
    mine, other = site.record(), site.record("other")
    record.write_text(record.read_text().replace(mine["key_uri"], other["key_uri"]))
    with pytest.raises(Misconfigured, match=r"is not the key of|is not in this") as refused:
        issued(site.issuer(custody=site.option("other")), 1)
    check_sentence(refused.value, "local")
    with pytest.raises(Misconfigured, match=r"is not the key of|is not in this"):
        site.make(state="absent")


def test_a_key_that_is_gone_is_said_and_nothing_is_destroyed_in_its_stead(site: Site) -> None:
    site.make()
    saved = site.directory.with_name("saved")
    shutil.copytree(site.directory, saved)
    site.make(state="absent")
    (saved / "root").rename(site.directory / "root")
    for state in ("present", "absent"):
        with pytest.raises(Misconfigured, match=r"is not in this .*; name the one that made it") as refused:
            site.make(state=state)
        check_sentence(refused.value, "local")
    assert (site.directory / "root").exists()


def test_a_key_that_no_file_tells_of_is_neither_taken_nor_destroyed(site: Site) -> None:
    site.make()
    shutil.rmtree(site.directory)
    made = site.seen()
    with pytest.raises(Misconfigured, match=r"nothing in .* tells of a key of authority root, .*write another name"):
        site.make()
    assert not (site.directory / ".root.new").exists()
    assert actions(site.make(state="absent")) == []
    assert site.seen() == made


def test_no_secret_is_in_files_or_sentences(site: Site) -> None:
    outcome = site.make()
    option = site.option("root")[site.custody.name]
    secrets = [str(option["pin"])] if "pin" in option else []
    secrets += [option["auth"]["token"]["token"]] if "auth" in option else []
    files = [path for path in site.directory.rglob("*") if path.is_file()]
    said = [*(path.read_text(errors="replace") for path in files), *map(str, outcome.steps)]
    assert not [text for text in said for secret in secrets if secret in text]
    assert not [secret for secret in secrets if secret in repr(site.issuer()._opening)]


# what a killed run leaves

CHILD = """
import json, os, sys
sys.path.insert(0, sys.argv[1])
import conftest
from pathlib import Path
from ansible_collections.keystead.identity.tests.harness import local as make
told, place, left = json.loads(sys.argv[2]), sys.argv[3], int(sys.argv[4])
def dying(real):
    def call(*a, **k):
        global left
        if isinstance(a[0], (str, os.PathLike)) and not str(a[0]).startswith(place):
            return real(*a, **k)
        left -= 1
        if left < 0:
            os.kill(os.getpid(), 9)
        return real(*a, **k)
    return call
for name in ("mkdir", "open", "rename", "fsync", "unlink", "rmdir", "chmod", "fchmod"):
    setattr(os, name, dying(getattr(os, name)))
make.authority(Path(place), "root", **told)
"""


@pytest.mark.parametrize("state", ["present", "absent"])
def test_a_run_killed_anywhere_leaves_no_key_that_nobody_knows_of_and_the_next_heals(site: Site, state: str) -> None:
    stride, at, killed = (2 if state == "present" else 1) if site.custody.name == "pkcs11" else 5, 0, 0
    while True:
        place = Site(site.directory / str(at), site.custody, f"{site.prefix}-{at}")
        if state == "absent":
            place.make()
        told = {"key": {"type": site.custody.key_types[0], "custody": place.option("root")}, "state": state}
        was_killed = place.killed(CHILD, at, **told)
        if (place.directory / "root").exists():
            assert place.issuer().roots()
            assert issued(place.issuer(), 0) == []
        elif place.seen():
            assert [path.name for path in place.directory.glob(".root.*/authority.json")], "a key that nobody knows of"
        before = set(place.seen())
        place.make(state=state)
        assert not place.make(state=state).steps
        assert not list(place.directory.glob(".root.new")) + list(place.directory.glob(".root.old"))
        if state == "absent":
            assert place.seen() == []
        elif before:
            assert set(place.seen()) <= before, "the key that waited was used"
        place.make(state="absent")
        assert place.seen() == []
        if not was_killed:
            break
        at, killed = at + stride, killed + 1
    assert killed * stride >= (30 if state == "present" else 7)


def test_a_task_that_forgets_the_custody_cannot_forget_a_key_that_a_killed_run_made(site: Site) -> None:
    key = {"type": site.custody.key_types[0], "custody": site.option("root")}
    at = 18
    while not (site.seen() and (site.directory / ".root.new").exists()):
        assert site.killed(CHILD, at, key=key), "it was never killed in between"
        at += 1
    for state in ("present", "absent"):
        with pytest.raises(Misconfigured, match=f"was killed left a key called .* in {site.custody.name}"):
            make.authority(site.directory, "root", state=state)
    assert actions(site.make(state="absent")) == ["destroy"]
    assert site.seen() == []
    assert actions(make.authority(site.directory, "root")) == CREATED


def test_an_authority_whose_directory_moved_still_signs_and_destroys_its_own_key(site: Site) -> None:
    site.make()
    moved = site._replace(directory=site.directory.with_name("moved"))
    site.directory.rename(moved.directory)
    assert issued(moved.issuer(), 1)
    moved.issuer().revoke([one.public_bytes(DER) for one in issued(moved.issuer(), 1)], "superseded")
    assert actions(moved.make()) == []
    for one in moved.issuer().issued(make.now().replace(year=2000)):
        leaf = x509.load_pem_x509_certificate(one.generation.parts["certificate"].content)
        moved.issuer().revoke([leaf.public_bytes(DER)], "superseded")
    before = site.seen()
    assert before
    assert actions(moved.make(state="absent")) == ["destroy"]
    assert site.seen() == []


def test_errors_of_the_custody_are_sentences(site: Site) -> None:
    option = site.option("root")
    wrong = {
        "pkcs11": {"token_label": "nowhere"},
        "openbao_transit": {"mount": "nowhere"},
        "aws_kms": {"alias": "nowhere"},
    }[site.custody.name]
    with pytest.raises(KeysteadError) as refused:
        site.make(key={"type": "ecdsa-p256", "custody": {site.custody.name: {**option[site.custody.name], **wrong}}})
    check_sentence(refused.value, site.custody.name)
    assert not (site.directory / "root").exists()
