# SPDX-FileCopyrightText: 2026 Keystead contributors
# SPDX-License-Identifier: GPL-3.0-or-later
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)

"""What a rule may say: one table, from which both the JSON Schema and the compiled form come."""

from __future__ import annotations

import ipaddress
import typing as t

from ...module_utils._core.held import TOKEN_KEY_TYPES
from ...module_utils._core.key import CUSTODIES, KEY_TYPES
from ...module_utils._core.model import PARTS, PROFILES
from .._durations import seconds
from .facts import FACTS, OF_OTHERS, Fact
from .hashes import HASHES
from .patterns import covered, dns_names, glob, globs, mailboxes, texts
from .signer import LEAVE, normal_pattern

Schema = dict[str, t.Any]
BACKENDS = ("local", "openbao", "acme", "est", "scep", "aws_pca", "openbao_ssh", "local_ssh")
KINDS = ("x509", "ssh_host", "authority", "key")
ALL_KEY_TYPES = tuple(dict.fromkeys((*KEY_TYPES, *TOKEN_KEY_TYPES, *OF_OTHERS)))
PUBLISHERS = ("pkcs12", "pem_bundle", "openbao_kv", "aws_acm", "aws_secrets_manager")
ISSUER_OPTIONS = (
    "directory", "authority", "url", "mount", "role", "namespace", "issuer_ref", "directory_url", "profile", "label",
    "arn", "region", "template_arn",
)  # fmt: skip
END = r"(?!\n)$"  # in Python, $ alone is also before a last line feed; \Z is none in the dialect of JSON Schema
DATE = f"^[0-9]{{4}}-[0-9]{{2}}-[0-9]{{2}}{END}"


class Kind(t.NamedTuple):
    """How a value is checked by the schema, and brought into its compiled form (which may raise ValueError)."""

    schema: Schema
    compiled: t.Callable[[t.Any], t.Any]


def _same(value: t.Any) -> t.Any:
    return value


def _networks(said: list[str]) -> list[str]:
    return [str(ipaddress.ip_network(one)) for one in said]


def _issuers(said: list[dict[str, t.Any]]) -> list[list[t.Any]]:
    found = [(backend, options or {}) for one in said for backend, options in one.items()]
    return [[backend, {name: _option(name, value) for name, value in options.items()}] for backend, options in found]


def _permitted(said: list[dict[str, t.Any]]) -> list[list[t.Any]]:
    """Return issuers as _issuers does; what LEAVE names is permitted only where that is said."""
    without = {backend: {option: _option(option, value=False)} for backend, option in LEAVE.items()}
    return [[backend, {**without.get(backend, {}), **options}] for backend, options in _issuers(said)]


def _option(name: str, value: t.Any) -> str:
    if isinstance(value, bool):
        return str(value) if value else ""
    return glob(normal_pattern(name, value))


def _several(values: t.Sequence[str]) -> Kind:
    return Kind({"type": "array", "items": {"enum": list(values)}, "uniqueItems": True}, _same)


_TEXT: Schema = {"type": "string", "minLength": 1, "maxLength": 1000}
_LIST: Schema = {"type": "array", "items": _TEXT}
_DURATION = Kind(
    {
        "type": "string",
        "pattern": f"^[0-9]{{1,9}}[smhd]{END}",
        "description": "a number and s, m, h or d, for example 30d",
    },
    seconds,
)
_BITS = Kind({"type": "integer", "minimum": 1, "description": "a number of bits"}, _same)
_YES = Kind({"type": "boolean", "description": "true or false"}, _same)
GLOBS = Kind({**_LIST, "description": "a list of patterns, for example ['*.example.org']"}, globs)
_TEXTS, _DNS_NAMES, _MAILBOXES = (Kind(GLOBS.schema, one) for one in (texts, dns_names, mailboxes))
_COVERED = Kind({**GLOBS.schema, "minItems": 1}, covered)
_NETWORKS = Kind({**_LIST, "description": "a list of networks, for example [192.0.2.0/24]"}, _networks)
_FILES = Kind({**_LIST, "minItems": 1, "description": "a list of paths on the controller"}, _same)
_NAMED = Kind({**_LIST, "description": "a list of names"}, _same)
_OR_NONE: Schema = {"type": "string", "maxLength": 1000, "description": "a pattern, or '' for none"}


def _issuer(**more: Schema) -> Schema:
    options = {**dict.fromkeys(ISSUER_OPTIONS, _TEXT), **dict.fromkeys(("namespace", "issuer_ref", "role"), _OR_NONE)}
    return {"type": ["object", "null"], "properties": {**options, **more}, "additionalProperties": False}


ISSUER = _issuer()
OF_LEAVE = {backend: _issuer(**{option: _YES.schema}) for backend, option in LEAVE.items()}
ISSUERS = Kind(
    {
        "type": "array",
        "items": {
            "type": "object",
            "properties": {
                backend: {"$ref": f"#/$defs/{backend if backend in LEAVE else 'issuer'}"} for backend in BACKENDS
            },
            "additionalProperties": False,
            "minProperties": 1,
            "maxProperties": 1,
        },
        "description": "a list like [{local: {authority: issuing}}]",
    },
    _issuers,
)
_PERMITTED = Kind(ISSUERS.schema, _permitted)


def _some(kind: Kind) -> Kind:
    """Return the kind of a list that may not be empty: what it limits would hold for nobody."""
    return Kind({**kind.schema, "minItems": 1}, kind.compiled)


def _fits(fact: Fact, kind: Kind) -> bool:
    """Tell whether the values of a fact are what a kind takes."""
    values = fact.steps.values()
    if kind.schema["type"] == "array":
        return all(isinstance(value, tuple) and set(value) <= set(kind.schema["items"]["enum"]) for value in values)
    return all(isinstance(value, {"string": str, "integer": int}[kind.schema["type"]]) for value in values)


def _dated(kind: Kind) -> Kind:
    """Return the kind of a value that may also change with time: `{2027-03-15: 100d}`, or `{fact: NAME}`."""
    plain = kind.schema["type"]
    schema = {
        **kind.schema,
        "type": [plain, "object"],
        "patternProperties": {DATE: kind.schema},
        "properties": {"fact": {"enum": sorted(name for name, fact in FACTS.items() if _fits(fact, kind))}},
        "additionalProperties": False,
        "minProperties": 1,
        "if": {"type": "object", "required": ["fact"]},
        "then": {"maxProperties": 1},
    }

    def compiled(value: t.Any) -> t.Any:
        if not isinstance(value, dict):
            return kind.compiled(value)
        steps = FACTS[value["fact"]].steps if "fact" in value else value
        ready = [(day, list(one) if isinstance(one, tuple) else one) for day, one in sorted(steps.items())]
        return {"steps": [[checked_day(day), kind.compiled(one)] for day, one in ready]}

    return Kind(schema, compiled)


def checked_day(day: str) -> str:
    """Return a day of the calendar as it is; raises ValueError for any other."""
    import datetime as dt

    try:
        return dt.date.fromisoformat(day).isoformat()
    except ValueError:
        raise ValueError(f"{day} is no day of the calendar") from None


RULES: t.Mapping[str, t.Mapping[str, Kind]] = {
    "key_type": {"allow": _dated(_several(ALL_KEY_TYPES))},
    "key_size": {"rsa": _dated(_BITS), "ecdsa": _dated(_BITS), "ml_dsa": _dated(_BITS)},
    "key_age": {"longest": _dated(_DURATION)},
    "key_reuse": {"allow": _YES},
    "shared_key": {"allow": _YES},
    "extractable_keys": {"allow": _YES},
    "emergency_revocation": {"allow": _YES},
    "weak_keys": {"lists": _FILES},
    "signature": {"allow": _dated(_several(HASHES))},
    "custody": {"allow": _several(CUSTODIES), "origin": _several(("host", "controller"))},
    "lifetime": {"longest": _dated(_DURATION), "shortest": _dated(_DURATION)},
    "profile": {"allow": _dated(_several(PROFILES))},
    "names": {
        "dns_names": _DNS_NAMES,
        "uris": _TEXTS,
        "email_addresses": _MAILBOXES,
        "common_name": _TEXTS,
        "ip_addresses": _NETWORKS,
        "wildcards": _YES,
        "forbid": _COVERED,
    },
    "holders": {"names": _COVERED, "services": _some(GLOBS), "groups": _NAMED},
    "contact": {"like": _TEXTS},
    "issuer": {"allow": _PERMITTED},
    "delivery": {
        "links": _several(PARTS),
        "activate": _several(("unit", "command", "none")),
        "prove": _YES,
        "publish": _several(PUBLISHERS),
        "publish_private_key": _several(PUBLISHERS),
    },
    "connection": {"authenticated": _YES, "transports": _NAMED},
}
"""The rules, with what each of them may say."""

REQUIRED: t.Mapping[str, tuple[str, ...]] = {
    "key_type": ("allow",),
    "key_age": ("longest",),
    "key_reuse": ("allow",),
    "shared_key": ("allow",),
    "extractable_keys": ("allow",),
    "emergency_revocation": ("allow",),
    "weak_keys": ("lists",),
    "signature": ("allow",),
    "profile": ("allow",),
    "holders": ("groups",),
    "issuer": ("allow",),
}
ONLY: t.Mapping[str, Kind] = {
    name: _some(kind)
    for name, kind in {
        "kinds": _several(KINDS),
        "identities": GLOBS,
        "hosts": GLOBS,
        "groups": _NAMED,
        "services": GLOBS,
        "profiles": _several(PROFILES),
        "key_types": _several(ALL_KEY_TYPES),
        "custody": _several(CUSTODIES),
        "issuers": ISSUERS,
    }.items()
}
"""To whom a rule may be limited."""
