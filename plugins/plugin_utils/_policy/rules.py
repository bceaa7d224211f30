# SPDX-FileCopyrightText: 2026 Keystead contributors
# SPDX-License-Identifier: GPL-3.0-or-later
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)

"""The rules. Each looks at a candidate and at what the policy says today, and returns what is wrong and what helps.

They are called for every identity in every run, so they import nothing that is not there already.
"""

from __future__ import annotations

import re
import typing as t

from ...module_utils._core.key import KEY_TYPES
from .._durations import shown
from .breach import Breach, Rule, Says, few, matches, not_of
from .naming import holders, names
from .signer import LEAVE
from .told import first

if t.TYPE_CHECKING:
    from .candidate import Candidate

_MOST_ISSUERS = 5


def key_type(candidate: Candidate, says: Says) -> Breach | None:
    """Judge the algorithm of the key, its size included."""
    breach = not_of(candidate.key_type, says.get("allow"), "key.type")
    return None if breach and named_type(candidate.key_type) in says["allow"] else breach


def named_type(key_type: str) -> str:
    """Return the type of a key by a name that a policy can say: of RSA, that of the next smaller size which has one."""
    family, _dash, size = key_type.partition("-")
    if family != "rsa" or key_type in KEY_TYPES:
        return key_type
    sizes = sorted(int(one[4:]) for one in KEY_TYPES if one.startswith("rsa-"))
    return next((f"rsa-{one}" for one in reversed(sizes) if one < int(size)), key_type)


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
    return None if longest is None else first(lambda part: part(candidate, longest), (_used_for, _used_since))


def _used_for(candidate: Candidate, longest: int) -> Breach | None:
    if candidate.lifetime <= longest:
        return None
    value = f"lifetime {shown(candidate.lifetime)}, for which its key would be used"
    return Breach(value, f"declare at most {shown(longest)}")


def _used_since(candidate: Candidate, longest: int) -> Breach | None:
    if candidate.key_age is None or candidate.key_age <= longest:
        return None
    remedy = "declare key.reuse false" if candidate.reuse else "let it be renewed: a shorter lifetime is due sooner"
    return Breach(f"key of {candidate.key_age // 86400} days, older than {shown(longest)}", remedy)


def weak_keys(candidate: Candidate, says: Says) -> Breach | None:
    """Judge that a key that is there is on a list; one that is to be made is judged when it is requested."""
    if candidate.spki is None or candidate.spki not in says["lists"]:
        return None
    return Breach(f"key {candidate.spki}, which is known to be weak", "make another key")


def signature(candidate: Candidate, says: Says) -> Breach | None:
    """Judge which hash is signed of a certificate that is there; what an issuer will sign, nobody knows."""
    breach = None if candidate.signature is None else not_of(candidate.signature, says.get("allow"), "a signature of")
    return breach and breach._replace(remedy=f"have it signed anew: {breach.remedy}")


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
        f"key that {few(candidate.shared_with)} has too", "adopt with replace: now, so that each gets its own"
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
    return first(lambda part: part(candidate, says), (_kept, _made))


def _kept(candidate: Candidate, says: Says) -> Breach | None:
    return not_of(candidate.custody, says["allow"], "key.custody") if "allow" in says else None


def _made(candidate: Candidate, says: Says) -> Breach | None:
    if "origin" not in says:
        return None
    breach = not_of(candidate.origin, says["origin"], "key.origin")
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
    return not_of(candidate.profile, says.get("allow"), "profile")


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
    backend, options = candidate.issuer[0], dict(candidate.issuer[1])
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
    asked = [part for name, part in _DELIVERY.items() if says.get(name) not in (None, False)]
    return first(lambda part: part(candidate, says), asked)


def _linked(candidate: Candidate, says: Says) -> Breach | None:
    return first(lambda part: not_of(part, says["links"], "links to"), candidate.links)


def _activated(candidate: Candidate, says: Says) -> Breach | None:
    return not_of(candidate.activate, says["activate"], "activate")


def _proved(candidate: Candidate, _says: Says) -> Breach | None:
    return None if candidate.prove else Breach("no prove", "write prove: and how it is shown that the service uses it")


def _published(candidate: Candidate, says: Says) -> Breach | None:
    return first(lambda one: not_of(one[0], says["publish"], "publish"), candidate.publish)


def _with_key(candidate: Candidate, says: Says) -> Breach | None:
    allowed = says["publish_private_key"]
    for publisher, parts in candidate.publish:
        if "private_key" in parts and publisher not in allowed:
            return Breach(
                f"publish {publisher} with private_key",
                "leave private_key out of its parts, or let a policy permit it by "
                f"delivery: {{publish_private_key: [{', '.join((*allowed, publisher))}]}}",
            )
    return None


_DELIVERY: t.Mapping[str, Rule] = {
    "links": _linked,
    "activate": _activated,
    "prove": _proved,
    "publish": _published,
    "publish_private_key": _with_key,
}


def connection(candidate: Candidate, says: Says) -> Breach | None:
    """Judge the way to the host: whoever stands in it could ask for a credential in the host's place."""
    way = candidate.reached
    if says.get("authenticated") and way.authenticated is False:
        return Breach(f"connection {way.transport}: {way.why_not}", "turn it on and record the host's key")
    return not_of(way.transport, says.get("transports"), "connection")


def is_one_of(who: tuple[str, Says] | None, allowed: t.Iterable[tuple[str, t.Mapping[str, str]]]) -> bool:
    """Tell whether an issuer is one of those that a policy names by backend and patterns of options."""
    if who is None:
        return False
    backend, options = who
    return bool(first(lambda one: one[0] == backend and _has_all(options, one[1]), allowed))


def _has_all(options: Says, patterns: t.Mapping[str, str]) -> bool:
    return not first(lambda one: not matches(str(options.get(one[0]) or ""), (one[1],)), patterns.items())


RULES: t.Mapping[str, Rule] = {
    "key_type": key_type,
    "key_size": key_size,
    "key_age": key_age,
    "weak_keys": weak_keys,
    "signature": signature,
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
