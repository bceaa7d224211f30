# SPDX-FileCopyrightText: 2026 Keystead contributors
# SPDX-License-Identifier: GPL-3.0-or-later
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)

"""What the connection plugins of Ansible were told about host keys."""

from __future__ import annotations

import os
import typing as t

import pytest
from ansible.playbook.play_context import PlayContext
from ansible.plugins.loader import connection_loader
from ansible_collections.keystead.identity.plugins.plugin_utils._policy.connection import Reached, reached

OFF = "-o StrictHostKeyChecking=no"


def connection(name: str, **variables: t.Any) -> t.Any:
    """Return a connection plugin as Ansible makes it, with these variables of the host; nothing is connected."""
    plugin = connection_loader.get(name, PlayContext(), os.devnull)
    plugin.set_options(var_options={f"ansible_{key}": value for key, value in variables.items()})
    return plugin


@pytest.mark.parametrize(
    ("name", "variables", "expected"),
    [
        ("local", {}, Reached("local")),
        ("ssh", {}, Reached("ssh")),
        ("ssh", {"ssh_common_args": "-o StrictHostKeyChecking=accept-new"}, Reached("ssh")),
        ("ssh", {"ssh_common_args": "-o ProxyJump=none.example.org"}, Reached("ssh")),
        ("ssh", {"host_key_checking": False}, Reached("ssh", authenticated=False, why_not="host_key_checking is off")),
        (
            "ssh",
            {"ssh_common_args": OFF},
            Reached("ssh", authenticated=False, why_not="ssh_common_args turns StrictHostKeyChecking off"),
        ),
        (
            "ssh",
            {"ssh_extra_args": "-oStrictHostKeyChecking=off"},
            Reached("ssh", authenticated=False, why_not="ssh_extra_args turns StrictHostKeyChecking off"),
        ),
        (
            "ssh",
            {"ssh_args": "-C -o 'StrictHostKeyChecking accept-new' -o UserKnownHostsFile=/dev/null"},
            Reached(
                "ssh",
                authenticated=False,
                why_not="ssh_args remembers no host key (UserKnownHostsFile /dev/null or none)",
            ),
        ),
    ],
)
def test_the_way_to_a_host_is_seen(name: str, variables: dict[str, t.Any], expected: Reached) -> None:
    assert reached(connection(name, **variables)) == expected


@pytest.mark.parametrize(
    ("arguments", "why_not"),
    [
        ('-o "StrictHostKeyChecking\tno"', "turns StrictHostKeyChecking off"),
        ("-o StrictHostKeyChecking\t=\tfalse", "turns StrictHostKeyChecking off"),
        ("-o UserKnownHostsFile=none", "remembers no host key (UserKnownHostsFile /dev/null or none)"),
        (
            "-o NoHostAuthenticationForLocalhost=yes",
            "trusts the loopback address (NoHostAuthenticationForLocalhost yes)",
        ),
        *(
            (arguments, "names a configuration that cannot be seen from here (-F or Include)")
            for arguments in ("-F /tmp/config", "-F/tmp/config", "-CF /tmp/config", "-o 'Include /tmp/c'", "-o 'a")
        ),
        *(
            (arguments, "")
            for arguments in ("-F none", "-F /dev/null", "-o ProxyCommand='ssh -F x -W %h:%p a'", "-f", "-i -F", "")
        ),
        ("-o UserKnownHostsFile=~/.ssh/none_of_these", ""),
        ("-o NoHostAuthenticationForLocalhost=no", ""),
    ],
)
def test_no_spelling_hides_that_the_key_is_not_checked(arguments: str, why_not: str) -> None:
    way = reached(connection("ssh", ssh_common_args=arguments))
    assert (way.authenticated, way.why_not) == (not why_not, f"ssh_common_args {why_not}" if why_not else "")


def test_of_other_connections_nobody_here_can_tell() -> None:
    class Other:
        transport = "community.docker.docker"

    assert reached(Other()) == Reached("docker", None)
    assert reached(None) == Reached("", None)


def test_a_plugin_without_such_options_is_no_error() -> None:
    class Bare:
        transport = "ssh"

    assert reached(Bare()) == Reached("ssh")
