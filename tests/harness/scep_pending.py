# SPDX-FileCopyrightText: 2026 Keystead contributors
# SPDX-License-Identifier: GPL-3.0-or-later
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)

"""A FAKE operator before a real SCEP server: who lets a request wait (RFC 8894, 3.3.2.3), and then through.

scepserver decides at once. What says PENDING here is signed by the key of the real authority, for the transaction that
the real client began; the real server signs the certificate when the operator has seen the transaction often enough.
"""

from __future__ import annotations

import base64
import hashlib
import subprocess
import typing as t
from collections import Counter
from urllib.parse import parse_qs, urlsplit

from ansible_collections.keystead.identity.tests.harness import faulty_proxy
from asn1crypto import algos, cms, core
from asn1crypto import x509 as asn1_x509
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import padding
from cryptography.hazmat.primitives.serialization import Encoding, load_pem_private_key

if t.TYPE_CHECKING:
    from ansible_collections.keystead.identity.tests.harness.scep_server import Scep

# RFC 8894, 3.2.1
MESSAGE_TYPE, PKI_STATUS, SENDER_NONCE, RECIPIENT_NONCE, TRANSACTION = (
    f"2.16.840.1.113733.1.9.{number}" for number in (2, 3, 5, 6, 7)
)
CERT_REP, PENDING = "3", "3"
KINDS = {"17": "RenewalReq", "19": "PKCSReq", "20": "CertPoll"}


class Operator:
    """A fault of faulty_proxy for `operation=PKIOperation`.

    `asked` are the transactions, as often as they came, `kinds` the types of the messages (RFC 8894, 3.2.1.2), and
    `ways` the methods of HTTP that brought them.
    """

    def __init__(self, scep: Scep, times: int = 0) -> None:
        """Let each transaction wait so often."""
        self._authority = scep.authority
        key = ["openssl", "rsa", "-in", str(scep.depot / "ca.key"), "-passin", "pass:"]
        pem = subprocess.run(key, check=True, capture_output=True, timeout=60).stdout
        self._key: t.Any = load_pem_private_key(pem, None)
        self.times, self.asked = times, Counter[str]()
        self.kinds: list[str] = []
        self.ways: list[str] = []

    def __call__(self, handler: faulty_proxy.Handler) -> None:
        """Answer one request."""
        said = handler.body or base64.b64decode(parse_qs(urlsplit(handler.path).query)["message"][0])
        attributes = {one["type"].dotted: one["values"][0] for one in _signer(said)["signed_attrs"]}
        transaction = str(_parsed(attributes[TRANSACTION], core.PrintableString))
        self.asked[transaction] += 1
        self.kinds.append(KINDS[str(_parsed(attributes[MESSAGE_TYPE], core.PrintableString))])
        self.ways.append(handler.command)
        if self.asked[transaction] > self.times:
            faulty_proxy.pass_on(handler)
            return
        nonce = t.cast("bytes", _parsed(attributes[SENDER_NONCE], core.OctetString))
        body = self._pending(transaction, nonce)
        handler.reply(faulty_proxy.Reply(200, {"Content-Type": "application/x-pki-message"}, body))

    def _pending(self, transaction: str, nonce: bytes) -> bytes:
        values: dict[str, t.Any] = {
            "content_type": cms.ContentType("data"),
            "message_digest": core.OctetString(hashlib.sha256(b"").digest()),
            TRANSACTION: core.PrintableString(transaction),
            MESSAGE_TYPE: core.PrintableString(CERT_REP),
            PKI_STATUS: core.PrintableString(PENDING),
            RECIPIENT_NONCE: core.OctetString(nonce),
            SENDER_NONCE: core.OctetString(nonce[::-1]),
        }
        attributes = cms.CMSAttributes([{"type": name, "values": [value]} for name, value in values.items()])
        certificate = asn1_x509.Certificate.load(self._authority.public_bytes(Encoding.DER))
        signature = self._key.sign(attributes.dump(), padding.PKCS1v15(), hashes.SHA256())
        identifier = {"issuer": certificate.issuer, "serial_number": certificate.serial_number}
        signer = cms.SignerInfo({
            "version": "v1",
            "sid": cms.SignerIdentifier("issuer_and_serial_number", cms.IssuerAndSerialNumber(identifier)),
            "digest_algorithm": algos.DigestAlgorithm({"algorithm": "sha256"}),
            "signed_attrs": attributes,
            "signature_algorithm": algos.SignedDigestAlgorithm({"algorithm": "sha256_rsa"}),
            "signature": signature,
        })
        signed = cms.SignedData({
            "version": "v1",
            "digest_algorithms": [algos.DigestAlgorithm({"algorithm": "sha256"})],
            "encap_content_info": {"content_type": "data"},
            "certificates": [certificate],
            "signer_infos": [signer],
        })
        return t.cast("bytes", cms.ContentInfo({"content_type": "signed_data", "content": signed}).dump())


def _signer(message: bytes) -> t.Any:
    return cms.ContentInfo.load(message)["content"]["signer_infos"][0]


def _parsed(value: t.Any, kind: t.Any) -> t.Any:
    return (value.parse(kind) if isinstance(value, core.Any) else value).native
