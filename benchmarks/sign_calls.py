# SPDX-FileCopyrightText: 2026 Keystead contributors
# SPDX-License-Identifier: GPL-3.0-or-later
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)

"""What a signature or a revocation of an OpenBao costs at the least: the call alone, over a connection kept open."""

from __future__ import annotations

import http.client
import json
import ssl
import time
import typing as t
from http import HTTPStatus
from urllib.parse import urlsplit

from cryptography import x509
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.hazmat.primitives.serialization import Encoding

from .runner import Unexpected

CALLS = 100  # a round


class SignCalls:
    """Has one request signed again and again, by the client that the issuer uses; keeps the milliseconds."""

    def __init__(self, options: t.Mapping[str, t.Any], token: str) -> None:
        """Connect: the first call, which opens the connection, does not count. `options` are the issuer's."""
        server = urlsplit(options["url"])
        context = ssl.create_default_context(cafile=options["ca_bundle"])
        self._connection = http.client.HTTPSConnection(server.hostname or "", server.port, context=context)
        self._headers = {"X-Vault-Token": token, "Content-Type": "application/json"}
        self._mount, self._role = f"/v1/{options['mount']}", options["role"]
        self._request = {"csr": _csr(), "format": "pem"}
        self.made, self.milliseconds = 0, list[float]()
        self._call()

    def measure(self) -> None:
        """Make the calls of one round."""
        self.milliseconds += [self._call() for _ in range(CALLS)]

    def close(self) -> None:
        """End the connection."""
        self._connection.close()

    def _call(self) -> float:
        took, _data = self._sign()
        self.made += 1
        return took

    def _sign(self) -> tuple[float, t.Mapping[str, t.Any]]:
        took, data = self._timed(f"{self._mount}/sign/{self._role}", self._request)
        if not data["certificate"]:
            raise Unexpected("a sign call gave no certificate")
        return took, data

    def _timed(self, path: str, body: t.Mapping[str, t.Any]) -> tuple[float, t.Mapping[str, t.Any]]:
        start = time.monotonic()
        self._connection.request("POST", path, json.dumps(body), self._headers)
        answer = self._connection.getresponse()
        content = json.loads(answer.read())
        if answer.status != HTTPStatus.OK:
            raise Unexpected(f"a call failed: {content}")
        return 1000 * (time.monotonic() - start), content["data"]


class RevokeCalls(SignCalls):
    """Has certificates signed, which does not count, and revoked, which does."""

    def _call(self) -> float:
        _took, signed = self._sign()
        took, data = self._timed(f"{self._mount}/revoke", {"serial_number": signed["serial_number"]})
        if not data["revocation_time"]:
            raise Unexpected("a revoke call gave no time")
        self.made += 1
        return took


def _csr() -> str:
    names = x509.SubjectAlternativeName([x509.DNSName("call.host0.example.org")])
    builder = x509.CertificateSigningRequestBuilder().subject_name(x509.Name([])).add_extension(names, critical=True)
    request = builder.sign(ec.generate_private_key(ec.SECP256R1()), hashes.SHA256())
    return request.public_bytes(Encoding.PEM).decode()
