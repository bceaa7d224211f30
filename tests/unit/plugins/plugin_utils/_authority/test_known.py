# SPDX-FileCopyrightText: 2026 Keystead contributors
# SPDX-License-Identifier: GPL-3.0-or-later
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)

"""An authority whose directory is older than what others know of it: nothing that was revoked is forgotten."""

from __future__ import annotations

import datetime as dt
import os
import shutil
import threading
import time
import typing as t

import pytest
from ansible_collections.keystead.identity.plugins.module_utils._core.errors import Misconfigured
from ansible_collections.keystead.identity.plugins.module_utils._core.ports import Revoked
from ansible_collections.keystead.identity.plugins.module_utils._core.revoking import Revocation
from ansible_collections.keystead.identity.plugins.plugin_utils._authority import crl, records, store
from ansible_collections.keystead.identity.plugins.plugin_utils._authority.files import locked
from ansible_collections.keystead.identity.plugins.plugin_utils._authority.known import Elsewhere
from ansible_collections.keystead.identity.plugins.plugin_utils._authority.opening import Opening
from ansible_collections.keystead.identity.plugins.plugin_utils._issuers.local import LocalIssuer
from ansible_collections.keystead.identity.tests.harness import local as make
from cryptography import x509
from cryptography.hazmat.primitives.serialization import Encoding

if t.TYPE_CHECKING:
    from pathlib import Path

DAY = dt.timedelta(days=1)
OPTIONS = {"authority": "issuing"}


class Office:
    """An authority, and what anybody but its directory knows of it."""

    def __init__(self, place: Path) -> None:
        """Make it."""
        self.place, self.here = place, place / "issuing"
        self.issuer = LocalIssuer(make.two_tiers(place))
        self._number = 0

    def revoked(self, reason: str = "key_compromise") -> Revocation:
        """Have something signed and taken back, and return what the ledger knows of it."""
        self._number += 1
        (made,) = self.issuer.begin([make.request(number=self._number)])
        certificate = x509.load_pem_x509_certificate(made.parts["certificate"].content)  # type: ignore[union-attr]
        (done,) = self.issuer.revoke([certificate.public_bytes(Encoding.DER)], reason)
        assert isinstance(done, Revoked)
        return Revocation(certificate.serial_number, done, certificate.not_valid_after_utc)

    def backup(self) -> None:
        """Take a backup."""
        shutil.copytree(self.here, self.place / "backup")

    def restore(self) -> None:
        """Put the backup in the place of the directory."""
        shutil.rmtree(self.here)
        shutil.copytree(self.place / "backup", self.here)

    def run(self, *, at: dt.datetime | None = None, check: bool = False, **elsewhere: t.Any) -> list[str]:
        """Run certificate_authority and return the reasons of its steps, and its warnings."""
        known = Elsewhere(**elsewhere)
        done = make.authority(self.place, "issuing", parent={"name": "root"}, at=at, check=check, elsewhere=known)
        assert {step.action for step in done.steps} <= {"publish"}
        return [*(step.reason for step in done.steps), *done.warnings]

    def healed(self, **elsewhere: t.Any) -> list[str]:
        """Run it: what check mode foresees is done, and then nothing is left to do."""
        before = self.shown()
        foreseen = self.run(check=True, **elsewhere)
        assert self.shown() == before
        assert self.run(**elsewhere) == foreseen
        assert self.run(**elsewhere) == self.run(check=True, **elsewhere) == []
        return foreseen

    def shown(self) -> bytes:
        """Return the list as clients fetch it."""
        return (self.here / "crl.der").read_bytes()

    @property
    def listed(self) -> dict[int, x509.RevokedCertificate]:
        """What the list has."""
        return {one.serial_number: one for one in x509.load_der_x509_crl(self.shown())}

    @property
    def number(self) -> int:
        """The number of the list."""
        found = x509.load_der_x509_crl(self.shown())
        return found.extensions.get_extension_for_class(x509.CRLNumber).value.crl_number


@pytest.fixture
def office(tmp_path: Path) -> Office:
    return Office(tmp_path)


def test_what_the_ledger_knows_to_be_revoked_comes_back_into_a_directory_from_a_backup(office: Office) -> None:
    first = office.revoked()
    office.backup()
    lost = (office.revoked(), office.revoked("superseded"))
    highest = office.number
    office.restore()
    assert office.run() == [], "nobody told of anything"
    reason, warning = office.healed(ledger=(first, *lost))
    assert reason == "the ledger tells of 2 revoked certificates that have no record here"
    assert "is older than what is known of it elsewhere, as if it had been restored from a backup" in warning
    assert set(office.listed) == {one.serial_number for one in (first, *lost)}
    for one in (first, *lost):
        entry = office.listed[one.serial_number]
        assert entry.revocation_date_utc == one.revoked.when
        flag = entry.extensions.get_extension_for_class(x509.CRLReason).value.reason.value
        assert flag == records.REASONS[one.revoked.reason]
    assert office.number > highest


def test_a_list_that_a_web_server_shows_gives_back_what_the_directory_lost_and_no_number_comes_twice(
    office: Office,
) -> None:
    office.backup()
    lost = office.revoked()
    shown, highest = office.shown(), office.number
    office.restore()
    reason, _warning = office.healed(lists=(shown,))
    assert reason == "a list that was seen elsewhere tells of 1 revoked certificate that has no record here"
    assert set(office.listed) == {lost.serial_number}
    assert office.number > highest
    assert office.run(lists=(shown,)) == [], "an older list is what there is before it is brought there"


def test_a_number_that_was_used_already_for_something_else_is_left_behind(office: Office) -> None:
    office.backup()
    office.run(at=make.now() + 4 * DAY)
    shown = office.shown()
    office.restore()
    office.run(at=make.now() + 4 * DAY + dt.timedelta(seconds=5))
    assert (office.number, office.shown() == shown) == (2, False)
    reason, _warning = office.run(at=make.now() + 4 * DAY + dt.timedelta(seconds=9), lists=(shown,))
    assert reason == "a list that was seen elsewhere has number 2, and the one here 2"
    assert office.number > 2


def test_numbers_that_nobody_remembers_are_skipped(office: Office) -> None:
    """One for each revocation that was lost, and one for each second: so many lists there were not."""
    office.backup()
    lost = [office.revoked() for _one in range(5)]
    highest = office.number
    office.restore()
    begun = x509.load_der_x509_crl(office.shown()).last_update_utc
    office.run(at=begun + dt.timedelta(seconds=100), ledger=tuple(lost))
    assert office.number == 1 + 1 + 100 + 5 > highest


@pytest.mark.parametrize("gone", [(), ("crl.pem",), ("crl.pem", "crl_number")])
def test_a_record_that_is_gone_is_written_again_from_the_list_that_has_it(
    office: Office, gone: t.Sequence[str]
) -> None:
    one, other = office.revoked(), office.revoked()
    highest = office.number
    (office.here / "revoked" / f"{one.serial_number:x}.json").unlink()
    for name in gone:
        (office.here / name).unlink()
    foreseen = office.healed()
    source = "crl.der" if gone else "crl.pem"
    assert foreseen[0] == f"{source} tells of 1 revoked certificate that has no record here"
    assert set(office.listed) == {one.serial_number, other.serial_number}
    assert office.number == highest + 1
    office.run(at=make.now() + 4 * DAY)
    assert one.serial_number in office.listed
    assert records.find(store.load(office.place, "issuing"), one.serial_number) == one.revoked


def test_a_list_in_der_that_is_newer_keeps_its_number(office: Office) -> None:
    old = (office.here / "crl.pem").read_bytes()
    office.revoked()
    office.revoked()
    (office.here / "crl.pem").unlink()
    (office.here / "crl_number").unlink()
    assert office.healed() == ["there is no revocation list yet"]
    assert office.number == 4
    (office.here / "crl.pem").write_bytes(old)
    assert office.healed() == ["the revocation list lacks 2 revoked certificates"]
    assert office.number == 5


@pytest.mark.parametrize("content", [b"", b"junk", b"-----BEGIN X509 CRL-----\nAAAA\n-----END X509 CRL-----\n"])
def test_a_damaged_list_is_made_anew_of_the_records_and_the_list_in_der(office: Office, content: bytes) -> None:
    one = office.revoked()
    (office.here / "crl.pem").write_bytes(content)
    (office.here / "crl_number").unlink()
    assert office.healed() == ["crl.pem is not a revocation list"]
    assert (office.number, set(office.listed)) == (3, {one.serial_number})


def test_what_an_authority_did_not_sign_tells_nothing_of_it(office: Office, tmp_path: Path) -> None:
    other = Office(tmp_path / "other")
    other.revoked()
    for content in (other.shown(), b"", b"junk", other.shown()[:-1]):
        assert office.run(lists=(content,)) == []
    assert office.number == 1


def test_what_left_the_list_after_its_end_stays_away_whatever_an_old_list_says(office: Office) -> None:
    one, now = office.revoked(), make.now()
    old = office.shown()
    office.run(at=now + 4 * DAY)
    office.run(at=now + 8 * DAY)
    assert not office.listed
    assert office.run(at=now + 8 * DAY, lists=(old,)) == []
    (office.here / "revoked" / f"{one.serial_number:x}.json").unlink(missing_ok=True)
    assert office.run(at=now + 8 * DAY, lists=(old,)) == []


def test_a_record_that_was_put_away_too_early_comes_back_where_the_ledger_knows_its_end(office: Office) -> None:
    one = office.revoked()
    away = office.here / "revoked" / "expired"
    away.mkdir()
    path = office.here / "revoked" / f"{one.serial_number:x}.json"
    path.rename(away / path.name)
    told = ["the ledger tells of 1 revoked certificate that has no record here"]
    assert office.healed(ledger=(one,)) == told, "and no backup is blamed"
    assert one.serial_number in office.listed
    assert path.exists()


def test_a_moment_that_a_clock_wrote_which_was_ahead_does_not_come_into_a_list_of_now(office: Office) -> None:
    (made,) = office.issuer.begin([make.request()])
    certificate = x509.load_pem_x509_certificate(made.parts["certificate"].content)  # type: ignore[union-attr]
    ahead = LocalIssuer({"directory": str(office.place), **OPTIONS}, lambda: make.now() + 2 * DAY)
    ahead.revoke([certificate.public_bytes(Encoding.DER)], "superseded")
    office.run()
    assert office.listed[certificate.serial_number].revocation_date_utc <= make.now()


def test_the_highest_number_that_there_can_be_is_used_and_then_refused_with_the_remedy(office: Office) -> None:
    highest = 2**159 - 1
    (office.here / "crl_number").write_text(str(highest - 1))
    office.revoked()
    assert office.number == highest
    with pytest.raises(Misconfigured, match="leaves no number for another revocation list"):
        office.revoked()
    (office.here / "crl_number").write_text(str(highest + 1))
    with pytest.raises(Misconfigured, match="crl_number is not the number of a revocation list"):
        office.revoked()


def test_a_revocation_that_is_about_to_make_its_list_is_waited_for(office: Office) -> None:
    """What it wrote down already is not taken for what a killed run left."""
    authority = store.load(office.place, "issuing")
    office.revoked()
    before, held = office.number, threading.Event()

    def revocation() -> None:
        with locked(authority.lock):
            records.write(authority, [1 << 80], "superseded", make.now())
            held.set()
            time.sleep(1)
            crl.make(authority, authority.open(Opening()), make.now())

    other = threading.Thread(target=revocation)
    other.start()
    held.wait()
    assert office.run() == []
    other.join()
    assert office.number == before + 1


@pytest.mark.parametrize("name", ["crl.pem", "crl_number", "publication.json"])
def test_a_pipe_in_the_place_of_a_file_is_refused_and_not_waited_for(office: Office, name: str) -> None:
    (office.here / name).unlink()
    os.mkfifo(office.here / name)
    with pytest.raises(Misconfigured, match=rf"cannot read .*/{name}: it is not a regular file; "):
        office.run(at=make.now() + 4 * DAY)
