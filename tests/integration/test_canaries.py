# SPDX-FileCopyrightText: 2026 Keystead contributors
# SPDX-License-Identifier: GPL-3.0-or-later
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)

"""Rule S1: secrets from a variables file, in every secret option, valid or not, at -vvvv with --diff.

None comes out on the screen, into the log, the results, the ledger, the store, or what is left of the host's modules;
and what is public stays whole, whatever letters it shares with a secret.
"""

from __future__ import annotations

import copy
import json
import typing as t

import pytest
from ansible_collections.keystead.identity.plugins.module_utils._options.authority import OPTIONS as AUTHORITY
from ansible_collections.keystead.identity.plugins.module_utils._options.cert_revoke import OPTIONS as CERT_REVOKE
from ansible_collections.keystead.identity.plugins.module_utils._options.common import COMMON
from ansible_collections.keystead.identity.plugins.module_utils._options.hsm_key import OPTIONS as HSM_KEY
from ansible_collections.keystead.identity.plugins.module_utils._options.machine_identity import INFO, PREFLIGHT
from ansible_collections.keystead.identity.plugins.module_utils._options.machine_identity import OPTIONS as IDENTITY
from ansible_collections.keystead.identity.tests.harness import playbook, tally
from ansible_collections.keystead.identity.tests.harness.scep import policy as scep_policy
from ansible_collections.keystead.identity.tests.harness.softhsm import MODULE, SoftHsm
from cryptography.hazmat.primitives.serialization.pkcs12 import load_pkcs12

if t.TYPE_CHECKING:
    from pathlib import Path

    from ansible_collections.keystead.identity.plugins.module_utils._options.option import Table

Task = dict[str, t.Any]

AUTHORITY_MODULE, IDENTITY_MODULE, PREFLIGHT_MODULE, KEY_MODULE, REVOKE_MODULE, INFO_MODULE = (
    f"keystead.identity.{name}"
    for name in (
        "certificate_authority", "machine_identity", "preflight", "hsm_key", "cert_revoke", "machine_identity_info",
    )
)  # fmt: skip
COPY = "identities.publish.pkcs12.password"
OPENBAO = ("token.token", "approle.secret_id", "approle.wrapped_secret_id", "jwt.jwt")
ACME = ("eab.hmac_key", "challenge.dns_01.rfc2136.key_secret")
ISSUER = (*(f"openbao.auth.{secret}" for secret in OPENBAO), *(f"acme.{secret}" for secret in ACME))
CUSTODY = ("pkcs11.pin", *(f"openbao_transit.auth.{secret}" for secret in OPENBAO))
LOCAL = ("local.passphrase", *(f"local.custody.{secret}" for secret in CUSTODY))
SSH = (*(f"local_ssh.{one.partition('.')[2]}" for one in LOCAL), *(f"openbao_ssh.auth.{secret}" for secret in OPENBAO))
EST, SCEP = "est.auth.basic.password", "scep.challenge"
NOWHERE = "https://127.0.0.1:9"  # nothing listens on the port of RFC 863
SECRETS = {
    AUTHORITY_MODULE: (
        *("ledger_password", "parent.passphrase", "passphrase"),
        *(f"{where}.custody.{secret}" for where in ("key", "parent") for secret in CUSTODY),
    ),
    IDENTITY_MODULE: (
        "ledger_password",
        *(f"identities.key.custody.{secret}" for secret in CUSTODY),
        COPY,
        *(f"identities.publish.openbao_kv.auth.{secret}" for secret in OPENBAO),
        *(
            f"{where}.{secret}"
            for where in ("identities.issuer", "issuer", "issuers")
            for secret in (*LOCAL, *SSH, EST, SCEP, *ISSUER)
        ),
    ),
    PREFLIGHT_MODULE: (
        "ledger_password",
        *(
            f"{where}.{secret}"
            for where in ("issuer", "issuers")
            for secret in (*LOCAL, *SSH, EST, SCEP, *ISSUER)
        ),
    ),
}
SECRETS[KEY_MODULE] = ("ledger_password", "pin")
SECRETS[REVOKE_MODULE] = SECRETS[PREFLIGHT_MODULE]
SECRETS[INFO_MODULE] = tuple(path for path in SECRETS[PREFLIGHT_MODULE] if not path.startswith("issuer."))
PIPELINES = {"ANSIBLE_PIPELINING": "1", "ANSIBLE_DIFF_ALWAYS": "1"}
VARIABLES = "canaries.json"
KEPT = {"ANSIBLE_KEEP_REMOTE_FILES": "1", "ANSIBLE_DIFF_ALWAYS": "1"}


def canary(module: str, path: str) -> str:
    """Return the name of the variable with the canary of an option."""
    return f"{module.rpartition('.')[2]}_{path.replace('.', '_')}"


def secrets_of(table: Table, path: str = "") -> t.Iterator[str]:
    """Yield the paths of all options that are marked secret."""
    for name, option in table.items():
        if option.no_log:
            yield path + name
        if option.options:
            yield from secrets_of(option.options, f"{path}{name}.")


def put(args: Task, path: str, value: t.Any) -> Task:
    """Return a copy of the arguments with a value at a path; a list on the way counts as its first element."""
    args = here = copy.deepcopy(args)
    *above, last = path.split(".")
    for name in above:
        here = here[name][0] if isinstance(here[name], list) else here[name]
    if value is None:
        here.pop(last, None)
    else:
        here[last] = value
    return args


def copied(args: Task, root: Path) -> Task:
    """Return the arguments with a copy whose password is said."""
    password = f"{{{{ {canary(IDENTITY_MODULE, COPY)} }}}}"
    return put(args, "identities.publish", [{"pkcs12": {"path": f"{root}/web.p12", "password": password}}])


def prepared(args: Task, path: str) -> Task:  # noqa: PLR0911 - one a place
    """Return the arguments with an issuer, a custody or a copy, in which the option at this path can stand."""
    if path == COPY:
        return put(args, "identities.publish", [{"pkcs12": {"path": "/etc/web.p12"}}])
    where, found, _way = path.partition(".local_ssh.")
    if found:
        said = {"local_ssh": {"directory": "/nowhere", "authority": "ssh"}}
        args = put(args, where, [said] if where == "issuers" else said)
    where, found, way = path.partition(".openbao_ssh.auth.")
    if found:
        said = {"openbao_ssh": {"url": NOWHERE, "role": "host", "auth": login(way)}}
        return put(args, where, [said] if where == "issuers" else said)
    where, found, way = path.partition(".custody.")
    if found:
        token = {"pkcs11": {"module_path": "/nowhere.so", "token_label": "web"}}
        transit = {"openbao_transit": {"url": NOWHERE, "name": "web", "auth": login(way.partition(".auth.")[2])}}
        args = put(args, where, {}) if where.endswith("key") else args
        return put(args, f"{where}.custody", token if way.startswith("pkcs11") else transit)
    where, found, way = path.partition(".acme.")
    if found:
        return put(args, where, [{"acme": acme()}] if where == "issuers" else {"acme": acme()})
    where, found, _way = path.partition(f".{EST}")
    if found:
        said = {"url": NOWHERE, "roots": ["/root.pem"], "auth": {"basic": {"username": "web"}}}
        return put(args, where, [{"est": said}] if where == "issuers" else {"est": said})
    where, found, _way = path.partition(f".{SCEP}")
    if found:
        said = {"url": f"{NOWHERE}/scep", "roots": ["/root.pem"], "fingerprint_sha256": "0" * 64}
        return put(args, where, [{"scep": said}] if where == "issuers" else {"scep": said})
    where, found, way = path.replace("_kv.auth.", ".auth.").partition(".openbao.auth.")
    if not found:
        return args
    if where == "identities.publish":
        return put(args, where, [{"openbao_kv": {"url": NOWHERE, "path": "web", "auth": login(way)}}])
    issuer = {"openbao": {"url": NOWHERE, "role": "web", "auth": login(way)}}
    return put(args, where, [issuer] if where == "issuers" else issuer)


def acme() -> Task:
    """Return an issuer that has a place for each of its secrets."""
    key = {"server": "127.0.0.1", "port": 9, "key_name": "web"}
    challenge = {"dns_01": {"rfc2136": {**key, "key_secret": "AAAA"}}}
    eab = {"kid": "web", "hmac_key": "AAAA"}
    where = {"directory_url": f"{NOWHERE}/dir", "account_key": "/nowhere/account.pem"}
    return {**where, "eab": eab, "challenge": challenge}


def login(way: str) -> Task:
    """Return how to log in, without the secret at this path."""
    return {"approle": {"role_id": "web"}} if way.startswith("approle") else {way.partition(".")[0]: {}}


def wrong(module: str, args: Task) -> t.Iterator[Task]:
    """Yield the arguments with every secret option wrong in every way that could repeat it."""
    good = args
    for path in SECRETS[module]:
        args = prepared(good, path)
        secret = f"{{{{ {canary(module, path)} }}}}"
        for value in ([secret], {"a": secret}, f"{{{{ {{{canary(module, path)}: 1}} }}}}"):
            yield put(args, path, value)
        yield put(put(args, path, None), path[:-1], secret)  # misspelt
        yield put(put(args, path, secret), path + "_x", 1)  # beside something misspelt
    yield put(good, "ledger_password", f"{{{{ {canary(module, 'ledger_password')} }}}}")  # SQLite has none
    yield {**good, "policy": "/rules.yml"}


def valid(root: Path) -> list[Task]:
    """Return arguments with every secret in its place: two authorities, and an identity that the second one signs."""
    common = {"ledger": f"sqlite:///{root}/ledger.db"}

    def secret(module: str, path: str) -> str:
        return f"{{{{ {canary(module, path)} }}}}"

    authority = {**common, "directory": f"{root}/ca"}
    issuer = {"directory": f"{root}/ca", "authority": "issuing"}
    opened = {"passphrase": secret(AUTHORITY_MODULE, "passphrase")}
    parent = {"passphrase": secret(AUTHORITY_MODULE, "parent.passphrase")}
    return [
        {**authority, "name": "root", **parent},
        {**authority, "name": "issuing", **opened, "parent": {"name": "root", **parent}},
        {
            **common,
            "store": f"{root}/store",
            "issuer": {"local": {**issuer, **opened}},
            "issuers": [{"local": {**issuer, **opened}}],
            "identities": [
                {"name": "web", "dns_names": ["www.example.org"], "issuer": {"local": {**issuer, **opened}}},
            ],
        },
    ]


def in_token(root: Path) -> Task:
    """Return arguments about a key in a token, without its PIN."""
    return {"ledger": f"sqlite:///{root}/ledger.db", "module_path": MODULE, "token_label": "web", "label": "signing"}


def unanswered(identity: Task) -> t.Iterator[Task]:
    """Yield arguments whose secrets are valid, for a server that is not there."""
    path = f"identities.issuer.{EST}"
    said = put(prepared(identity, path), path, f"{{{{ {canary(IDENTITY_MODULE, path)} }}}}")
    pinned = put(put(said, "identities.issuer.est.roots", None), "identities.issuer.est.fingerprint_sha256", "0" * 64)
    yield put(put(pinned, "identities.issuer.est.ca_bundle", "/dev/null"), "identities.name", "est")
    for secret in OPENBAO:
        path = f"identities.issuer.openbao.auth.{secret}"
        name, said = secret.replace(".", "-").replace("_", "-"), f"{{{{ {canary(IDENTITY_MODULE, path)} }}}}"
        yield put(put(prepared(identity, path), path, said), "identities.name", name)
        path = f"identities.publish.openbao_kv.auth.{secret}"
        said = f"{{{{ {canary(IDENTITY_MODULE, path)} }}}}"
        yield put(put(prepared(identity, path), path, said), "identities.name", f"copied-{name}")


def unanswered_scep(identity: Task, root: Path) -> Task:
    """Return arguments with a challenge that may go to a host, for a server that is not there."""
    path = f"identities.issuer.{SCEP}"
    said = put(prepared(identity, path), path, f"{{{{ {canary(IDENTITY_MODULE, path)} }}}}")
    (root / "policies").mkdir(exist_ok=True)
    made = {"identities.name": "scep", "identities.key": {"type": "rsa-2048"}, "policy": scep_policy(root / "policies")}
    for place, value in {**made, "identities.issuer.scep.roots": [f"{root}/ca/root/certificate.pem"]}.items():
        said = put(said, place, value)
    return said


def unanswered_acme(identity: Task, root: Path) -> t.Iterator[Task]:
    """Yield arguments whose secrets are valid, for a server of ACME that is not there."""
    for secret in ACME:
        path = f"identities.issuer.acme.{secret}"
        said = put(put(prepared(identity, path), path, f"{{{{ {canary(IDENTITY_MODULE, path)} }}}}"), "identities.name",
                   f"acme-{secret.rpartition('.')[2].replace('_', '-')}")  # fmt: skip
        yield put(said, "identities.issuer.acme.account_key", f"{root}/account.pem")


def tasks(root: Path) -> list[Task]:
    """Return the valid tasks, then everything wrong, then a passphrase that does not fit."""
    root_authority, issuing, identity = valid(root)
    before = {name: identity[name] for name in ("ledger", "store", "issuer", "issuers")}
    revoked = {name: identity[name] for name in ("ledger", "issuer", "issuers")}
    revoked["certificates"] = [{"identity": "web"}]
    bad = {
        IDENTITY_MODULE: identity, AUTHORITY_MODULE: issuing, PREFLIGHT_MODULE: before, KEY_MODULE: in_token(root),
        REVOKE_MODULE: revoked, INFO_MODULE: {name: before[name] for name in ("ledger", "store", "issuers")},
    }  # fmt: skip
    unfit = put(identity, "identities.issuer.local.passphrase", "{{ unfit }}")
    broken = [(module, args) for module, good in bad.items() for args in wrong(module, good)]
    return [
        {AUTHORITY_MODULE: root_authority},
        {AUTHORITY_MODULE: issuing},
        {PREFLIGHT_MODULE: before},
        {IDENTITY_MODULE: identity, "check_mode": True},
        {IDENTITY_MODULE: {**identity, "plan": f"{root}/web.plan"}, "check_mode": True},
        {IDENTITY_MODULE: identity, "register": "answer"},
        {"ansible.builtin.set_fact": {"kept": "{{ answer }}", "cacheable": True}},
        *({module: args, "ignore_errors": True} for module, args in broken),
        {IDENTITY_MODULE: {**identity, "ledger": "postgresql://k:{{ unfit }}@example.org/k"}, "ignore_errors": True},
        {IDENTITY_MODULE: put(unfit, "identities.lifetime", "10d"), "ignore_errors": True},
        {AUTHORITY_MODULE: put(issuing, "passphrase", "{{ unfit }}"), "ignore_errors": True},
        *({IDENTITY_MODULE: args, "ignore_errors": True} for args in unanswered(identity)),
        *({IDENTITY_MODULE: args, "ignore_errors": True} for args in unanswered_acme(identity, root)),
        {IDENTITY_MODULE: unanswered_scep(identity, root), "ignore_errors": True},
        {IDENTITY_MODULE: copied(identity, root), "ignore_errors": True},  # what is kept of a run touches the disk
        {PREFLIGHT_MODULE: put(before, "issuer.local.passphrase", "{{ unfit }}"), "ignore_errors": True},
        {REVOKE_MODULE: put(revoked, "issuer.local.passphrase", "{{ unfit }}"), "ignore_errors": True},
        {REVOKE_MODULE: {**revoked, "replaced_first": False, "plan": f"{root}/revoke.plan"}, "check_mode": True},
        {REVOKE_MODULE: {**revoked, "replaced_first": False, "plan": f"{root}/revoke.plan"}},
        {KEY_MODULE: {**in_token(root), "pin": f"{{{{ {canary(KEY_MODULE, 'pin')} }}}}"}, "ignore_errors": True},
    ]


def secrets(root: Path, value: t.Callable[[str], str]) -> Path:
    """Write the variables file."""
    names = [canary(module, path) for module, paths in SECRETS.items() for path in paths] + ["unfit"]
    path = root / VARIABLES
    path.write_text(json.dumps({name: value(name) for name in names}), encoding="utf-8")
    return path


def test_every_secret_option_has_a_canary() -> None:
    assert sorted(secrets_of({**AUTHORITY, **COMMON})) == sorted(SECRETS[AUTHORITY_MODULE])
    assert sorted(secrets_of({**IDENTITY, **COMMON})) == sorted(SECRETS[IDENTITY_MODULE])
    assert sorted(secrets_of({**PREFLIGHT, **COMMON})) == sorted(SECRETS[PREFLIGHT_MODULE])
    assert sorted(secrets_of({**HSM_KEY, **COMMON})) == sorted(SECRETS[KEY_MODULE])
    assert sorted(secrets_of({**CERT_REVOKE, **COMMON})) == sorted(SECRETS[REVOKE_MODULE])
    assert sorted(secrets_of({**INFO, **COMMON})) == sorted(SECRETS[INFO_MODULE])


def test_no_canary_comes_out_anywhere(tmp_path: Path) -> None:
    file = secrets(tmp_path, lambda name: f"Canary-{name}-5f0c")
    environment = {
        **KEPT,
        "ANSIBLE_LOG_PATH": str(tmp_path / "ansible.log"),
        "ANSIBLE_CALLBACKS_ENABLED": "keystead.identity.summary",
        "ANSIBLE_SHOW_CUSTOM_STATS": "1",
        "ANSIBLE_CACHE_PLUGIN": "ansible.builtin.jsonfile",
        "ANSIBLE_CACHE_PLUGIN_CONNECTION": str(tmp_path / "facts"),
    }
    home, all_tasks = tmp_path / "home", tasks(tmp_path)
    tally.point(len(all_tasks))
    done = playbook.run(all_tasks, playbook.ONE_HOST, "-vvvv", "--diff", "-e", f"@{file}", home=home, env=environment)
    assert done.returncode == 0, done.stdout + done.stderr
    answers = playbook.results(home)
    assert len(answers) == len(all_tasks)
    for task, answer in zip(all_tasks, answers, strict=True):
        assert answer.get("msg", "" if "ignore_errors" in task else "ok"), (task, answer)
    left = [path for path in tmp_path.rglob("*") if path.is_file() and path != file]
    assert {"ansible.log", "ledger.db", "facts"} <= {path.name for path in left} | {path.parent.name for path in left}
    assert any("AnsiballZ" in path.name for path in left)
    assert {"web.plan", "revoke.plan"} <= {path.name for path in left}
    for place, content in [("screen", done.stdout), ("errors", done.stderr)]:
        assert "Canary" not in content, place
    for path in left:
        assert b"Canary" not in path.read_bytes(), path


def test_no_canary_comes_out_of_a_template_that_asks_issuers(tmp_path: Path) -> None:
    file, home = secrets(tmp_path, lambda name: f"Canary-{name}-5f0c"), tmp_path / "home"
    *authorities, identity = valid(tmp_path)
    good = {"issuers": identity["issuers"]}
    paths = [path for path in SECRETS[INFO_MODULE] if path.startswith("issuers.")]
    said = [good, *(args for path in paths for args in _mistaken(good, path))]
    asked = "lookup('keystead.identity.cert_status', 'web', check_status='live', issuers=issuers, timeout='1s')"
    templates = [
        {"ansible.builtin.debug": {"msg": f"{{{{ {asked} }}}}"}, "ignore_errors": True, "vars": args} for args in said
    ]
    first = [*({AUTHORITY_MODULE: args} for args in authorities), {IDENTITY_MODULE: identity}]
    ledger = {"KEYSTEAD_LEDGER": identity["ledger"]}
    done = playbook.run([*first, *templates], playbook.ONE_HOST, "-vvvv", "-e", f"@{file}", home=home, env=ledger)
    assert done.returncode == 0, done.stdout + done.stderr
    answers = [one["msg"] for one in playbook.results(home)[len(first) :]]
    assert len(answers) == len(said)
    assert answers[0] == "good"
    assert "Canary" not in done.stdout + done.stderr + str(answers)


def _mistaken(good: Task, path: str) -> t.Iterator[Task]:
    args, secret = prepared(good, path), f"{{{{ {canary(INFO_MODULE, path)} }}}}"
    yield put(args, path, secret)
    yield put(args, path, [secret])
    yield put(put(args, path, None), path[:-1], secret)


@pytest.mark.needs("softhsm", "python-pkcs11")
def test_the_pin_of_a_token_comes_out_nowhere_where_the_connection_pipelines(tmp_path: Path) -> None:
    file, home = secrets(tmp_path, lambda name: f"Canary-{name}-5f0c"), tmp_path / "home"
    hsm = SoftHsm(tmp_path)
    hsm.add("web", f"Canary-{canary(KEY_MODULE, 'pin')}-5f0c")
    key = {**in_token(tmp_path), "pin": f"{{{{ {canary(KEY_MODULE, 'pin')} }}}}"}
    lookup = f"lookup('keystead.identity.hsm_key', 'signing', module_path='{MODULE}', token_label='web', pin=unfit)"
    done = playbook.run(
        [
            {KEY_MODULE: key}, {KEY_MODULE: {**key, "state": "absent"}},
            {KEY_MODULE: {**key, "pin": "{{ unfit }}"}, "ignore_errors": True},
            {"ansible.builtin.debug": {"msg": f"{{{{ {lookup} }}}}"}, "ignore_errors": True},
        ],
        playbook.ONE_HOST, "-vvvv", "--diff", "-e", f"@{file}", home=home, env={**PIPELINES, **hsm.environment},
    )  # fmt: skip
    assert done.returncode == 0, done.stdout + done.stderr
    made, gone, refused, looked_up = playbook.results(home)
    assert (made["changed"], gone["changed"]) == (True, True)
    assert "token web refuses its PIN" in refused["msg"]
    assert "token web refuses its PIN" in looked_up["msg"]
    assert "Canary" not in done.stdout + done.stderr
    left = [path for path in tmp_path.rglob("*") if path.is_file() and path != file]
    assert not [path for path in left if b"Canary" in path.read_bytes()]


def test_the_password_of_a_copy_comes_out_nowhere_where_the_connection_pipelines(tmp_path: Path) -> None:
    file, home = secrets(tmp_path, lambda name: f"Canary-{name}-5f0c"), tmp_path / "home"
    *authorities, identity = valid(tmp_path)
    tasks_ = [*({AUTHORITY_MODULE: args} for args in authorities), {IDENTITY_MODULE: copied(identity, tmp_path)}]
    again = {IDENTITY_MODULE: put(copied(identity, tmp_path), f"{COPY}", "{{ unfit }}"), "register": "answer"}
    done = playbook.run([*tasks_, *tasks_[-1:], again], playbook.ONE_HOST, "-vvvv", "--diff", "-e", f"@{file}",
                        home=home, env=PIPELINES)  # fmt: skip
    assert done.returncode == 0, done.stdout + done.stderr
    assert [answer["changed"] for answer in playbook.results(home)] == [True, True, True, False, True]
    stored = tmp_path / "web.p12"
    assert load_pkcs12(stored.read_bytes(), b"Canary-unfit-5f0c").cert
    assert "Canary" not in done.stdout + done.stderr
    left = [path for path in tmp_path.rglob("*") if path.is_file() and path != file]
    assert stored in left
    assert not [path for path in left if b"Canary" in path.read_bytes()]


def test_what_is_public_stays_whole_beside_a_passphrase_of_one_letter(tmp_path: Path) -> None:
    file, home = secrets(tmp_path, lambda _name: "e"), tmp_path / "home"
    modules = (AUTHORITY_MODULE, AUTHORITY_MODULE, IDENTITY_MODULE)
    good = [{module: args} for module, args in zip(modules, valid(tmp_path), strict=True)]
    done = playbook.run(good, playbook.ONE_HOST, "-vvvv", "--diff", "-e", f"@{file}", home=home, env=KEPT)
    assert done.returncode == 0, done.stdout + done.stderr
    record = playbook.results(home)[-1]["identities"][0]
    assert record["certificate"]["dns_names"] == ["www.example.org"]
    assert record["paths"]["certificate"] == f"{tmp_path}/store/web/current/certificate.pem"
    assert "name: www.example.org" in done.stdout
    assert "VALUE_SPECIFIED_IN_NO_LOG" not in done.stdout
    assert "****" not in (home / playbook.RESULTS).read_text(encoding="utf-8")
