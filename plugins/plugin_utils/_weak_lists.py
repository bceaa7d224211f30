# SPDX-FileCopyrightText: 2026 Keystead contributors
# SPDX-License-Identifier: GPL-3.0-or-later
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)

"""Keys that everybody has, by the SHA-256 of their SubjectPublicKeyInfo, each with the place that publishes it.

They end up in production by way of examples, images and test suites. Longer lists, such as those of Debian's weak keys,
are files that a policy names (rule weak_keys).
"""

from __future__ import annotations

_CPYTHON = "the test suite of CPython (Lib/test/{})"
PUBLISHED = {
    "8fb6bad671cfe698393c453357da61b56d757ab8c0f3fb9c87f2849e63131878": "RFC 9500 (testRSA2048)",
    "96465ea5dc9bb2da7b351d808a7196e5761f2412a5040131c68d719aaba28fb9": "RFC 9500 (testRSA4096)",
    "b2b04340cfaee616ec9c2c62d261b208e54bb197498df52e8cadede23ac0ba5e": "RFC 9500 (testECCP256)",
    "c4c10105a0be0ed4dd3354428dc38a9bfee64da141ce16e75c94eda272f9dd3a": "RFC 9500 (testECCP384)",
    "64eebde4d94a861ca1b062a103ef51d4d8a2c1b0a2133838198230e9c85407ed": "Go (net/http/internal/testcert)",
    "dc99622f21fc53fc78da09be1d646d0bea5989b6246081e956b080a508f5b6c7": "gRPC (test_creds/server1.key)",
    "dafc80ce79a3a39d493a392e096532479e648d2427d9c3a3e159bd0a42349c6a": "Pebble (test/certs/localhost/key.pem)",
    "bde93142b0780b2a66d27977d35f4f542e71cc538d491fe6609e2380b747a027": "Vagrant (keys/vagrant)",
    "1d2054b91a55916ad0dff7f13988af44ab6097b310f9c7587f2637367bd7c150": _CPYTHON.format("certdata/ssl_key.pem"),
    "532c1cf563e57e9d3cff65cf4e313f4f0ee97755e173c0e946c850c3ab6d76dc": _CPYTHON.format("certdata/keycert2.pem"),
    "e2a7b7fd502ed35454f0dd95fae8bebe86cf558ac86c49c78cb8823703cd81f3": _CPYTHON.format("certdata/keycert3.pem"),
    "45f9a0efba2ef7f6d918bba1abbb96d497a69d87551b8258f8f3a44b88634b2e": _CPYTHON.format("certdata/keycert4.pem"),
    "515894a88719a8d79c72ce9150c5e6e7d618c75203256fc8f511db9b9d20a0c8": _CPYTHON.format("certdata/keycertecc.pem"),
    "edfe2d266a8e34aae10e7fdf5dbaaf4ad37d0fab6d3d738e463f59c066b3b0c5": _CPYTHON.format("certdata/pycakey.pem"),
    "be4c89ae84278a5efc10bd6bfa615e3f84b9a91110b17bb52ba6a351eaa14d4d": _CPYTHON.format("ssl_key.pem"),
    "316541c3534f29b7cbef76e630fd05cf22c7737fc5ec16de930d5a65a10e1478": _CPYTHON.format("keycert2.pem"),
    "052409d23910ef0c2147b2af3d9f8348d9365d367f312eb109ba3daaefbe55d4": _CPYTHON.format("keycert3.pem"),
    "ae6cf3f89a9743877ef0585d5c9f16b6ce43a6a6dc3383dcc766742d5dc5e7b0": _CPYTHON.format("keycert4.pem"),
    "8a12ccf7129ea49354843d05eff2603624e80830d0506170a205ba23aff2afe4": _CPYTHON.format("keycertecc.pem"),
    "78a9d7ef40805a18a68b7342168614537e61b1733c887c4f86cf4d802f6dbb26": _CPYTHON.format("pycakey.pem"),
}
