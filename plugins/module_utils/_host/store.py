# SPDX-FileCopyrightText: 2026 Keystead contributors
# SPDX-License-Identifier: BSD-2-Clause
# Simplified BSD License (see LICENSES/BSD-2-Clause.txt or https://opensource.org/licenses/BSD-2-Clause)

"""Who owns a store of identities: rule W3 of docs/design.md."""

from __future__ import annotations

import json
import os

from .._core.errors import Misconfigured
from .directories import find_directory
from .locks import locked
from .safe_files import read_file, write_file

MARKER = ".keystead.json"
FORMAT = 1
_LIMIT = 1 << 16


def open_store(path: str, *, host: str, ledger_id: str | None, create: bool) -> int | None:
    """Open the store of a host and ledger; None when it is missing and not to be created.

    `<path>/.keystead.json` claims it: `{"format": 1, "ledger": id, "host": inventory_hostname}`. Without a ledger
    (`ledger_id` None) ledgers are not compared and nothing is claimed. A store of another host or ledger, or of a
    newer format, is Misconfigured.
    """
    fd = find_directory(path, create_mode=0o755 if create else None)
    if fd is None:
        return None
    try:
        claim = read_claim(fd, path)
        if claim is None and create and ledger_id is not None:
            claim = _made_claim(fd, path, {"format": FORMAT, "ledger": ledger_id, "host": host})
        if claim is not None:
            _refuse_foreign(claim, path, host, ledger_id)
    except BaseException:
        os.close(fd)
        raise
    return fd


def read_claim(fd: int, path: str) -> dict[str, object] | None:
    """Return the claim; None for no file, and for the empty one of a run that was killed before it could claim."""
    content = read_file(fd, MARKER, _LIMIT)
    if not content:
        return None
    try:
        claim = json.loads(content)
    except (ValueError, RecursionError):
        claim = None
    if not isinstance(claim, dict) or not isinstance(claim.get("format"), int):
        raise Misconfigured(
            f"host: {path}/{MARKER} cannot be read as the claim of a store; restore it, or remove it to claim anew"
        )
    return claim


def _made_claim(fd: int, path: str, claim: dict[str, object]) -> dict[str, object]:
    """Claim an unclaimed store, or return the claim of the run that was faster."""
    with locked(fd, MARKER):
        there = read_claim(fd, path)
        if there is None:
            write_file(fd, MARKER, json.dumps(claim, sort_keys=True).encode() + b"\n", mode=0o644)
        return there or claim


def _refuse_foreign(claim: dict[str, object], path: str, host: str, ledger_id: str | None) -> None:
    if claim["format"] != FORMAT:
        raise Misconfigured(
            f"host: store {path} has format {claim['format']} and this collection knows {FORMAT}; "
            "upgrade keystead.identity on the controller"
        )
    ledger = claim.get("ledger")
    if claim.get("host") != host:
        raise Misconfigured(
            f"host: store {path} belongs to host {claim.get('host')}, not to {host}; set another store, or, when it "
            f"was moved here on purpose, remove {path}/{MARKER}"
        )
    if ledger_id not in (None, ledger):
        raise Misconfigured(
            f"host: store {path} belongs to ledger {ledger}, not to {ledger_id}; use that ledger, set another store, "
            f"or, when that ledger is lost, remove {path}/{MARKER}: the next run claims it and records what it holds"
        )
