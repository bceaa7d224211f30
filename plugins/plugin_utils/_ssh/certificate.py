# SPDX-FileCopyrightText: 2026 Keystead contributors
# SPDX-License-Identifier: GPL-3.0-or-later
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)

"""Host certificates as issuers make them: signed for a request's key, and what a generation of one is made of."""

from __future__ import annotations

import contextlib
import datetime as dt
import secrets
import typing as t

with contextlib.suppress(ImportError):
    from cryptography import x509
    from cryptography.hazmat.primitives.serialization import SSHCertificateBuilder, SSHCertificateType

from ...module_utils._core import ssh
from ...module_utils._core.model import Generation, Part

if t.TYPE_CHECKING:
    from ...module_utils._core.ports import Request

LONGEST_BACKDATING = 300  # seconds, for clocks that are behind


def public_key(request: Request) -> bytes:
    """Return the public key of a request in SSH's own form (RFC 4253, 6.6)."""
    return ssh.key_of(x509.load_der_x509_csr(request.csr).public_key())


def signed(request: Request, key: t.Any, now: dt.datetime, end: dt.datetime) -> bytes:
    """Return the certificate of a request, of whose CSR only the public key is used, until `end` at most."""
    now = now.replace(microsecond=0)
    end = min(now + dt.timedelta(seconds=request.lifetime), end.replace(microsecond=0))
    backdating = min(LONGEST_BACKDATING, int((end - now).total_seconds()) // 10)
    principals = ssh.principals(request.subject)
    builder = (
        SSHCertificateBuilder()
        .public_key(x509.load_der_x509_csr(request.csr).public_key())  # type: ignore[arg-type]
        .serial(secrets.randbits(63) | 1)
        .type(SSHCertificateType.HOST)
        .key_id(f"{principals[0]}/{request.name}".encode())
        .valid_principals([one.encode() for one in principals])
        .valid_after((now - dt.timedelta(seconds=backdating)).timestamp())
        .valid_before(end.timestamp())
    )
    return ssh.encoded(builder.sign(key).public_bytes())


def issued_at(content: bytes) -> dt.datetime:
    """Return when a certificate that was signed here was signed, to the second: it counts from a little before."""
    said = ssh.parsed(content)
    backdating = min(LONGEST_BACKDATING, (said.valid_before - said.valid_after) // 11)
    return dt.datetime.fromtimestamp(said.valid_after + backdating, dt.UTC)


def generation(content: bytes, issuer_id: str) -> Generation:
    """Return what a certificate makes, whoever signed it. Raises ValueError for what is none."""
    credential = ssh.credential(content)
    return Generation(
        credential_id=credential.credential_id,
        public_id=credential.public_id,
        not_before=credential.not_before,
        not_after=credential.not_after,
        issuer_id=issuer_id,
        parts={
            "certificate": Part(ssh.as_text(content)),
            "public_key": Part(ssh.as_text(ssh.parsed(content).key)),
        },
    )
