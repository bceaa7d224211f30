# SPDX-FileCopyrightText: 2026 Keystead contributors
# SPDX-License-Identifier: GPL-3.0-or-later
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)

"""Files, links, activation and proof are checked before a host is asked."""

from __future__ import annotations

import typing as t

import pytest
from ansible_collections.keystead.identity.plugins.module_utils._core.errors import Misconfigured
from ansible_collections.keystead.identity.plugins.module_utils._core.key import Key
from ansible_collections.keystead.identity.plugins.module_utils._core.model import Activation, Link, Proof
from ansible_collections.keystead.identity.plugins.module_utils._options.machine_identity import (
    ACTIVATE,
    CONSUMERS,
    PROVE,
)
from ansible_collections.keystead.identity.plugins.module_utils._options.option import Table, spec
from ansible_collections.keystead.identity.plugins.plugin_utils import _consumers
from ansible_collections.keystead.identity.plugins.plugin_utils._validate import validated

STORE = "/var/lib/keystead/identities"


def options(table: Table, given: dict[str, t.Any]) -> dict[str, t.Any]:
    """Return validated options of a table."""
    return validated(given, spec(table), module="test")


def links(**links: str) -> dict[str, t.Any]:
    """Return links under /etc, by file name."""
    return {"links": {f"/etc/{name}": part for name, part in links.items()}}


def refusal(work: t.Callable[..., object], *args: object) -> str:
    """Return why something is refused."""
    with pytest.raises(Misconfigured) as refused:
        work(*args)
    return str(refused.value)


@pytest.mark.parametrize(("mode", "wanted"), [("0600", "0600"), ("640", "0640"), ("0400", "0400"), ("0440", "0440")])
def test_a_mode_that_keeps_the_key_safe_passes(mode: str, wanted: str) -> None:
    assert _consumers.files(options(CONSUMERS, {"mode": mode}), STORE, Key()).mode == wanted


@pytest.mark.parametrize(
    ("given", "says"),
    [
        ({"mode": 0o640}, 'mode: 416 was read by YAML as a number; quote it: "0640"'),
        ({"mode": "0644"}, 'mode: "0644" lets every user of the host at the private key; write "0600" or "0640"'),
        ({"mode": "0660"}, 'mode: "0660" is no mode for a private key; write one of 0400, 0440, 0600, 0640'),
        ({"mode": "0200"}, 'mode: "0200" is no mode for a private key'),
        ({"mode": "4600"}, "mode: '4600' is not an octal mode"),
        ({"mode": "u=rw"}, 'mode: \'u=rw\' is not an octal mode; write "0600" or "0640"'),
        ({"mode": "0690"}, "mode: '0690' is not an octal mode"),
        ({"owner": ""}, "owner: '' is not 1 to 255 printable characters"),
        ({"group": "a\0"}, "group: 'a\\x00' is not 1 to 255 printable characters"),
        ({"links": {"/etc/a\0b": "chain"}}, r"links: '/etc/a\x00b' has characters that are not printable"),
        ({"links": {"etc/x": "chain"}}, "links: 'etc/x' is not an absolute path in its shortest form; write '/etc/x'"),
        (
            {"links": {"/etc/../x": "chain"}},
            "links: '/etc/../x' is not an absolute path in its shortest form; write '/x'",
        ),
        (
            {"links": {"/etc/x/": "chain"}},
            "links: '/etc/x/' is not an absolute path in its shortest form; write '/etc/x'",
        ),
        (
            {"links": {"//etc/x": "chain"}},
            "links: '//etc/x' is not an absolute path in its shortest form; write '/etc/x'",
        ),
        ({"links": {1: "chain"}}, "links: '1' is not an absolute path"),
        ({"links": {f"{STORE}/x": "chain"}}, f"links: '{STORE}/x' is in the way of the store '{STORE}'"),
        ({"links": {STORE: "chain"}}, f"links: '{STORE}' is in the way of the store"),
        ({"links": {"/var/lib": "chain"}}, "links: '/var/lib' is in the way of the store"),
        (links(x="key_uri"), "links[/etc/x]: custody file has no key_uri; write private_key"),
        (
            links(x="cert"),
            "links[/etc/x]: 'cert' is not a part; write one of certificate, chain, fullchain, private_key, combined, ",
        ),
        ({"links": {"/etc/x": ["chain"]}}, "links[/etc/x]: ['chain'] is not a part"),
    ],
)
def test_files_that_cannot_be_are_refused(given: dict[str, t.Any], says: str) -> None:
    assert refusal(_consumers.files, options(CONSUMERS, given), STORE, Key()).startswith(says)


def test_a_neighbour_of_the_store_is_no_part_of_it() -> None:
    found = _consumers.files(options(CONSUMERS, {"links": {f"{STORE}-x": "chain"}}), STORE, Key())
    assert found.links == (Link(f"{STORE}-x", "chain"),)


@pytest.mark.parametrize("unit", ["nginx.service", "getty@tty1.service", "dev-sda\\x2d1.device", "a:b_c"])
def test_a_unit_is_passed_on(unit: str) -> None:
    assert _consumers.activation(options(ACTIVATE, {"unit": unit})) == Activation(unit=unit)


@pytest.mark.parametrize(
    ("given", "says"),
    [
        ({}, "activate: exactly one of unit and command is needed, found none"),
        ({"only_if": ["true"]}, "activate: exactly one of unit and command is needed, found none"),
        (
            {"unit": "a", "command": ["b"]},
            "activate: exactly one of unit and command is needed, found unit and command",
        ),
        ({"unit": "--force"}, "activate.unit: '--force' is not a systemd unit; write it as nginx.service"),
        ({"unit": "a b"}, "activate.unit: 'a b' is not a systemd unit"),
        ({"command": []}, "activate.command: a list of a command and its arguments is needed"),
        ({"command": [""]}, "activate.command: a list of a command"),
        (
            {"command": ["a", "b\nc"]},
            "activate.command: a list of a command and its arguments is needed, each of them on one line",
        ),
        ({"unit": "a", "only_if": []}, "activate.only_if: a list of a command"),
    ],
)
def test_an_activation_that_cannot_be_is_refused(given: dict[str, t.Any], says: str) -> None:
    assert refusal(_consumers.activation, options(ACTIVATE, given)).startswith(says)


def test_a_server_name_is_normalised_and_none_is_left_to_the_host() -> None:
    assert _consumers.proof(options(PROVE, {"port": 443}), "tls_server", "file") == Proof(port=443)
    named = options(PROVE, {"port": 443, "server_name": "API.example.org"})
    assert _consumers.proof(named, "tls_server", "file") == Proof(port=443, server_name="api.example.org")


@pytest.mark.parametrize("starttls", ["smtp", "imap", "ldap", "postgres"])
def test_a_protocol_before_the_handshake_is_passed_on(starttls: str) -> None:
    assert _consumers.proof(options(PROVE, {"port": 25, "starttls": starttls}), "tls_server", "file") == Proof(
        port=25, starttls=starttls
    )


@pytest.mark.parametrize(
    ("given", "says"),
    [
        ({}, "prove: exactly one of port and command is needed, found none"),
        ({"port": 1, "command": ["a"]}, "prove: exactly one of port and command is needed, found port and command"),
        ({"port": 0}, "prove.port: 0 is not a TCP port; write 1 to 65535"),
        ({"port": 65536}, "prove.port: 65536 is not a TCP port"),
        ({"port": 443, "host": "a b"}, "prove.host: 'a b' is not a host"),
        ({"port": 443, "host": ""}, "prove.host: '' is not a host"),
        ({"port": 443, "server_name": "a_b"}, "prove.server_name: 'a_b' is not a DNS name"),
        ({"port": 443, "timeout": "0s"}, "prove.timeout: '0s' is no useful limit; write one from 1s to 1h"),
        ({"port": 443, "timeout": "5"}, "prove.timeout: '5' is not a duration"),
        ({"port": 443, "client_auth": True}, "prove.client_auth: profile tls_server shows no client; write tls_peer"),
        ({"command": ["a"], "starttls": "smtp"}, "prove.starttls: it belongs to a handshake; leave it out"),
        ({"command": ["a"], "server_name": "a"}, "prove.server_name: it belongs to a handshake"),
    ],
)
def test_a_proof_that_cannot_be_is_refused(given: dict[str, t.Any], says: str) -> None:
    assert refusal(_consumers.proof, options(PROVE, given), "tls_server", "file").startswith(says)


def test_nothing_to_activate_and_nothing_to_prove_is_fine() -> None:
    assert (_consumers.activation(None), _consumers.proof(None, "tls_server", "file")) == (None, None)
