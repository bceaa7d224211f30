# SPDX-FileCopyrightText: 2026 Keystead contributors
# SPDX-License-Identifier: BSD-2-Clause
# Simplified BSD License (see LICENSES/BSD-2-Clause.txt or https://opensource.org/licenses/BSD-2-Clause)

"""Reasons to replace a credential of kind x509."""

from __future__ import annotations

import typing as t

from .errors import printable
from .model import NAMES_TWICE, PROFILE_USAGES

if t.TYPE_CHECKING:
    from .checks import Check, Look
    from .model import Subject

MOST_SHOWN, LONGEST_SHOWN = 8, 300


def all_names(subject: Subject) -> frozenset[str]:
    """Return every alternative name with its kind, as users write them."""
    kinds = {
        "": subject.dns_names,
        "IP ": subject.ip_addresses,
        "URI ": subject.uris,
        "e-mail ": subject.email_addresses,
    }
    return frozenset(kind + name for kind, names in kinds.items() for name in names)


def names_differ(look: Look) -> str | None:
    """Tell which alternative names were added and which were dropped."""
    if look.credential is None or look.credential.facts.subject == look.wanted.subject:
        return None
    declared, there = all_names(look.wanted.subject), all_names(look.credential.facts.subject)
    changes = [f"{_shown(name)} is new" for name in sorted(declared - there)]
    changes += [f"{_shown(name)} is no longer declared" for name in sorted(there - declared)]
    further = [f"and {len(changes) - MOST_SHOWN} more"] if len(changes) > MOST_SHOWN else []
    return "names differ: " + ", ".join([*changes[:MOST_SHOWN], *further]) if changes else None


def names_are_missing(look: Look) -> str | None:
    """Tell which declared alternative names an adopted credential lacks; further ones may stay until it is due."""
    if look.credential is None:
        return None
    missing = sorted(all_names(look.wanted.subject) - all_names(look.credential.facts.subject))
    further = [f"and {len(missing) - MOST_SHOWN} more"] if len(missing) > MOST_SHOWN else []
    return "it lacks " + ", ".join([*missing[:MOST_SHOWN], *further]) if missing else None


def usages_are_missing(look: Look) -> str | None:
    """Tell which extended key usages of the profile it lacks; none at all permit every use (RFC 5280, 4.2.1.12)."""
    if look.credential is None or not look.credential.facts.usages:
        return None
    missing = sorted(set(PROFILE_USAGES[look.wanted.profile]) - set(look.credential.facts.usages))
    return f"it lacks the extended key usage {', '.join(missing)} of {look.wanted.profile}" if missing else None


def is_an_authority(look: Look) -> str | None:
    """Tell that it is the certificate of an authority, as self-signed ones often are."""
    return "its certificate is that of an authority" if look.credential and look.credential.facts.is_ca else None


def declared_common_name_differs(look: Look) -> str | None:
    """Tell that the common name is not the declared one, where one is declared."""
    return common_name_differs(look) if look.wanted.subject.common_name else None


def common_name_differs(look: Look) -> str | None:
    """Tell that the common name is another one."""
    declared = look.wanted.subject.common_name
    if look.credential is None or look.credential.facts.subject.common_name == declared:
        return None
    there, names = look.credential.facts.subject.common_name, look.credential.facts.subject
    if declared is None and there in (*names.dns_names, *names.ip_addresses) and _names_twice(look):
        return None
    return f"the common name is {_shown(there or 'empty')}, declared is {declared or 'none'}"


def _names_twice(look: Look) -> bool:
    """Tell whether the issuer writes one of the names as the common name too, which then says nothing new."""
    return (look.wanted.issuer_id or "").startswith(NAMES_TWICE)


def key_type_differs(look: Look) -> str | None:
    """Tell that the key is of another type."""
    if look.credential is None or look.credential.facts.key_type == look.wanted.key.type:
        return None
    return f"the key is {look.credential.facts.key_type}, declared is {look.wanted.key.type}"


def profile_differs(look: Look) -> str | None:
    """Tell that the extended key usages are not those of the profile."""
    if look.credential is None or look.credential.facts.usages == PROFILE_USAGES[look.wanted.profile]:
        return None
    usages = ", ".join(look.credential.facts.usages)
    return f"its extended key usages are {usages or 'none'}, declared is {look.wanted.profile}"


def _shown(name: str) -> str:
    """Return a name of a certificate as a sentence can hold it: anybody may have signed it."""
    return printable(name[:LONGEST_SHOWN])


CHECKS: tuple[Check, ...] = (names_differ, common_name_differs, key_type_differs, profile_differs)
ADOPTED_CHECKS: tuple[Check, ...] = (names_are_missing, usages_are_missing)
DIFFERENCES: tuple[Check, ...] = (
    names_differ, declared_common_name_differs, key_type_differs, profile_differs, is_an_authority,
)
"""What is said of an adopted credential, and put right by its renewal."""
