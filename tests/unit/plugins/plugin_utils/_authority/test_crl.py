# SPDX-FileCopyrightText: 2026 Keystead contributors
# SPDX-License-Identifier: GPL-3.0-or-later
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)

"""The revocation list of an authority: when it is made anew, what it has, its numbers, and that it is whole."""

from __future__ import annotations

import datetime as dt
import json
import subprocess
import sys
import time
import typing as t
from pathlib import Path

import pytest
from ansible_collections.keystead.identity.plugins.module_utils._core.errors import Misconfigured
from ansible_collections.keystead.identity.plugins.module_utils._core.model import Generation, Subject
from ansible_collections.keystead.identity.plugins.module_utils._core.ports import Revoked
from ansible_collections.keystead.identity.plugins.plugin_utils._authority import crl, records, store
from ansible_collections.keystead.identity.plugins.plugin_utils._issuers.local import LocalIssuer
from ansible_collections.keystead.identity.tests.harness import local as make
from ansible_collections.keystead.identity.tests.harness import tally
from ansible_collections.keystead.identity.tests.harness.sweep import directory
from cryptography import x509
from cryptography.hazmat.primitives.serialization import Encoding

ROOT = Path(__file__).resolve().parents[5]
MANY = 100_000
DAY = dt.timedelta(days=1)
PUBLISHED = {
    "crl_url": "http://pki.example.org/issuing.crl",
    "certificate_url": "http://pki.example.org/issuing.cer",
}


def issue(options: dict[str, str], lifetime: int = 86400) -> x509.Certificate:
    """Return a leaf."""
    (one,) = LocalIssuer(options).begin([make.request(Subject(dns_names=("a.example.org",)), lifetime=lifetime)])
    assert isinstance(one, Generation), one
    return x509.load_pem_x509_certificate(one.parts["certificate"].content)


def revoke(options: dict[str, str], *certificates: x509.Certificate, at: dt.datetime | None = None) -> None:
    """Take certificates back, now or at another time."""
    issuer = LocalIssuer(options, (lambda: at) if at else make.now)
    done = issuer.revoke([one.public_bytes(Encoding.DER) for one in certificates], "superseded")
    assert all(isinstance(one, Revoked) for one in done)


def again(place: Path, at: dt.datetime | None = None, *, check: bool = False, **said: t.Any) -> list[str]:
    """Run certificate_authority, and return the reasons of its steps."""
    done = make.authority(place, "issuing", parent={"name": "root"}, at=at, check=check, **said)
    assert {step.action for step in done.steps} <= {"publish"}
    return [step.reason for step in done.steps]


def listed(place: Path, name: str = "issuing") -> x509.CertificateRevocationList:
    """Return the list, which is the same in PEM and in DER, and signed by its authority."""
    found = x509.load_pem_x509_crl((place / name / "crl.pem").read_bytes())
    assert found == x509.load_der_x509_crl((place / name / "crl.der").read_bytes())
    assert found.is_signature_valid(t.cast("t.Any", store.load(place, name).certificate.public_key()))
    return found


def number(place: Path) -> int:
    """Return the number of the list."""
    return listed(place).extensions.get_extension_for_class(x509.CRLNumber).value.crl_number


def serials(place: Path) -> set[int]:
    """Return what the list has."""
    return {one.serial_number for one in listed(place)}


# when it is made anew


@pytest.mark.parametrize(
    ("said", "quiet", "due"),
    [
        ({}, 3.4, 3.6),
        ({"crl_lifetime": "2d"}, 0.9, 1.1),
        ({"crl_renew_before": "25%"}, 5.2, 5.3),
        ({"crl_lifetime": "30d", "crl_renew_before": "1d"}, 28.9, 29.1),
    ],
)
def test_it_is_made_anew_when_its_share_of_life_is_over(
    tmp_path: Path, said: dict[str, str], quiet: float, due: float
) -> None:
    make.two_tiers(tmp_path, **said)
    start = listed(tmp_path).last_update_utc
    for declared in ({}, said):  # what is not said any more stays as it is
        assert again(tmp_path, start + quiet * DAY, **declared) == []
        foreseen = again(tmp_path, start + due * DAY, check=True, **declared)
        assert foreseen == [f"the revocation list ends on {listed(tmp_path).next_update_utc:%Y-%m-%d} and is due"]
        assert number(tmp_path) == 1
    assert again(tmp_path, start + due * DAY, **said) == foreseen
    assert number(tmp_path) == 2
    assert again(tmp_path, start + due * DAY, **said) == []


def test_another_lifetime_is_a_change_and_makes_another_list(tmp_path: Path) -> None:
    make.two_tiers(tmp_path)
    reasons = ["crl_lifetime is 7d, declared is 1d", "the revocation list lives 7d, declared is 1d"]
    assert again(tmp_path, check=True, crl_lifetime="1d") == again(tmp_path, crl_lifetime="1d") == reasons
    assert again(tmp_path, crl_lifetime="1d") == again(tmp_path) == []
    found = listed(tmp_path)
    assert found.next_update_utc
    assert found.next_update_utc - found.last_update_utc == DAY
    options = {"directory": str(tmp_path), "authority": "issuing"}
    revoke(options, issue(options))
    assert (number(tmp_path), again(tmp_path)) == (3, [])


def test_a_list_that_a_clock_made_which_was_ahead_is_made_anew(tmp_path: Path) -> None:
    make.two_tiers(tmp_path)
    again(tmp_path, make.now() + 30 * DAY)
    (reason,) = again(tmp_path)
    assert "a clock was ahead when it was made" in reason
    assert listed(tmp_path).last_update_utc <= make.now()
    assert (number(tmp_path), again(tmp_path)) == (3, [])


def test_what_has_not_ended_stays_on_the_list_although_a_clock_was_ahead(tmp_path: Path) -> None:
    options = make.two_tiers(tmp_path)
    one, other = (issue(options, lifetime=36 * 3600) for _number in range(2))
    revoke(options, one)
    for ahead in (5 * DAY, 10 * DAY):  # two lists: the second one puts away what the first one had after its end
        again(tmp_path, make.now() + ahead)
    revoke(options, other, at=make.now() + 10 * DAY)
    assert one.serial_number not in serials(tmp_path), "for that clock it has ended"
    (reason,) = again(tmp_path)
    assert "a clock was ahead when it was made" in reason
    assert serials(tmp_path) == {one.serial_number, other.serial_number}
    assert again(tmp_path) == []


@pytest.mark.parametrize("name", ["crl.der", "certificate.der"])
def test_what_clients_fetch_is_put_back(tmp_path: Path, name: str) -> None:
    make.two_tiers(tmp_path)
    (tmp_path / "issuing" / name).unlink()
    assert again(tmp_path) == [f"there is no {name} yet"]
    (tmp_path / "issuing" / name).write_bytes((tmp_path / "root" / name).read_bytes())
    assert again(tmp_path) == [f"{name} differs from what is in PEM beside it"]
    assert again(tmp_path) == []
    certificate = x509.load_der_x509_certificate((tmp_path / "issuing" / "certificate.der").read_bytes())
    assert certificate == store.load(tmp_path, "issuing").certificate


def test_a_list_of_another_is_replaced_and_takes_nothing_over(tmp_path: Path) -> None:
    options = make.two_tiers(tmp_path)
    leaf = issue(options)
    revoke(options, leaf)
    (tmp_path / "issuing" / "crl.pem").write_bytes((tmp_path / "root" / "crl.pem").read_bytes())
    assert again(tmp_path) == ["crl.pem is not signed by this authority"]
    assert (number(tmp_path), serials(tmp_path)) == (3, {leaf.serial_number})


# its numbers


def test_its_number_grows_whatever_happens_to_the_list(tmp_path: Path) -> None:
    options = make.two_tiers(tmp_path)
    old = {name: (tmp_path / "issuing" / name).read_bytes() for name in ("crl.pem", "crl.der")}
    revoke(options, issue(options))
    revoke(options, issue(options))
    assert (number(tmp_path), len(serials(tmp_path))) == (3, 2)
    for name, content in old.items():
        (tmp_path / "issuing" / name).write_bytes(content)
    assert again(tmp_path) == ["the revocation list lacks 2 revoked certificates"]
    assert (number(tmp_path), len(serials(tmp_path))) == (4, 2)
    for name in old:
        (tmp_path / "issuing" / name).unlink()
    assert again(tmp_path) == ["there is no revocation list yet"]
    assert number(tmp_path) == 5
    (tmp_path / "issuing" / "crl_number").unlink()  # as releases had it that noted none
    revoke(options, issue(options))
    assert number(tmp_path) == 6
    (tmp_path / "issuing" / "crl_number").write_text("many")
    with pytest.raises(Misconfigured, match="crl_number is not the number of a revocation list; restore it"):
        revoke(options, issue(options))


CHILD = """
import os, sys
sys.path.insert(0, sys.argv[1])
import conftest
from ansible_collections.keystead.identity.tests.unit.plugins.plugin_utils._authority import test_crl as tests
from cryptography import x509
place, left = sys.argv[2], int(sys.argv[3])
options = {"directory": place, "authority": "issuing"}
leaf = x509.load_pem_x509_certificate(open(sys.argv[4], "rb").read())
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
for name in ("mkdir", "open", "rename", "fsync", "unlink", "fchmod", "write"):
    setattr(os, name, dying(getattr(os, name)))
tests.revoke(options, leaf)
"""


def test_a_kill_anywhere_leaves_an_old_or_a_new_list_and_no_number_comes_twice(tmp_path: Path) -> None:
    options = make.two_tiers(tmp_path)
    seen: dict[int, bytes] = {}
    highest, at, done = {"crl.pem": 0, "crl.der": 0}, 0, set[int]()

    def look() -> set[int]:
        """Look at both files as a client does that came just now, and return what both have."""
        has = []
        for name, before in tuple(highest.items()):
            content = (tmp_path / "issuing" / name).read_bytes()
            found = (x509.load_pem_x509_crl if name == "crl.pem" else x509.load_der_x509_crl)(content)
            assert found.is_signature_valid(t.cast("t.Any", store.load(tmp_path, "issuing").certificate.public_key()))
            shown = found.extensions.get_extension_for_class(x509.CRLNumber).value.crl_number
            assert seen.setdefault(shown, found.public_bytes(Encoding.DER)) == found.public_bytes(Encoding.DER)
            assert shown >= before
            highest[name] = shown
            has.append({one.serial_number for one in found})
        return has[0] & has[1]

    code = -9
    while code:
        leaf = issue(options)
        (tmp_path / "leaf.pem").write_bytes(leaf.public_bytes(Encoding.PEM))
        command = [sys.executable, "-c", CHILD, str(ROOT / "tests"), str(tmp_path), str(at), str(tmp_path / "leaf.pem")]
        code = subprocess.run(command, check=False, capture_output=True, timeout=60).returncode
        assert code in (0, -9)
        assert look() >= done
        revoke(options, leaf)
        done.add(leaf.serial_number)
        assert look() == done
        assert again(tmp_path) == []
        at += 1
    assert at >= 25
    assert not [path.name for path in (tmp_path / "issuing").iterdir() if path.name.endswith(".new")]


# what it has


def test_a_certificate_leaves_the_list_only_when_it_was_on_one_after_its_end(tmp_path: Path) -> None:
    options = make.two_tiers(tmp_path)
    short, long = issue(options, 86400), issue(options, 30 * 86400)
    revoke(options, short, long)
    start = make.now()
    assert again(tmp_path, start + 4 * DAY)
    assert serials(tmp_path) == {short.serial_number, long.serial_number}, "the first list after its end has it"
    assert again(tmp_path, start + 8 * DAY)
    assert serials(tmp_path) == {long.serial_number}
    assert isinstance(LocalIssuer(options).status(short.public_bytes(Encoding.DER)), Revoked)
    revoke(options, short, at=start + 8 * DAY)
    assert again(tmp_path, start + 8 * DAY) == []
    assert serials(tmp_path) == {long.serial_number}


def test_a_record_that_says_no_end_leaves_by_the_certificate_that_was_written_down(tmp_path: Path) -> None:
    """Release 0.1.0 wrote no end; where the certificate is not there either, the record stays."""
    options = make.two_tiers(tmp_path)
    short, lost = issue(options), issue(options)
    revoke(options, short, lost)
    for one in (short, lost):
        path = tmp_path / "issuing" / "revoked" / f"{one.serial_number:x}.json"
        said = json.loads(path.read_text())
        assert dt.datetime.fromisoformat(said.pop("not_after")) == one.not_valid_after_utc
        path.write_text(json.dumps(said))
    (tmp_path / "issuing" / "issued" / f"{lost.serial_number:x}.pem").unlink()
    for days in (4, 8):
        again(tmp_path, make.now() + days * DAY)
    assert serials(tmp_path) == {lost.serial_number}


def test_a_hundred_thousand_are_signed_in_seconds_and_one_more_reads_none_of_them(
    capsys: pytest.CaptureFixture[str],
) -> None:
    with directory() as place:
        options = make.two_tiers(place)
        leaf, when = issue(options), make.now().replace(microsecond=0)
        said = {"reason": "superseded", "when": when.isoformat(), "not_after": (when + DAY).isoformat()}
        for one in range(1, MANY + 1):
            (place / "issuing" / "revoked" / f"{one << 100:x}.json").write_text(json.dumps(said))
        begun = time.process_time()
        assert again(place) == [f"the revocation list lacks {MANY} revoked certificates"]
        first = time.process_time() - begun
        begun = time.process_time()
        with opened() as paths:
            revoke(options, leaf)
        more = time.process_time() - begun
        assert len(serials(place)) == MANY + 1
        begun = time.process_time()
        assert again(place, make.now() + 4 * DAY)
        anew = time.process_time() - begun
        size = (place / "issuing" / "crl.der").stat().st_size
    with capsys.disabled():
        print(  # noqa: T201
            f"\na list of {MANY} ({size / 1e6:.1f} MB): {first:.1f} s; one more {more:.1f} s; when due {anew:.1f} s"
        )
    assert len(paths) < 40
    assert max(first, more, anew) < 30


class opened:  # noqa: N801 - it reads like a function
    """Collects what Python opens below an authority while the block runs."""

    def __init__(self) -> None:
        self.paths: list[str] = []
        self._is_on = False
        sys.addaudithook(self._heard)

    def _heard(self, event: str, args: tuple[t.Any, ...]) -> None:
        if self._is_on and event == "open":
            self.paths.append(str(args[0]))

    def __enter__(self) -> list[str]:
        self._is_on = True
        return self.paths

    def __exit__(self, *_: object) -> None:
        self._is_on = False


# what others say of it


def test_every_list_passes_pkilint_and_is_what_openssl_checks_by(tmp_path: Path) -> None:
    make.authority(tmp_path, "root", crl_url="http://pki.example.org/root.crl")
    make.authority(tmp_path, "issuing", parent={"name": "root"}, **PUBLISHED)
    options = {"directory": str(tmp_path), "authority": "issuing"}
    for name in ("root", "issuing"):
        lint("lint_crl", tmp_path / name / "crl.pem", "-t", "CRL", "-p", "PKIX")  # empty
        lint("lint_pkix_cert", tmp_path / name / "certificate.pem")
    good, *bad = (issue(options) for _one in range(1 + len(records.REASONS)))
    for one, reason in zip(bad, records.REASONS, strict=True):
        LocalIssuer(options).revoke([one.public_bytes(Encoding.DER)], reason)
    below = store.load(tmp_path, "issuing").certificate.public_bytes(Encoding.DER)
    LocalIssuer({"directory": str(tmp_path), "authority": "root"}).revoke([below], "ca_compromise")
    for name in ("root", "issuing"):
        lint("lint_crl", tmp_path / name / "crl.pem", "-t", "CRL", "-p", "PKIX")
    for one, verdict in ((good, ""), *((one, "certificate revoked") for one in bad)):
        path = tmp_path / "leaf.pem"
        path.write_bytes(one.public_bytes(Encoding.PEM))
        lint("lint_pkix_cert", path)
        issuing, root = tmp_path / "issuing", tmp_path / "root" / "certificate.pem"
        check = ["openssl", "verify", "-x509_strict", "-crl_check", "-CRLfile", issuing / "crl.pem", "-CAfile", root]
        check += ["-untrusted", issuing / "certificate.pem", path]
        done = subprocess.run(check, check=False, capture_output=True, text=True, timeout=60)
        assert (done.returncode == 0, verdict in done.stderr) == (not verdict, True), done.stderr


def lint(tool: str, path: Path, *options: str) -> None:
    """Let pkilint look, which must find nothing."""
    tally.point()
    command = [Path(sys.executable).with_name(tool), "lint", "-s", "WARNING", *options, path]
    found = subprocess.run(command, check=False, capture_output=True, text=True, timeout=60)
    assert (found.returncode, found.stdout.strip()) == (0, ""), found


# where it is found


def test_what_is_signed_says_where_it_is_found_from_then_on(tmp_path: Path) -> None:
    options = make.two_tiers(tmp_path)
    before = issue(options)
    reasons = [f"{option} is none, declared is {url}" for option, url in PUBLISHED.items()]
    assert again(tmp_path, check=True, **PUBLISHED) == again(tmp_path, **PUBLISHED) == reasons
    assert again(tmp_path, **PUBLISHED) == again(tmp_path) == []
    after = issue(options)
    assert said(before) == []
    assert said(after) == list(PUBLISHED.values())
    (reason,) = again(tmp_path, certificate_url="")
    assert reason == f"certificate_url is {PUBLISHED['certificate_url']}, declared is none"
    assert said(issue(options)) == [PUBLISHED["crl_url"]]


def test_an_authority_below_says_where_the_list_of_its_parent_is(tmp_path: Path) -> None:
    make.authority(tmp_path, "root", crl_url="http://pki.example.org/root.crl")
    make.authority(tmp_path, "issuing", parent={"name": "root"}, **PUBLISHED)
    root, issuing = (store.load(tmp_path, name).certificate for name in ("root", "issuing"))
    assert said(root) == []
    assert said(issuing) == ["http://pki.example.org/root.crl"]


def said(certificate: x509.Certificate) -> list[str]:
    """Return the URLs in a certificate."""
    found = []
    for extension in certificate.extensions:
        assert not (extension.critical and extension.oid == x509.CRLDistributionPoints.oid)
        if isinstance(extension.value, x509.CRLDistributionPoints):
            found += [name.value for point in extension.value for name in point.full_name or ()]
        elif isinstance(extension.value, x509.AuthorityInformationAccess):
            found += [one.access_location.value for one in extension.value]
    return found


@pytest.mark.parametrize(
    ("wrong", "message"),
    [
        ({"crl_url": "ldap://a/b"}, "option crl_url: 'ldap://a/b' is not an http URL"),
        ({"crl_url": "http:///x.crl"}, "option crl_url: 'http:///x.crl' is not an http URL"),
        ({"crl_url": "http://[::1/x.crl"}, "option crl_url: "),
        ({"certificate_url": "http://ä.example.org/"}, "option certificate_url: "),
        ({"crl_url": "http://a/b c"}, "write for example http://pki.example.org/issuing.crl"),
        ({"crl_url": "http://h:99999/y"}, "option crl_url: 'http://h:99999/y' is not an http URL"),
        ({"crl_url": "http://user:pw@h/a"}, "option crl_url: 'http://...@h/a' is not an http URL"),
        ({"certificate_url": "http://h/a#c"}, "without a user and a fragment; write for example"),
        ({"crl_lifetime": "soon"}, "option crl_lifetime: 'soon' is not a duration"),
        ({"crl_lifetime": "0d"}, "option crl_lifetime: '0d' is no possible lifetime"),
        ({"crl_renew_before": "0%"}, "option crl_renew_before: '0%' is not a share"),
        ({"crl_renew_before": "7d"}, "option crl_renew_before: 7d leaves no time in a crl_lifetime of 7d"),
        ({"crl_lifetime": "1d", "crl_renew_before": "2d"}, "2d leaves no time in a crl_lifetime of 1d"),
    ],
)
@pytest.mark.parametrize("there", [False, True])
def test_what_cannot_be_is_refused_and_changes_nothing(
    tmp_path: Path, wrong: dict[str, str], message: str, *, there: bool
) -> None:
    make.authority(tmp_path, "root")
    if there:
        make.authority(tmp_path, "issuing", parent={"name": "root"})
    before = {path: path.read_bytes() for path in tmp_path.rglob("*") if path.is_file()}
    for check in (True, False):
        with pytest.raises(Misconfigured) as refused:
            again(tmp_path, check=check, **wrong)
        assert message in str(refused.value)
    after = {path: path.read_bytes() for path in tmp_path.rglob("*") if path.is_file()}
    assert {path: content for path, content in after.items() if ".lock" not in path.name} == {
        path: content for path, content in before.items() if ".lock" not in path.name
    }


@pytest.mark.parametrize("content", ["", "{}", "[]", '{"format": 2}', "\x00", '{"format": 1, "crl_url": 3}'])
def test_what_is_written_down_of_it_may_be_damaged(tmp_path: Path, content: str) -> None:
    options = make.two_tiers(tmp_path)
    (tmp_path / "issuing" / "publication.json").write_text(content)
    for work in (lambda: again(tmp_path), lambda: issue(options)):
        with pytest.raises(Misconfigured, match="restore it from a backup"):
            work()
    (tmp_path / "issuing" / "publication.json").unlink()  # as release 0.1.0 left it
    assert again(tmp_path) == []
    assert crl.facts(store.load(tmp_path, "issuing"))
