# SPDX-FileCopyrightText: 2026 Keystead contributors
# SPDX-License-Identifier: GPL-3.0-or-later
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)

"""The issuer `openbao_ssh`: an SSH engine of its own on the OpenBao that all tests of a session share."""

from __future__ import annotations

import itertools
import typing as t

from ansible_collections.keystead.identity.tests.harness.issuers import Wrong

if t.TYPE_CHECKING:
    from pathlib import Path

    from ansible_collections.keystead.identity.tests.harness.openbao_server import Server

Options = dict[str, t.Any]
_numbers = itertools.count(1)
HOST: Options = {
    "key_type": "ca",
    "allow_host_certificates": True,
    "allowed_domains": "*",
    "allow_subdomains": True,
    "ttl": "720h",
    "max_ttl": "2160h",
}
ROLES: dict[str, Options] = {
    "host": HOST,
    "narrow": {**HOST, "allowed_domains": "example.com"},
    "short": {**HOST, "ttl": "30m", "max_ttl": "1h"},
    "user": {"key_type": "ca", "allow_user_certificates": True, "allowed_users": "*"},
}


class Backend:
    """The backend of the contract suite of kind ssh_host: see tests/harness/issuers.py."""

    needs: t.ClassVar[tuple[str, ...]] = ("openbao",)
    server: t.ClassVar[str | None] = "openbao"

    def __init__(self, _directory: Path, server: Server, key_type: str = "ed25519") -> None:
        """Mount an engine with a key and roles, and write a policy that lets its holder sign by each role."""
        self.openbao, self.mount = server, f"ssh{next(_numbers)}"
        server.call("POST", f"sys/mounts/{self.mount}", {"type": "ssh"})
        self.rotate(key_type)
        for name, role in ROLES.items():
            server.call("POST", f"{self.mount}/roles/{name}", role)
        policy = "\n".join(f'path "{self.mount}/sign/{name}" {{ capabilities = ["update"] }}' for name in ROLES)
        server.call("PUT", f"sys/policies/acl/{self.mount}", {"policy": policy})
        body = {"policies": [self.mount], "ttl": "1h"}
        self._token = str(server.call("POST", "auth/token/create", body)["auth"]["client_token"])

    def rotate(self, key_type: str = "ed25519") -> None:
        """Let the engine sign with another key from now on."""
        said = {"generate_signing_key": True, "key_type": key_type}
        self.openbao.call("DELETE", f"{self.mount}/config/ca")
        self.openbao.call("POST", f"{self.mount}/config/ca", said)

    @property
    def secrets(self) -> tuple[str, ...]:
        """The token."""
        return (self._token,)

    def options(self, **said: t.Any) -> Options:
        """Return options for signing any name."""
        found = {
            "url": self.openbao.url,
            "mount": self.mount,
            "role": "host",
            "auth": {"token": {"token": self._token}},
            "ca_bundle": str(self.openbao.ca_bundle),
            "timeout": "30s",
        }
        return {**found, **said}

    def narrow(self) -> tuple[Options, str]:
        """Return options for signing names below example.com only, and a pattern of the backend's own refusal."""
        return self.options(role="narrow"), "role narrow does not allow web1"

    def wrong(self) -> dict[str, Wrong]:
        """Return what does not open the backend."""
        return {"token": Wrong(self.options(auth={"token": {"token": "s.nobodys"}}), ("s.nobodys",))}
