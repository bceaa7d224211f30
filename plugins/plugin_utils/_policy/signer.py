# SPDX-FileCopyrightText: 2026 Keystead contributors
# SPDX-License-Identifier: GPL-3.0-or-later
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)

"""Issuers in the one form in which they are compared: a rule must not depend on how a task spells a server."""

from __future__ import annotations

import os.path
import typing as t

from .told import Partly

Options = t.Mapping[str, t.Any]
LEAVE: t.Mapping[str, str] = {"openbao": "sign_verbatim", "scep": "challenge"}
"""What of an issuer needs a policy's leave: to sign whatever is asked, and a secret that goes to the host."""


def normal(backend: str, options: Options) -> tuple[str, Options]:
    """Return an issuer of a task with its places in their normal form. Raises Misconfigured for what is no place."""
    if backend in ("local", "local_ssh"):
        return backend, {**options, "directory": os.path.abspath(options["directory"])}  # noqa: PTH100 - no links
    if backend == "acme":
        from .._acme.address import address as directory

        return backend, {**options, "directory_url": directory(options).url}
    if backend == "est":
        from .._est.address import place

        return backend, {**options, "url": place({**options, "label": None}).url.removesuffix("/.well-known/est")}
    if backend == "scep":
        from .._scep import address as scep

        return backend, {"url": scep.place(options).url, "challenge": scep.has_challenge(options)}
    if backend not in ("openbao", "openbao_ssh"):
        return backend, options
    from .._openbao.address import address, path

    option = f"{backend}: issuer.{backend}"
    where = address(options, option)
    mount = path(options["mount"], f"{option}.mount")
    return backend, {**options, "url": where.url, "namespace": where.namespace, "mount": mount}


def normal_pattern(option: str, said: str) -> str:
    """Return what a policy says of an option in the form of `normal`."""
    if option in ("url", "directory_url"):
        scheme, sign, rest = said.partition("://")
        host, slash, below = rest.partition("/")
        return f"{scheme.lower()}{sign}{host.lower().removesuffix(':443')}{slash}{below}".rstrip("/")
    if option in ("mount", "namespace"):
        return said.strip("/")
    return os.path.normpath(said) if option == "directory" else said


def of_id(issuer_id: str) -> tuple[str, Options] | None:
    """Return an issuer as far as its recorded id tells, in the form of `normal`; None for one that is no backend's."""
    backend, _colon, rest = issuer_id.partition(":")
    told = _OF_ID.get(backend)
    return None if told is None else (backend, Partly(told(rest)))


def _of_local(rest: str) -> Options:
    return {"authority": rest.partition(":")[0]}


def _of_est(rest: str) -> Options:
    url, _path, label = rest.partition("/.well-known/est")
    return {"url": url, "label": label.strip("/")}


def _of_pca(rest: str) -> Options:
    parts = rest.split(":")
    return {"arn": rest, **({"region": parts[3]} if len(parts) > _REGION else {})}


def _of_openbao(rest: str) -> Options:
    """Return URL and issuer, and the mount where no slash is in it: what is a namespace there, nobody can tell."""
    url, _path, place = rest.partition("/v1/")
    mount, _issuer, reference = place.partition("/issuer/")
    plain = {} if "/" in mount else {"namespace": "", "mount": mount}
    return {"url": url, "issuer_ref": reference or None, **plain}


_REGION = 3
_OF_ID: t.Mapping[str, t.Callable[[str], Options]] = {
    "local": _of_local,
    "local_ssh": _of_local,
    "acme": lambda rest: {"directory_url": rest},
    "aws_pca": _of_pca,
    "est": _of_est,
    "scep": lambda rest: {"url": rest},
    "openbao": _of_openbao,
    "openbao_ssh": _of_openbao,
}
