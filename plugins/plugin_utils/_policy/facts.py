# SPDX-FileCopyrightText: 2026 Keystead contributors
# SPDX-License-Identifier: GPL-3.0-or-later
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)

"""What others have dated: limits that hold from a day on. A policy names them, so that nobody has to copy a date.

A new date is a line here, never code. `steps` are days with the value that holds from then on; before the first one the
fact says nothing. `checked` is `primary` where the value was read in the source itself, else `secondary`.
"""

from __future__ import annotations

import typing as t

from .hashes import STRONG


class Fact(t.NamedTuple):
    """One dated limit: what it says, who says so, and its steps, each as a policy would write the value."""

    says: str
    source: str
    checked: str
    steps: t.Mapping[str, t.Any]


_QUANTUM_SAFE = ("ml-dsa-44", "ml-dsa-65", "ml-dsa-87")
OF_OTHERS = ("ecdsa-p521", "ed448")
"""Types of keys that the collection does not make for identities, as strong as those that it makes."""
_128_BITS = ("ecdsa-p256", "ecdsa-p384", "ed25519", "rsa-3072", "rsa-4096", *OF_OTHERS, *_QUANTUM_SAFE)
_BR = "CA/Browser Forum Baseline Requirements 2.2.6"
_LE = "Let's Encrypt, announcements"
_SERVER_ONLY = ("tls_server",)

FACTS: t.Mapping[str, Fact] = {
    "public-tls-validity": Fact(
        "the longest life of a publicly trusted TLS certificate",
        f"{_BR}, 6.3.2 (ballot SC-081v3)",
        "primary",
        {"2020-09-01": "398d", "2026-03-15": "200d", "2027-03-15": "100d", "2029-03-15": "47d"},
    ),
    "public-tls-client-auth": Fact(
        "publicly trusted TLS certificates are for servers alone",
        "Chrome Root Program Policy 1.8, deadline for leaf certificates",
        "secondary",
        {"2027-03-15": _SERVER_ONLY},
    ),
    "letsencrypt-validity": Fact(
        "the life of a certificate of Let's Encrypt's profile classic",
        _LE,
        "primary",
        {"2015-12-03": "90d", "2027-02-10": "64d", "2028-02-16": "45d"},
    ),
    "letsencrypt-client-auth": Fact(
        "Let's Encrypt signs no certificate for clients", _LE, "primary", {"2026-07-08": _SERVER_ONLY}
    ),
    "apple-tls-validity": Fact(
        "the longest life of a TLS server certificate, of a private authority too, that Apple's systems accept",
        "Apple, Requirements for trusted certificates in iOS 13 and macOS 10.15 (support.apple.com/103769)",
        "primary",
        {"2019-07-01": "825d"},
    ),
    "signature-key-period": Fact(
        "how long a private signature key is used at most: one to three years",
        "NIST SP 800-57 Part 1, cryptoperiods",
        "secondary",
        {"2020-05-04": "1095d"},
    ),
    "sha-1": Fact(
        "SHA-1 signs nothing any more in public TLS",
        "CA/Browser Forum, ballot SC-097",
        "primary",
        {"2026-09-15": STRONG},
    ),
    "nist-112-bits": Fact(
        "112 bits of strength, and so RSA with 2048 bits, are deprecated after 2030",
        "NIST IR 8547 (a draft, its status is disputed)",
        "secondary",
        {"2031-01-01": _128_BITS},
    ),
    "nist-quantum-safe": Fact(
        "RSA and elliptic curves are disallowed after 2035",
        "NIST IR 8547 (a draft, its status is disputed)",
        "secondary",
        {"2036-01-01": _QUANTUM_SAFE},
    ),
    "cnsa-2.0": Fact(
        "new national security systems sign with ML-DSA-87",
        "CNSA 2.0 (new acquisitions)",
        "secondary",
        {"2027-01-01": ("ml-dsa-87",)},
    ),
}
