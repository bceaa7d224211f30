# SPDX-FileCopyrightText: 2026 Keystead contributors
# SPDX-License-Identifier: BSD-2-Clause
# Simplified BSD License (see LICENSES/BSD-2-Clause.txt or https://opensource.org/licenses/BSD-2-Clause)

"""Reads generations that a ledger never heard of, since it was lost or put back from a backup. Nothing here writes."""

from __future__ import annotations

import os
import typing as t

from .._core import credentials
from .._core.beside import Beside
from .layout import FILES_OF
from .place import manifest
from .safe_files import read_file

if t.TYPE_CHECKING:
    from .place import Place


def read(place: Place, numbers: t.Iterable[int]) -> tuple[Beside, ...]:
    """Return the generations with these numbers, but for those whose certificate cannot be read."""
    return tuple(found for number in sorted(numbers) if (found := _read(place, number)) is not None)


def _read(place: Place, number: int) -> Beside | None:
    directory = place.open_generation(str(number))
    if directory is None:
        return None
    try:
        record = manifest(directory) or {}
        files = FILES_OF.get(str(record.get("kind")), FILES_OF["x509"])
        text = read_file(directory, files["certificate"])
    finally:
        os.close(directory)
    certificate = credentials.first_in(text) if text else None
    return Beside(number, certificate, str(record.get("issuer_id")), place.key_uri(number)) if certificate else None
