# SPDX-FileCopyrightText: 2026 Keystead contributors
# SPDX-License-Identifier: GPL-3.0-or-later
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)


"""An authority on disk: made whole, healed, refused, destroyed."""

from __future__ import annotations

import datetime as dt
import json
import os
import stat
import subprocess
import sys
import typing as t
from concurrent.futures import ProcessPoolExecutor
from pathlib import Path

import pytest
from ansible_collections.keystead.identity.plugins.module_utils._core.errors import Denied, Misconfigured
from ansible_collections.keystead.identity.plugins.module_utils._core.key import KEY_TYPES
from ansible_collections.keystead.identity.plugins.module_utils._core.model import Generation, Subject
from ansible_collections.keystead.identity.plugins.module_utils._core.ports import Revoked
from ansible_collections.keystead.identity.plugins.plugin_utils._authority import records, store
from ansible_collections.keystead.identity.plugins.plugin_utils._authority.opening import Opening
from ansible_collections.keystead.identity.plugins.plugin_utils._issuers.local import LocalIssuer
from ansible_collections.keystead.identity.tests.harness import local as make
from ansible_collections.keystead.identity.tests.harness import tally
from cryptography import x509
from cryptography.hazmat.primitives.serialization import Encoding

ROOT = Path(__file__).resolve().parents[5]


def actions(outcome: t.Any) -> list[str]:
    """Return what was done."""
    return [step.action for step in outcome.steps]


def issue(options: dict[str, str], subject: Subject = make.WEB) -> x509.Certificate:
    """Return a leaf."""
    (one,) = LocalIssuer(options).begin([make.request(subject)])
    assert isinstance(one, Generation), one
    return x509.load_pem_x509_certificate(one.parts["certificate"].content)


def der(certificate: x509.Certificate) -> bytes:
    """Return DER."""
    return certificate.public_bytes(Encoding.DER)


def crl(directory: Path, name: str = "issuing") -> x509.CertificateRevocationList:
    """Return the published list."""
    return x509.load_pem_x509_crl((directory / name / "crl.pem").read_bytes())


def test_a_second_run_has_nothing_to_do_and_check_mode_says_what_a_run_does(tmp_path: Path) -> None:
    foreseen = make.authority(tmp_path, "root", check=True)
    assert not any(tmp_path.iterdir())
    done = make.authority(tmp_path, "root")
    assert foreseen.steps == done.steps
    assert actions(done) == ["stage_key", "issue", "publish"]
    assert not make.authority(tmp_path, "root").steps


def test_the_key_is_for_its_owner_alone_and_encrypted_by_the_passphrase(tmp_path: Path) -> None:
    make.authority(tmp_path, "root", passphrase="correct horse")
    path = tmp_path / "root" / "private_key.pem"
    assert stat.S_IMODE(path.stat().st_mode) == 0o600
    assert path.read_bytes().startswith(b"-----BEGIN ENCRYPTED PRIVATE KEY-----")


@pytest.mark.parametrize("umask", [0o000, 0o077])
def test_the_modes_do_not_depend_on_the_umask(tmp_path: Path, umask: int) -> None:
    before = os.umask(umask)
    try:
        make.authority(tmp_path / "ca", "root")
    finally:
        os.umask(before)
    modes = {path.name: stat.S_IMODE(path.stat().st_mode) for path in (tmp_path / "ca" / "root").iterdir()}
    assert modes == {"private_key.pem": 0o600, ".lock": 0o600, "certificate.pem": 0o644, "chain.pem": 0o644,
                     "crl.pem": 0o644, "crl.der": 0o644, "crl_number": 0o644, "certificate.der": 0o644,
                     "publication.json": 0o644, "authority.json": 0o644, "issued": 0o755, "revoked": 0o755}  # fmt: skip


@pytest.mark.parametrize(
    ("said", "message"),
    [
        ({"passphrase": "wrong"}, "passphrase does not open it"),
        ({}, "set passphrase or passphrase_file"),
        ({"passphrase": "a", "passphrase_file": "/x"}, "has both passphrase and passphrase_file"),
        ({"passphrase": ""}, "is empty"),
        ({"passphrase_file": "/no/such/file"}, "passphrase_file /no/such/file of authority"),
        ({"passphrase": "right", "key": {"type": "ed25519"}}, "has key.type ecdsa-p256, declared is ed25519"),
        ({"passphrase": "right", "subject": {"common_name": "x"}}, "has subject CN=root, declared is CN=x"),
        ({"passphrase": "right", "path_length": 3}, "has path_length without limit, declared is 3"),
        ({"passphrase": "right", "name_constraints": {"permitted": {"dns": ["a.org"]}}}, "has name_constraints none"),
        ({"passphrase": "right", "lifetime": "soon"}, "option lifetime: 'soon' is not a duration"),
        ({"passphrase": "right", "lifetime": "0d"}, "is no possible lifetime"),
        ({"passphrase": "right", "path_length": -1}, "option path_length: -1"),
        ({"passphrase": "right", "subject": {"country": "Germany"}}, "option subject.country: 'Germany'"),
        ({"passphrase": "right", "subject": {"common_name": "x" * 65}}, "option subject: "),
        (
            {"passphrase": "right", "name_constraints": {"excluded": {"ip": ["192.0.2.1/24"]}}},
            "excluded.ip: '192.0.2.1/24'",
        ),
        ({"passphrase": "right", "name_constraints": {"permitted": {"dns": ["*.a.org"]}}}, "permitted.dns: '*.a.org'"),
    ],
)
def test_what_does_not_fit_is_refused_and_changes_nothing(tmp_path: Path, said: dict[str, t.Any], message: str) -> None:
    make.authority(tmp_path, "root", passphrase="right")
    before = {path: path.read_bytes() for path in tmp_path.rglob("*") if path.is_file()}
    with pytest.raises(Misconfigured) as refused:
        make.authority(tmp_path, "root", **said)
    assert message in str(refused.value)
    assert "right" not in str(refused.value)
    assert "wrong" not in str(refused.value)
    assert {path: path.read_bytes() for path in tmp_path.rglob("*") if path.is_file()} == before


@pytest.mark.parametrize("name", ["", ".", "..", "a/b", ".hidden", "a\nb"])
def test_a_name_that_cannot_be_a_directory_is_refused(tmp_path: Path, name: str) -> None:
    with pytest.raises(Misconfigured, match="cannot be an authority's"):
        make.authority(tmp_path, name)


def test_a_parent_that_does_not_exist_is_an_error_but_only_a_warning_in_check_mode(tmp_path: Path) -> None:
    foreseen = make.authority(tmp_path, "issuing", parent={"name": "root"}, check=True)
    assert "parent root does not exist" in foreseen.warnings[0]
    with pytest.raises(Misconfigured, match="authority root does not exist in"):
        make.authority(tmp_path, "issuing", parent={"name": "root"})


def test_the_path_length_of_the_parent_limits_its_children(tmp_path: Path) -> None:
    make.two_tiers(tmp_path)
    with pytest.raises(Misconfigured, match="path_length: 0 is too much below issuing, whose own is 0"):
        make.authority(tmp_path, "third", parent={"name": "issuing"})
    assert not (tmp_path / "third").exists()


def test_another_parent_of_the_same_name_is_noticed(tmp_path: Path) -> None:
    make.two_tiers(tmp_path)
    make.authority(tmp_path / "other", "root")
    with pytest.raises(Misconfigured, match="has parent CN=root with key"):
        make.authority(tmp_path, "issuing", parent={"name": "root", "directory": str(tmp_path / "other")})


def test_an_authority_never_outlives_its_parent_nor_a_leaf_its_authority(tmp_path: Path) -> None:
    make.authority(tmp_path, "root", lifetime="2d")
    make.authority(tmp_path, "issuing", parent={"name": "root"}, lifetime="30d")
    root, issuing = (store.load(tmp_path, name).certificate for name in ("root", "issuing"))
    (one,) = LocalIssuer({"directory": tmp_path, "authority": "issuing"}).begin([make.request(lifetime=30 * 86400)])
    assert isinstance(one, Generation)
    assert one.not_after == issuing.not_valid_after_utc == root.not_valid_after_utc


def test_an_authority_that_has_ended_signs_nothing(tmp_path: Path) -> None:
    options = make.two_tiers(tmp_path)
    later = make.now() + dt.timedelta(days=4000)
    with pytest.raises(Misconfigured, match="cannot sign any more: CN=issuing ended on"):
        LocalIssuer(options, lambda: later).begin([make.request()])
    with pytest.raises(Misconfigured, match="cannot sign any more"):
        make.authority(tmp_path, "root", at=later)
    assert not any((tmp_path / "issuing" / "issued").iterdir())


def test_an_authority_of_a_clock_that_was_ahead_signs_nothing_until_it_begins(tmp_path: Path) -> None:
    ahead = make.now() + dt.timedelta(days=2)
    for name, above in (("root", {}), ("issuing", {"parent": {"name": "root"}})):
        make.authority(tmp_path, name, at=ahead, **above)
    options = {"directory": tmp_path, "authority": "issuing"}
    with pytest.raises(Misconfigured, match=r"cannot sign yet: CN=issuing begins at .*; set that clock, or"):
        LocalIssuer(options).begin([make.request()])
    with pytest.raises(Misconfigured, match="cannot sign yet"):
        make.authority(tmp_path, "root")
    assert not any((tmp_path / "issuing" / "issued").iterdir())
    (one,) = LocalIssuer(options, lambda: ahead).begin([make.request()])
    assert isinstance(one, Generation)


def test_the_end_of_an_authority_is_announced(tmp_path: Path) -> None:
    make.authority(tmp_path, "root", lifetime="90d")
    late = make.authority(tmp_path, "root", at=make.now() + dt.timedelta(days=61))
    assert "create its successor in time" in late.warnings[0]


def test_a_key_of_another_authority_is_refused_before_anything_is_signed(tmp_path: Path) -> None:
    options = make.two_tiers(tmp_path)
    (tmp_path / "issuing" / "private_key.pem").write_bytes((tmp_path / "root" / "private_key.pem").read_bytes())
    with pytest.raises(Misconfigured, match=r"is not the key of certificate\.pem"):
        LocalIssuer(options).begin([make.request()])


@pytest.mark.parametrize("broken", ["certificate.pem", "private_key.pem", "chain.pem", "authority.json"])
@pytest.mark.parametrize(
    "content", [b"junk", b"", b"\xff\xfe", b"-----BEGIN CERTIFICATE-----\nAAAA\n-----END CERTIFICATE-----\n"]
)
def test_a_damaged_file_is_a_sentence_and_not_an_absent_one(tmp_path: Path, broken: str, content: bytes) -> None:
    make.authority(tmp_path, "root")
    if broken == "chain.pem" and not content:
        content = b"x"
    (tmp_path / "root" / broken).write_bytes(content)
    with pytest.raises(Misconfigured, match=r"restore it|damaged"):
        make.authority(tmp_path, "root")


def test_a_format_of_the_future_is_refused(tmp_path: Path) -> None:
    make.authority(tmp_path, "root")
    (tmp_path / "root" / "authority.json").write_text(json.dumps({"format": 3, "encrypted": False}))
    with pytest.raises(Misconfigured, match="has format 3, this release reads 1 and 2"):
        make.authority(tmp_path, "root")


def test_a_directory_in_which_others_may_write_is_refused(tmp_path: Path) -> None:
    (tmp_path / "open").mkdir()
    (tmp_path / "open").chmod(0o777)
    with pytest.raises(Misconfigured, match="others may write in"):
        make.authority(tmp_path / "open", "root")


@pytest.mark.needs("root")
def test_a_foreign_group_may_not_write_but_our_private_group_may(tmp_path: Path) -> None:
    (tmp_path / "shared").mkdir()
    (tmp_path / "shared").chmod(0o775)
    assert make.authority(tmp_path / "shared", "root").steps
    os.chown(tmp_path / "shared", 0, 65534)
    with pytest.raises(Misconfigured, match="others may write in"):
        make.authority(tmp_path / "shared", "another")


def test_the_revocation_list_is_made_anew_when_half_of_its_life_is_over(tmp_path: Path) -> None:
    make.two_tiers(tmp_path)
    assert not make.authority(tmp_path, "issuing", parent={"name": "root"}, at=make.now() + dt.timedelta(days=3)).steps
    late = make.authority(tmp_path, "issuing", parent={"name": "root"}, at=make.now() + dt.timedelta(days=4))
    assert actions(late) == ["publish"]
    assert "is due" in late.steps[0].reason
    assert crl(tmp_path).extensions.get_extension_for_class(x509.CRLNumber).value.crl_number == 2


@pytest.mark.parametrize("reason", records.REASONS)
def test_every_reason_stands_in_the_list(tmp_path: Path, reason: str) -> None:
    options = make.two_tiers(tmp_path)
    leaf = issue(options)
    LocalIssuer(options).revoke([der(leaf)], reason)
    entry = crl(tmp_path).get_revoked_certificate_by_serial_number(leaf.serial_number)
    assert entry is not None
    said = [
        extension.value.reason.value for extension in entry.extensions if isinstance(extension.value, x509.CRLReason)
    ]
    assert said == ([records.REASONS[reason]] if reason != "unspecified" else [])
    assert LocalIssuer(options).status(der(leaf)) == Revoked(reason, entry.revocation_date_utc)


def test_an_unknown_reason_is_refused(tmp_path: Path) -> None:
    options = make.two_tiers(tmp_path)
    with pytest.raises(Misconfigured, match="reason 'remove_from_crl' is none of"):
        LocalIssuer(options).revoke([der(issue(options))], "remove_from_crl")


def test_a_revocation_that_a_killed_run_did_not_publish_is_published(tmp_path: Path) -> None:
    options = make.two_tiers(tmp_path)
    leaf = issue(options)
    record = tmp_path / "issuing" / "revoked" / f"{leaf.serial_number:x}.json"
    record.write_text(json.dumps({"reason": "superseded", "when": make.now().replace(microsecond=0).isoformat()}))
    healed = make.authority(tmp_path, "issuing", parent={"name": "root"})
    assert [step.reason for step in healed.steps] == ["the revocation list lacks 1 revoked certificates"]
    assert crl(tmp_path).get_revoked_certificate_by_serial_number(leaf.serial_number)


def test_an_authority_with_living_certificates_is_not_destroyed(tmp_path: Path) -> None:
    options = make.two_tiers(tmp_path)
    leaves = [issue(options), issue(options)]
    with pytest.raises(Misconfigured, match=r"neither expired nor revoked \(2\); revoke them"):
        make.authority(tmp_path, "issuing", state="absent")
    LocalIssuer(options).revoke([der(leaf) for leaf in leaves], "cessation_of_operation")
    with pytest.raises(Misconfigured, match=r"neither expired nor revoked \(1\)"):
        make.authority(tmp_path, "root", state="absent")
    gone = make.authority(tmp_path, "issuing", parent={"name": "root"}, state="absent")
    assert actions(gone) == ["revoke", "destroy"]
    assert not make.authority(tmp_path, "issuing", parent={"name": "root"}, state="absent").steps
    assert len(crl(tmp_path, "root")) == 1
    assert actions(make.authority(tmp_path, "root", state="absent")) == ["destroy"]


@pytest.mark.parametrize("apart", [False, True])
def test_an_authority_that_its_parent_has_revoked_is_not_ok_and_signs_nothing(tmp_path: Path, *, apart: bool) -> None:
    above = tmp_path / "above" if apart else tmp_path
    make.authority(above, "root")
    parent = {"name": "root", "directory": str(above)}
    make.authority(tmp_path, "issuing", parent=parent)
    options = {"directory": str(tmp_path), "authority": "issuing"}
    certificate = store.load(tmp_path, "issuing").certificate
    LocalIssuer({"directory": str(above), "authority": "root"}).revoke([der(certificate)], "cessation_of_operation")
    message = "was revoked by the authority above it; finish what was begun with certificate_authority and state absent"
    with pytest.raises(Misconfigured, match=message):
        make.authority(tmp_path, "issuing", parent=parent)
    if not apart:
        with pytest.raises(Misconfigured, match=message):
            issue(options)
    assert actions(make.authority(tmp_path, "issuing", parent=parent, state="absent")) == ["destroy"]


def test_names_outside_the_constraints_are_refused_before_signing(tmp_path: Path) -> None:
    permitted = {"dns": ["example.org"], "ip": ["192.0.2.0/24"], "email": ["example.org"], "uri": [".example.org"]}
    excluded = {"dns": ["secret.example.org"], "ip": ["192.0.2.128/25"], "email": ["root@example.org"]}
    options = make.two_tiers(tmp_path, name_constraints={"permitted": permitted, "excluded": excluded})
    fine = Subject(
        None, ("example.org", "*.a.example.org"), ("192.0.2.7",), ("spiffe://td.example.org/x",), ("a@example.org",)
    )
    issue(options, fine)
    outside = [
        Subject(dns_names=("example.org.evil.com",)), Subject(dns_names=("evilexample.org",)),
        Subject(dns_names=("secret.example.org",)), Subject(dns_names=("x.secret.example.org",)),
        Subject(dns_names=("*.example.org",)), Subject(ip_addresses=("192.0.3.1",)),
        Subject(ip_addresses=("192.0.2.200",)), Subject(ip_addresses=("::1",)), Subject(uris=("https://example.org/",)),
        Subject(uris=("urn:example:1",)), Subject(uris=("https://192.0.2.7/",)),
        Subject(email_addresses=("a@x.example.org",)), Subject(email_addresses=("root@example.org",)),
    ]  # fmt: skip
    answers = LocalIssuer(options).begin([make.request(subject) for subject in outside])
    assert [type(one) for one in answers] == [Denied] * len(outside)
    assert len(list((tmp_path / "issuing" / "issued").iterdir())) == 1


def _issue_many(options: dict[str, str]) -> list[int]:
    issuer = LocalIssuer(options)
    answers = [one for _ in range(5) for one in issuer.begin([make.request(), make.request(number=1)])]
    leaf = x509.load_pem_x509_certificate(t.cast("Generation", answers[0]).parts["certificate"].content)
    issuer.revoke([der(leaf)], "superseded")
    return [leaf.serial_number, len(answers)]


def test_many_forks_issue_and_revoke_at_once_and_lose_nothing(tmp_path: Path) -> None:
    options = make.two_tiers(tmp_path)
    with ProcessPoolExecutor(8) as pool:
        done = list(pool.map(_issue_many, [options] * 16))
    assert len(list((tmp_path / "issuing" / "issued").glob("*.pem"))) == sum(count for _, count in done)
    assert {entry.serial_number for entry in crl(tmp_path)} == {serial for serial, _ in done}


def _make_root(directory: Path) -> int:
    return len(make.authority(directory, "root").steps)


def test_two_controllers_that_create_one_authority_make_one(tmp_path: Path) -> None:
    directories = [tmp_path / f"ca{number}" for number in range(25)]  # often, for each meets another moment of another
    with ProcessPoolExecutor(4) as pool:
        done = [list(pool.map(_make_root, [directory] * 4)) for directory in directories]
    assert [sorted(steps) for steps in done] == [[0, 0, 0, 3]] * len(directories)


CHILD = """
import os, sys
sys.path.insert(0, sys.argv[1])
import conftest
from pathlib import Path
from ansible_collections.keystead.identity.tests.harness import local as make
left = int(sys.argv[3])
def dying(real):
    def call(*a, **k):
        global left
        if isinstance(a[0], (str, os.PathLike)) and not str(a[0]).startswith(sys.argv[2]):
            return real(*a, **k)
        left -= 1
        if left < 0:
            os.kill(os.getpid(), 9)
        return real(*a, **k)
    return call
for name in ("mkdir", "open", "rename", "fsync", "unlink", "rmdir", "chmod", "fchmod"):
    setattr(os, name, dying(getattr(os, name)))
if sys.argv[4] == "present":
    make.authority(Path(sys.argv[2]), "issuing", parent={"name": "root"})
else:
    make.authority(Path(sys.argv[2]), "issuing", parent={"name": "root"}, state="absent")
"""


@pytest.mark.parametrize("state", ["present", "absent"])
def test_a_run_killed_anywhere_leaves_no_half_authority_and_the_next_heals(tmp_path: Path, state: str) -> None:
    at = 0
    while True:
        place = tmp_path / str(at)
        make.authority(place, "root")
        if state == "absent":
            make.authority(place, "issuing", parent={"name": "root"})
        command = [sys.executable, "-c", CHILD, str(ROOT / "tests"), str(place), str(at), state]
        code = subprocess.run(command, check=False, capture_output=True, timeout=60).returncode
        assert code in (0, -9)
        if (place / "issuing").exists():
            store.load(place, "issuing").open(Opening())
        make.authority(place, "issuing", parent={"name": "root"}, state=state)
        assert not make.authority(place, "issuing", parent={"name": "root"}, state=state).steps
        assert not [path.name for path in place.iterdir() if path.name.endswith((".new", ".old"))]
        assert len(_living(place)) == (state == "present")
        if code == 0:
            break
        at += 1
    assert at >= 15


def _living(place: Path) -> list[int]:
    """Return what the root has signed and not taken back."""
    root = LocalIssuer({"directory": place, "authority": "root"})
    since = make.now() - dt.timedelta(days=1)
    pems = [one.generation.parts["certificate"].content for one in root.issued(since)]
    certificates = map(x509.load_pem_x509_certificate, pems)
    return [one.serial_number for one in certificates if not isinstance(root.status(der(one)), Revoked)]


@pytest.mark.parametrize("key_type", KEY_TYPES)
def test_what_is_signed_passes_pkilint_and_openssl(tmp_path: Path, key_type: str) -> None:
    options = make.two_tiers(tmp_path, key_type, name_constraints={"permitted": {"dns": ["example.org"]}})
    leaf = issue(options, Subject("a.example.org", ("a.example.org",), ("192.0.2.1",)))
    LocalIssuer(options).revoke([der(leaf)], "key_compromise")
    path = tmp_path / "leaf.pem"
    path.write_bytes(leaf.public_bytes(Encoding.PEM))
    tools = Path(sys.executable).parent
    lint = ["lint", "-s", "WARNING"]
    commands = [
        *([tools / "lint_pkix_cert", *lint, one] for one in (path, *tmp_path.glob("*/certificate.pem"))),
        *([tools / "lint_crl", *lint, "-t", "CRL", "-p", "PKIX", one] for one in tmp_path.glob("*/crl.pem")),
    ]
    for command in commands:
        tally.point()
        found = subprocess.run(command, check=False, capture_output=True, text=True, timeout=60)
        assert (found.returncode, found.stdout.strip()) == (0, ""), found
    if not key_type.startswith("ml-dsa"):  # the openssl of the system may be older than 3.5
        root, issuing = (str(tmp_path / name / "certificate.pem") for name in ("root", "issuing"))
        verify = ["openssl", "verify", "-x509_strict", "-purpose", "sslserver"]
        verify += ["-CAfile", root, "-untrusted", issuing, str(path)]
        assert subprocess.run(verify, check=False, capture_output=True, timeout=60).returncode == 0
    if key_type != "ed25519":  # which cryptography's verifier refuses
        _verify(tmp_path, leaf)


def _verify(directory: Path, leaf: x509.Certificate) -> None:
    """Let cryptography's verifier find the path."""
    from cryptography.x509.verification import PolicyBuilder, Store

    root, issuing = (store.load(directory, name).certificate for name in ("root", "issuing"))
    verifier = PolicyBuilder().store(Store([root])).build_server_verifier(x509.DNSName("a.example.org"))
    assert verifier.verify(leaf, [issuing])
