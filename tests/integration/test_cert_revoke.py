# SPDX-FileCopyrightText: 2026 Keystead contributors
# SPDX-License-Identifier: GPL-3.0-or-later
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)

"""cert_revoke over a real authority and a real ledger: what is in use stays, what is not is revoked once."""

from __future__ import annotations

import datetime as dt
import shutil
import typing as t

import pytest
from ansible_collections.keystead.identity.plugins.module_utils._core.errors import KeysteadError
from ansible_collections.keystead.identity.plugins.module_utils._core.pki import fingerprint, pem_certificate
from ansible_collections.keystead.identity.plugins.plugin_utils._issuers.local import LocalIssuer
from ansible_collections.keystead.identity.tests.harness import local
from ansible_collections.keystead.identity.tests.harness.in_process import HOST, World, reason, steps, web
from ansible_collections.keystead.identity.tests.harness.ledgers import place
from ansible_collections.keystead.identity.tests.harness.revoking import Office
from cryptography.hazmat.primitives.serialization import Encoding, NoEncryption, PrivateFormat

if t.TYPE_CHECKING:
    from pathlib import Path

    from ansible_collections.keystead.identity.tests.harness.ledgers import Place
    from cryptography import x509

__all__ = ["place"]  # a fixture
LEAVE = "format: 1\nrules:\n  - {id: incident, emergency_revocation: {allow: true}, only: {identities: [web]}}\n"


@pytest.fixture
def world(tmp_path: Path) -> World:
    return World(tmp_path)


@pytest.fixture
def office(world: World) -> Office:
    return Office(world.url, world.issuer())


def linked(world: World, name: str = "web", **said: t.Any) -> dict[str, t.Any]:
    """Return the declaration of an identity with a link."""
    return {**web(**said), "name": name, "links": {str(world.links / f"{name}.pem"): "fullchain"}}


def replaced(world: World, name: str = "web") -> x509.Certificate:
    """Let an identity have a certificate, and then another; return the first one."""
    world.one(linked(world, name))
    old = world.certificate(name)
    world.one(linked(world, name, lifetime="20d"))
    return old


def der(certificate: x509.Certificate) -> bytes:
    return certificate.public_bytes(Encoding.DER)


def by_print(certificate: x509.Certificate) -> dict[str, str]:
    return {"fingerprint_sha256": fingerprint(der(certificate))}


def stranger(world: World, number: int = 7) -> bytes:
    """Have the authority sign something that no ledger hears of; return it as DER."""
    (issuer,) = world.issuer().values()
    (made,) = LocalIssuer(issuer).begin([local.request(number=number)])
    assert not isinstance(made, KeysteadError)
    return der(world_of(made))


def world_of(made: t.Any) -> x509.Certificate:
    from cryptography import x509

    return x509.load_pem_x509_certificate(made.parts["certificate"].content)


def test_everything_goes_its_way_once_over_every_ledger(tmp_path: Path, place: Place) -> None:
    """The cycle of a module: check, do, again; check more, do, again; check all, do, again; each look twice."""
    world = World(tmp_path)
    office = Office(place.options["ledger"], world.issuer())
    said = dict(place.options)
    world.one(linked(world), **said)
    first = world.certificate()
    world.one(linked(world, lifetime="20d"), **said)
    second = world.certificate()
    world.one(linked(world, lifetime="10d"), **said)
    outside = stranger(world)

    done = office.settled(by_print(first), reason="superseded", **said)
    assert [(one["status"], one["reason"], one["changed"]) for one in done["certificates"]] == [
        ("revoked", "superseded", True)
    ]
    assert done["certificates"][0]["host"] == HOST
    assert (done["certificates"][0]["identity"], done["certificates"][0]["generation"]) == ("web", 1)

    more = office.settled(by_print(first), by_print(second), reason="key_compromise", **said)
    assert [(one["reason"], one["changed"]) for one in more["certificates"]] == [
        ("superseded", False), ("key_compromise", True),
    ]  # fmt: skip

    entries = ({"identity": "web"}, {"pem": pem_certificate(outside).decode()})
    every = office.settled(*entries, reason="cessation_of_operation", replaced_first=False, expect=4, **said)
    assert [one["changed"] for one in every["certificates"]] == [False, False, True, True]
    assert every["certificates"][3]["identity"] is None
    assert all(world.is_revoked(one) for one in (first, second, world.certificate()))
    kinds = [(one["outcome"], one["generation"]) for one in office.events(**said)]
    assert sorted(kinds, key=str) == [(one, number) for one in ("ok", "pending") for number in (1, 2, 3, None)]


def test_the_next_run_replaces_a_certificate_that_was_revoked(world: World, office: Office) -> None:
    world.one(linked(world))
    before = world.certificate()
    office.settled({"identity": "web", "host": HOST}, reason="key_compromise", replaced_first=False)
    again = world.settled([linked(world)])["identities"][0]
    assert "issue" in steps(again)
    assert "revoked" in reason(again)
    assert world.certificate().serial_number != before.serial_number


# what is in use


def test_what_is_delivered_and_not_replaced_stays_and_every_place_is_named(world: World, office: Office) -> None:
    old = replaced(world, "web")
    world.one(linked(world, "api"))
    said = office.refusal({"host": HOST})
    for name in ("web", "api"):
        assert f"of {name} on {HOST}" in said
        assert f"{world.links / f'{name}.pem'} on {HOST}" in said
    assert "nothing is revoked" in said
    assert not world.is_revoked_at_all(old)


def test_a_generation_that_nothing_links_to_is_in_use_where_the_store_has_it(world: World, office: Office) -> None:
    world.one(web())
    assert f"{world.store}/web/current on {HOST}" in office.refusal({"identity": "web"})


def test_what_was_released_is_in_use_as_far_as_anybody_knows(world: World, office: Office) -> None:
    released = web(links={str(world.links / "web.pem"): "combined"})
    world.one(released)
    world.one({**released, "state": "released"})
    assert "released to the host" in office.refusal({"identity": "web"})


def test_what_a_run_has_had_signed_and_may_be_about_to_install_is_in_use(world: World, office: Office) -> None:
    replaced(world)

    def lost(arguments: t.Mapping[str, t.Any]) -> t.Any:
        if arguments["phase"] == "install":
            raise ConnectionError("the host is gone")
        return world.execute(arguments)

    with pytest.raises(ConnectionError):
        world.converge([linked(world, lifetime="10d")], execute=lost)
    ((found,),) = world.query("SELECT credential_id FROM generations WHERE state = 'issued'")
    said = office.refusal({"fingerprint_sha256": found})
    assert f"issued for {HOST} by a run that may be about to install it" in said
    office.settled({"fingerprint_sha256": found}, replaced_first=False)
    world.settled([linked(world, lifetime="10d")])


def test_what_was_withdrawn_is_revoked(world: World, office: Office) -> None:
    world.one(linked(world))
    certificate = world.certificate()
    world.one(web(state="absent"))
    office.settled({"identity": "web"}, reason="cessation_of_operation")
    assert world.is_revoked(certificate)


# emergencies


def test_an_emergency_needs_a_rule_of_the_policy_that_permits_it(world: World, office: Office, tmp_path: Path) -> None:
    world.one(linked(world))
    world.one(linked(world, "api"))
    certificate, said = world.certificate(), {"emergency": True, "justification": "the key is on a pastebin"}
    assert "rule emergency-revocation, web: emergency true" in office.refusal({"identity": "web"}, **said)
    policy = tmp_path / "policy.yml"
    policy.write_text("format: 1\nrules:\n  - {id: keys, key_type: {allow: [ecdsa-p256]}}\n")
    silent = office.refusal({"identity": "web"}, policy=str(policy), **said)
    assert "has no rule emergency_revocation for web" in silent
    policy.write_text(LEAVE)
    refused = office.refusal({"identity": "web"}, {"identity": "api"}, policy=str(policy), **said)
    assert "has no rule emergency_revocation for api" in refused
    done = office.settled({"identity": "web"}, policy=str(policy), reason="key_compromise", **said)
    assert done["certificates"][0]["status"] == "revoked"
    assert "in use, and revoked since emergency: certificate" in done["warnings"][0]
    assert world.is_revoked(certificate)
    for event in office.events():
        assert "emergency: the key is on a pastebin" in event["reason"]
        assert event["actor"]["operating_system_user"]


# selecting


def test_expected_numbers_are_counted_before_anything_is_revoked(world: World, office: Office) -> None:
    old = replaced(world)
    assert "2 certificates were expected, and the entries select 1" in office.refusal(by_print(old), expect=2)
    assert office.settled(by_print(old), expect=1)["matched"] == 1


def test_an_issuer_that_no_task_names_is_named_with_the_remedy(world: World, office: Office) -> None:
    old = replaced(world)
    local.authority(world.authorities, "other")
    office.issuer = world.issuer("other")
    said = office.refusal(by_print(old))
    assert "option issuers: none of them is local:issuing:" in said
    assert "add it there" in said
    found = office.settled(by_print(old), issuers=[world.issuer()])
    assert found["certificates"][0]["issuer_id"].startswith("local:issuing:")


def test_serial_numbers_are_read_as_others_write_them(world: World, office: Office) -> None:
    old = replaced(world)
    digits = f"{old.serial_number:x}"
    even = digits.zfill(len(digits) + len(digits) % 2)
    for written in (digits, even.upper(), bytes.fromhex(even).hex(":")):
        assert office.run({"serial_number": written}, check=True)["matched"] == 1
    (issuer,) = {one["issuer_id"] for one in office.run({"serial_number": digits}, check=True)["certificates"]}
    assert office.run({"serial_number": digits, "issuer": issuer}, check=True)["matched"] == 1


def test_a_serial_number_that_the_ledger_does_not_know_is_looked_for_where_the_issuer_lists(
    world: World, office: Office
) -> None:
    world.one(web())
    from cryptography import x509

    outside = x509.load_der_x509_certificate(stranger(world))
    done = office.settled({"serial_number": f"{outside.serial_number:x}"}, reason="superseded")
    assert [(one["identity"], one["changed"]) for one in done["certificates"]] == [(None, True)]
    assert world.is_revoked(outside)
    assert "give the certificate itself by pem" in office.refusal({"serial_number": "4a:0b"})


def test_a_certificate_of_nobody_here_is_refused(world: World, office: Office, tmp_path: Path) -> None:
    world.one(web())
    other = World(tmp_path / "elsewhere")
    path = tmp_path / "theirs.pem"
    path.write_bytes(pem_certificate(stranger(other)))
    said = office.refusal({"path": str(path)})
    assert "did not sign it; name who signed it in issuer or issuers" in said


def test_an_adopted_certificate_is_revoked_by_whoever_signed_it(world: World, office: Office) -> None:
    (issuer,) = world.issuer().values()
    asked = local.request(subject=local.WEB, number=3)
    (made,) = LocalIssuer(issuer).begin([asked])
    certificate, key = world.directory / "old.pem", world.directory / "old.key"
    certificate.write_bytes(made.parts["certificate"].content)  # type: ignore[union-attr]
    key.write_bytes(local.key(number=3).private_bytes(Encoding.PEM, PrivateFormat.PKCS8, NoEncryption()))
    key.chmod(0o600)
    adopt = {"certificate": str(certificate), "private_key": str(key)}
    world.one(web(dns_names=list(local.WEB.dns_names), adopt=adopt))
    done = office.settled({"identity": "web"}, replaced_first=False, reason="superseded")
    assert done["certificates"][0]["issuer_id"].startswith("local:issuing:")
    assert world.is_revoked(world_of(made))


# what happened elsewhere


def test_what_was_revoked_elsewhere_is_taken_over_with_its_date_and_reason(world: World, office: Office) -> None:
    old = replaced(world)
    (issuer,) = world.issuer().values()
    (elsewhere,) = LocalIssuer(issuer).revoke([der(old)], "affiliation_changed")
    shown = office.run(by_print(old), check=True)
    done = office.run(by_print(old), reason="superseded")
    for one in (shown, done):
        assert (one["changed"], one["steps"]) == (False, [])
        (record,) = one["certificates"]
        assert (record["status"], record["reason"]) == ("revoked", "affiliation_changed")
        assert record["revoked_at"] == f"{elsewhere.when:%Y-%m-%dT%H:%M:%SZ}"  # type: ignore[union-attr]
    assert world.query("SELECT state, revocation_reason FROM generations WHERE number = 1") == [
        ("revoked", "affiliation_changed")
    ]
    rows = office.rows()
    assert office.run(by_print(old))["changed"] is False
    assert office.rows() == rows


def test_what_the_ledger_calls_revoked_is_taken_back_again_where_its_authority_came_from_a_backup(
    world: World, office: Office
) -> None:
    old, here, backup = replaced(world), world.authorities / "issuing", world.directory / "backup"
    shutil.copytree(here, backup)
    (first,) = office.run(by_print(old), reason="key_compromise")["certificates"]
    highest = number(world)
    shutil.rmtree(here)
    shutil.copytree(backup, here)
    assert not world.is_revoked(old)

    done = office.settled(by_print(old), reason="superseded")
    (step,) = done["steps"]
    assert step["reason"].endswith("(key_compromise), and the list of " + done["certificates"][0]["issuer_id"]
                                   + " does not say so any more")  # fmt: skip
    (record,) = done["certificates"]
    assert {**record, "changed": None} == {**first, "changed": None}
    assert record["changed"]
    assert world.is_revoked(old)
    assert number(world) > highest
    assert [one["outcome"] for one in office.events()] == ["pending", "ok"] * 2


@pytest.mark.parametrize("name", ["crl.pem", "crl.der"])
def test_a_list_that_lost_what_is_revoked_is_made_anew_when_it_is_to_be_revoked_once_more(
    world: World, office: Office, name: str
) -> None:
    old, path = replaced(world), world.authorities / "issuing" / name
    before = path.read_bytes()
    office.run(by_print(old))
    for content in (before, b"junk", None):
        path.unlink()
        if content is not None:
            path.write_bytes(content)
        assert office.settled(by_print(old))["changed"]
        assert world.is_revoked(old)


def test_another_revocation_after_a_backup_brings_back_what_the_list_lost(world: World, office: Office) -> None:
    old, here, backup = replaced(world), world.authorities / "issuing", world.directory / "backup"
    shutil.copytree(here, backup)
    office.run(by_print(old), reason="key_compromise")
    seen = number(world)
    shutil.rmtree(here)
    shutil.copytree(backup, here)
    assert not world.is_revoked(old)
    done = office.settled(by_print(world.certificate("web")), replaced_first=False)
    assert [step["action"] for step in done["steps"]] == ["revoke", "publish"]
    assert "lacks 1 certificate that the ledger calls revoked" in done["steps"][1]["reason"]
    assert world.is_revoked(old)
    assert number(world) > seen + 1


def test_what_was_revoked_elsewhere_is_listed_as_well_where_the_list_lacks_it(world: World, office: Office) -> None:
    old, here = replaced(world), world.authorities / "issuing"
    (issuer,) = world.issuer().values()
    kept = {name: (here / name).read_bytes() for name in ("crl.pem", "crl.der")}
    LocalIssuer(issuer).revoke([der(old)], "affiliation_changed")
    for name, content in kept.items():
        (here / name).write_bytes(content)  # as a run left it that was killed before it had signed
    done = office.settled(by_print(old))
    assert [(one["changed"], one["reason"]) for one in done["certificates"]] == [(True, "affiliation_changed")]
    assert world.is_revoked(old)


def test_a_task_that_names_no_issuer_and_wants_nothing_more_is_done(world: World, office: Office) -> None:
    old = replaced(world)
    office.run(by_print(old))
    assert not office.run(by_print(old), issuer=None)["changed"]


def number(world: World) -> int:
    """Return the number of the list."""
    from cryptography import x509

    found = x509.load_der_x509_crl((world.authorities / "issuing" / "crl.der").read_bytes())
    return found.extensions.get_extension_for_class(x509.CRLNumber).value.crl_number


def test_a_certificate_that_has_ended_is_said_to_have_ended_and_is_not_revoked(world: World, office: Office) -> None:
    (issuer,) = world.issuer().values()
    long_ago = local.now() - dt.timedelta(days=40)
    local.authority(world.authorities, "earlier", at=local.now() - dt.timedelta(days=50), lifetime="3650d")
    old = LocalIssuer({**issuer, "authority": "earlier"}, now=lambda: long_ago).begin([local.request()])[0]
    office.issuer = world.issuer("earlier")
    done = office.settled({"pem": pem_certificate(der(world_of(old))).decode()})
    (record,) = done["certificates"]
    assert (done["changed"], record["status"], record["changed"]) == (False, "expired", False)
    assert "it ended on" in record["msg"]


# what goes wrong


def test_without_a_ledger_nothing_is_revoked(world: World, office: Office) -> None:
    certificate = replaced(world)
    world.ledger.write_bytes(b"no ledger" * 1000)
    with pytest.raises(KeysteadError, match="ledger: "):
        office.run({"pem": pem_certificate(der(certificate)).decode()})
    assert not world.is_revoked_at_all(certificate)


def test_one_that_fails_stops_no_other_and_fails_the_task(world: World, office: Office) -> None:
    local.authority(world.authorities, "other")
    first = replaced(world, "web")
    records = world.authorities / "issuing" / "revoked"
    (records / f"{first.serial_number:x}.json").write_text("broken")
    fine = LocalIssuer(world.issuer("other")["local"]).begin([local.request()])[0]
    entries = by_print(first), {"pem": pem_certificate(der(world_of(fine))).decode()}
    done = office.run(*entries, issuers=[world.issuer("other")])
    assert done["failed"]
    assert "is not a revocation record" in done["msg"]
    assert [(one["failed"], one["status"]) for one in done["certificates"]] == [(True, "unknown"), (False, "revoked")]


def test_a_list_that_could_not_be_published_is_published_by_the_next_run(world: World, office: Office) -> None:
    old = replaced(world)
    published = world.authorities / "issuing" / "crl.pem"
    kept = published.read_bytes()
    published.unlink()
    published.mkdir()
    done = office.run(by_print(old), reason="superseded")
    assert done["failed"]
    published.rmdir()
    published.write_bytes(kept)
    shown = office.run(by_print(old), check=True)
    again = office.run(by_print(old))
    assert not again.get("failed"), again
    assert shown["steps"] == again["steps"] == []
    assert again["certificates"][0]["status"] == "revoked"
    assert world.is_revoked(old)


@pytest.mark.parametrize("reason", ["unspecified", "ca_compromise", "aa_compromise", "privilege_withdrawn"])
def test_the_list_of_the_authority_has_the_reason(world: World, office: Office, reason: str) -> None:
    old = replaced(world)
    assert office.settled(by_print(old), reason=reason)["certificates"][0]["reason"] == reason
