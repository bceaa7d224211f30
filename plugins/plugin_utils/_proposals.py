# SPDX-FileCopyrightText: 2026 Keystead contributors
# SPDX-License-Identifier: GPL-3.0-or-later
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)

"""Entries for `identities` that adopt what a scan found: one for each pair whose certificate names somebody."""

from __future__ import annotations

import re
import typing as t

from ..module_utils._core.errors import Misconfigured
from ..module_utils._core.model import KEY_TYPES, PROFILE_USAGES
from ._names import subject

if t.TYPE_CHECKING:
    from ..module_utils._core.model import Credential, Subject
    from ._scanned import Scanned

Entry = dict[str, t.Any]
AT_ONCE = {"snake_oil", "key_readable", "weak_key"}
"""What is wrong with a key that should not stay until its certificate is due."""
_PROFILES = {usages: profile for profile, usages in PROFILE_USAGES.items()}
_UNFIT = re.compile(r"[^a-z0-9._-]+|\.\.+")


def proposals(files: t.Sequence[Scanned], known: t.Collection[str]) -> list[Entry]:
    """Return an entry for each key that no identity has (`known`: those that are ours), best copy first."""
    entries: list[Entry] = []
    names: set[str] = set()
    usable = [one for one in files if one.public_id and not one.managed and not one.msg and one.key_fits]
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
        "links": _links(key, best, chain),
        "owner": key.owner,
        "group": key.group,
        "mode": "0640" if int(key.mode, 8) & 0o040 else "0600",
    }


def _worth(one: Scanned, keys: t.Sequence[Scanned]) -> tuple[bool, ...]:
    """Prefer what a renewer keeps stable, beside the key, with its chain."""
    return one.is_link, any(key.directory == one.directory for key in keys), one.certificates > 1


def _adopt(key: Scanned, certificate: Scanned, chain: Scanned | None) -> Entry:
    replace = {"replace": "now"} if AT_ONCE & (key.codes | certificate.codes) else {}
    paths = {"private_key": key.path, "certificate": certificate.path}
    return {**paths, **({"chain": chain.path} if chain else {}), **replace}


def _links(key: Scanned, certificate: Scanned, chain: Scanned | None) -> dict[str, str]:
    if key is certificate:
        return {key.path: "combined"}
    part = "fullchain" if certificate.certificates > 1 else "certificate"
    return {key.path: "private_key", certificate.path: part, **({chain.path: "chain"} if chain else {})}


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
