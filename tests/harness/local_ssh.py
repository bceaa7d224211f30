# SPDX-FileCopyrightText: 2026 Keystead contributors
# SPDX-License-Identifier: GPL-3.0-or-later
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)

"""The issuer `local_ssh` over a real authority in a temporary directory, and what tests of kind ssh_host share."""

from __future__ import annotations

import typing as t

from ansible_collections.keystead.identity.plugins.module_utils._core import pki, ssh
from ansible_collections.keystead.identity.plugins.module_utils._core.errors import Misconfigured
from ansible_collections.keystead.identity.plugins.module_utils._core.model import Subject
from ansible_collections.keystead.identity.plugins.module_utils._core.ports import Request
from ansible_collections.keystead.identity.plugins.plugin_utils._issuers.local_ssh import LocalSshIssuer
from ansible_collections.keystead.identity.tests.harness import local
from ansible_collections.keystead.identity.tests.harness.issuers import Wrong

if t.TYPE_CHECKING:
    from pathlib import Path

    from ansible_collections.keystead.identity.plugins.module_utils._core.model import Generation

HOST = Subject(dns_names=("web1.example.org", "web1"))


def request(
    subject: Subject = HOST, *, lifetime: int = 86400, key_type: str = "ecdsa-p256", number: int = 0
) -> Request:
    """Return what an issuer is asked for."""
    csr = pki.request(subject, local.key(key_type, number))
    return Request("sshd", subject, "tls_server", lifetime, csr, kind="ssh_host")


def content(generation: Generation) -> bytes:
    """Return the certificate of a generation, encoded."""
    return ssh.encoded(generation.parts["certificate"].content)


def issuer(directory: Path, name: str = "ssh", key_type: str = "ed25519", **said: t.Any) -> LocalSshIssuer:
    """Make an authority and return the issuer over it."""
    local.authority(directory, name, key={"type": key_type}, **said)
    return LocalSshIssuer({"directory": str(directory), "authority": name})


def known_host(issuer: t.Any, pattern: str = "*.example.org") -> str:
    """Return the line of known_hosts by which a client trusts what an issuer signs."""
    return f"@cert-authority {pattern} {ssh.as_text(issuer.roots()[0]).decode()}"


class Backend:
    """The backend of the contract suite of kind ssh_host: see tests/harness/issuers.py."""

    needs: t.ClassVar[tuple[str, ...]] = ()
    server: t.ClassVar[str | None] = None
    secrets = ("open, sesame",)

    def __init__(self, directory: Path, _server: None) -> None:
        """Make an authority whose key has a passphrase."""
        self.directory = directory
        local.authority(directory, "ssh", key={"type": "ed25519"}, passphrase=self.secrets[0])

    def options(self, **said: t.Any) -> dict[str, t.Any]:
        """Return options for signing names below example.org."""
        return {"directory": str(self.directory), "authority": "ssh", "passphrase": self.secrets[0], **said}

    def narrow(self) -> tuple[dict[str, t.Any], str]:
        """Return options for signing names below example.com only, and a pattern of the backend's own refusal."""
        local.authority(self.directory, "narrow", name_constraints={"permitted": {"dns": ["example.com"]}})
        return {"directory": str(self.directory), "authority": "narrow"}, "web1.example.org is not among the names"

    def wrong(self) -> dict[str, Wrong]:
        """Return what does not open the backend."""
        return {"passphrase": Wrong(self.options(passphrase="open, barley"), ("open, barley",), Misconfigured)}
