# SPDX-FileCopyrightText: 2026 Keystead contributors
# SPDX-License-Identifier: GPL-3.0-or-later
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)

"""identity_watch: what identities depend on is watched like them, at real servers, as of any moment."""

from __future__ import annotations

import typing as t
from datetime import UTC, datetime, timedelta

import pytest
from ansible_collections.keystead.identity.plugins.module_utils._core.errors import Misconfigured
from ansible_collections.keystead.identity.plugins.module_utils._options.common import COMMON
from ansible_collections.keystead.identity.plugins.module_utils._options.identity_watch import OPTIONS
from ansible_collections.keystead.identity.plugins.module_utils._options.option import spec
from ansible_collections.keystead.identity.plugins.plugin_utils._declare import checked_issuer
from ansible_collections.keystead.identity.plugins.plugin_utils._signers import Signers
from ansible_collections.keystead.identity.plugins.plugin_utils._validate import validated
from ansible_collections.keystead.identity.plugins.plugin_utils._watch.converge import watch
from ansible_collections.keystead.identity.tests.harness import acme, local
from ansible_collections.keystead.identity.tests.harness import openbao as bao
from ansible_collections.keystead.identity.tests.harness.in_process import World, web
from ansible_collections.keystead.identity.tests.harness.ledgers import InFile

if t.TYPE_CHECKING:
    from pathlib import Path

    from ansible_collections.keystead.identity.plugins.plugin_utils._issuers.acme import AcmeIssuer
    from ansible_collections.keystead.identity.tests.harness.openbao_server import Server
    from ansible_collections.keystead.identity.tests.harness.pebble import Pebbles

pytestmark = pytest.mark.one_core

Options = dict[str, t.Any]
Found = dict[str, dict[str, t.Any]]
LOOKUP = "auth/{mount}/role/converger/secret-id/lookup"


class Watch:
    """A controller with an authority, and a ledger with an identity in use."""

    def __init__(self, root: Path) -> None:
        self.world = World(root)
        self.world.one(web(contact="shop@example.org"), issuer=self.world.issuer())
        self.now = datetime.now(UTC)

    def look(self, *issuers: Options, days: float = 0, check: bool = False, **said: t.Any) -> dict[str, t.Any]:
        """Watch, so many days later."""
        given = {"ledger": self.world.url, "issuers": list(issuers), **said}
        args = validated(given, spec(COMMON, OPTIONS), module="identity_watch")
        return watch(args, self.now + timedelta(days=days), check_mode=check)

    def of(self, what: str, *issuers: Options, days: float = 0, **said: t.Any) -> Found:
        """Return what was found of one sort, by name."""
        found = self.look(*issuers, days=days, **said)["watched"]
        return {one["name"]: one for one in found if one["what"] == what}

    def one(self, what: str, *issuers: Options, days: float = 0, **said: t.Any) -> dict[str, t.Any]:
        """Return the only thing of a sort."""
        (found,) = self.of(what, *issuers, days=days, **said).values()
        return found


@pytest.fixture
def desk(tmp_path: Path) -> Watch:
    return Watch(tmp_path)


def states(found: t.Iterable[dict[str, t.Any]]) -> list[str]:
    return [one["state"] for one in found]


def listed(found: Found) -> dict[str, t.Any]:
    """Return what was found of the authority `listed`; the other one of the directory has a list as well."""
    return next(one for name, one in found.items() if name.startswith("local:listed:"))


def test_what_is_in_order_is_told_and_alarms_nobody(desk: Watch, tmp_path: Path) -> None:
    paths = {"json": str(tmp_path / "w.json"), "metrics": str(tmp_path / "w.prom")}
    foreseen = desk.look(desk.world.issuer(), check=True, **paths)
    assert (foreseen["alerts"], foreseen["totals"]["critical"], foreseen["changed"]) == ([], 0, True)
    assert {one["what"] for one in foreseen["watched"]} == {"ledger", "issuer", "authority", "list"}
    assert not (tmp_path / "w.json").exists()
    assert desk.look(desk.world.issuer(), **paths)["changed"]
    again = desk.look(desk.world.issuer(), days=0.001, **paths)
    assert not again["changed"], "only the moment differs"
    text = (tmp_path / "w.prom").read_text()
    assert f'keystead_watch_state{{ledger="{desk.world.url}",what="ledger",name="{desk.world.url}"}} 0' in text
    with pytest.raises(Misconfigured, match=r"^identity_watch: option critical: 40d is longer than warning, 30d"):
        desk.look(critical="40d")
    with pytest.raises(Misconfigured, match=r"^identity_watch: .*cannot be written"):
        desk.look(json="/proc/nowhere/w.json")


def test_an_authority_and_what_it_signed_are_told_in_time(desk: Watch) -> None:
    local.authority(desk.world.authorities, "short", lifetime="40d")
    issuer = desk.world.issuer("short")
    told = {}
    for days in (5, 25, 35, 41):
        found = desk.of("authority", issuer, days=days)
        (told[days],) = [one["state"] for name, one in found.items() if "CN=short" in name]
    assert told == {5: "ok", 25: "ok", 35: "warning", 41: "critical"}, "a third and a tenth of forty days"
    late = desk.one("identity", days=25)
    assert late["state"] == "warning"
    assert "it ends on" in late["found"]
    assert late["remedy"].endswith("ask shop@example.org")
    assert desk.one("identity", days=31)["state"] == "critical"
    assert desk.of("identity", days=31, identities=False) == {}
    assert desk.one("issuer", issuer, days=0)["state"] == "ok"


def test_a_list_that_nobody_renews_is_told_before_it_ends(desk: Watch) -> None:
    at = desk.now
    published = {"crl_url": "http://pki.example.org/listed.crl", "crl_lifetime": "7d", "crl_renew_before": "50%"}
    local.authority(desk.world.authorities, "listed", at=at, **published)
    told = [listed(desk.of("list", desk.world.issuer("listed"), days=days)) for days in (0, 4, 5, 6.5, 8)]
    assert states(told) == ["ok", "ok", "warning", "critical", "critical"]
    assert "certificate_authority" in told[3]["remedy"]
    (desk.world.authorities / "listed" / "crl.pem").write_text("none")
    found = listed(desk.of("list", desk.world.issuer("listed")))
    assert "is no revocation list of this authority" in found["found"]


def test_a_ledger_that_was_altered_or_is_gone_is_critical(desk: Watch, tmp_path: Path) -> None:
    assert desk.one("ledger")["state"] == "ok"
    assert desk.one("checkpoint", checkpoint_age="1d")["found"] == "no checkpoint was ever signed"
    InFile(desk.world.ledger).tamper("UPDATE events SET reason = 'other' WHERE seq = 2")
    found = desk.one("ledger")
    assert found["state"] == "critical"
    assert "event 2" in found["found"]
    assert "backup" in found["remedy"]
    gone = desk.look(ledger=f"sqlite:///{tmp_path}/nowhere.db")
    assert (states(gone["watched"]), gone["watched"][0]["what"]) == (["critical"], "ledger")


def test_an_authority_that_is_not_there_is_critical_and_hides_nothing_else(desk: Watch) -> None:
    found = desk.look(desk.world.issuer("nobody"))
    assert states(found["alerts"]) == ["critical"]
    assert "authority nobody does not exist" in found["alerts"][0]["found"]
    assert "ledger" in {one["what"] for one in found["watched"]}


@pytest.mark.needs("openbao")
def test_a_token_is_told_before_it_ends_and_a_server_that_is_sealed_at_once(desk: Watch, openbao: Server) -> None:
    pki = bao.pki(openbao)
    token = bao.token(pki, ttl="240h")
    issuer = {"openbao": pki.options({"token": {"token": token}})}
    assert [desk.one("login", issuer, days=days)["state"] for days in (0, 7, 9.5, 11)] == [
        "ok", "warning", "critical", "critical",
    ]  # fmt: skip
    assert desk.one("list", issuer)["state"] == "ok"
    assert {name.partition(" (")[0] for name in desk.of("authority", issuer)} >= {f"CN={pki.mount} issuing"}
    openbao.seal()
    try:
        found = desk.one("issuer", issuer)
        assert (found["state"], found["remedy"]) == ("critical", "unseal it and run again")
        assert token not in str(desk.look(issuer))
    finally:
        openbao.unseal()
    pki.call("POST", "auth/token/revoke", {"token": token})
    assert desk.one("issuer", issuer)["state"] == "critical"


@pytest.mark.needs("openbao")
def test_a_secret_id_is_told_before_it_ends_where_its_policy_lets_it_be_asked(desk: Watch, openbao: Server) -> None:
    pki = bao.pki(openbao)
    auth = bao.approle(pki, secret_id_ttl="240h")
    issuer = {"openbao": pki.options(auth)}
    path = LOOKUP.format(mount=auth["approle"]["mount"])
    unknown = desk.one("secret_id", issuer)
    assert (unknown["state"], unknown["remedy"]) == ("unknown", f"let the policy of the login update {path}")
    policy = f'{bao.least_rights(pki.mount, pki.roles)}\npath "{path}" {{ capabilities = ["update"] }}'
    pki.call("PUT", f"sys/policies/acl/{pki.policy}", {"policy": policy})
    assert [desk.one("secret_id", issuer, days=days)["state"] for days in (0, 7, 9.5)] == ["ok", "warning", "critical"]
    assert auth["approle"]["secret_id"] not in str(desk.look(issuer))
    counted = {"openbao": pki.options(bao.approle(pki, secret_id_num_uses=50))}
    wrapped = {"openbao": pki.options(bao.wrapped(auth, pki))}
    assert desk.one("secret_id", counted)["state"] == "unknown", "its role is another one"
    assert desk.one("login", wrapped)["state"] == "unknown"


@pytest.mark.needs("openbao")
def test_a_certificate_or_a_json_web_token_that_logs_in_is_told_before_it_ends(
    desk: Watch, openbao: Server, tmp_path: Path
) -> None:
    pki = bao.pki(openbao)
    by_certificate = {"openbao": pki.options(bao.certificate(pki, tmp_path))}
    assert desk.one("login", by_certificate)["state"] == "ok"
    assert desk.one("login", by_certificate, days=365 * 1000)["state"] == "critical"
    by_token = {"openbao": pki.options(bao.jwt(pki, lifetime=3600))}
    assert [desk.one("login", by_token, days=hours / 24)["state"] for hours in (0, 0.75, 2)] == [
        "ok", "warning", "critical",
    ]  # fmt: skip


@pytest.mark.needs("pebble", "curl")
def test_an_account_of_acme_that_was_deactivated_is_critical(desk: Watch, pebbles: Pebbles, tmp_path: Path) -> None:
    said = acme.options(pebbles.one("open", settings={"externalAccountBindingRequired": False}), tmp_path, eab=None)
    issuer = {"acme": said}
    assert desk.one("account", issuer)["state"] == "unknown"
    (given,) = validated({"issuers": [issuer]}, spec(OPTIONS), module="identity_watch")["issuers"]
    account = t.cast("AcmeIssuer", Signers([checked_issuer(given) or {}]).all()[0])._account
    url = account.url()
    assert desk.one("account", issuer)["state"] == "ok"
    account.post(url, {"status": "deactivated"}, "the end of the account")
    found = [one for one in desk.look(issuer)["alerts"] if one["what"] in {"account", "issuer"}]
    assert set(states(found)) == {"critical"}
