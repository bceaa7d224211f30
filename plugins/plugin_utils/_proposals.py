# SPDX-FileCopyrightText: 2026 Keystead contributors
# SPDX-License-Identifier: GPL-3.0-or-later
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)

"""Entries for `identities` that adopt what a scan found: one for each pair whose certificate names somebody."""

from __future__ import annotations

import re
import typing as t

from ..module_utils._core.errors import Misconfigured
from ..module_utils._core.key import KEY_TYPES
from ..module_utils._core.model import PROFILE_USAGES
from ._names import subject

if t.TYPE_CHECKING:
    from ..module_utils._core.model import Credential, Subject
    from ._scanned import Scanned

Entry = dict[str, t.Any]
AT_ONCE = {"snake_oil", "key_readable", "weak_key"}
"""What is wrong with a key that should not stay until its certificate is due."""
_PROFILES = {usages: profile for profile, usages in PROFILE_USAGES.items()}
_ARCHIVED = re.compile(r"/archive/[^/]+/(?:privkey|cert|chain|fullchain)\d+\.pem\Z")  # of certbot, which links to them
_UNFIT = re.compile(r"[^a-z0-9._-]+|\.\.+")


def proposals(files: t.Sequence[Scanned], known: t.Collection[str]) -> list[Entry]:
    """Return an entry for each key that no identity has (`known`: those that are ours), best copy first."""
    entries: list[Entry] = []
    names: set[str] = set()
    usable = [one for one in files if one.public_id and not one.managed and not one.msg and one.key_fits]
    usable = [one for one in usable if not one.encrypted and not one.closed]
    for public_id in dict.fromkeys(one.public_id for one in usable if one.holds_key and one.kind != "pkcs12"):
        if public_id in known:
            continue
        entry = _proposal([one for one in usable if one.public_id == public_id], usable, names)
        if entry is not None:
            entries.append(entry)
    return entries


def _proposal(halves: t.Sequence[Scanned], files: t.Sequence[Scanned], taken: set[str]) -> Entry | None:
    """Pair the newest certificate of a key with the copy of the key that stands nearest to it."""
    certified = [one for one in halves if one.credential and one.kind in ("certificate", "pair")]
    keys = [one for one in halves if one.kind in ("private_key", "pair")]
    if not certified or not keys:
        return None
    newest = max(one.credential.not_after for one in certified if one.credential)
    newest_ones = [one for one in certified if one.credential and one.credential.not_after == newest]
    best = max(newest_ones, key=lambda one: _worth(one, keys))
    key = best if best.kind == "pair" else max(keys, key=lambda one: (one.directory == best.directory, one.is_link))
    names = _names_of(best.credential)
    if names is None or best.credential is None:
        return None
    chain = None if best.certificates > 1 else _chain_of(best, files)
    return {
        "name": _free(_slug(names, best), taken),
        **names,
        "profile": _PROFILES.get(best.credential.facts.usages, "tls_server"),
        **({"key": {"type": key.key_type}} if key.key_type in KEY_TYPES else {}),
        "adopt": _adopt(key, best, chain),
        "links": _links((key, best, *([chain] if chain else ())), files),
        "owner": key.owner,
        "group": key.group,
        "mode": "0640" if int(key.mode, 8) & 0o040 else "0600",
    }


def _worth(one: Scanned, keys: t.Sequence[Scanned]) -> tuple[bool, ...]:
    """Prefer what a link can replace, what a renewer keeps stable, beside the key, with its chain."""
    return not one.further, one.is_link, any(key.directory == one.directory for key in keys), one.certificates > 1


def _adopt(key: Scanned, certificate: Scanned, chain: Scanned | None) -> Entry:
    replace = {"replace": "now"} if AT_ONCE & (key.codes | certificate.codes) else {}
    paths = {"private_key": key.path, "certificate": certificate.path}
    return {**paths, **({"chain": chain.path} if chain else {}), **replace}


def _links(adopted: t.Sequence[Scanned], files: t.Sequence[Scanned]) -> dict[str, str]:
    """Return a link for each path that holds a part of what is adopted: the first renewal would leave a copy behind."""
    key, leaf, *chain = adopted
    above = [*leaf.fingerprints[1:], *(one for file in chain for one in file.fingerprints)]
    links = {}
    ours, beside = (leaf.fingerprints[0], *above), {one.directory for one in files if one.public_id == key.public_id}
    for file in (*adopted, *(one for one in files if not _ARCHIVED.search(one.path))):
        near = file in chain or (file.directory in beside and _is_chain(file))
        part = None if file.further else _part(file, key.public_id, ours, near=near)
        if part:
            links[file.path] = part
    return links


def _part(file: Scanned, public_id: str | None, ours: tuple[str, ...], *, near: bool) -> str | None:
    """Return which part of a pair a file is; None where it holds what the pair does not."""
    if file.public_id == public_id and file.kind == "private_key":
        return "private_key"
    if file.fingerprints[:1] == ours[:1] and set(file.fingerprints) <= set(ours):
        several = "fullchain" if file.certificates > 1 else "certificate"
        return {"pair": "combined", "certificate": several}.get(file.kind)
    return "chain" if near and file.kind == "certificate" and set(file.fingerprints) == set(ours[1:]) else None


def _is_chain(file: Scanned) -> bool:
    """Tell whether a file beside a certificate is its chain: not an authority that somebody trusts by this file."""
    facts = file.credential.facts if file.credential else None
    if facts is None:
        return False
    return facts.issuer != facts.subject_name or "chain" in file.path.rpartition("/")[2]


def _chain_of(leaf: Scanned, files: t.Sequence[Scanned]) -> Scanned | None:
    """Return the certificate of the signer that stands beside a certificate."""
    if leaf.credential is None or leaf.credential.facts.issuer == leaf.credential.facts.subject_name:
        return None
    for one in files:
        beside = one.directory == leaf.directory and one.kind == "certificate" and one.credential is not None
        if beside and one.credential and one.credential.facts.subject_name == leaf.credential.facts.issuer:
            return one
    return None


def _names_of(credential: Credential | None) -> Entry | None:
    """Return the names that can be declared as they stand in a certificate; None where there is none."""
    if credential is None:
        return None
    there: Subject = credential.facts.subject
    found = {option: _declarable(option, getattr(there, option)) for option in _NAMES}
    if not any(found.values()):
        return None
    return {option: names for option, names in found.items() if names}


_NAMES = ("dns_names", "ip_addresses", "uris", "email_addresses")


def _declarable(option: str, names: t.Sequence[str]) -> list[str]:
    kept = []
    for name in names:
        try:
            kept += getattr(subject({**dict.fromkeys((*_NAMES, "common_name")), option: [name]}), option)
        except Misconfigured:
            continue
    return kept


def _slug(names: Entry, file: Scanned) -> str:
    first = next(iter(names.get("dns_names", ())), "") or file.path.rpartition("/")[2].partition(".")[0]
    return _UNFIT.sub("-", first.lower()).strip("-._")[:50] or "adopted"


def _free(name: str, taken: set[str]) -> str:
    free = next(one for number in range(1, 10_000) if (one := name if number == 1 else f"{name}-{number}") not in taken)
    taken.add(free)
    return free
