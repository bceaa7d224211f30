# SPDX-FileCopyrightText: 2026 Keystead contributors
# SPDX-License-Identifier: GPL-3.0-or-later
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)

"""What is said of keys and certificates that others made: a code for programs, and a sentence with the remedy."""

from __future__ import annotations

import re
import shlex
import typing as t

if t.TYPE_CHECKING:
    from ..module_utils._core.model import Finding

MOST_NAMED = 8
STRONG_ENOUGH = 2048
_RSA = re.compile(r"rsa-(\d+)")
_SAYS = {
    "certbot": "certbot still renews it as {detail}; stop that with: mv {about} {about}.disabled",
    "certmonger": "certmonger still tracks it as request {detail}; stop that with: getcert stop-tracking -i {detail}",
    "acme_sh": "acme.sh still renews it as {detail}; stop that with: acme.sh --remove -d {detail}",
    "key_readable": "its key {about} has mode {detail}, so others may know it; adopt.replace: now makes a new one",
    "other_copies": "it is also in {about}, which its first renewal leaves as it is; give that a link, or take it away",
}


def weak(key_type: str | None) -> t.Iterator[dict[str, str]]:
    """Yield the finding that a key of this type is too short, or of an algorithm that was withdrawn, where it is."""
    bits = _RSA.fullmatch(key_type or "")
    if bits and int(bits.group(1)) < STRONG_ENOUGH:
        yield finding("weak_key", f"its key is {key_type}, less than {STRONG_ENOUGH} bits")
    elif key_type is not None and key_type.startswith("dsa-"):
        yield finding("weak_key", f"its key is {key_type}, and DSA signs nothing any more (FIPS 186-5)")


def shared(users: t.Sequence[str]) -> dict[str, str] | None:
    """Return the finding that others have the same key; None where nobody has."""
    if not users:
        return None
    further = f" and {len(users) - MOST_NAMED} more" if len(users) > MOST_NAMED else ""
    who = f"{', '.join(users[:MOST_NAMED])}{further}"
    return finding("shared_key", f"its key is also that of {who}; the first renewal of each makes its own")


def said(found: Finding) -> dict[str, str] | None:
    """Say what a host found, so that a command in it can be used as it stands; None for what nobody here knows."""
    if found.code not in _SAYS:
        return None
    about, detail = shlex.quote(found.about), shlex.quote(found.detail)
    if found.code == "other_copies":
        about = found.about  # paths in a row, and no part of a command
    return finding(found.code, _SAYS[found.code].format(about=about, detail=detail))


def finding(code: str, msg: str) -> dict[str, str]:
    """Return something that is to be said, with a code for programs."""
    return {"code": code, "msg": msg}
