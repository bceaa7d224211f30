# SPDX-FileCopyrightText: 2026 Keystead contributors
# SPDX-License-Identifier: GPL-3.0-or-later
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)

"""From a policy's text to its compiled form: JSON that a run uses as it is. Only a new or changed policy comes here."""

from __future__ import annotations

import difflib
import re
import typing as t

from ...module_utils._core.errors import Misconfigured
from .read import read
from .schema import schema
from .vocabulary import ONLY, RULES, checked_day

if t.TYPE_CHECKING:
    from .read import Lines, Path

Compiled = dict[str, t.Any]
MOST_SAID = 5
_TYPES = {
    "array": "a list",
    "object": "a mapping",
    "string": "a text",
    "integer": "a number",
    "boolean": "true or false",
}


def compiled(text: str, source: str) -> Compiled:
    """Return the compiled form of a policy.

    `source` is how errors name it. Raises Misconfigured that says file, line, rule and remedy of what is wrong.
    """
    said, lines = read(text, source)
    _validate(said, lines, source)
    try:
        rules = [_rule(rule, ("rules", number)) for number, rule in enumerate(said["rules"])]
        waivers = [_waiver(waiver, ("waivers", number)) for number, waiver in enumerate(said.get("waivers", ()))]
        _check_ids(said)
    except _Wrong as error:
        raise _refusal([(error.path, str(error))], said, lines, source) from None
    return {"rules": rules, "waivers": waivers}


class _Wrong(ValueError):
    """What the schema cannot say is wrong."""

    def __init__(self, path: Path, message: str) -> None:
        super().__init__(message)
        self.path = path


def _validate(said: t.Any, lines: Lines, source: str) -> None:
    try:
        from jsonschema import Draft202012Validator
    except ImportError:
        raise Misconfigured(
            "policy: the Python library jsonschema is missing on the controller; install what requirements.txt lists"
        ) from None
    if said is None:
        raise Misconfigured(f"policy: {source} is empty; write format: 1 and rules:")
    found = list(Draft202012Validator(schema()).iter_errors(said))
    misspelt = [error.absolute_path for error in found if error.validator == "additionalProperties"]
    told = [error for error in found if error.validator != "oneOf" or _says_too_much(error, misspelt)]
    errors = [(_where(error), _said(error)) for error in told]
    if errors:
        errors.sort(key=lambda one: lines.get(one[0], 1))
        raise _refusal(errors, said, lines, source)


def _where(error: t.Any) -> Path:
    """Return the path of what is wrong; a name that does not belong is what is wrong itself."""
    path = tuple(error.absolute_path)
    return (*path, _foreign(error)) if error.validator == "additionalProperties" else path


def _says_too_much(error: t.Any, misspelt: t.Collection[t.Any]) -> bool:
    """Tell whether a rule names no kind or several; where one is misspelt, that says it all."""
    return isinstance(error.instance, dict) and error.absolute_path not in misspelt


def _foreign(error: t.Any) -> str:
    instance: t.Mapping[str, t.Any] = error.instance
    known, patterns = error.schema.get("properties", {}), error.schema.get("patternProperties", {})
    return next(name for name in instance if name not in known and not any(re.search(p, name) for p in patterns))


def _refusal(errors: list[tuple[Path, str]], said: t.Any, lines: Lines, source: str) -> Misconfigured:
    told = [f"line {lines.get(path, 1)}, {_place(path, said)}{text}" for path, text in errors[:MOST_SAID]]
    more = [f"and {len(errors) - MOST_SAID} more"] if len(errors) > MOST_SAID else []
    return Misconfigured(f"policy: {source} {'; '.join([*told, *more])}")


def _place(path: Path, said: t.Any) -> str:
    """Return which rule or waiver is meant, and what in it."""
    if not path or path[0] not in ("rules", "waivers") or len(path) == 1:
        return "".join(f"{part}: " for part in path)
    rule = said[path[0]][path[1]]
    name = rule.get("id" if path[0] == "rules" else "rule") if isinstance(rule, dict) else None
    what = f"{path[0][:-1]} {name if isinstance(name, str) else int(path[1]) + 1}"
    below = "".join(f"[{part}]" if isinstance(part, int) else f".{part}" for part in path[2:]).lstrip(".")
    return f"{what}: {below}{': ' if below else ''}"


def _said(error: t.Any) -> str:
    """Say what is wrong and what to write, in a sentence of ours: the library's would repeat whole rules."""
    value, rule, known = error.instance, error.validator_value, error.schema.get("properties", {})
    hint, names = error.schema.get("description"), ", ".join(map(str, rule)) if error.validator == "enum" else ""
    says: dict[str, t.Callable[[], str]] = {
        "additionalProperties": lambda: _unknown(_foreign(error), known),
        "required": lambda: f"{next(name for name in rule if name not in value)} is missing; write it",
        "enum": lambda: f"{_shown(value)} is not possible; write {f'one of {names}' if names else 'days of your own'}",
        "const": lambda: f"{_shown(value)} is not possible; write {rule}",
        "oneOf": lambda: _count_of_rules(value),
        "type": lambda: f"{_shown(value)} is not {_type(rule)}; write {hint or _type(rule)}",
        "minItems": lambda: f"it is empty, so it holds for nobody; write {hint or 'at least one'}, or leave it out",
        "maxProperties": lambda: f"it says {' and '.join(value)}; write one of them alone",
        "uniqueItems": lambda: "a value stands there twice; write each once",
        "minProperties": lambda: f"it is empty; write at least one of {', '.join(known)}",
    }
    say = says.get(error.validator)
    return say() if say else f"{_shown(value)} is not possible; write {hint or _type(error.schema.get('type'))}"


def _unknown(name: str, known: t.Collection[str]) -> str:
    near = difflib.get_close_matches(name, known, n=1)
    return "it is unknown; " + (f"did you mean {near[0]}?" if near else f"known are {', '.join(known)}")


def _count_of_rules(value: t.Mapping[str, t.Any]) -> str:
    found = [name for name in value if name in RULES]
    if found:
        return f"it says {' and '.join(found)}; write exactly one of them, and another rule for the next"
    return f"it says nothing; write exactly one of {', '.join(RULES)}"


def _type(said: t.Any) -> str:
    return " or ".join(_TYPES.get(one, str(one)) for one in ([said] if isinstance(said, str) else said or ()))


def _shown(value: t.Any) -> str:
    if value is None or isinstance(value, (str, int)):
        return "nothing" if value is None else repr(value)[:80]
    return _TYPES["array" if isinstance(value, list) else "object"]


def _rule(rule: dict[str, t.Any], path: Path) -> Compiled:
    kind = next(name for name in RULES if name in rule)
    if kind == "weak_keys" and rule.keys() - {"id", "because", kind}:
        raise _Wrong(path, "a weak key is never signed; write nothing beside lists")
    if kind == "holders" and not rule[kind].keys() & {"names", "services"}:
        raise _Wrong((*path, kind), "nothing is held; write names or services")
    if "enforce_from" in rule and rule.get("severity") == "warn":
        raise _Wrong(path, "enforce_from makes no sense beside severity: warn; leave one of them out")
    return {
        "id": rule["id"],
        "kind": kind,
        "severity": rule.get("severity", "enforce"),
        "enforce_from": _day(rule, "enforce_from", path),
        "because": rule.get("because", ""),
        "only": _table(rule.get("only", {}), ONLY, (*path, "only")),
        "says": _table(rule[kind], RULES[kind], (*path, kind)),
    }


def _waiver(waiver: dict[str, t.Any], path: Path) -> Compiled:
    only = {name: value for name, value in waiver.items() if name in ("identities", "hosts")}
    return {
        "rule": waiver["rule"],
        "contact": waiver["contact"],
        "until": _day(waiver, "until", path),
        "only": _table(only, ONLY, path),
    }


def _table(said: dict[str, t.Any], kinds: t.Mapping[str, t.Any], path: Path) -> Compiled:
    found = {}
    for name, value in said.items():
        try:
            found[name] = kinds[name].compiled(value)
        except ValueError as error:
            raise _Wrong((*path, name), f"{error}; correct it") from None
    return found


def _day(said: dict[str, t.Any], name: str, path: Path) -> str | None:
    try:
        return checked_day(said[name]) if name in said else None
    except ValueError as error:
        raise _Wrong((*path, name), f"{error}; write one, for example 2027-03-15") from None


def _check_ids(said: t.Mapping[str, t.Any]) -> None:
    ids: dict[str, t.Any] = {}
    for number, rule in enumerate(said["rules"]):
        if rule["id"] in ids:
            raise _Wrong(("rules", number, "id"), "another rule has this id; give each its own")
        ids[rule["id"]] = rule
    for number, waiver in enumerate(said.get("waivers", ())):
        if waiver["rule"] not in ids:
            raise _Wrong(("waivers", number, "rule"), f"there is no such rule; write one of {', '.join(ids) or 'none'}")
        if "weak_keys" in ids[waiver["rule"]]:
            raise _Wrong(("waivers", number, "rule"), "a weak key is never signed; make another key")
