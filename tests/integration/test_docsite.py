# SPDX-FileCopyrightText: 2026 Keystead contributors
# SPDX-License-Identifier: GPL-3.0-or-later
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)

"""What the guides show is true: every playbook of docs/docsite/rst runs as it stands there, and again without a change.

A page is read from top to bottom, after the playbook of the first hour that makes the authorities. YAML that is not run
says what it is: `:class: variables` is what a page's playbooks presuppose, and is given to them; `:class: fragment` is
a piece of something. What a page says of a machine is exchanged as in test_examples.py, and a server that it names is a
real one.
"""

from __future__ import annotations

import functools
import re
import subprocess
import textwrap
import typing as t
from pathlib import Path

import pytest
import yaml
from ansible_collections.keystead.identity.tests.harness import playbook
from ansible_collections.keystead.identity.tests.harness.brownfield import pair
from ansible_collections.keystead.identity.tests.harness.postgres import CONVERGER, PASSWORDS
from ansible_collections.keystead.identity.tests.harness.softhsm import SoftHsm
from ansible_collections.keystead.identity.tests.integration.test_examples import (
    IDENTITY,
    INFO,
    ROTATE,
    machine,
    serving,
)
from ansible_collections.keystead.identity.tests.needs import OPENBAO
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.serialization import Encoding

if t.TYPE_CHECKING:
    from ansible_collections.keystead.identity.tests.harness.est_server import Est
    from ansible_collections.keystead.identity.tests.harness.openbao_server import Server
    from ansible_collections.keystead.identity.tests.harness.pebble import Pebble
    from ansible_collections.keystead.identity.tests.harness.postgres import Server as PostgresServer
    from ansible_collections.keystead.identity.tests.harness.scep import Site

SITE = Path(__file__).resolve().parents[2] / "docs" / "docsite"
PAGES = sorted(path.stem for path in (SITE / "rst").glob("*.rst"))
FIRST, TABLE = "first_hour", "issuers_table"  # a table is written by tools/issuers_table.py, and shows nothing
HOST = "web1.example.org"
BLOCK = re.compile(r"^\.\. code-block:: (?:yaml|yaml\+jinja)\n((?: +:.*\n)*)\n((?: .*\n|\n)+)", re.MULTILINE)
LABEL = "ansible_collections.keystead.identity.docsite."
DIRECTORIES = ("/srv/keystead", "/etc/ssl", "/etc/nginx")
UUID = r"[0-9a-f]{8}(?:-[0-9a-f]{4}){3}-[0-9a-f]{12}"
BAO = "https://bao.example.org:8200"
SERVERS = {
    "authority_custody": ("softhsm", "python-pkcs11"),
    "custody_aws_kms": ("moto",),
    "custody_openbao_transit": ("openbao",),
    "custody_pkcs11": ("softhsm", "python-pkcs11"),
    "hsm_key": ("softhsm", "python-pkcs11"),
    "issuer_acme": ("pebble",),
    "issuer_aws_pca": ("moto",),
    "issuer_openbao": ("openbao",),
    "issuer_openbao_ssh": ("openbao",),
    "issuer_scep": ("netns", "ip", "curl", "openssl", "scep"),
    "ledger_postgresql": ("postgres",),
    "key_origin": ("moto",),
    "publish_aws_acm": ("moto",),
    "publish_aws_secrets_manager": ("moto",),
    "publish_openbao_kv": ("openbao",),
    "rotating_keys": ("softhsm", "python-pkcs11", "openbao", "moto"),
}
Presuppose = t.Callable[[pytest.FixtureRequest, Path], dict[str, str]]


class Block(t.NamedTuple):
    """One example in YAML: how it is marked, and its text."""

    mark: str
    text: str


def blocks(page: str) -> list[Block]:
    """Return the examples of a page in their order."""
    text = (SITE / "rst" / f"{page}.rst").read_text(encoding="utf-8")
    shown = BLOCK.findall(text)
    found = [Block("".join(re.findall(r":class: (\w+)", said)), textwrap.dedent(code)) for said, code in shown]
    assert len(found) == text.count(":: yaml"), "a block has another form than this test can read"
    return found


def marked(page: str, mark: str) -> list[t.Any]:
    """Return the examples with a mark, parsed."""
    return [yaml.safe_load(block.text) for block in blocks(page) if block.mark == mark]


def plays(page: str) -> list[dict[str, t.Any]]:
    """Return the plays of a page; the first one of the first hour makes what all others need."""
    own = [play for shown in marked(page, "") for play in shown]
    return own if page == FIRST else [marked(FIRST, "")[0][0], *own]


def exchanged(value: t.Any, pairs: dict[str, str]) -> t.Any:
    """Return YAML with what it says of a machine exchanged."""
    return yaml.safe_load(swapped(yaml.safe_dump(value, default_flow_style=None, width=1000), pairs))


def swapped(text: str, pairs: dict[str, str]) -> str:
    """Return a text with what it says of a machine exchanged."""
    longest_first = sorted(pairs, key=len, reverse=True)
    return re.sub("|".join(map(re.escape, longest_first)), lambda found: pairs[found[0]], text)


def prepared(play: dict[str, t.Any], store: Path) -> dict[str, t.Any]:
    """Return a play for the host of this test, with a store that it may write."""
    stores = {module: {"store": str(store)} for module in (IDENTITY, INFO, ROTATE)}
    tasks = [{name: said for name, said in task.items() if name != "become"} for task in play["tasks"]]
    changed = {"hosts": "all", "module_defaults": {**stores, **play.get("module_defaults", {})}, "tasks": tasks}
    return {**{name: said for name, said in play.items() if name != "become"}, **changed}


def test_every_page_is_in_the_table_of_contents_and_shows_something() -> None:
    sections = yaml.safe_load((SITE / "extra-docs.yml").read_text(encoding="utf-8"))["sections"]
    assert sorted(page for section in sections for page in section["toctree"]) == PAGES
    assert [page for page in PAGES if not marked(page, "")] == [TABLE]


def test_a_page_leads_to_pages_that_there_are() -> None:
    texts = {page: (SITE / "rst" / f"{page}.rst").read_text(encoding="utf-8") for page in PAGES}
    for page, text in texts.items():
        assert f"\n.. _{LABEL}{page}:\n" in text
        assert set(re.findall(rf"{re.escape(LABEL)}(\w+)", text)) <= set(PAGES)


@pytest.mark.parametrize("page", PAGES)
def test_what_is_not_run_says_so(page: str) -> None:
    assert {block.mark for block in blocks(page)} <= {"", "variables", "fragment"}
    for shown in marked(page, ""):
        assert isinstance(shown, list), "a piece of something is marked with :class: fragment"
        assert all({"name", "hosts", "tasks"} <= play.keys() for play in shown)
    assert all(marked(page, "fragment")) or not marked(page, "fragment")


@pytest.mark.parametrize(
    "page", [pytest.param(page, marks=pytest.mark.needs(*SERVERS.get(page, ()))) for page in PAGES]
)
def test_the_playbooks_of_a_page_run_and_change_nothing_the_second_time(
    request: pytest.FixtureRequest, tmp_path: Path, page: str
) -> None:
    root, home = tmp_path / "machine", tmp_path / "home"
    nginx = root / "etc/nginx/tls"
    with serving(nginx / "web.pem", nginx / "web.key") as web:
        pairs = {**machine(root, web.port, web.port), **{one: str(root / one[1:]) for one in DIRECTORIES}}
        (root / "srv/keystead").mkdir(parents=True)
        (root / "srv/keystead/passphrase").write_text("open sesame\n", encoding="ascii")
        if page in PRESUPPOSED:
            pairs.update(PRESUPPOSED[page](request, root))
        variables: dict[str, t.Any] = {}
        for said in marked(FIRST, "variables"):
            variables.update(exchanged(said, pairs))
        environment = request.getfixturevalue("moto").environment if "moto" in SERVERS.get(page, ()) else {}
        runs = [prepared(play, tmp_path / "store") for play in exchanged(plays(page), pairs)]
        twice = [play for play in runs for _turn in range(2)]
        done = playbook.run(twice, {HOST: variables}, home=home, env={**hsm_of(root), **environment})
    assert done.returncode == 0, done.stdout + done.stderr
    results = iter(playbook.results(home, HOST))
    for play in runs:
        first, again = ([next(results) for _task in play["tasks"]] for _run in range(2))
        assert not [result for result in again if result.get("changed")], play["name"]
        assert not [result for result in first + again if result.get("failed")]
    assert next(results, None) is None
    if page in ENDING:
        ENDING[page](root)


def _old_pair(_request: pytest.FixtureRequest, root: Path) -> dict[str, str]:
    """Put a pair where the page looks, which nobody here manages."""
    old = pair("www.example.org")
    (root / "etc/nginx/tls/web.key").write_bytes(old.key)
    (root / "etc/nginx/tls/web.pem").write_bytes(old.certificate + old.chain)
    return {}


def hsm_of(root: Path) -> dict[str, str]:
    """Return what leads a page's SoftHSM to tokens of its own."""
    return {"SOFTHSM2_CONF": str(root / "softhsm2.conf")}


def _softhsm(page: str, _request: pytest.FixtureRequest, root: Path) -> dict[str, str]:
    """Initialise a token by the commands of a page."""
    SoftHsm(root)
    commands = _shown(page, "console")[0]
    _run(swapped(commands, {"/etc/keystead": str(root / "etc/keystead")}), root, hsm_of(root))
    return {}


def _shown(page: str, kind: str) -> list[str]:
    """Return what a page shows of a kind that is not YAML."""
    text = (SITE / "rst" / f"{page}.rst").read_text(encoding="utf-8")
    return [
        textwrap.dedent(found)
        for found in re.findall(rf"^\.\. code-block:: {kind}\n\n((?: .*\n|\n)+)", text, re.MULTILINE)
    ]


def _run(commands: str, root: Path, environment: dict[str, str]) -> str:
    """Run what a page shows of a console, and return what it printed."""
    assert all(line.startswith("$ ") for line in commands.splitlines() if line)
    done = subprocess.run(
        ["/bin/bash", "-euo", "pipefail", "-c", re.sub(r"^\$ ", "", commands, flags=re.MULTILINE)],
        env={"HOME": str(root), "PATH": f"{Path(OPENBAO).parent}:/usr/bin:/bin", **environment},
        cwd=root, capture_output=True, text=True, timeout=60, check=False,
    )  # fmt: skip
    assert done.returncode == 0, done.stdout + done.stderr
    return done.stdout


def _openbao(request: pytest.FixtureRequest, root: Path) -> dict[str, str]:
    """Set a PKI up by the commands of the page, which write credentials where its playbooks read them."""
    server: Server = request.getfixturevalue("openbao")
    request.addfinalizer(lambda: _unmounted(server, "sys/mounts/pki", "sys/mounts/pki_root"))
    printed = re.search(rf"({UUID})\n?(\S+)\s*$", _typed(server, root, "issuer_openbao"))
    assert printed
    role_id, wrapped = printed.groups()
    assert server.call("POST", "sys/wrapping/unwrap", {"token": wrapped})["data"]["secret_id"]
    return {BAO: server.url, "5a1c2f8e-9a6d-4c1b-8f57-2f1f6a7c9e10": role_id}


def _openbao_ssh(request: pytest.FixtureRequest, root: Path) -> dict[str, str]:
    """Set an SSH engine up by the commands of the page."""
    server: Server = request.getfixturevalue("openbao")
    request.addfinalizer(lambda: _unmounted(server, "sys/mounts/ssh"))
    printed = re.search(rf"({UUID})\s*$", _typed(server, root, "issuer_openbao_ssh"))
    assert printed
    return {BAO: server.url, "5a1c2f8e-9a6d-4c1b-8f57-2f1f6a7c9e10": printed[1]}


def _ssh(_request: pytest.FixtureRequest, root: Path) -> dict[str, str]:
    """Let no sshd run: test_ssh_host.py has a real one."""
    (root / "etc/ssh").mkdir()
    return {"/etc/ssh": str(root / "etc/ssh"), "unit: ssh.service": "command: ['true'], only_if: ['false']"}


def _aws_pca(request: pytest.FixtureRequest, _root: Path) -> dict[str, str]:
    """Make the authority that the page names."""
    from ansible_collections.keystead.identity.tests.harness import aws_pca

    (shown,) = set(re.findall(rf"arn: (arn:aws:acm-pca:\S+/{UUID})", blocks("issuer_aws_pca")[0].text))
    return {shown: aws_pca.authority(request.getfixturevalue("moto"), aws_pca.Root())}


def _transit(request: pytest.FixtureRequest, root: Path) -> dict[str, str]:
    """Set a transit engine up by the commands of the page."""
    server: Server = request.getfixturevalue("openbao")
    request.addfinalizer(lambda: _unmounted(server, "sys/mounts/identities"))
    printed = re.search(rf"({UUID})\s*$", _typed(server, root, "custody_openbao_transit"))
    assert printed
    return {BAO: server.url, "5a1c2f8e-9a6d-4c1b-8f57-2f1f6a7c9e10": printed[1]}


def _keys(request: pytest.FixtureRequest, root: Path) -> dict[str, str]:
    """Initialise a token, make the key of a transit engine by the commands of the page, and one in AWS KMS."""
    _softhsm("hsm_key", request, root)
    server: Server = request.getfixturevalue("openbao")
    request.addfinalizer(lambda: _unmounted(server, "sys/mounts/keys"))
    _typed(server, root, "rotating_keys")
    kms = request.getfixturevalue("moto").client("kms")
    made = kms.create_key(KeySpec="ECC_NIST_P256", KeyUsage="SIGN_VERIFY")["KeyMetadata"]["Arn"]
    kms.create_alias(AliasName="alias/release", TargetKeyId=made)
    return {BAO: server.url}


def _kv(request: pytest.FixtureRequest, root: Path) -> dict[str, str]:
    """Set a KV up by the commands of the page."""
    server: Server = request.getfixturevalue("openbao")
    request.addfinalizer(lambda: _unmounted(server, "sys/mounts/certificates"))
    printed = re.search(rf"({UUID})\s*$", _typed(server, root, "publish_openbao_kv"))
    assert printed
    return {BAO: server.url, "5a1c2f8e-9a6d-4c1b-8f57-2f1f6a7c9e10": printed[1]}


def _typed(server: Server, root: Path, page: str) -> str:
    """Type the commands of a page, beside its policy; return what they print. The server is that of other tests too."""
    (commands,), (policy,) = (_shown(page, kind) for kind in ("console", "text"))
    (root / "keystead.hcl").write_text(policy, encoding="utf-8")
    (root / "etc/keystead/bao-ca.pem").write_bytes(server.ca_bundle.read_bytes())
    script = swapped(commands, {BAO: server.url, "/etc/keystead": str(root / "etc/keystead")})
    return _run(script, root, {"BAO_TOKEN": server.token})


def _unmounted(server: Server, *paths: str) -> None:
    for path in (*paths, "sys/auth/approle", "sys/policies/acl/keystead"):
        server.call("DELETE", path)


def _postgresql(request: pytest.FixtureRequest, root: Path) -> dict[str, str]:
    """Make a ledger, and write the password where the page reads it."""
    server: PostgresServer = request.getfixturevalue("postgres_server")
    (root / "etc/keystead/ledger.password").write_text(f"{PASSWORDS[CONVERGER]}\n", encoding="ascii")
    (root / "etc/keystead/ledger-ca.pem").write_bytes(server.ca.read_bytes())
    url = server.url(server.ledger(), sslrootcert=root / "etc/keystead/ledger-ca.pem")
    shown = "postgresql://keystead@ledger.example.org/keystead?sslrootcert=/etc/keystead/ledger-ca.pem"
    return {shown: url}


def _acme(request: pytest.FixtureRequest, root: Path) -> dict[str, str]:
    """Start a server that asks for no external account, and put where the page reads it whom to trust."""
    pebble: Pebble = request.getfixturevalue("pebbles").one("open", settings={"externalAccountBindingRequired": False})
    (root / "etc/keystead/acme-tls-ca.pem").write_bytes(pebble.ca_bundle.read_bytes())
    (root / "etc/keystead/acme-root.pem").write_bytes(pebble.root.read_bytes())
    return {
        "https://acme.example.org": pebble.url,
        "standalone_port: 80": f"standalone_port: {pebble.http_port}",  # where Pebble looks
        "profile: tls_server": "profile: tls_peer",  # what Pebble 2.4 signs
    }


def _password(_request: pytest.FixtureRequest, root: Path) -> dict[str, str]:
    """Do what the page does by a command on the host."""
    (root / "etc/keystead/tomcat.password").write_text("pass, word\n", encoding="ascii")
    (root / "etc/keystead/tomcat.password").chmod(0o600)
    return {}


def _est(request: pytest.FixtureRequest, root: Path) -> dict[str, str]:
    """Write what the page reads, and let its converger in."""
    from ansible_collections.keystead.identity.tests.harness.est import NAME, PASSWORD, pair

    server: Est = request.getfixturevalue("est")
    server.passwords[NAME] = PASSWORD
    secrets, shown = root / "etc/keystead", "6f0c6c3f0a5f0b7a0a0e8f3e4c1f0d9b8a7c6d5e4f3a2b1c0d9e8f7a6b5c4d3e"
    (secrets / "est.password").write_text(f"{PASSWORD}\n", encoding="utf-8")
    (secrets / "est-tls.pem").write_bytes(server.ca_bundle.read_bytes())
    (secrets / "est-root.pem").write_text(server.root, encoding="ascii")
    for name, path in pair(secrets, "ra.example.org", server.tls).items():
        Path(path).rename(secrets / f"ra.{'pem' if name == 'certificate' else 'key'}")
    return {"https://est.example.org": server.url, shown: server.authority.root.fingerprint(hashes.SHA256()).hex()}


def _scep(request: pytest.FixtureRequest, root: Path) -> dict[str, str]:
    """Write what the page reads."""
    from ansible_collections.keystead.identity.tests.harness.scep import CHALLENGE, policy

    server: Site = request.getfixturevalue("scep")
    secrets, shown = root / "etc/keystead", "3a6eb0790f39ac87c94f3856b2dd2c5d110e6811602261a9a923d3bb23adc8b7"
    policy(secrets)
    (secrets / "scep.challenge").write_text(f"{CHALLENGE}\n", encoding="ascii")
    (secrets / "scep-tls.pem").write_bytes(server.ca_bundle.read_bytes())
    (secrets / "scep-root.pem").write_bytes(server.open.root.public_bytes(Encoding.PEM))
    return {"https://scep.example.org": server.url, shown: server.open.fingerprint}


def _rolled(root: Path) -> None:
    """Whoever followed the page is rid of the old authority."""
    (left,) = (root / "etc/nginx/tls/peers.pem").read_text(encoding="ascii").split("-----BEGIN CERTIFICATE-----\n")[1:]
    new = root / "srv/keystead/authorities/root-2/certificate.pem"
    assert new.read_text(encoding="ascii") == f"-----BEGIN CERTIFICATE-----\n{left}"


def _appliances(_request: pytest.FixtureRequest, root: Path) -> dict[str, str]:
    """Write the records that the page shows."""
    (shown,) = _shown("asking", "text")
    (root / "etc/keystead/appliances.csv").write_text(shown.strip() + "\n", encoding="utf-8")
    return {}


ENDING: dict[str, t.Callable[[Path], None]] = {"rolling": _rolled}
IN_SOFTHSM = ("authority_custody", "custody_pkcs11", "hsm_key")
PRESUPPOSED: dict[str, Presuppose] = {
    "adopting": _old_pair, "asking": _appliances, "issuer_acme": _acme,
    "custody_openbao_transit": _transit, "issuer_aws_pca": _aws_pca, "issuer_est": _est, "issuer_openbao": _openbao,
    "issuer_openbao_ssh": _openbao_ssh, "issuer_scep": _scep, "ssh": _ssh,
    "rotating_keys": _keys, "ledger_postgresql": _postgresql, "publish_openbao_kv": _kv, "publish_pkcs12": _password,
    **{page: functools.partial(_softhsm, page) for page in IN_SOFTHSM},
}  # fmt: skip
