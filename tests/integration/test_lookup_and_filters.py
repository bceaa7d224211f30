# SPDX-FileCopyrightText: 2026 Keystead contributors
# SPDX-License-Identifier: GPL-3.0-or-later
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)

"""The lookup and the filters in playbooks, on real files and a real ledger, as templates use them."""

from __future__ import annotations

import typing as t

import pytest
from ansible_collections.keystead.identity.tests.harness import local, playbook

if t.TYPE_CHECKING:
    from pathlib import Path

    from ansible_collections.keystead.identity.tests.harness.postgres import Server

MODULE, DEBUG = "keystead.identity.machine_identity", "ansible.builtin.debug"
LOOKUP = "lookup('keystead.identity.machine_identity', {})"


class Site:
    """Two hosts with an identity web each, signed below a root."""

    def __init__(self, root: Path) -> None:
        self.root, self.home = root, root / "home"
        self.ledger = f"sqlite:///{root}/ledger.db"
        task = {
            "issuer": {"local": local.two_tiers(root / "ca")},
            "ledger": self.ledger,
            "store": f"{root}/{{{{ inventory_hostname }}}}",
            "identities": [{"name": "web", "dns_names": ["{{ inventory_hostname }}.example.org"]}],
        }
        done = playbook.run([{MODULE: task}], {"web1": {}, "web2": {}}, home=self.home)
        assert done.returncode == 0, done.stdout + done.stderr

    def say(
        self, expression: str, *, code: int = 0, env: dict[str, str] | None = None, hidden: str = "", **variables: t.Any
    ) -> t.Any:
        """Return what an expression is worth on web1, or the message of the task that fails.

        With `hidden`, Ansible says all that it can, and this is in nothing of it.
        """
        task = {DEBUG: {"msg": f"{{{{ {expression} }}}}"}, "vars": variables}
        loud = ["-vvvv"] if hidden else []
        done = playbook.run([task], {"web1": {}, "web2": {}}, "--limit", "web1", *loud, home=self.home, env=env)
        assert done.returncode == code, done.stdout + done.stderr
        assert not hidden or hidden not in done.stdout + done.stderr
        return playbook.results(self.home)[0]["msg"]

    def file(self, name: str, host: str = "web1") -> Path:
        """Return a file of the current generation."""
        return self.root / host / "web" / "current" / name


@pytest.fixture(name="site", scope="module")
def _site(tmp_path_factory: pytest.TempPathFactory) -> Site:
    return Site(tmp_path_factory.mktemp("site"))


def test_a_variable_that_is_a_template_names_the_ledger(site: Site) -> None:
    said = site.say(LOOKUP.format("'web'"), keystead_ledger="sqlite:///{{ where }}/ledger.db", where=str(site.root))
    assert said["certificate"]["dns_names"] == ["web1.example.org"]
    assert said["paths"]["fullchain"] == str(site.file("fullchain.pem"))


def test_the_environment_names_the_ledger_and_an_option_the_host_and_the_part(site: Site) -> None:
    said = site.say(LOOKUP.format("'web', host='web2', part='fullchain'"), env={"KEYSTEAD_LEDGER": site.ledger})
    assert said == site.file("fullchain.pem", "web2").read_text(encoding="ascii")


def test_the_configuration_file_names_the_ledger(site: Site) -> None:
    configuration = site.root / "ansible.cfg"
    configuration.write_text(f"[keystead]\nledger = {site.ledger}\n", encoding="utf-8")
    said = site.say(LOOKUP.format("'web'") + ".name", env={"ANSIBLE_CONFIG": str(configuration)})
    assert said == "web"


def test_every_host_of_a_play_is_there_and_a_list_of_names_is_taken(site: Site) -> None:
    expression = "query('keystead.identity.machine_identity', ['web', 'web'], ledger=there) | map(attribute='host')"
    assert site.say(expression, there=site.ledger) == ["web1", "web1"]


@pytest.mark.parametrize(
    ("said", "message"),
    [
        ("'wep'", "machine_identity: the ledger knows no identity 'wep' of host web1; did you mean web?"),
        ("'web', part='private_key'", "option part: 'private_key' is none of record, certificate, chain, fullchain"),
        ("'web', leger='x'", "machine_identity: option leger is unknown; did you mean ledger?"),
        ("'web', ledger='sqlite:////etc/passwd'", "ledger: /etc/passwd is not a ledger; restore it from a backup"),
        ("'web', ledger='postgresql://me:SESAME@db/x'", "ledger: option ledger has a password inside its URL"),
        ("'web', ledger='sqlite:////nowhere/none.db'", "there is no ledger at sqlite:////nowhere/none.db"),
    ],
)
def test_an_error_is_one_sentence(site: Site, said: str, message: str) -> None:
    answer = site.say(LOOKUP.format(said), code=2, keystead_ledger=site.ledger)
    assert message in answer
    assert "SESAME" not in answer
    assert "Traceback" not in answer


@pytest.mark.needs("postgres")
def test_a_ledger_in_postgresql_is_opened_by_option_variable_and_environment_and_no_password_is_shown(
    site: Site, postgres_server: Server, tmp_path: Path
) -> None:
    options = postgres_server.options(postgres_server.ledger())
    url, password = options["ledger"], options["ledger_password"]
    (file := tmp_path / "password").write_text(f"{password}\n", encoding="ascii")
    issuer, identity = {"local": local.two_tiers(tmp_path / "ca")}, {"name": "web", "dns_names": ["web.example.org"]}
    task = {**options, "issuer": issuer, "store": str(tmp_path / "store"), "identities": [identity]}
    assert playbook.run([{MODULE: task}], {"web1": {}}, home=site.home).returncode == 0
    for said, env, variables in (
        ("'web', ledger_password=word", {}, {"word": password}),
        ("'web', ledger_password_file=path", {}, {"path": str(file)}),
        ("'web'", {}, {"keystead_ledger_password": "{{ word }}", "word": password}),
        ("'web'", {}, {"keystead_ledger_password_file": str(file)}),
        ("'web'", {"KEYSTEAD_LEDGER_PASSWORD": password}, {}),
        ("'web'", {"KEYSTEAD_LEDGER_PASSWORD_FILE": str(file)}, {}),
    ):
        expression = LOOKUP.format(said) + ".certificate.dns_names"
        shown = site.say(expression, env=env, hidden=password, keystead_ledger=url, **variables)
        assert shown == ["web.example.org"]
    for wrong, message in (
        ("SESAME", "does not let this role in"),
        ({"a": "SESAME"}, "option ledger_password: a dictionary is not a string"),
        (None, "does not let this role in"),
    ):
        variables = {"keystead_ledger": url, "keystead_ledger_password": wrong}
        answer = site.say(LOOKUP.format("'web'"), code=2, hidden="SESAME", **variables)
        assert message in answer


def test_the_filters_read_what_is_on_disk_and_in_the_ledger(site: Site) -> None:
    pem = "lookup('file', path)"
    record = site.say(LOOKUP.format("'web'"), keystead_ledger=site.ledger)
    path = str(site.file("fullchain.pem"))
    assert site.say(f"{pem} | keystead.identity.certificate_facts", path=path) == record["certificate"]
    bundle = site.say(f"{pem} | keystead.identity.certificate_facts(bundle=true)", path=path)
    assert [one["issuer"] for one in bundle] == ["CN=issuing", "CN=root"]
    digest = record["certificate"]["spki_sha256"]
    assert site.say(f"{pem} | keystead.identity.spki_sha256", path=path) == digest
    from_ledger = LOOKUP.format("'web', part='certificate'")
    assert site.say(f"{from_ledger} | keystead.identity.spki_sha256", keystead_ledger=site.ledger) == digest


def test_a_private_key_on_disk_is_refused_by_name_and_never_shown(site: Site) -> None:
    secret = site.file("private_key.pem").read_text(encoding="ascii").splitlines()[1]
    for name, file in (("spki_sha256", "private_key.pem"), ("certificate_facts", "combined.pem")):
        path = str(site.file(file))
        answer = site.say(f"lookup('file', path) | keystead.identity.{name}", code=2, hidden=secret, path=path)
        assert f"{name}: the input holds a private key, which is refused and not shown" in answer


def test_an_undefined_variable_is_ansibles_to_report(site: Site) -> None:
    assert "'nothing' is undefined" in site.say("nothing | keystead.identity.certificate_facts", code=2)
