# SPDX-FileCopyrightText: 2026 Keystead contributors
# SPDX-License-Identifier: GPL-3.0-or-later
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)

"""Certificates as people give them to the controller: PEM, or the path of a file; the others in it stand above it."""

from __future__ import annotations

from pathlib import Path

from ..module_utils._core import credentials, pki
from ..module_utils._core.errors import Misconfigured, first_line

LARGEST_FILE = 1024 * 1024


def is_certificate(said: str) -> bool:
    """Tell whether a text is PEM or a path, and no name."""
    return "-----BEGIN" in said or "/" in said


def is_path(said: str) -> bool:
    """Tell whether a text that is a certificate is the path of one."""
    return "-----BEGIN" not in said


def given(said: str, who: str) -> list[bytes]:
    """Return the first certificate of PEM or of a file, encoded, and what follows it. Raises Misconfigured.

    A file may hold a certificate of SSH. `who` begins what is said of a wrong one.
    """
    try:
        content = _content(Path(said).expanduser()) if is_path(said) else said.encode()
        return [*pki.der_certificates(content)] if b"-----BEGIN" in content else [credentials.encoded(content)]
    except OSError as error:
        why = error.strerror or first_line(error)
        raise Misconfigured(f"{who}: {said} cannot be read on the controller ({why}); correct it") from None
    except ValueError:
        shown = said if is_path(said) else "the PEM given"
        raise Misconfigured(f"{who}: {shown} holds no certificate in PEM; write one that does") from None


def _content(path: Path) -> bytes:
    with path.open("rb") as file:
        return file.read(LARGEST_FILE)
