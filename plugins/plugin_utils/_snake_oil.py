# SPDX-FileCopyrightText: 2026 Keystead contributors
# SPDX-License-Identifier: GPL-3.0-or-later
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)

"""Keys that everybody has, and certificates that nobody asked for: known by public key, by name, or by place."""

from __future__ import annotations

import typing as t

if t.TYPE_CHECKING:
    from ..module_utils._core.model import X509Facts

PUBLISHED = {
    "64eebde4d94a861ca1b062a103ef51d4d8a2c1b0a2133838198230e9c85407ed": "the tests of Go's net/http",
    "3617a8ec380a5cf08b08e94b309f2d19ecffc6c7cbef3ec220220d09d78ee8ff": "webpack-dev-server",
    "1d2054b91a55916ad0dff7f13988af44ab6097b310f9c7587f2637367bd7c150": "the tests of Python's ssl (keycert)",
    "532c1cf563e57e9d3cff65cf4e313f4f0ee97755e173c0e946c850c3ab6d76dc": "the tests of Python's ssl (keycert2)",
    "e2a7b7fd502ed35454f0dd95fae8bebe86cf558ac86c49c78cb8823703cd81f3": "the tests of Python's ssl (keycert3)",
    "45f9a0efba2ef7f6d918bba1abbb96d497a69d87551b8258f8f3a44b88634b2e": "the tests of Python's ssl (keycert4)",
    "be4c89ae84278a5efc10bd6bfa615e3f84b9a91110b17bb52ba6a351eaa14d4d": "the tests of Python 2's ssl (keycert)",
    "52eae116e12064eeb98a7cef2cf30a4c199cfb45f3c064066325ffd538007fa6": "the tests of requests",
    "15f827f9a2bd16bcb865bceae460c2673572aa2479f6dd77757f842f30cc54e0": "the dummy server of urllib3",
}
"""SHA-256 of the SubjectPublicKeyInfo, and where the private key was published."""

PLACES = {
    "/etc/ssl/private/ssl-cert-snakeoil.key": "ssl-cert of Debian and Ubuntu",
    "/etc/ssl/certs/ssl-cert-snakeoil.pem": "ssl-cert of Debian and Ubuntu",
    "/etc/pki/tls/private/localhost.key": "mod_ssl of Fedora and Red Hat",
    "/etc/pki/tls/certs/localhost.crt": "mod_ssl of Fedora and Red Hat",
    "/etc/pki/dovecot/private/dovecot.pem": "Dovecot's package",
    "/etc/pki/dovecot/certs/dovecot.pem": "Dovecot's package",
}
NAMES = (
    "snakeoil",
    "snake oil",
    "o=internet widgits pty ltd",
    "o=default company ltd",
    "o=acme co",
    "o=someorganization",
    "cn=traefik default cert",
    "cn=kubernetes ingress controller fake certificate",
    "o=dovecot mail server",
    "cn=localhost.localdomain",
)


def origin(path: str, public_id: str | None, facts: X509Facts | None) -> str | None:
    """Say where a key or certificate came from that was never meant for service; None for any other.

    By its name only a certificate is known that signed itself: an authority may name anybody.
    """
    if public_id in PUBLISHED:
        return f"its private key is published with {PUBLISHED[public_id]}"
    if path in PLACES:
        return f"it was made by {PLACES[path]} when that was installed"
    if facts is None or facts.issuer != facts.subject_name:
        return None
    name = facts.subject_name.lower()
    known = next((one for one in NAMES if one in name), None)
    return f"it signed itself as {facts.subject_name}, as defaults do" if known else None
