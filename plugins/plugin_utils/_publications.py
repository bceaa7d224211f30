# SPDX-FileCopyrightText: 2026 Keystead contributors
# SPDX-License-Identifier: GPL-3.0-or-later
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)

"""What a task says about copies of an identity, checked before a host is asked.

Every function takes validated options and raises Misconfigured, whose message begins with the option.
"""

from __future__ import annotations

import typing as t

from ..module_utils._core.errors import Misconfigured
from ..module_utils._core.publication import (
    DEFAULT_PARTS,
    FILE_PUBLISHERS,
    REMOTE_PARTS,
    REMOTE_PUBLISHERS,
    Publication,
    default_parts,
)
from ._consumers import key_mode, outside_store, public_mode, text
from ._paths import absolute

if t.TYPE_CHECKING:
    from ..module_utils._core.key import Key
    from ..module_utils._core.model import Files, Identity

Options = t.Mapping[str, t.Any]
LONGEST_PASSWORD = 255
ACM_KEY_TYPES = ("ecdsa-p256", "ecdsa-p384", "rsa-2048", "rsa-3072", "rsa-4096")
"""What ACM imports; not every service that uses it takes each of them."""


class RemotePublication(t.NamedTuple):
    """A copy that only the controller reaches: who writes it, which parts, and its validated options."""

    publisher: str
    parts: tuple[str, ...]
    options: Options


class Setting(t.NamedTuple):
    """What an identity says besides: its files, the store, its key."""

    files: Files
    store: str
    key: Key


def publications(entries: t.Sequence[Options] | None, setting: Setting) -> tuple[Publication, ...]:
    """Return the copies that go to files of the host. Their passwords are not among it."""
    named = [(entry, f"publish[{at}]") for at, entry in enumerate(entries or ())]
    return tuple(
        _publication(entry, where, setting) for entry, where in named if publisher_of(entry, where) in FILE_PUBLISHERS
    )


def remote_publications(entries: t.Sequence[Options] | None, identity: Identity) -> tuple[RemotePublication, ...]:
    """Return the copies that only the controller reaches."""
    named = [(entry, f"publish[{at}]") for at, entry in enumerate(entries or ())]
    return tuple(
        RemotePublication(name, _remote_parts(entry, name, where, identity), entry[name])
        for entry, where in named
        if (name := publisher_of(entry, where)) in REMOTE_PUBLISHERS
    )


def _remote_parts(entry: Options, name: str, where: str, identity: Identity) -> tuple[str, ...]:
    said = entry["parts"]
    parts = _checked_parts(tuple(said if said is not None else default_parts(name)), REMOTE_PARTS, f"{where}.parts")
    if identity.state != "present":
        return parts
    if name == "aws_acm":
        _check_importable(parts, where, identity)
    if "private_key" not in parts:
        return parts
    if not identity.key.comes_down:
        instead = "leave it out" if name == "aws_acm" else "write [fullchain]"
        raise Misconfigured(
            f"{where}.{'aws_acm' if name == 'aws_acm' else 'parts'}: the private key was made on the host and never "
            f"leaves it; {instead}, or let the controller make it (key.origin: controller)"
        )
    if identity.generation is not None:
        raise Misconfigured(
            f"generation: {identity.generation} has a key that nobody but the host has, and {where} gets it too; leave "
            "one of them out"
        )
    return parts


def _check_importable(parts: tuple[str, ...], where: str, identity: Identity) -> None:
    """Refuse what ACM takes from nobody, before anything is issued."""
    where, key_type, names = f"{where}.aws_acm", identity.key.type, identity.subject
    if set(parts) != set(DEFAULT_PARTS):
        raise Misconfigured(f"{where}: it takes private_key, certificate and chain, and no others; leave parts out")
    if key_type not in ACM_KEY_TYPES:
        raise Misconfigured(f"{where}: ACM takes no keys of type {key_type}; write one of {', '.join(ACM_KEY_TYPES)}")
    if not names.dns_names and not names.ip_addresses:
        raise Misconfigured(f"{where}: ACM takes no certificate without a DNS name or an IP address; write dns_names")


def passwords(entries: t.Sequence[Options] | None) -> dict[str, str]:
    """Return the passwords that a task says, by the paths of the files that they open."""
    said = (entry.get("pkcs12") or {} for entry in entries or ())
    return {one["path"]: str(one["password"]) for one in said if one and one["password"] is not None}


def publisher_of(entry: Options, where: str) -> str:
    """Return which publisher an entry names, which must be exactly one."""
    found = [name for name, said in entry.items() if name != "parts" and said is not None]
    if len(found) != 1:
        names = ", ".join(name for name in entry if name != "parts")
        raise Misconfigured(f"{where}: exactly one of {names} is needed, found {' and '.join(found) or 'none'}")
    return found[0]


def _publication(entry: Options, where: str, setting: Setting) -> Publication:
    name = publisher_of(entry, where)
    said, where = entry[name], f"{where}.{name}"
    parts = _parts(entry, name, where, setting.key.custody)
    with_key = "private_key" in parts
    files = setting.files
    if name == "pkcs12" and setting.key.type.startswith("ml-dsa"):
        raise Misconfigured(f"{where}: no reader of PKCS#12 knows keys of type {setting.key.type} yet; use pem_bundle")
    try:
        path = outside_store(absolute(said["path"]), setting.store)
    except Misconfigured as error:
        raise Misconfigured(f"{where}.path: {error}") from None
    try:
        mode = said["mode"]
        if mode is None:
            mode = files.mode if with_key else "0644"
        else:
            mode = key_mode(mode) if with_key else public_mode(mode)
        owner, group = text(said, "owner"), text(said, "group")
    except Misconfigured as error:
        raise Misconfigured(f"{where}.{error}") from None
    made = Publication(path, name, parts, owner or files.owner, group or files.group, mode)
    return _with_password(made, said, where) if name == "pkcs12" else made


def _parts(entry: Options, name: str, where: str, custody: str) -> tuple[str, ...]:
    inside, beside = entry[name].get("parts"), entry["parts"]
    if inside is not None and beside is not None:
        raise Misconfigured(f"{where}.parts: they stand beside {name} as well; write them once")
    said = inside if inside is not None else beside
    parts = tuple(said if said is not None else DEFAULT_PARTS)
    _checked_parts(parts, FILE_PUBLISHERS[name], f"{where}.parts")
    if custody != "file" and "private_key" in parts:
        raise Misconfigured(
            f"{where}.parts: custody {custody} has no private_key to copy; write pem_bundle with [certificate, chain]"
        )
    if name == "pkcs12" and not {"private_key", "certificate"} <= set(parts):
        raise Misconfigured(f"{where}.parts: it needs private_key and certificate; write pem_bundle where one is not")
    return parts


def _checked_parts(parts: tuple[str, ...], known: t.Sequence[str], where: str) -> tuple[str, ...]:
    for part in parts:
        if part not in known:
            raise Misconfigured(f"{where}: {part!r:.60} is no part that goes there; write some of {', '.join(known)}")
        if parts.count(part) > 1:
            raise Misconfigured(f"{where}: {part} stands there twice; write it once")
    if "fullchain" in parts and {"certificate", "chain"} & set(parts):
        raise Misconfigured(f"{where}: fullchain is certificate and chain; write it, or the two")
    if not parts:
        raise Misconfigured(f"{where}: there are none; write some of {', '.join(known)}, or leave it out")
    return parts


def _with_password(made: Publication, said: Options, where: str) -> Publication:
    """Add how a file is encrypted, and where its password is; one that is said comes to the host another way."""
    given = [option for option in ("password", "password_file") if said[option] is not None]
    if len(given) != 1:
        raise Misconfigured(
            f"{where}: exactly one of password and password_file is needed, found {' and '.join(given) or 'none'}"
        )
    password, file = said["password"], said["password_file"]
    if isinstance(password, (bool, int, float)):
        raise Misconfigured(f'{where}.password: it was read by YAML as a number or a truth value; quote it: "..."')
    password = None if password is None else str(password)
    if password is not None and not (1 <= len(password) <= LONGEST_PASSWORD and password.isprintable()):
        raise Misconfigured(
            f"{where}.password: it is not 1 to {LONGEST_PASSWORD} printable characters; write another one"
        )
    try:
        file = file and absolute(file)
    except Misconfigured:  # not shown: somebody may have written the password itself there
        raise Misconfigured(
            f"{where}.password_file: it is not an absolute path in its shortest form; write one of the host"
        ) from None
    if file == made.path:
        raise Misconfigured(f"{where}.password_file: it is the path of the copy itself; write another one")
    return made._replace(encryption=said["encryption"], password_file=file)
