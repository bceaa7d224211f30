# SPDX-FileCopyrightText: 2026 Keystead contributors
# SPDX-License-Identifier: GPL-3.0-or-later
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)

"""The rules. Each looks at a candidate and at what the policy says today, and returns what is wrong and what helps.

They are called for every identity in every run, so they import nothing that is not there already.
"""

from __future__ import annotations

import re
import typing as t

from .._durations import shown
from .host_names import as_host, is_host_name
from .signer import LEAVE

if t.TYPE_CHECKING:
    from .candidate import Candidate

Says = t.Mapping[str, t.Any]
_MOST_ISSUERS = 5


class Breach(t.NamedTuple):
    """What a rule found: the value that it is about, and what to write instead."""

    value: str
    remedy: str


Rule = t.Callable[["Candidate", Says], Breach | None]


def key_type(candidate: Candidate, says: Says) -> Breach | None:
    """Judge the algorithm of the key, its size included."""
    return _of(candidate.key_type, says.get("allow"), "key.type")


def key_size(candidate: Candidate, says: Says) -> Breach | None:
    """Judge the size of the key, by its family."""
    family, _dash, size = candidate.key_type.rpartition("-")
    least = says.get(family.replace("-", "_"))
    bits = int(size.lstrip("p")) if family else 0
    if least is None or bits >= least:
        return None
    return Breach(f"key.type {candidate.key_type}", f"use one of {family} with at least {least}")


def key_age(candidate: Candidate, says: Says) -> Breach | None:
    """Judge how long one key is used: a key that is not reused is as old as its credential gets."""
    longest = says.get("longest")
    if longest is None:
        return None
    if candidate.lifetime > longest:
        return Breach(
            f"lifetime {shown(candidate.lifetime)}, for which its key would be used",
            f"declare at most {shown(longest)}",
        )
    if candidate.key_age is None or candidate.key_age <= longest:
        return None
    remedy = "declare key.reuse false" if candidate.reuse else "let it be renewed: a shorter lifetime is due sooner"
    return Breach(f"key of {candidate.key_age // 86400} days, older than {shown(longest)}", remedy)


def key_reuse(candidate: Candidate, says: Says) -> Breach | None:
    """Judge that a renewal keeps the key."""
    if says["allow"] or not candidate.reuse:
        return None
    return Breach("key.reuse true", "leave it out: every renewal makes a new key")


def shared_key(candidate: Candidate, says: Says) -> Breach | None:
    """Judge that an adopted key is that of other identities too."""
    if says["allow"] or not candidate.shared_with:
        return None
    return Breach(
        f"key that {_few(candidate.shared_with)} has too", "adopt with replace: now, so that each gets its own"
    )


def extractable_keys(candidate: Candidate, says: Says) -> Breach | None:
    """Judge that a key in a token may come out of it."""
    if says["allow"] or not candidate.extractable:
        return None
    return Breach("extractable true", "leave it out: the key never comes out of its token")


def emergency_revocation(candidate: Candidate, says: Says) -> Breach | None:
    """Judge that a certificate is revoked although it is in use."""
    if says["allow"] or not candidate.emergency:
        return None
    return Breach("emergency true", "leave it out: what is in use is replaced before it is revoked")


def custody(candidate: Candidate, says: Says) -> Breach | None:
    """Judge where the private key lives, and where it is made."""
    if breach := _of(candidate.custody, says.get("allow"), "key.custody"):
        return breach
    breach = _of(candidate.origin, says.get("origin"), "key.origin")
    permitted = f"custody: {{origin: [host, {candidate.origin}]}}"
    return breach and breach._replace(remedy=f"{breach.remedy}, or let a policy permit it by {permitted}")


def lifetime(candidate: Candidate, says: Says) -> Breach | None:
    """Judge how long a credential lives."""
    longest, shortest = says.get("longest"), says.get("shortest")
    if longest is not None and candidate.lifetime > longest:
        return Breach(f"lifetime {shown(candidate.lifetime)}", f"declare at most {shown(longest)}")
    if shortest is not None and candidate.lifetime < shortest:
        return Breach(f"lifetime {shown(candidate.lifetime)}", f"declare at least {shown(shortest)}")
    return None


def profile(candidate: Candidate, says: Says) -> Breach | None:
    """Judge what the credential is for."""
    return _of(candidate.profile, says.get("allow"), "profile")


def names(candidate: Candidate, says: Says) -> Breach | None:
    """Judge the names: each must have one of the patterns of its form, where the policy has patterns for it."""
    subject = candidate.subject
    for option in ("dns_names", "uris", "email_addresses"):
        patterns = says.get(option)
        wrong = [] if patterns is None else [one for one in getattr(subject, option) if not matches(one, patterns)]
        if wrong:
            return Breach(f"{option} {wrong[0]}", "use a name that the policy permits, or have it added there")
    common = says.get("common_name", says.get("dns_names") if is_host_name(subject.common_name) else None)
    if common is not None and subject.common_name is not None and not matches(subject.common_name, common):
        return Breach(f"common_name {subject.common_name}", "leave it out, or use one that the policy permits")
    if not says.get("wildcards", True) and (wild := [one for one in subject.dns_names if one.startswith("*.")]):
        return Breach(f"dns_names {wild[0]}", "name each host: wildcards are not permitted")
    forbidden = _named_in(candidate, says.get("forbid", ()))
    if forbidden:
        return Breach(f"name {forbidden[0]}", "use another name: this one is forbidden")
    return _addresses(candidate, says.get("ip_addresses"))


def _addresses(candidate: Candidate, networks: t.Sequence[str] | None) -> Breach | None:
    if networks is None or not candidate.subject.ip_addresses:
        return None
    import ipaddress

    inside = [ipaddress.ip_network(one) for one in networks]
    for address in candidate.subject.ip_addresses:
        if not any(ipaddress.ip_address(address) in network for network in inside):
            return Breach(f"ip_addresses {address}", f"use an address in {_few(networks) or 'no network at all'}")
    return None


def holders(candidate: Candidate, says: Says) -> Breach | None:
    """Judge that a host is in a group that may hold a service's names."""
    if not set(says["groups"]).isdisjoint(candidate.groups):
        return None
    service = candidate.service
    if service is not None and matches(service, says.get("services", ())):
        what = f"service {service}"
    else:
        held = _named_in(candidate, says.get("names", ()))
        if not held:
            return None
        what = f"name {held[0]}"
    remedy = f"put the host into group {_few(says['groups'])}, or take it away"
    return Breach(f"{what} on host {candidate.host}", remedy)


def contact(candidate: Candidate, says: Says) -> Breach | None:
    """Judge that somebody answers for the identity."""
    like = says.get("like")
    if not candidate.contact:
        return Breach("no contact", "write contact: and who answers for it")
    if like is not None and not matches(candidate.contact, like):
        return Breach(f"contact {candidate.contact}", "write one that the policy permits")
    return None


def issuer(candidate: Candidate, says: Says) -> Breach | None:
    """Judge who signs."""
    if candidate.issuer is None or is_one_of(candidate.issuer, says["allow"]):
        return None
    backend, options = candidate.issuer
    asked = {name: options.get(name) for one, patterns in says["allow"] if one == backend for name in patterns}
    known = dict.fromkeys(
        _issuer(one, {name: _said(value) for name, value in like.items()}) for one, like in says["allow"]
    )
    permitted = " or ".join(list(known)[:_MOST_ISSUERS]) + (" or others" if len(known) > _MOST_ISSUERS else "")
    remedy = f"use a permitted one: {permitted or 'none is'}"
    if options.get("challenge") and is_one_of((backend, {**options, "challenge": False}), says["allow"]):
        permits = f"issuer: {{allow: [{{{backend}: {{challenge: true}}}}]}}"
        remedy = f"leave challenge out, or write a policy of your own with a rule that permits it: {permits}"
    return Breach(f"issuer {_issuer(backend, asked)}", remedy)


def _issuer(backend: str, options: Says) -> str:
    flag = LEAVE.get(backend, "")
    said = {**options, flag: "true"} if options.get(flag) else {**options, flag: None}
    told = [f"{name} {value or 'none'}" for name, value in said.items() if value or name != flag]
    return f"{backend}{' with ' if told else ''}{', '.join(told)}"


def _said(pattern: str) -> str:
    """Return a regular expression as the policy says it."""
    return re.sub(r"\[\^\./:\]\*|\.\*|\\(.)", lambda found: found[1] or ("*" if found[0] != ".*" else "**"), pattern)


def delivery(candidate: Candidate, says: Says) -> Breach | None:
    """Judge how a credential comes to those who use it."""
    for part in candidate.links:
        if breach := _of(part, says.get("links"), "links to"):
            return breach
    if breach := _of(candidate.activate, says.get("activate"), "activate"):
        return breach
    if says.get("prove") and not candidate.prove:
        return Breach("no prove", "write prove: and how it is shown that the service uses it")
    for publisher, parts in candidate.publish:
        if breach := _of(publisher, says.get("publish"), "publish"):
            return breach
        allowed = says.get("publish_private_key")
        if "private_key" in parts and allowed is not None and publisher not in allowed:
            return Breach(
                f"publish {publisher} with private_key",
                "leave private_key out of its parts, or let a policy permit it by "
                f"delivery: {{publish_private_key: [{', '.join((*allowed, publisher))}]}}",
            )
    return None


def connection(candidate: Candidate, says: Says) -> Breach | None:
    """Judge the way to the host: whoever stands in it could ask for a credential in the host's place."""
    way = candidate.reached
    if says.get("authenticated") and way.authenticated is False:
        return Breach(f"connection {way.transport}: {way.why_not}", "turn it on and record the host's key")
    return _of(way.transport, says.get("transports"), "connection")


def matches(text: str, patterns: t.Iterable[str]) -> bool:
    """Tell whether a text has one of the patterns, which are regular expressions by now."""
    return any(re.fullmatch(pattern, text) for pattern in patterns)


def is_one_of(who: tuple[str, Says] | None, allowed: t.Iterable[tuple[str, t.Mapping[str, str]]]) -> bool:
    """Tell whether an issuer is one of those that a policy names by backend and patterns of options."""
    if who is None:
        return False
    backend, options = who
    return any(
        one == backend and all(matches(str(options.get(name) or ""), (pattern,)) for name, pattern in patterns.items())
        for one, patterns in allowed
    )


def _named_in(candidate: Candidate, patterns: t.Collection[str]) -> list[str]:
    """Return the names and addresses of a candidate that have one of the patterns."""
    if not patterns:
        return []
    subject, common = candidate.subject, candidate.subject.common_name
    others = (*subject.dns_names, *subject.uris, *subject.email_addresses, *subject.ip_addresses)
    found = [one for one in others if matches(one.lower(), patterns)]
    alike = () if common is None else (common.lower(), as_host(common))
    return [*found, *([common] if common is not None and any(matches(one, patterns) for one in alike) else [])]


def _of(value: str, allowed: t.Collection[str] | None, option: str) -> Breach | None:
    if allowed is None or value in allowed:
        return None
    return Breach(f"{option} {value}", f"use {'one of ' if len(allowed) > 1 else ''}{_few(allowed) or 'none'}")


def _few(values: t.Iterable[str], most: int = 9) -> str:
    found = list(values)
    return ", ".join(found[:most]) + (f" and {len(found) - most} more" if len(found) > most else "")


RULES: t.Mapping[str, Rule] = {
    "key_type": key_type,
    "key_size": key_size,
    "key_age": key_age,
    "key_reuse": key_reuse,
    "shared_key": shared_key,
    "extractable_keys": extractable_keys,
    "emergency_revocation": emergency_revocation,
    "custody": custody,
    "lifetime": lifetime,
    "profile": profile,
    "names": names,
    "holders": holders,
    "contact": contact,
    "issuer": issuer,
    "delivery": delivery,
    "connection": connection,
}
"""All but weak_keys, which judges a request."""
