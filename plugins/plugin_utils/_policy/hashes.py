# SPDX-FileCopyrightText: 2026 Keystead contributors
# SPDX-License-Identifier: GPL-3.0-or-later
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)

"""The hashes that signatures are over, by the names that a policy and cryptography have for them."""

from __future__ import annotations

INTRINSIC = "intrinsic"
"""Stands for the hash of a signature that has its own: Ed25519, Ed448 and ML-DSA."""
WEAK = ("md5", "sha1")
STRONG = ("sha224", "sha256", "sha384", "sha512", "sha3-224", "sha3-256", "sha3-384", "sha3-512", INTRINSIC)
HASHES = (*WEAK, *STRONG)
