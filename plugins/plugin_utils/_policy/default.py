# SPDX-FileCopyrightText: 2026 Keystead contributors
# SPDX-License-Identifier: GPL-3.0-or-later
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)

"""The shipped policy in its compiled form, so that a run has nothing to read.

docs/policy.md has it as YAML, and a test holds that this is what it compiles to.
"""

from __future__ import annotations

import typing as t

from ...module_utils._core.key import KEY_TYPES
from .._durations import seconds
from .facts import FACTS, OF_OTHERS


def _rule(name: str, kind: str, says: dict[str, t.Any], severity: str = "enforce", **only: t.Any) -> dict[str, t.Any]:
    return {
        "id": name,
        "kind": kind,
        "severity": severity,
        "enforce_from": None,
        "because": "",
        "only": only,
        "says": says,
    }


def _values(fact: str) -> dict[str, t.Any]:
    return {"steps": [[day, list(value)] for day, value in FACTS[fact].steps.items()]}


def _durations(fact: str) -> dict[str, t.Any]:
    return {"steps": [[day, seconds(value)] for day, value in FACTS[fact].steps.items()]}


_PUBLIC = [["acme", {"directory_url": r"https://acme\-v02\.api\.letsencrypt\.org/.*"}]]
DEFAULT: dict[str, t.Any] = {
    "rules": [
        _rule("key-type", "key_type", {"allow": [*KEY_TYPES, *OF_OTHERS]}, kinds=["x509", "authority"]),
        _rule("rsa-2048", "key_type", {"allow": _values("nist-112-bits")}, "warn", kinds=["x509", "authority"]),
        _rule("quantum", "key_type", {"allow": _values("nist-quantum-safe")}, "warn", kinds=["x509", "authority"]),
        _rule("signature", "signature", {"allow": _values("sha-1")}, "warn"),
        _rule("key-age", "key_age", {"longest": _durations("signature-key-period")}),
        _rule("key-reuse", "key_reuse", {"allow": False}, "warn"),
        _rule("shared-key", "shared_key", {"allow": False}, "warn"),
        _rule("key-origin", "custody", {"origin": ["host"]}),
        _rule("extractable-keys", "extractable_keys", {"allow": False}),
        _rule("emergency-revocation", "emergency_revocation", {"allow": False}),
        _rule(
            "tls-lifetime",
            "lifetime",
            {"longest": _durations("apple-tls-validity")},
            kinds=["x509"],
            profiles=["tls_server", "tls_peer"],
        ),
        _rule("public-tls-lifetime", "lifetime", {"longest": _durations("public-tls-validity")}, issuers=_PUBLIC),
        _rule(
            "lets-encrypt-lifetime", "lifetime", {"longest": _durations("letsencrypt-validity")}, "warn",
            issuers=_PUBLIC,
        ),
        _rule("public-tls-client", "profile", {"allow": _values("letsencrypt-client-auth")}, issuers=_PUBLIC),
        _rule(
            "sign-verbatim", "issuer", {"allow": [["openbao", {"sign_verbatim": ""}]]},
            issuers=[["openbao", {"sign_verbatim": "True"}]],
        ),
        _rule(
            "scep-challenge", "issuer", {"allow": [["scep", {"challenge": ""}]]},
            issuers=[["scep", {"challenge": "True"}]],
        ),
        _rule("private-key-stays", "delivery", {"publish_private_key": ["pkcs12", "pem_bundle"]}),
        _rule("host-keys", "connection", {"authenticated": True}, "warn"),
    ],
    "waivers": [],
}
