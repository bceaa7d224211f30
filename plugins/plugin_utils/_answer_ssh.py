# SPDX-FileCopyrightText: 2026 Keystead contributors
# SPDX-License-Identifier: GPL-3.0-or-later
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)

"""Rule V1 for certificates of SSH: what an issuer answers is looked at before a host sees it (PROTOCOL.certkeys)."""

from __future__ import annotations

import contextlib
import hashlib
import typing as t

with contextlib.suppress(ImportError):
    from cryptography.exceptions import InvalidSignature
    from cryptography.hazmat.primitives.serialization import SSHCertificate, load_ssh_public_identity

from ..module_utils._core import ssh
from ..module_utils._core.errors import Denied
from ._answer import check_is_the_described, check_lifetime, contents, refusing

if t.TYPE_CHECKING:
    import datetime as dt

    from ..module_utils._core.model import Credential, Generation
    from ..module_utils._core.ports import Request

PARTS = frozenset(("certificate", "public_key"))
_SHA1 = b"ssh-rsa"  # how a signature by RSA with SHA-1 is called, which OpenSSH refuses since 8.2


def accepted(
    generation: Generation, request: Request, public_id: str, roots: t.Sequence[bytes], now: dt.datetime
) -> Credential:
    """Return the credential that may be installed.

    `public_id` is the SPKI SHA-256 of the staged key, `roots` the pinned public keys of authorities in SSH's own form.
    Raises Denied with the reason.
    """
    with refusing(generation, request, "it is not a certificate of SSH"):
        return _accepted(generation, request, public_id, roots, now)


def _accepted(
    generation: Generation, request: Request, public_id: str, roots: t.Sequence[bytes], now: dt.datetime
) -> Credential:
    content = _parts(generation)
    credential, said = ssh.credential(content), ssh.parsed(content)
    check_is_the_described(credential, generation)
    if credential.public_id != public_id:
        raise Denied("it is for another key")
    if generation.parts["public_key"].content != ssh.as_text(said.key):
        raise Denied("its public key is not that of the certificate")
    _check_purpose(said)
    if sorted(said.principals) != sorted(one.encode() for one in ssh.principals(request.subject)):
        raise Denied("its principals are not the declared ones")
    check_lifetime(credential, request, now)
    _check_signature(content, said, roots)
    return credential


def _parts(generation: Generation) -> bytes:
    """Return the certificate; only a line that says nothing else gets through."""
    texts = contents(generation, PARTS)
    content = ssh.encoded(texts["certificate"])
    if ssh.as_text(content) != texts["certificate"]:
        raise Denied("there is something beside the certificate in it")
    return content


def _check_purpose(said: ssh.Certificate) -> None:
    if said.type != ssh.HOST:
        raise Denied("it is no host certificate")
    if said.critical:
        raise Denied(
            "it has critical options, of which there is none for hosts; take them out where it is signed, of a role of "
            "OpenBao default_critical_options"
        )


def _check_signature(content: bytes, said: ssh.Certificate, roots: t.Sequence[bytes]) -> None:
    """Check who signed: one of the pinned keys, by its own hand, and not with SHA-1."""
    if said.authority not in roots:
        who = f"{ssh.fingerprint(said.authority)} (SHA-256 {hashlib.sha256(said.authority).hexdigest()})"
        raise Denied(f"it is signed by {who}, which is none of the pinned keys")
    found = load_ssh_public_identity(ssh.as_text(content))
    if not isinstance(found, SSHCertificate):
        raise Denied("it is not a certificate of SSH")
    if said.signature_type == _SHA1:
        raise Denied("it is signed with SHA-1; let the authority sign with rsa-sha2-256 or rsa-sha2-512")
    try:
        found.verify_cert_signature()
    except InvalidSignature:
        raise Denied("its signature is not valid") from None
