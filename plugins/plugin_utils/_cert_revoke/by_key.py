# SPDX-FileCopyrightText: 2026 Keystead contributors
# SPDX-License-Identifier: GPL-3.0-or-later
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)

"""Revoking by the private key: who shows it may, whatever else the issuer permits. Such a key is nobody's any more."""

from __future__ import annotations

import contextlib
import typing as t
from pathlib import Path

with contextlib.suppress(ImportError):
    from cryptography.hazmat.primitives.serialization import load_pem_private_key

from ...module_utils._core.errors import KeysteadError, Misconfigured
from ...module_utils._core.keys import spki_sha256
from ...module_utils._core.pki import MALFORMED
from ...module_utils._core.ports import KeyRevoker

if t.TYPE_CHECKING:
    from collections.abc import Sequence

    from ...module_utils._core.ports import Revoked
    from .decide import Found

LARGEST = 64 * 1024
_OPTION = "cert_revoke: option private_key_file"


class Key:
    """A private key that is known to others; it shows itself in no message."""

    def __init__(self, path: str) -> None:
        """Read it. Raises Misconfigured."""
        self._path = path
        try:
            with Path(path).open("rb") as file:
                self._pem = file.read(LARGEST)
            self._public_id = spki_sha256(load_pem_private_key(self._pem, None).public_key())
        except OSError as error:
            raise Misconfigured(f"{_OPTION}: {path} cannot be read on the controller ({error.strerror})") from None
        except MALFORMED:
            raise Misconfigured(
                f"{_OPTION}: {path} holds no private key in PEM without a passphrase; write one that does"
            ) from None

    def check(self, doomed: Sequence[Found]) -> None:
        """Refuse what has another key, and issuers that take none, before anything is revoked. Raises Misconfigured."""
        for one in doomed:
            if one.target.kept.public_id != self._public_id:
                raise Misconfigured(
                    f"{_OPTION}: {self._path} is not the key of {one.target.called}; select by spki_sha256: "
                    f"{self._public_id}"
                )
            if not isinstance(one.issuer, KeyRevoker):
                raise Misconfigured(f"{_OPTION}: {one.issuer.id} takes no key; leave it out")

    def revoke(self, part: Sequence[Found]) -> list[Revoked | KeysteadError]:
        """Show the key to the issuer of each."""
        answers: list[Revoked | KeysteadError] = []
        for one in part:
            try:
                answers.append(one.issuer.revoke_with_key(one.target.kept.certificate, self._pem))
            except KeysteadError as error:
                answers.append(error)
        return answers
