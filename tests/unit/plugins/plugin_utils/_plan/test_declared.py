# SPDX-FileCopyrightText: 2026 Keystead contributors
# SPDX-License-Identifier: GPL-3.0-or-later
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)

"""What a task declares, as digests: every option counts but secrets, how it logs in, and what is not about the host."""

from __future__ import annotations

import copy
import typing as t

import pytest
from ansible_collections.keystead.identity.plugins.module_utils._options import (
    cert_revoke,
    key_rotate,
    machine_identity,
)
from ansible_collections.keystead.identity.plugins.module_utils._options.common import COMMON
from ansible_collections.keystead.identity.plugins.module_utils._options.option import spec
from ansible_collections.keystead.identity.plugins.plugin_utils._plan.declared import declared
from ansible_collections.keystead.identity.plugins.plugin_utils._validate import validated

if t.TYPE_CHECKING:
    from ansible_collections.keystead.identity.plugins.module_utils._options.option import Table

TOKEN = {"pkcs11": {"module_path": "/m.so", "token_label": "web", "pin": "1234"}}
BAO = {"url": "https://bao.example.org", "role": "web", "auth": {"token": {"token": "s.abc"}}}
SAID: dict[str, t.Any] = {
    "issuer": {"openbao": BAO},
    "issuers": [{"local": {"directory": "/ca", "authority": "a", "passphrase": "open sesame"}}],
    "identities": [
        {"name": "web", "dns_names": ["a.example.org"], "key": {"custody": TOKEN}},
        {"name": "api", "dns_names": ["b.example.org"]},
    ],
    "plan": "/srv/plan.json",
    "ledger": "sqlite:////srv/ledger",
    "wait": "5s",
}


def digests(said: dict[str, t.Any], module: t.Any = machine_identity) -> dict[str, str]:
    return declared(validated(said, spec(COMMON, module.OPTIONS), module="x"), module.OPTIONS)


def put(path: str, value: t.Any) -> dict[str, t.Any]:
    said = here = copy.deepcopy(SAID)
    *above, last = path.split(".")
    for name in above:
        here = here[int(name)] if isinstance(here, list) else here[name]
    here[last] = value
    return said


def test_options_and_entries_are_named() -> None:
    assert set(digests(SAID)) == {
        "issuer", "issuers[0]", "identities[web]", "identities[api]", "store", "purge", "check_status", "retry_refused",
    }  # fmt: skip


@pytest.mark.parametrize(
    ("path", "value", "names"),
    [
        ("issuer.openbao.role", "api", ["issuer"]),
        ("issuer.openbao.url", "https://other.example.org", ["issuer"]),
        ("issuers.0.local.authority", "b", ["issuers[0]"]),
        ("identities.0.dns_names", ["c.example.org"], ["identities[web]"]),
        ("identities.1.lifetime", "5d", ["identities[api]"]),
        ("identities.0.key.custody.pkcs11.token_label", "other", ["identities[web]"]),
        ("scope", "web", ["scope"]),
    ],
)
def test_what_is_declared_otherwise_has_another_digest(path: str, value: t.Any, names: list[str]) -> None:
    before, after = digests(SAID), digests(put(path, value))
    assert [name for name in {**before, **after} if before.get(name) != after.get(name)] == names


@pytest.mark.parametrize(
    ("path", "value"),
    [
        ("issuer.openbao.auth.token.token", "s.def"),
        ("issuer.openbao.auth", {"token": {"token_file": "/t"}}),
        ("issuers.0.local.passphrase", "close sesame"),
        ("identities.0.key.custody.pkcs11.pin", "4321"),
        ("plan", "/srv/other.json"),
        ("ledger", "sqlite:////srv/other"),
        ("wait", "6s"),
        ("scope", None),
        ("identities.0.lifetime", "30d"),
        ("identities.1.state", "present"),
    ],
)
def test_secrets_logins_and_what_says_the_same_do_not_count(path: str, value: t.Any) -> None:
    assert digests(put(path, value)) == digests(SAID)


def test_what_rotates_and_what_revokes_are_told_as_well() -> None:
    rotation = {**SAID, "max_age": "90d"}
    assert "max_age" in digests(rotation, key_rotate)
    found = digests({"certificates": [{"identity": "web"}, {"host": "a"}], "issuer": SAID["issuer"]}, cert_revoke)
    assert {"certificates[0]", "certificates[1]", "issuer", "reason", "replaced_first", "emergency"} == set(found)


def with_secrets(table: Table, secret: str) -> dict[str, t.Any]:
    """Return every option of a table, secrets among them; what may have one member has all of them here."""
    found: dict[str, t.Any] = {}
    for name, option in table.items():
        below = with_secrets(option.options, secret) if option.options else name
        found[name] = secret if option.no_log else [below] if option.elements == "dict" else below
    return found


@pytest.mark.parametrize("module", [machine_identity, key_rotate, cert_revoke])
def test_no_secret_of_any_option_counts_and_every_other_does(module: t.Any) -> None:
    first, second = (with_secrets(module.OPTIONS, secret) for secret in ("first", "second"))
    assert first != second
    assert declared(first, module.OPTIONS) == declared(second, module.OPTIONS)
    shortened = {**first, "issuer": {**first["issuer"], "local": {"authority": "other"}}}
    assert declared(first, module.OPTIONS)["issuer"] != declared(shortened, module.OPTIONS)["issuer"]
