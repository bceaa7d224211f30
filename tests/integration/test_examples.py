# SPDX-FileCopyrightText: 2026 Keystead contributors
# SPDX-License-Identifier: GPL-3.0-or-later
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)

"""Every example of every module, lookup and filter, run by ansible-playbook as it stands on its page, each twice.

What an example says of a machine is exchanged in its text: directories become those of the test, units and programs
become `true`, ports those of real TLS servers, the group that of the test. `store` and `ledger` come from
module_defaults. FIRST holds the tasks that make what an example presupposes.
"""

from __future__ import annotations

import contextlib
import grp
import importlib
import os
import ssl
import typing as t
from pathlib import Path

import pytest
import yaml
from ansible_collections.keystead.identity.plugins.plugin_utils._issuers.local import LocalIssuer
from ansible_collections.keystead.identity.tests.harness import local, playbook
from ansible_collections.keystead.identity.tests.harness.brownfield import pair
from ansible_collections.keystead.identity.tests.harness.consumers import Listener, fake_smtp
from ansible_collections.keystead.identity.tests.harness.notified import Hook
from ansible_collections.keystead.identity.tests.harness.postgres import AUDITOR, CONVERGER, MIGRATOR, PASSWORDS
from ansible_collections.keystead.identity.tests.harness.softhsm import MODULE, PIN, SoftHsm

if t.TYPE_CHECKING:
    import socket

    from ansible_collections.keystead.identity.tests.harness.postgres import Server

PACKAGE = "ansible_collections.keystead.identity"
DOCUMENTED = sorted(
    f"{kind}.{path.stem}"
    for kind in ("modules", "lookup", "filter")
    for path in (Path(__file__).parents[2] / "plugins" / kind).glob("*.py")
    if not path.stem.startswith("host_half")
)
IDENTITY, INFO, PREFLIGHT, REBUILD, ROTATE, HSM_KEY = (
    f"{PACKAGE[20:]}.{module}"
    for module in ("machine_identity", "machine_identity_info", "preflight", "ledger_rebuild", "key_rotate", "hsm_key")
)
IN_POSTGRESQL = "modules.ledger_migrate"
NOTIFIES = "modules.identity_notify"
IN_TOKEN = {
    "modules.certificate_authority": "ca",
    **dict.fromkeys(("modules.hsm_key", "lookup.hsm_key", "modules.key_rotate", "lookup.key_rotate"), "web"),
}
NEEDS = {IN_POSTGRESQL: ("postgres",), **dict.fromkeys(IN_TOKEN, ("softhsm", "python-pkcs11"))}
WEB = {"name": "web", "dns_names": ["www.example.org"], "keep_generations": 1}
OLD: tuple[str, ...] = ("/etc/dovecot", "/etc/appliance", "/etc/letsencrypt")
FIRST: dict[str, list[dict[str, t.Any]]] = {
    "The record is whole": [{"identities": [WEB]}],
    "What the store holds is in the new ledger": [{"identities": [WEB]}],
    "Go back to the generation before": [{"identities": [{**WEB, "lifetime": "20d"}]}],
    "Look at everything that is there": [{"identities": [WEB]}],
    "When does the certificate of this host end?": [{"identities": [WEB]}],
    "A host that is gone": [{"identities": [WEB]}],
    "The service is gone": [{"identities": [WEB]}, {"identities": [{**WEB, "state": "absent"}]}],
    "What fails today?": [{"identities": [WEB]}],
    "What fails today of what this host has as web?": [{"identities": [WEB]}],
    "Everything in one page": [{"identities": [WEB]}],
    "Is the ledger whole, and does anybody have to do something?": [{"identities": [WEB]}],
    "What fails tonight?": [{"identities": [WEB]}],
    "Where is this certificate?": [{"identities": [WEB]}],
    "What did the old authority sign that is still good?": [{"identities": [WEB]}],
    "What does this host hold?": [{"identities": [WEB]}],
    "A key was found where it should not be": [{"identities": [WEB]}],
    "A host was broken into, and somebody saw it": [{"identities": [WEB]}],
    "How old is the key of this host?": [{"identities": [WEB]}],
    "Is the certificate of this host still good?": [{"identities": [WEB]}],
    "What is in use?": [{"identities": [WEB]}],
}

KEYS: dict[str, dict[str, str]] = {
    "The public key that releases are signed with": {"label": "release-signing"},
    "No key that signs releases is older than a year": {"label": "release-signing"},
    "How old is the key that signs releases?": {"label": "release-signing"},
}
"""Keys of the token that an example presupposes."""


def examples(plugin: str) -> str:
    """Return the examples of a plugin as YAML."""
    return str(importlib.import_module(f"{PACKAGE}.plugins.{plugin}").EXAMPLES)


def serving(certificate: Path, key: Path, before: t.Callable[[socket.socket], object] = lambda _: None) -> Listener:
    """Return a TLS server that reads its files anew for every client."""

    def answer(connection: socket.socket) -> None:
        before(connection)
        context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
        context.load_cert_chain(certificate, key)
        with context.wrap_socket(connection, server_side=True) as secured:
            secured.recv(1)

    return Listener(answer)


def machine(root: Path, web: int, smtp: int) -> dict[str, str]:
    """Return what is exchanged in the text of an example; make the directories."""
    directories = ("/srv/ca", "/srv/audit", "/srv/report", "/etc/keystead", "/etc/nginx/tls", "/etc/postfix")
    directories += ("/var/www/html", "/etc/ssl/certs", *OLD)
    for directory in directories:
        (root / directory[1:]).mkdir(parents=True)
    imap, appliance = pair("imap.example.org"), pair("appliance.example.org")
    (root / "etc/dovecot/imap.key").write_bytes(imap.key)
    (root / "etc/dovecot/imap.key").chmod(0o600)
    (root / "etc/dovecot/imap.pem").write_bytes(imap.certificate + imap.chain)
    (root / "etc/appliance/tls.pem").write_bytes(appliance.certificate)
    (root / "etc/keystead/stricter.yml").write_text("format: 1\nrules: [{id: life, lifetime: {longest: 1d}}]\n")
    (root / "etc/keystead/appliances.csv").write_text("name,not_after\nvpn,2035-03-15T00:00:00Z\n", encoding="ascii")
    return {
        **{directory: str(root / directory[1:]) for directory in directories},
        "unit: nginx.service": "command: [/usr/bin/env, 'true']",
        "unit: dovecot.service": "command: [/usr/bin/env, 'true']",
        "[postfix, ": "[/usr/bin/env, 'true', ",
        "[/usr/local/bin/relay, ": "[/usr/bin/env, 'true', ",
        "port: 443": f"port: {web}",
        "port: 25": f"port: {smtp}",
        "host: web9.example.org": "host: web1",
        "group: www-data": f"group: {grp.getgrgid(os.getegid()).gr_name}",
    }


def tasks_of(plugin: str, exchanged: dict[str, str], issuer: dict[str, t.Any]) -> list[dict[str, t.Any]]:
    """Return the examples of a plugin, each twice, after what each presupposes."""
    text = examples(plugin)
    for old, new in exchanged.items():
        text = text.replace(old, new)
    of_token = {"module_path": MODULE, "token_label": "web", "pin_file": f"{exchanged['/etc/keystead']}/web.pin"}
    tasks: list[dict[str, t.Any]] = []
    for example in yaml.safe_load(text):
        tasks += [{"name": "first", IDENTITY: {"issuer": issuer, **args}} for args in FIRST.get(example["name"], ())]
        tasks += [{"name": "first", HSM_KEY: {**of_token, **KEYS[example["name"]]}}] if example["name"] in KEYS else []
        tasks += [example, {**example, "name": "again"}]
    return tasks


def authorities(root: Path) -> dict[str, t.Any]:
    """Make the authorities of the examples, and a certificate that somebody else put there; return the issuer."""
    passphrase = {"passphrase_file": str(root / "etc/keystead/issuing.pass")}
    options = local.two_tiers(root / "srv/ca", **passphrase)
    (root / "etc/ssl/certs/old.pem").write_bytes((root / "srv/ca/root/certificate.pem").read_bytes())
    (reported,) = LocalIssuer({**options, **passphrase}).begin([local.request()])
    (root / "etc/keystead/reported.pem").write_bytes(reported.parts["certificate"].content)  # type: ignore[union-attr]
    return {"local": {**options, **passphrase}}


def database(server: Server, root: Path) -> dict[str, str]:
    """Return what is exchanged in the examples that name a database of PostgreSQL."""
    (root / "etc/keystead/migrator.password").write_text(PASSWORDS[MIGRATOR])
    return {
        "postgresql://keystead_migrator@ledger.example.org/keystead": server.url(server.database(), MIGRATOR),
        "- keystead_auditor\n": f"- {AUDITOR}\n",
        "- keystead\n": f"- {CONVERGER}\n",
    }


def notified(hook: Hook, root: Path) -> dict[str, str]:
    """Return what is exchanged in the examples that notify: one fake server stands for all of theirs."""
    for name, option in (("ca.pem", "ca_bundle"), ("hook.token", "token_file")):
        (root / "etc/keystead" / name).write_bytes(Path(hook.option[option]).read_bytes())
    base = hook.url.rpartition("/")[0]
    return {"https://alerts.example.org:9093": base, "https://hooks.example.org": base}


def token(root: Path, label: str) -> dict[str, str]:
    """Initialise the token of an example, and write its PIN; return what leads to it."""
    hsm, pin = SoftHsm(root), root / f"etc/keystead/{label}.pin"
    hsm.add(label)
    pin.write_text(PIN, encoding="ascii")
    pin.chmod(0o600)
    return hsm.environment


@pytest.mark.parametrize(
    "plugin",
    [pytest.param(name, marks=pytest.mark.needs(*NEEDS.get(name, ()))) for name in DOCUMENTED],
)
def test_the_examples_run_and_change_nothing_the_second_time(
    request: pytest.FixtureRequest, tmp_path: Path, plugin: str
) -> None:
    root, home = tmp_path / "machine", tmp_path / "home"
    nginx, postfix = root / "etc/nginx/tls", root / "etc/postfix"
    with (
        serving(nginx / "web.pem", nginx / "web.key") as web,
        serving(postfix / "tls.pem", postfix / "tls.pem", fake_smtp) as smtp,
        contextlib.ExitStack() as stack,
    ):
        exchanged = machine(root, web.port, smtp.port)
        for name in ("root", "issuing"):
            (root / f"etc/keystead/{name}.pass").write_text("open sesame\n", encoding="ascii")
        if plugin == NOTIFIES:
            exchanged.update(notified(stack.enter_context(Hook(tmp_path)), root))
        if plugin == IN_POSTGRESQL:
            exchanged.update(database(request.getfixturevalue("postgres_server"), root))
        tasks = tasks_of(plugin, exchanged, {} if plugin.endswith("certificate_authority") else authorities(root))
        store = {"store": str(tmp_path / "store")}
        group = {"group/keystead.identity.identity": {"ledger": "{{ keystead_ledger }}"}}
        play = {
            "hosts": "all",
            "gather_facts": False,
            "vars": {"keystead_ledger": f"sqlite:///{tmp_path}/ledger.db"},
            "module_defaults": {**group, **dict.fromkeys((IDENTITY, INFO, PREFLIGHT, REBUILD, ROTATE), store)},
            "tasks": tasks,
        }
        done = playbook.run([play], home=home, env=token(root, IN_TOKEN[plugin]) if plugin in IN_TOKEN else {})
    assert done.returncode == 0, done.stdout + done.stderr
    results = playbook.results(home)
    assert len(results) == len(tasks)
    for task, result in zip(tasks, results, strict=True):
        assert task["name"] != "again" or not result["changed"], result
