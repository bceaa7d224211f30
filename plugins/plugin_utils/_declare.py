# SPDX-FileCopyrightText: 2026 Keystead contributors
# SPDX-License-Identifier: GPL-3.0-or-later
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)

"""From validated options to the nouns of the core, refusing what no host could mean before anything is touched."""

from __future__ import annotations

import json
import re
import typing as t

from ..module_utils._core.errors import Misconfigured
from ..module_utils._core.model import Identity
from ._consumers import activation, adoption, files, proof, text
from ._durations import lifetime, renew_before, seconds, timeout
from ._issuers.registry import CHECKS
from ._key import Backend, key
from ._kinds import SSH, check_fits, check_named, check_signs, names
from ._paths import absolute
from ._publications import RemotePublication, Setting, passwords, publications, remote_publications

_NAME = re.compile(r"[a-z0-9][a-z0-9._-]{0,62}", re.ASCII)
_RESERVED = ("current", "next", "pending")
_FINGERPRINT = re.compile(r"[0-9a-f]{64}", re.ASCII)
MOST_GENERATIONS = 100

Options = t.Mapping[str, t.Any]


class Declaration(t.NamedTuple):
    """What a task says about one identity: what is wanted of the host, and what only the controller needs.

    `issuer` is `{backend: validated options}` with exactly one backend, `accept_new_root` in lower-case hexadecimal and
    `timeout` in seconds; None where the task names no issuer, which only one that is not present may do. `custody` is
    `{name: validated options}` of a key that is not in a file, with its PIN or its way to log in. `passwords` open
    files of the host, by their paths; `remotes` are copies that only the controller reaches. `trusts` names
    the peers, as the ledger keeps it: JSON, or None where the task does not say.
    """

    identity: Identity
    contact: str | None
    service: str | None
    labels: t.Mapping[str, str]
    scope: str | None
    issuer: Backend | None
    revoke_on_absent: bool
    custody: Backend | None = None
    passwords: t.Mapping[str, str] = {}
    remotes: tuple[RemotePublication, ...] = ()
    trusts: str | None = None


def declarations(args: Options, module: str = "machine_identity") -> tuple[Declaration, ...]:
    """Return what the validated options of a task declare, in their order. Raises Misconfigured."""
    with _speaking(f"{module}: option "):
        store = checked_store(args)
        scope = text(args, "scope")
        _check_purge(args)
        default = checked_issuer(args["issuer"])
        for issuer in args["issuers"] or ():
            checked_issuer(issuer)
        with _speaking("wait: "):
            seconds(args["wait"])
    declared = []
    for one in args["identities"]:
        with _speaking(f"{module}: identities[{one['name'][:80]}]."):
            declared.append(_declaration(one, store, scope, default))
    with _speaking(f"{module}: "):
        _check_unique(declared)
    return tuple(declared)


def checked_store(args: Options) -> str:
    """Return the store's path, which must be absolute and normalised. Raises Misconfigured."""
    with _speaking("store: "):
        store = absolute(args["store"])
        if store == "/":
            raise Misconfigured("'/' cannot be a store; write a directory of its own")
    return store


def checked_issuer(issuer: Backend | None) -> Backend | None:
    """Return an issuer with its fingerprint and timeout normalised. Raises Misconfigured."""
    if issuer is None:
        return None
    ((backend, options),) = issuer.items()
    with _speaking(f"issuer.{backend}."):
        return {backend: {**options, "accept_new_root": _fingerprint(options), "timeout": _issuer_timeout(options)}}


class _speaking:  # noqa: N801 - reads as a verb
    """Put who speaks, or which option is meant, in front of what goes wrong inside."""

    def __init__(self, prefix: str) -> None:
        self.prefix = prefix

    def __enter__(self) -> None:
        pass

    def __exit__(self, kind: object, error: BaseException | None, trace: object) -> None:
        if isinstance(error, Misconfigured):
            raise Misconfigured(f"{self.prefix}{error}") from None


def _declaration(one: Options, store: str, scope: str | None, default: Backend | None) -> Declaration:
    identity, custody = _identity(one, store)
    issuer = checked_issuer(one["issuer"]) or default
    if issuer is None and identity.state == "present":
        raise Misconfigured("issuer: nobody is named; write issuer: {local: {directory: ..., authority: ...}}")
    if issuer is not None and identity.state == "present":
        _check_issuable(issuer, identity)
    return Declaration(
        identity=identity,
        contact=text(one, "contact"),
        service=text(one, "service"),
        labels=_labels(one["labels"] or {}),
        scope=scope,
        issuer=issuer,
        revoke_on_absent=one["revoke_on_absent"],
        custody=custody,
        passwords=passwords(one["publish"]) if identity.state == "present" else {},
        remotes=remote_publications(one["publish"], identity),
        trusts=_trusts(one["trusts"]),
    )


def _check_issuable(issuer: Backend, identity: Identity) -> None:
    """Refuse names and keys that the issuer never certifies. Raises Misconfigured."""
    ((backend, options),) = issuer.items()
    check_signs(backend, identity.kind)
    if check := CHECKS.get(backend):
        check(options, identity)


def _identity(one: Options, store: str) -> tuple[Identity, Backend | None]:
    with _speaking("name: "):
        check_name(one["name"])
    _check_generations(one)
    lives, custody = key(one["key"])
    called = names(one)
    check_named(one, called)
    check_fits(one, lives)
    if one["kind"] == SSH:
        lives = lives._replace(form="openssh")
    with _speaking("lifetime: "):
        life = lifetime(one["lifetime"])
    with _speaking("renew_before: "):
        before = renew_before(one["renew_before"], life)
    placed = files(one, store, lives, one["kind"])
    wanted = Identity(
        name=one["name"],
        kind=one["kind"],
        state=one["state"],
        subject=called,
        profile=one["profile"],
        key=lives,
        lifetime=life,
        renew_before=before,
        files=placed,
        activate=activation(one["activate"]),
        prove=proof(one["prove"], one["profile"], lives.custody),
        keep_generations=one["keep_generations"],
        generation=one["generation"],
        adopt=adoption(one["adopt"], one["state"], lives),
        publish=publications(one["publish"], Setting(placed, store, lives)),
    )
    return wanted, custody


def check_name(name: str) -> None:
    """Raise Misconfigured for what cannot name an identity."""
    if not _NAME.fullmatch(name) or ".." in name or name in _RESERVED:
        raise Misconfigured(
            f"{name[:80]!r} cannot be a directory of the store; write up to 63 of a-z, 0-9, '.', '_' and '-', "
            f"a letter or digit first, no '..', and not {' or '.join(_RESERVED)}"
        )


def _check_generations(one: Options) -> None:
    kept = one["keep_generations"]
    if not 0 <= kept <= MOST_GENERATIONS:
        raise Misconfigured(f"keep_generations: {kept} is not possible; write 0 to {MOST_GENERATIONS}")
    if one["generation"] is not None and not kept:
        raise Misconfigured("generation: previous was not kept; write keep_generations: 1 beside it, for the next time")


def _labels(labels: Options) -> dict[str, str]:
    for name, value in labels.items():
        if isinstance(value, (dict, list)) or not (f"{name}{value}".isprintable() and len(f"{name}{value}") <= 255):
            raise Misconfigured(f"labels: {str(name)[:60]!r} needs a short text on one line; write name: value")
    return {str(name): str(value) for name, value in labels.items()}


def _trusts(said: t.Sequence[Options] | None) -> str | None:
    """Return who the peers are, in one order: pairs of `issuer` or `service`, and its name."""
    if said is None:
        return None
    with _speaking("trusts."):
        pairs = {(kind, text(one, kind)) for one in said for kind in one if one[kind] is not None}
    return json.dumps(sorted(pairs))


def _fingerprint(options: Options) -> str | None:
    value = options["accept_new_root"]
    if value is None:
        return None
    fingerprint = str(value).replace(":", "").lower()
    if not _FINGERPRINT.fullmatch(fingerprint):
        raise Misconfigured(
            f"accept_new_root: {value[:100]!r} is not a SHA-256 fingerprint; write its 64 hexadecimal digits"
        )
    return fingerprint


def _issuer_timeout(options: Options) -> int:
    with _speaking("timeout: "):
        return timeout(options["timeout"])


def _check_purge(args: Options) -> None:
    if not args["purge"]:
        return
    if args["scope"] is None:
        raise Misconfigured("purge: it removes what the same scope declared earlier; write scope beside it")
    if not args["identities"]:
        raise Misconfigured("purge: with no identities it would remove all; name one, or write them as state: absent")


def _check_unique(declared: t.Sequence[Declaration]) -> None:
    names: set[str] = set()
    paths: dict[str, str] = {}
    for name, identity in ((one.identity.name, one.identity) for one in declared):
        if name in names:
            raise Misconfigured(f"identities[{name}].name: it stands there twice; write each identity once")
        names.add(name)
        said = [("links", link.path) for link in identity.files.links]
        said += [("publish", one.path) for one in identity.publish]
        for option, path in said if identity.state == "present" else ():
            if path in paths:
                raise Misconfigured(
                    f"identities[{name}].{option}: {path!r} is a path of {paths[path]} too; write another one"
                )
            paths[path] = name
