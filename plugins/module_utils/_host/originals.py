# SPDX-FileCopyrightText: 2026 Keystead contributors
# SPDX-License-Identifier: BSD-2-Clause
# Simplified BSD License (see LICENSES/BSD-2-Clause.txt or https://opensource.org/licenses/BSD-2-Clause)

"""A pair that was on the host before us (`adopt`): read, verified, and compared with what would take its place."""

from __future__ import annotations

import os
import typing as t

from .._core import pki
from .._core.errors import Misconfigured
from .._core.keys import from_pem, spki_sha256
from .._core.model import Credential, Finding, Identity, Original
from .copies import other_copies
from .layout import FILE_OF
from .ownership import facts_of, uid_gid
from .pem_files import Found, beyond, certificates, key_block, private_key, read
from .publish import Staged, files_of
from .renewers import owners

if t.TYPE_CHECKING:
    from .._core.model import Adopt

LONGEST_CHAIN = 10


class Pair(t.NamedTuple):
    """What `adopt` names: the key as it stands in its file, the certificate and its chain (DER), and their files."""

    key: bytes
    credential: Credential
    certificates: tuple[bytes, ...]
    files: tuple[Found, ...]

    def parts(self) -> dict[str, bytes]:
        """Return the parts of the generation that it becomes, but those that hold the key. Nobody pinned its root."""
        pem = [pki.pem_certificate(one) for one in self.certificates]
        chain = b"".join(pem[1:])
        return {"certificate": pem[0], "chain": chain, "fullchain": pem[0] + chain, "roots": b""}


def look(wanted: Identity, store: str) -> tuple[Original | None, dict[str, bytes]]:
    """Return the pair of an identity as the controller may know it, and every file of the generation it would be."""
    if wanted.adopt is None:
        return None, {}
    pair = _observed(wanted.adopt) if wanted.state == "observed" else pair_of(wanted.adopt)
    if pair is None:
        return None, {}
    findings = _findings(wanted, wanted.adopt, pair)
    original = Original(pair.certificates[0], pair.credential, pair.certificates[1:], findings)
    if not pair.key:
        return original, {}
    files = files_of(pair.parts(), Staged(pair.credential.public_id, pair.key), store, wanted.name)
    return original, {FILE_OF["private_key"]: pair.key, **files}


def pair_of(adopt: Adopt) -> Pair | None:
    """Read and verify the pair; None where neither file is there. Raises Misconfigured with the remedy."""
    key_path = adopt.private_key or ""
    certificate, key = read(adopt.certificate), read(key_path)
    if certificate is None and key is None:
        return None
    if certificate is None or key is None:
        missing, there = (adopt.certificate, key_path) if certificate is None else (key_path, adopt.certificate)
        raise Misconfigured(
            f"host: {missing} does not exist, and {there} does; adopt needs a whole pair"
        )
    block, loaded = private_key(key_path, key.content)
    pair = _with_chain(adopt, certificate)
    if pair.credential.public_id != spki_sha256(loaded.public_key()):
        raise Misconfigured(
            f"host: the key in {key_path} does not fit the first certificate in {adopt.certificate}; "
            "name the two files of one pair"
        )
    return pair._replace(key=block, files=(key, *pair.files))


def _observed(adopt: Adopt) -> Pair | None:
    """Read the certificate alone."""
    certificate = read(adopt.certificate)
    return None if certificate is None else _with_chain(adopt, certificate)


def _with_chain(adopt: Adopt, certificate: Found) -> Pair:
    files, found = [certificate], _certificates(adopt.certificate, certificate)
    if adopt.chain:
        chain = read(adopt.chain)
        if chain is None:
            raise Misconfigured(f"host: {adopt.chain} does not exist; write another path in adopt.chain, or none")
        files.append(chain)
        above = _certificates(adopt.chain, chain)
        found = (found[0], *(one for one in above if one != found[0]))
    if len(found) > LONGEST_CHAIN:
        where = adopt.chain or adopt.certificate
        raise Misconfigured(f"host: {where} holds {len(found)} certificates; name the chain of this one alone")
    try:
        return Pair(b"", pki.credential(found[0]), found, tuple(files))
    except ValueError:
        raise Misconfigured(
            f"host: the first certificate in {adopt.certificate} cannot be understood; "
            f"see what openssl x509 -in {adopt.certificate} -noout -text says"
        ) from None


def _certificates(path: str, file: Found) -> tuple[bytes, ...]:
    try:
        found = certificates(file.content)
    except ValueError:
        found = ()
    if not found:
        raise Misconfigured(f"host: {path} holds no certificate in PEM that can be read; write another path")
    return found


def _findings(wanted: Identity, adopt: Adopt, pair: Pair) -> tuple[Finding, ...]:
    """Say who else renews the pair, whether others can read its key, and where it has copies that get no link."""
    found = owners(adopt, [file.path for file in pair.files])
    mode = pair.files[0].facts.st_mode & 0o777
    if pair.key and mode & 0o007:
        found.append(Finding("key_readable", adopt.private_key or "", f"{mode:04o}"))
    return (*found, *(other_copies(wanted, pair) if pair.key else ()))


def besides(path: str, part: bytes | None) -> tuple[str, ...] | None:
    """Return the labels of the blocks that a file has besides what a part means: none where nothing would be lost.

    None where it means something else: another key, or another first certificate.
    """
    found = None if part is None else read(path)
    if found is None or part is None:
        return None
    try:
        first, key = certificates(part)[:1], _key_id(part)
        same = first in ((), certificates(found.content)[:1]) and key in (None, _key_id(found.content))
        return beyond(found.content, part) if same and (first or key) else None
    except ValueError:
        return None


def check_access(path: str, wanted: Identity) -> None:
    """Refuse (Misconfigured) to take a file with a key away from who reads it now: nobody declared that.

    Declared owner and group together are the answer to who shall read it. Of root nothing is taken away.
    """
    found = read(path)
    if found is None or (wanted.files.owner and wanted.files.group):
        return
    there, mode = found.facts, int(wanted.files.mode, 8)
    _uid, gid = uid_gid(wanted.files.owner, wanted.files.group)
    keeps_group = there.st_gid == (os.getegid() if gid == -1 else gid) and mode & 0o040
    loses_owner = wanted.files.owner is None and there.st_uid not in (0, os.geteuid()) and there.st_mode & 0o400
    loses_group = wanted.files.group is None and there.st_gid and there.st_mode & 0o040 and not keeps_group
    if loses_owner or loses_group or there.st_mode & 0o004:
        is_now, needed = facts_of(there), "0640" if there.st_mode & 0o044 else "0600"
        raise Misconfigured(
            f"host: {path} is {is_now['owner']}:{is_now['group']} with mode {is_now['mode']}, and who reads it now "
            f"could not do so any more; declare who shall: owner: {is_now['owner']}, group: {is_now['group']}, "
            f'mode: "{needed}" for {wanted.name}'
        )


def _key_id(content: bytes) -> str | None:
    block = key_block(content)
    return None if block is None else spki_sha256(from_pem(block).public_key())
