# SPDX-FileCopyrightText: 2026 Keystead contributors
# SPDX-License-Identifier: GPL-3.0-or-later
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)

"""Has host certificates signed by the SSH engine of an OpenBao: the work behind the issuer `openbao_ssh`."""

from __future__ import annotations

import re
import typing as t

from ...module_utils._core import ssh
from ...module_utils._core.errors import Denied, KeysteadError, Misconfigured
from .._ssh.certificate import generation, public_key
from .batch import one_by_one
from .errors import Refused, not_understood, section, spoken_by

if t.TYPE_CHECKING:
    from collections.abc import Sequence

    from ...module_utils._core.model import Generation
    from ...module_utils._core.ports import Order, Request
    from .client import Client

WHO = "openbao_ssh"
_WORDS: tuple[tuple[re.Pattern[str], str], ...] = tuple(
    (re.compile(pattern), words)
    for pattern, words in (
        (
            r"(\S+) is not a valid value for valid_principals",
            "role {role} does not allow {0}; name others, or change allowed_domains (for addresses: *) in it",
        ),
        (r"ttl is larger than maximum allowed (\d+)", "role {role} grants {0} s at most; write a shorter lifetime"),
        (r"cert_type 'host' is not allowed", "role {role} signs for no hosts; set allow_host_certificates in it"),
        (
            r"public_key failed to meet the key requirements|key of type|not allowed for allowed_user_key",
            "role {role} signs no keys of this type; write another key.type, or change allowed_user_key_lengths in it",
        ),
    )
)


class Target(t.NamedTuple):
    """Who is to sign: the id of the issuer, the mount, the role, and an issuer of the mount (or empty)."""

    id: str
    mount: str
    role: str
    reference: str

    @property
    def key_path(self) -> str:
        """Where its public key is read."""
        return f"{self.mount}/issuer/{self.reference}/public_key" if self.reference else f"{self.mount}/public_key"

    @property
    def keyless(self) -> Misconfigured:
        """The error where there is no public key."""
        if self.reference:
            return Misconfigured(
                f"{WHO}: mount {self.mount} has no issuer {self.reference}; correct issuer.openbao_ssh.issuer_ref"
            )
        return Misconfigured(
            f"{WHO}: mount {self.mount} has no key to sign with, or is none of the SSH engine; write one to "
            f"{self.mount}/config/ca, or correct issuer.openbao_ssh.mount"
        )


class Signer:
    """What the issuer does once it has something to do."""

    def __init__(self, client: Client, target: Target) -> None:
        """Keep whom to ask."""
        self._client, self._target = client, target

    def root(self) -> bytes:
        """Return the public key of who signs, the engine's default issuer or the named one. Raises Misconfigured."""
        with spoken_by(WHO):
            line = self._client.fetch(self._target.key_path)
        if not line.strip():
            raise self._target.keyless
        try:
            return ssh.encoded(line)
        except ValueError:
            raise not_understood("public key") from None

    def sign(self, requests: Sequence[Request]) -> list[Generation | Order | KeysteadError]:
        """Ask for one after the other."""
        return one_by_one(requests, self._signed)

    def _signed(self, request: Request) -> Generation:
        body = {
            "public_key": ssh.as_text(public_key(request)).decode(),
            "cert_type": "host",
            "valid_principals": ",".join(ssh.principals(request.subject)),
            "ttl": f"{request.lifetime}s",
        }
        try:
            with spoken_by(WHO):
                said = self._client.call("POST", f"{self._target.mount}/sign/{self._target.role}", body)
        except Refused as refused:
            raise self._worded(refused, request) from None
        try:
            return generation(ssh.encoded(str(section(said, "data").get("signed_key", "")).encode()), self._target.id)
        except ValueError:
            raise not_understood("certificate") from None

    def _worded(self, refused: Refused, request: Request) -> KeysteadError:
        """Return the refusal of one request; Misconfigured where no request could be signed."""
        role, mount = self._target.role, self._target.mount
        if refused.status == 404:
            return Misconfigured(str(refused))
        if refused.status != 400:
            return refused
        if "unknown role" in refused.said.lower():
            return Misconfigured(
                f"{WHO}: mount {mount} has no role {role}; correct issuer.openbao_ssh.role, or make it there"
            )
        for pattern, words in _WORDS:
            if match := pattern.search(refused.said):
                return Denied(f"{WHO}: {words.format(*match.groups(), role=role)}")
        why = refused.said or "it gives no reason"
        return Denied(f"{WHO}: role {role} does not sign {request.name}: {why}; see its settings")
