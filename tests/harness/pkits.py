# SPDX-FileCopyrightText: 2026 Keystead contributors
# SPDX-License-Identifier: GPL-3.0-or-later
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)

"""NIST's Public Key Interoperability Test Suite (PKITS 1.0.1), as the package cryptography-vectors brings it.

Each of its tests is a signed message with the certificates and the revocation lists that the test is about. A name that
begins with Valid or Invalid says what is expected with the default settings.
"""

from __future__ import annotations

import base64
import email
import re
import subprocess
import typing as t
from pathlib import Path

import cryptography_vectors
from asn1crypto import cms, parser

if t.TYPE_CHECKING:
    from collections.abc import Iterable, Iterator

DATA = Path(cryptography_vectors.__file__).parent / "x509" / "PKITS_data"
ANCHOR = (DATA / "certs" / "TrustAnchorRootCertificate.crt").read_bytes()
_SECTIONS = (
    ("4.15", "deltaCRL"),
    ("4.5", "BasicSelfIssued"),
    ("4.4", "MissingCRL|Revoked|BadCRL|WrongCRL|TwoCRLs|UnknownCRL|CRLnextUpdate|SerialNumber|SeparateCertificate"),
    ("4.14", "istributionPoint|onlyContains|onlySomeReasons|cRLIssuer|indirectCRL"),
    ("4.13", "nameConstraints"),
    ("4.3", "NameChaining|RFC3280|Rollover|UTF8String"),
    ("4.6", "cAFalse|basicConstraints|pathLenConstraint"),
    ("4.7", "keyUsage"),
    ("4.16", "CertificateExtension"),
    ("4.2", "not(Before|After)Date"),
    ("4.1", "Signature|DSA"),
)
"""The sections of PKITS with what the names of their tests have; the first that fits counts."""
_POLICIES = re.compile("[pP]olic|Qualifier")


class Case(t.NamedTuple):
    """One test of PKITS: its number and name, and whether the certificate is good. Everything else is DER."""

    number: str
    name: str
    is_valid: bool
    leaf: bytes
    above: tuple[bytes, ...]
    lists: tuple[bytes, ...]


def cases() -> list[Case]:
    """Return every test but those of certificate policies (4.8 to 4.12), by number."""
    names = [path.stem.removeprefix("Signed") for path in (DATA / "smime").glob("*.eml")]
    found = [_case(name) for name in names if not _POLICIES.search(name)]
    return sorted(found, key=lambda one: [int(part) for part in one.number.split(".")])


def of_policies() -> list[Case]:
    """Return the tests of certificate policies that are to fail; their numbers are not looked up."""
    names = [path.stem.removeprefix("Signed") for path in (DATA / "smime").glob("*.eml")]
    return [_read(name, "") for name in sorted(names) if _POLICIES.search(name) and name.startswith("Invalid")]


def _case(name: str) -> Case:
    section = next(number for number, pattern in _SECTIONS if re.search(pattern, name))
    return _read(name, f"{section}.{name.rpartition('Test')[2]}")


def _read(name: str, number: str) -> Case:
    """Read what a message brings: the certificate is the one whose key signed it."""
    content = (DATA / "smime" / f"Signed{name}.eml").read_bytes()
    _text, signature = t.cast("list[email.message.Message]", email.message_from_bytes(content).get_payload())
    signed = cms.ContentInfo.load(signature.get_payload(decode=True))["content"]
    signer = signed["signer_infos"][0]["sid"].chosen
    certificates = [(cms.Certificate.load(der)["tbs_certificate"], der) for der in _values(signed["certificates"])]
    (leaf,) = (
        der for one, der in certificates
        if (one["issuer"], one["serial_number"].native) == (signer["issuer"], signer["serial_number"].native)
    )  # fmt: skip
    above = tuple(der for _one, der in certificates if der != leaf)
    return Case(number, name, name.startswith("Valid"), leaf, above, tuple(_values(signed["crls"])))


def _values(found: cms.Asn1Value) -> Iterator[bytes]:
    """Yield the values in a set as they were signed: encoded anew, bits that fill a byte up are others."""
    left = found.contents
    while left:
        size = parser.peek(left)
        yield left[:size]
        left = left[size:]


def openssl(case: Case, directory: Path) -> bool:
    """Return whether OpenSSL calls the certificate good: every list is looked at, indirect ones and deltas too."""
    argv = ["openssl", "verify", "-crl_check_all", "-extended_crl", "-use_deltas",
            "-CAfile", _written(directory / "anchor", "CERTIFICATE", [ANCHOR]),
            "-CRLfile", _written(directory / "lists", "X509 CRL", case.lists)]  # fmt: skip
    if case.above:
        argv += ["-untrusted", _written(directory / "above", "CERTIFICATE", case.above)]
    argv.append(_written(directory / "leaf", "CERTIFICATE", [case.leaf]))
    return subprocess.run(argv, check=False, capture_output=True, timeout=20).returncode == 0


def _written(path: Path, kind: str, found: Iterable[bytes]) -> str:
    blocks = (f"-----BEGIN {kind}-----\n{base64.encodebytes(der).decode()}-----END {kind}-----\n" for der in found)
    path.write_text("".join(blocks), encoding="ascii")
    return str(path)
