# SPDX-FileCopyrightText: 2026 Keystead contributors
# SPDX-License-Identifier: GPL-3.0-or-later
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)

"""The rules about names: which there may be, and who may hold them."""

from __future__ import annotations

import typing as t

from .breach import Breach, few, matches
from .host_names import as_host, is_host_name
from .told import first

if t.TYPE_CHECKING:
    from .breach import Says
    from .candidate import Candidate


def names(candidate: Candidate, says: Says) -> Breach | None:
    """Judge the names: each must have one of the patterns of its form, where the policy has patterns for it."""
    return first(lambda part: part(candidate, says), (_permitted, _common_name, _wildcards, _forbidden, _addresses))


def _permitted(candidate: Candidate, says: Says) -> Breach | None:
    return first(lambda option: _form(candidate, says, option), ("dns_names", "uris", "email_addresses"))


def _form(candidate: Candidate, says: Says, option: str) -> Breach | None:
    patterns = says.get(option)
    if patterns is None:
        return None
    for one in getattr(candidate.subject, option):
        if not matches(one, patterns):
            return Breach(f"{option} {one}", "use a name that the policy permits, or have it added there")
    return None


def _common_name(candidate: Candidate, says: Says) -> Breach | None:
    if says.get("common_name", says.get("dns_names")) is None:
        return None
    name = candidate.subject.common_name
    patterns = says.get("common_name", says.get("dns_names") if is_host_name(name) else None)
    if patterns is None or name is None or matches(name, patterns):
        return None
    return Breach(f"common_name {name}", "leave it out, or use one that the policy permits")


def _wildcards(candidate: Candidate, says: Says) -> Breach | None:
    for one in () if says.get("wildcards", True) else candidate.subject.dns_names:
        if one.startswith("*."):
            return Breach(f"dns_names {one}", "name each host: wildcards are not permitted")
    return None


def _forbidden(candidate: Candidate, says: Says) -> Breach | None:
    found = _named_in(candidate, says.get("forbid", ()))
    return Breach(f"name {found}", "use another name: this one is forbidden") if found else None


def _addresses(candidate: Candidate, says: Says) -> Breach | None:
    networks = says.get("ip_addresses")
    if networks is None or not candidate.subject.ip_addresses:
        return None
    import ipaddress

    inside = [ipaddress.ip_network(one) for one in networks]
    for address in candidate.subject.ip_addresses:
        if not any(ipaddress.ip_address(address) in network for network in inside):
            return Breach(f"ip_addresses {address}", f"use an address in {few(networks) or 'no network at all'}")
    return None


def holders(candidate: Candidate, says: Says) -> Breach | None:
    """Judge that a host is in a group that may hold a service's names."""
    what = first(lambda part: part(candidate, says), (_held_service, _held_name))
    if what is None or not set(says["groups"]).isdisjoint(candidate.groups):
        return None
    remedy = f"put the host into group {few(says['groups'])}, or take it away"
    return Breach(f"{what} on host {candidate.host}", remedy)


def _held_service(candidate: Candidate, says: Says) -> str | None:
    service = candidate.service if "services" in says else None
    return f"service {service}" if service is not None and matches(service, says["services"]) else None


def _held_name(candidate: Candidate, says: Says) -> str | None:
    held = _named_in(candidate, says.get("names", ()))
    return f"name {held}" if held else None


def _named_in(candidate: Candidate, patterns: t.Collection[str]) -> str | None:
    """Return the first name or address of a candidate that has one of the patterns."""
    forms = ("dns_names", "uris", "email_addresses", "ip_addresses", "common_name") if patterns else ()
    return first(lambda form: _of_form(candidate, form, patterns), forms)


def _of_form(candidate: Candidate, form: str, patterns: t.Collection[str]) -> str | None:
    said = getattr(candidate.subject, form)
    if form != "common_name":
        return next((one for one in said if matches(one.lower(), patterns)), None)
    return said if said is not None and any(matches(one, patterns) for one in (said.lower(), as_host(said))) else None
