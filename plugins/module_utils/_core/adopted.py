# SPDX-FileCopyrightText: 2026 Keystead contributors
# SPDX-License-Identifier: BSD-2-Clause
# Simplified BSD License (see LICENSES/BSD-2-Clause.txt or https://opensource.org/licenses/BSD-2-Clause)

"""What the controller says of a credential that somebody else had issued: its id, its differences, what follows."""

from __future__ import annotations

import typing as t

from . import checks_x509
from .checks import Look, credential_lives_too_long, is_adopted
from .model import ADOPTED, LinkState, Observed

if t.TYPE_CHECKING:
    from .checks import Check
    from .model import Credential

DIFFERENCES: t.Mapping[str, tuple[Check, ...]] = {
    "x509": (credential_lives_too_long, *checks_x509.DIFFERENCES),
    "ssh_host": (),
}
LONGEST_ISSUER = 300


def differences(look: Look) -> tuple[str, ...]:
    """Return what is not as declared of a credential that was adopted, and waits for its renewal."""
    if not is_adopted(look):
        return ()
    return tuple(filter(None, (check(look) for check in DIFFERENCES[look.wanted.kind])))


def adopted_id(credential: Credential, origin: str = ADOPTED) -> str:
    """Return the issuer id of a generation that somebody else had issued: whom its certificate names."""
    return origin + (credential.facts.issuer[:LONGEST_ISSUER] or "nobody")


def once_adopted(look: Look) -> Look:
    """Return what there will be to look at when the original was adopted: what check mode shows begins there."""
    original, found = look.found.original, look.found
    if original is None:
        return look
    number = max(found.newest, look.known.newest) + 1
    then = Observed(
        found.name,
        generation=number,
        newest=number,
        certificate=original.certificate,
        credential=original.credential,
        public_id=original.credential.public_id,
        issuer_id=adopted_id(original.credential),
        links=tuple(LinkState(link.path, link.part, "ok") for link in found.links),
    )
    return look._replace(found=then, credential=original.credential, other=None)
