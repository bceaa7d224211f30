# SPDX-FileCopyrightText: 2026 Keystead contributors
# SPDX-License-Identifier: BSD-2-Clause
# Simplified BSD License (see LICENSES/BSD-2-Clause.txt or https://opensource.org/licenses/BSD-2-Clause)

"""What goes into messages: places, and what other programs say."""

from __future__ import annotations

LONGEST = 300


def last_line(raw: bytes) -> str:
    """Return the last line that says anything, printable and short; a private key in `raw` is never shown."""
    text = raw.decode("utf-8", "replace")
    if "PRIVATE KEY" in text:
        return "(its output holds a private key and is not shown)"
    lines = ["".join(c if c.isprintable() else " " for c in line).strip() for line in text.splitlines()]
    return next((line[:LONGEST] for line in reversed(lines) if line), "")


def place(host: str, port: int | None) -> str:
    """Return host:port, with brackets around an IPv6 address (RFC 3986, 3.2.2)."""
    return f"[{host}]:{port}" if ":" in host else f"{host}:{port}"
