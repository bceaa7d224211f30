# SPDX-FileCopyrightText: 2026 Keystead contributors
# SPDX-License-Identifier: GPL-3.0-or-later
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)

"""The certificate of destruction: a signed folder with what became of each credential, for programs and for people."""

from __future__ import annotations

import re
import typing as t
from datetime import UTC, datetime
from pathlib import Path

from ...module_utils._core.errors import Denied
from ...module_utils._core.keys import public_pem, spki, spki_sha256
from .._actor import VERSION
from .._audit.checkpoint import signer_of
from .._audit.records import start
from .._controls import folder
from .._controls.evidence import LAST_EVENT, key_of
from .held import WHO

if t.TYPE_CHECKING:
    from .._audit.checkpoint import Keys
    from .._ledger.chain import Readable
    from .held import Record

FRAMEWORK = "decommission"
JSON, TEXT = "certificate.json", "certificate.md"
OVERWRITING = (
    "Files were removed by their names. To overwrite them first would promise nothing: a solid-state drive writes to "
    "other cells and keeps the old ones, a file system that copies on write or keeps a journal has the old blocks, "
    "and snapshots, backups, images and replicas of a disk are not reached from its host. Who needs more destroys the "
    "disk, or the key that it was encrypted with."
)
TOKENS = (
    "That a key is no longer in a token or in a key service is what that says of itself. A backup of it, or a copy "
    "that was made while the key could be read, is not reached."
)
REVOKING = (
    "A revoked certificate is refused by those who ask, once they have the newest answer. Who does not ask takes it "
    "until it ends."
)
LEDGER = "Only what the ledger knows is named here. What was put on the host in other ways is not."
LIMITS = (OVERWRITING, TOKENS, REVOKING, LEDGER)


class Written(t.NamedTuple):
    """Where the certificate is, whether it was written now, the public key that verifies it, and what to warn of."""

    path: str
    changed: bool
    public_key: str | None
    warnings: list[str]


def write(options: t.Mapping[str, t.Any], ledger: Readable, found: Record, *, check: bool) -> Written:
    """Write the certificate of a host, unless the same is there already. Raises KeysteadError."""
    directory = Path(options["directory"])
    folder.check_can_be_written(directory, WHO)
    key, warnings = key_of(directory, options["key"], ledger, make=not check, who=WHO)
    public_key = None if key is None else public_pem(spki(key.public_key()))
    said = {**found, "limits": list(LIMITS)}
    files = {JSON: folder.rendered(said), TEXT: text(said).encode()}
    wanted = folder.manifest(_about(found["host"], ledger), files)
    place = directory / (re.sub(r"[^A-Za-z0-9_.-]", "_", found["host"]).lstrip(".") or "_")
    keys = {} if key is None else {spki_sha256(key.public_key()): key.public_key()}
    for path in sorted(place.glob(f"[!.]*/{folder.MANIFEST}")) if keys else ():
        if not _is_of_another(path, keys) and _is_the_same(path.parent, wanted, keys):
            return Written(str(path.parent), changed=False, public_key=public_key, warnings=warnings)
    path = place / folder.name_of({**wanted, "signers": sorted(keys)}, WHO)
    changed = check or folder.write(path, wanted, files, key, WHO)
    return Written(str(path), changed, public_key, warnings)


def _is_of_another(path: Path, keys: Keys) -> bool:
    """Tell whether a folder was signed by a key of another day: who has that verifies it, and it stays as it is."""
    try:
        said = signer_of(path.read_text("ascii", "replace"), WHO)
    except OSError:  # whoever checks it says why
        return False
    return bool(said) and said not in keys


def _is_the_same(path: Path, wanted: folder.Manifest, keys: Keys) -> bool:
    try:
        said = folder.check(path, keys, WHO)
    except folder.Altered as how:
        raise Denied(
            f"{WHO}: option evidence.directory: {path} is not what was signed: {how}; find out by whom, move it away, "
            "and run again"
        ) from None
    return bool(said.get("host") == wanted["host"] and wanted["files"].items() <= said["files"].items())


def _about(host: str, ledger: Readable) -> Record:
    last = next(iter(ledger.read(LAST_EVENT)), None) or start(ledger)
    return {
        "framework": FRAMEWORK,
        "host": host,
        "day": f"{datetime.now(UTC):%Y-%m-%d}",
        "collection_version": VERSION,
        "ledger": str(ledger.id),
        "event": last[0],
        "hash": last[1],
    }


def text(said: Record) -> str:
    """Return the certificate as Markdown."""
    how = "It was gone, and its credentials were ended by the ledger alone." if said["gone"] else ""
    lines = [f"# Certificate of destruction: {_plain(said['host'])}", ""]
    lines += [f"{_plain(how)} {_summary(said)}".strip(), ""]
    lines += [f"When this was signed, and by which key, {folder.MANIFEST} says.", "", "## Credentials", ""]
    for one in said["credentials"]:
        lines += _credential(one)
    if said["keys"]:
        lines += ["## Keys of no identity", ""]
        lines += [f"* {_plain(one['label'])} ({_plain(one['uri'])}): {_told(one['key'])}" for one in said["keys"]]
        lines.append("")
    if said["trusted_by"]:
        lines += ["## Who trusts it", ""]
        lines += [f"* {_plain(_peer(one))}" for one in said["trusted_by"]] + [""]
    lines += ["## What this does not promise", "", *(f"* {limit}" for limit in said["limits"]), ""]
    return "\n".join(lines)


def _summary(said: Record) -> str:
    parts = [one[part] for one in said["credentials"] for part in ("certificate", "key")]
    parts += [one["key"] for one in said["keys"]]
    unproved = sum(not one["proved"] for one in parts)
    return f"Of {len(parts)} certificates and keys, {unproved} could not be proved to be gone." if unproved else (
        f"All of {len(parts)} certificates and keys are proved to be gone."
    )


def _credential(one: Record) -> list[str]:
    what = f"{one['identity']}, generation {one['generation']} ({one['kind']}, {one['store']})"
    lines = [f"### {_plain(what)}", ""]
    facts = {
        "serial number": one["serial_number"], "SHA-256 fingerprint": one["fingerprint_sha256"],
        "SHA-256 of its key": one["spki_sha256"], "issuer": one["issuer_id"],
        "custody of its key": f"{one['custody']} {one['key_uri'] or ''}".strip(), "ends": one["not_after"],
    }  # fmt: skip
    lines += [f"* {name}: {_plain(str(value))}" for name, value in facts.items() if value is not None]
    lines += [f"* path: {_plain(path)}" for path in one["paths"]]
    lines += [f"* copy: {_plain(place)}" for place in one["copies"]]
    return [*lines, f"* certificate: {_told(one['certificate'])}", f"* private key: {_told(one['key'])}", ""]


def _told(verdict: Record) -> str:
    when = f", {verdict['at']}" if verdict["at"] else ""
    proof = "**proved**" if verdict["proved"] else f"**not proved**: {_plain(verdict['why_not'])}"
    return f"{_plain(verdict['done'])}{when}; {proof}"


def _peer(one: Record) -> str:
    kind = "service" if "service" in one else "issuer"
    return f"{one['identity']} of {one['host']} trusts {kind} {one[kind]}"


def _plain(said: str) -> str:
    """Return a text in which nothing is Markdown's."""
    return re.sub(r"([\\`*_\[\]<>#|])", r"\\\1", "".join(one if one.isprintable() else "?" for one in said))
