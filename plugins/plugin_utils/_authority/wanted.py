# SPDX-FileCopyrightText: 2026 Keystead contributors
# SPDX-License-Identifier: GPL-3.0-or-later
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)


"""What a task declares about an authority, and in what an existing one differs from it."""

from __future__ import annotations

import base64
import contextlib
import re
import typing as t
from dataclasses import dataclass
from pathlib import Path

with contextlib.suppress(ImportError):
    from cryptography import x509
    from cryptography.x509.oid import NameOID

from ...module_utils._core.errors import Misconfigured
from ...module_utils._core.key import Key
from ...module_utils._core.keys import key_type_of, spki_sha256
from .._durations import lifetime
from . import publication
from .about import checked_name
from .name_constraints import extension
from .opening import Opening, opening

if t.TYPE_CHECKING:
    from .publication import Publication
    from .store import Authority


@dataclass(frozen=True)
class Parent:
    """Where the authority above is, and what opens its key."""

    directory: Path
    name: str
    opening: Opening


@dataclass(frozen=True)
class Wanted:
    """An authority as it is declared; `lifetime` is in seconds, `published` has fields of Publication.

    `seen` are lists (DER) that somebody shows as the authority's.
    """

    name: str
    directory: Path
    subject: x509.Name
    key_type: str
    lifetime: int
    path_length: int | None
    name_constraints: x509.NameConstraints | None
    opening: Opening
    parent: Parent | None
    published: t.Mapping[str, t.Any]
    seen: tuple[bytes, ...] = ()

    @property
    def path(self) -> Path:
        """Where it is."""
        return self.directory / self.name

    def constraints(self) -> list[x509.ExtensionType]:
        """Return the critical extensions that limit what may stand below."""
        basic = x509.BasicConstraints(ca=True, path_length=self.path_length)
        return [basic, *([self.name_constraints] if self.name_constraints else [])]

    def publication(self, authority: Authority | None) -> Publication:
        """Return what the authority shall publish: what is declared, and else what it does. Raises Misconfigured."""
        return publication.merged(authority.publication if authority else publication.Publication(), self.published)

    def described(self) -> dict[str, str]:
        """Return what is declared, in the words of the options, for differences between two authorities."""
        key = (self.key_type, self.opening.custody_name)
        return _described(self.subject, key, self.path_length, self.name_constraints)


def wanted(options: t.Mapping[str, t.Any]) -> Wanted:
    """Read validated options; raises Misconfigured."""
    name, directory, above = checked_name(options["name"]), Path(options["directory"]), options["parent"]
    path_length, key = options["path_length"], options["key"] or {}
    if path_length is not None and path_length < 0:
        raise Misconfigured(f"certificate_authority: option path_length: {path_length} is below 0; use 0 or more")
    return Wanted(
        name=name,
        directory=directory,
        subject=_subject(options["subject"] or {}, name),
        key_type=key.get("type") or Key().type,
        lifetime=_lifetime(options["lifetime"] or ("1825d" if above else "3650d")),
        path_length=0 if above and path_length is None else path_length,
        name_constraints=extension(options["name_constraints"]),
        opening=opening(options, key.get("custody"), f"authority {name}"),
        parent=_parent(above, directory) if above else None,
        published=publication.said(options),
        seen=tuple(_seen(number, one) for number, one in enumerate(options["crl_seen"] or ())),
    )


def _seen(number: int, said: str) -> bytes:
    try:
        return base64.b64decode(said, validate=True)
    except ValueError:
        raise Misconfigured(
            f"certificate_authority: option crl_seen[{number}]: it is not base64; write what ansible.builtin.slurp "
            "returns as content"
        ) from None


def check_is_the_declared(authority: Authority, declared: Wanted, parent: Authority | None) -> None:
    """Refuse to treat another authority as this one. Raises Misconfigured naming option, both values and the remedy."""
    basic = authority.certificate.extensions.get_extension_for_class(x509.BasicConstraints).value
    found = _described(
        authority.certificate.subject,
        (key_type_of(authority.certificate.public_key()), authority.about.custody),
        basic.path_length,
        _name_constraints(authority.certificate),
    )
    found["parent"] = _signer((authority.certificate, *authority.issuers)[1:])
    asked = {**declared.described(), "parent": _signer([parent.certificate] if parent else [])}
    if declared.parent and not parent:
        del found["parent"]
    for option, value in found.items():
        if asked[option] != value:
            raise Misconfigured(
                f"local: authority {authority.name} in {authority.path.parent} has {option} {value}, "
                f"declared is {asked[option]}; declare what it has, or create another authority under a new name"
            )


def _signer(issuers: t.Sequence[x509.Certificate]) -> str:
    if not issuers:
        return "none (a root)"
    return f"{issuers[0].subject.rfc4514_string()} with key {spki_sha256(issuers[0].public_key())[:16]}"


def _described(
    subject: x509.Name, key: tuple[str, str], path_length: int | None, constraints: x509.NameConstraints | None
) -> dict[str, str]:
    return {
        "subject": subject.rfc4514_string(),
        "key.type": key[0],
        "key.custody": key[1],
        "path_length": "without limit" if path_length is None else str(path_length),
        "name_constraints": _constraints_text(constraints),
    }


def _constraints_text(constraints: x509.NameConstraints | None) -> str:
    if constraints is None:
        return "none"
    sides = {"permitted": constraints.permitted_subtrees, "excluded": constraints.excluded_subtrees}
    return ", ".join(f"{side} {sorted(str(one.value) for one in trees)}" for side, trees in sides.items() if trees)


def _name_constraints(certificate: x509.Certificate) -> x509.NameConstraints | None:
    with contextlib.suppress(x509.ExtensionNotFound):
        return certificate.extensions.get_extension_for_class(x509.NameConstraints).value
    return None


def _subject(said: t.Mapping[str, str | None], name: str) -> x509.Name:
    country = said.get("country")
    if country is not None and not re.fullmatch("[A-Z]{2}", country):
        raise Misconfigured(
            f"certificate_authority: option subject.country: {country!r} is not two capital letters; write it like DE"
        )
    attributes = {
        "country": NameOID.COUNTRY_NAME,
        "organization": NameOID.ORGANIZATION_NAME,
        "organizational_unit": NameOID.ORGANIZATIONAL_UNIT_NAME,
        "common_name": NameOID.COMMON_NAME,
    }
    values = {**said, "common_name": said.get("common_name") or name}
    try:
        said_attributes = [(oid, values[key]) for key, oid in attributes.items() if values.get(key)]
        return x509.Name([x509.NameAttribute(oid, str(value)) for oid, value in said_attributes])
    except ValueError as error:
        raise Misconfigured(f"certificate_authority: option subject: {error}; shorten it") from None


def _lifetime(said: str) -> int:
    try:
        return lifetime(said)
    except Misconfigured as error:
        raise Misconfigured(f"certificate_authority: option lifetime: {error}") from None


def _parent(said: t.Mapping[str, t.Any], directory: Path) -> Parent:
    name = checked_name(said["name"])
    return Parent(Path(said["directory"] or directory), name, opening(said, said["custody"], f"parent {name}"))
