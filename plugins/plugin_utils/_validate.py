# SPDX-FileCopyrightText: 2026 Keystead contributors
# SPDX-License-Identifier: GPL-3.0-or-later
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)

"""Validate what a task says by an argument spec; a refusal names option, value and remedy, and never a secret.

The conversions are those of Ansible's ArgumentSpecValidator, and so are the results. Its messages are not: masked, they
lose every letter that is also a passphrase, and they repeat themselves. Here a message repeats a value only where no
secret can stand, so that nothing needs a mask.
"""

from __future__ import annotations

import contextlib
import difflib
import typing as t

from ansible.module_utils.common import validation

from ..module_utils._core.errors import Misconfigured

Spec = t.Mapping[str, t.Mapping[str, t.Any]]

_CONVERTERS: dict[str, tuple[type, t.Callable[[t.Any], t.Any]]] = {
    "str": (str, validation.check_type_str),
    "int": (int, validation.check_type_int),
    "bool": (bool, validation.check_type_bool),
    "list": (list, validation.check_type_list),
    "dict": (dict, validation.check_type_dict),
    "path": (type(None), validation.check_type_path),
}
_SCALARS = (str, int, float, bool)
_NEVER: dict[str, tuple[type, ...]] = {
    "str": (bool, dict, list),
    "path": (bool, dict, list),
    "int": (bool,),
    "bool": (),
    "list": (bool,),
    "dict": (),
}
_TYPES = {
    str: "string",
    dict: "dictionary",
    list: "list",
    int: "number",
    float: "number",
    bool: "truth value",
    type(None): "null",
}
_WORDS = {
    "str": "a string",
    "path": "a path",
    "int": "a whole number",
    "bool": "true or false",
    "list": "a list",
    "dict": "a dictionary",
}
_HINTS = {
    "str": "write one text",
    "path": "write one path",
    "int": "write digits",
    "bool": "write one of them",
    "list": "write [one, two]",
    "dict": "write {name: value}",
}


def plain(value: t.Any) -> t.Any:
    """Return a copy without Ansible's tags, and without the null members of dictionaries: null counts as absent."""
    if isinstance(value, str):
        return str.__str__(value)
    if isinstance(value, dict):
        return {plain(name): plain(member) for name, member in value.items() if member is not None}
    if isinstance(value, (list, tuple)):
        return [plain(member) for member in value]
    if value is None or type(value) in _SCALARS:
        return value
    return next((base(value) for base in (int, float) if isinstance(value, base)), str(value))


def validated(args: t.Mapping[str, t.Any], spec: Spec, *, module: str) -> dict[str, t.Any]:
    """Return `args` as `spec` wants them: converted, with defaults, absent options as None. Raises Misconfigured.

    `module` begins the message: `machine_identity: option identities[web].prove.port: ...`.
    """
    try:
        return _members(plain(args), spec, "")
    except _Invalid as error:
        message = f"{module}: {error}"
    raise Misconfigured(message)


class _Invalid(Exception):
    """An option that does not fit; turned into Misconfigured without its context, which may hold a secret."""


def _members(given: dict[str, t.Any], spec: Spec, path: str) -> dict[str, t.Any]:
    if not given.keys() <= spec.keys():
        raise _Invalid(_unknown(given, spec, path))
    answer = {}
    for name, entry in spec.items():
        if name in given:
            answer[name] = _value(given[name], entry, path + name)
        elif entry.get("required"):
            raise _Invalid(f"option {path}{name} is missing; it is required")
        else:
            answer[name] = entry.get("default")
    return answer


def _unknown(given: dict[str, t.Any], spec: Spec, path: str) -> str:
    name = str(min(given.keys() - spec.keys(), key=str))
    near = difflib.get_close_matches(name, spec, n=1)
    hint = f"did you mean {near[0]}?" if near else f"known are {', '.join(sorted(spec)) or 'none'}"
    return f"option {path}{name} is unknown; {hint}"


def _value(value: t.Any, entry: t.Mapping[str, t.Any], path: str) -> t.Any:
    value = _converted(value, entry["type"], entry, path)
    if entry["type"] == "path" and "\0" in value:
        raise _Invalid(f"option {path}: it has a NUL character, which no path has; write it without")
    if "elements" in entry:
        return _elements(value, entry, path)
    _check_choice(value, entry, path)
    return _dictionary(value, entry, path) if "options" in entry else value


def _check_choice(value: t.Any, entry: t.Mapping[str, t.Any], path: str) -> None:
    if "choices" in entry and value not in entry["choices"]:
        raise _Invalid(f"option {path}: {_shown(value, entry)} is none of {', '.join(entry['choices'])}")


def _elements(values: list[t.Any], entry: t.Mapping[str, t.Any], path: str) -> list[t.Any]:
    answer = []
    for index, value in enumerate(values):
        one = _converted(value, entry["elements"], entry, f"{path}[{index}]")
        _check_choice(one, entry, f"{path}[{index}]")
        if "options" in entry:
            name = one.get("name")
            one = _dictionary(one, entry, f"{path}[{name if isinstance(name, str) else index}]")
        answer.append(one)
    return answer


def _dictionary(value: dict[str, t.Any], entry: t.Mapping[str, t.Any], path: str) -> dict[str, t.Any]:
    if entry.get("one_of") and len(value) != 1:
        found = " and ".join(sorted(map(str, value))) or "none"
        raise _Invalid(f"option {path}: exactly one of {', '.join(entry['options'])} is needed, found {found}")
    members = _members(value, entry["options"], path + ".")
    return {name: members[name] for name in value} if entry.get("one_of") else members


def _converted(value: t.Any, kind: str, entry: t.Mapping[str, t.Any], path: str) -> t.Any:
    if kind == "raw":
        return value
    wanted, converter = _CONVERTERS[kind]
    if isinstance(value, wanted) and not isinstance(value, _NEVER[kind]):
        return value
    with contextlib.suppress(TypeError, ValueError):
        if value is not None and type(value) not in _NEVER[kind]:
            return plain(converter(value))
    hint = "quote it" if kind == "str" and isinstance(value, bool) else _HINTS[kind]
    raise _Invalid(f"option {path}: {_shown(value, entry)} is not {_WORDS[kind]}; {hint}")


def _shown(value: t.Any, entry: t.Mapping[str, t.Any]) -> str:
    if entry.get("no_log") or "options" in entry or type(value) not in _SCALARS:
        return f"a {_TYPES.get(type(value), type(value).__name__)}"
    return repr(value)[:80]
