# SPDX-FileCopyrightText: 2026 Keystead contributors
# SPDX-License-Identifier: GPL-3.0-or-later
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)

"""What a PKI of OpenBao says when it refuses a request, in the words of the task, with a remedy."""

from __future__ import annotations

import re
import typing as t

from ...module_utils._core.errors import Denied, KeysteadError, Misconfigured
from ...module_utils._core.model import PROFILE_USAGES
from .errors import WHO, Refused

if t.TYPE_CHECKING:
    from ...module_utils._core.model import X509Facts
    from ...module_utils._core.ports import Request

_ALLOW = "name others, or let the role allow it"
_WORDS: tuple[tuple[re.Pattern[str], str], ...] = tuple(
    (re.compile(pattern), words)
    for pattern, words in (
        (
            r"(?:common name|subject alternate name|email address|URI|URI SAN|IP) (\S+) (?:is )?not allowed",
            f"{{role}} does not allow {{0}}; {_ALLOW}",
        ),
        (r"IP Subject Alternative Names? .*not", f"{{role}} does not allow {{ips}}; {_ALLOW}: allow_ip_sans"),
        (r"URI Subject Alternative Names? .*not", f"{{role}} does not allow {{uris}}; {_ALLOW}: allowed_uri_sans"),
        (
            r"common_name field is required",
            "{role} wants a common name; write common_name, or set require_cn=false in the role",
        ),
        (
            r"beyond the expiration of the CA certificate at (\S+)",
            "its authority ends on {0}, before {name} would; write a shorter lifetime, or set leaf_not_after_behavior",
        ),
        (r"role requires keys of type (\S+)", "{role} signs {0} keys only; write another key.type, or let it sign any"),
        (r"role requires a minimum of (.*)", "{role} wants keys of at least {0}; write another key.type"),
    )
)


_FLAGS = {"server_auth": "server_flag", "client_auth": "client_flag"}
_FIELDS = {
    "C": "country", "L": "locality", "O": "organization", "OU": "ou", "ST": "province", "STREET": "street_address",
    "2.5.4.17": "postal_code",
}  # fmt: skip


def in_role(found: X509Facts, request: Request, role: str) -> str:
    """Return what to change in a role that signed other usages or another subject than was asked; empty if neither."""
    wanted = PROFILE_USAGES[request.profile]
    if set(found.usages) <= set(_FLAGS) and found.usages != wanted:
        other = [usage for usage in _FLAGS if (usage in found.usages) != (usage in wanted)]
        values = [f"{_FLAGS[usage]}={str(usage in wanted).lower()}" for usage in other]
        return f"set {' and '.join(values)} in role {role}"
    there = re.findall(r"(?:^|(?<!\\)[,+])([A-Z0-9.]+)=", found.subject_name)
    if fields := [_FIELDS[one] for one in dict.fromkeys(there) if one in _FIELDS]:
        return f"leave {', '.join(fields)} of role {role} empty"
    return ""


def no_role(role: str, mount: str) -> Misconfigured:
    """Return the error of a role that is not there."""
    return Misconfigured(f"{WHO}: mount {mount} has no role {role}; correct issuer.openbao.role, or make it there")


def worded(refused: Refused, request: Request, role: str, mount: str) -> KeysteadError:
    """Return the refusal of one request; Misconfigured where no request could be signed."""
    if refused.status == 404:
        return Misconfigured(str(refused))
    if refused.status != 400:
        return refused
    said, subject = refused.said, request.subject
    if "unknown role" in said:
        return no_role(role, mount)
    shown = f"role {role}" if role else f"mount {mount}"
    for pattern, words in _WORDS:
        if match := pattern.search(said):
            told = words.format(
                *match.groups(),
                role=shown,
                name=request.name,
                ips=", ".join(subject.ip_addresses) or "IP addresses",
                uris=", ".join(subject.uris) or "URIs",
            )
            return Denied(f"{WHO}: {told}")
    return Denied(f"{WHO}: {shown} does not sign {request.name}: {said or 'it gives no reason'}; see its settings")
