# SPDX-FileCopyrightText: 2026 Keystead contributors
# SPDX-License-Identifier: GPL-3.0-or-later
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)

"""From verdicts about controls to what a task returns, and to signed folders."""

from __future__ import annotations

import re
import typing as t
from pathlib import Path

from ...module_utils._core.errors import Denied, Misconfigured, printable
from ...module_utils._core.keys import public_pem, spki, spki_sha256
from .._actor import VERSION
from .._audit.key import signing_key
from .._audit.records import start
from .._findings import MOST_NAMED, finding
from .._identity_policy.subject import who_is
from .._rows.said import said as said_row
from . import folder
from .frameworks import FRAMEWORKS
from .judge import NONE

if t.TYPE_CHECKING:
    from .._audit.checkpoint import Keys
    from .._ledger.chain import Readable
    from .._policy.policy import Policy
    from .._rows.row import Row
    from .judge import Verdict
    from .queries import Breach, Known

Fields = dict[str, t.Any]
LAST_EVENT = "SELECT seq, hash FROM events ORDER BY seq DESC LIMIT 1"


def said(verdict: Verdict, limit: int | None = None) -> Fields:
    """Return a verdict as the task returns it, with so many breaches."""
    control = verdict.control
    return {
        "framework": verdict.framework,
        "control": control.number,
        "title": control.title,
        "state": verdict.state,
        "evidence": verdict.evidence,
        "msg": _sentence(verdict),
        "breaches": [_breach(one) for one in verdict.breaches[:limit]],
        "total": len(verdict.breaches),
        "not_enforced": [{**_breach(one), "severity": one.severity} for one in verdict.not_enforced[:limit]],
        "total_not_enforced": len(verdict.not_enforced),
        "not_judged": verdict.not_judged,
    }


def _sentence(verdict: Verdict) -> str:
    if verdict.breaches:
        return f"{len(verdict.breaches)} breaches; the first: {verdict.breaches[0].text}"
    if verdict.state == NONE:
        return "there is no evidence"
    found = f"nothing of {verdict.evidence} pieces of evidence is a breach"
    if spared := verdict.not_enforced:
        number = f"{len(spared)} {'are' if spared[1:] else 'is'} not"
        found = f"{found} that is enforced; {number}, the first: {spared[0].text}"
    silent = [one["msg"] for one in verdict.not_judged]
    return f"{found}; {len(silent)} of its rules cannot tell, the first: {silent[0]}" if silent else found


def _breach(one: Breach) -> Fields:
    return {**(who_is(one.row) if one.row is not None else {}), "msg": one.text}


class Setting(t.NamedTuple):
    """Where evidence goes, what signs it (a custody and its options), what was judged, and whether only to look.

    `compiled` is the policy as it was read; `about` is what else options said of what was looked at.
    """

    directory: str
    custody: t.Mapping[str, t.Any]
    policy: Policy
    compiled: t.Mapping[str, t.Any]
    about: Fields
    check: bool


class Written(t.NamedTuple):
    """The folders of evidence, as the task returns them, and what its user is to be warned of."""

    folders: list[Fields]
    warnings: list[str]


def write(setting: Setting, known: Known, verdicts: t.Mapping[str, t.Sequence[Verdict]], who: str) -> Written:
    """Write a signed folder of each framework, where it is not there.

    Nothing is written where one of them is there and altered, or where the key is gone that signed what is there.
    Raises KeysteadError.
    """
    directory, day = Path(setting.directory), f"{known.at:%Y-%m-%d}"
    folder.check_can_be_written(directory, who)
    key, warnings = key_of(directory, setting.custody, known.ledger, make=not setting.check, who=who)
    keys = {} if key is None else {spki_sha256(key.public_key()): key.public_key()}
    inventory = [_entry(row, known) for row in sorted(known.rows, key=lambda row: row.key)]
    same = {"inventory.json": folder.rendered(inventory), "policy.json": folder.rendered(setting.compiled)}
    written, todo = [], []
    for framework, found in verdicts.items():
        files = {**same, **_files(framework, found)}
        wanted = folder.manifest(_about(framework, day, setting, known), files)
        path = directory / framework / folder.name_of(wanted, who)
        changed = not _is_there(path, wanted, keys, who)
        public_key = None if key is None else public_pem(spki(key.public_key()))
        written.append({"framework": framework, "path": str(path), "changed": changed, "public_key": public_key})
        todo.append((path, wanted, files))
    for one, (path, wanted, files) in zip(written, todo, strict=True):
        if one["changed"] and not setting.check:
            one["changed"] = folder.write(path, wanted, files, key, who)
    return Written(written, warnings)


def key_of(
    directory: Path, custody: t.Mapping[str, t.Any], ledger: Readable, *, make: bool, who: str
) -> tuple[t.Any, list[str]]:
    """Return the key, made where nothing was signed yet, and what to warn of. Raises KeysteadError."""
    before = folder.signers(directory, who)  # looked at first: the key is older than what it has signed
    file = custody.get("file")
    if before and file and not Path(file["path"]).exists():
        raise Misconfigured(
            f"{who}: option evidence.key.file: {file['path']} is not there, and signed what is in {directory}; "
            "put it back, or have new evidence in another directory"
        )
    key = signing_key(custody, ledger, make=make, who=who, option="evidence.key")
    mine = key and spki_sha256(key.public_key())
    if not before or mine in before:
        return key, []
    others = ", ".join(printable(one) for one in sorted(before)[:MOST_NAMED]) or "one that is not named"
    warning = f"option evidence.key is {mine}, which has signed nothing in {directory} yet; {others} has"
    return key, [f"{who}: {warning}. Tell whoever checks that, or put the key back"]


def _is_there(path: Path, wanted: folder.Manifest, keys: Keys, who: str) -> bool:
    try:
        return folder.is_there(path, wanted, keys, who)
    except folder.Altered as how:
        raise Denied(
            f"{who}: evidence {path} is not what was signed: {how}; find out by whom, move it away, and run again"
        ) from None


def _entry(row: Row, known: Known) -> Fields:
    """Return a row with all that was found of it, and its certificate; how many days are left is none of a state."""
    found = [finding(*one) for one in known.found.get(row.key, ()) if one[0] != "expires_soon"]
    return {**said_row(row, found), "pem": row.certificate}


def _files(framework: str, found: t.Sequence[Verdict]) -> dict[str, bytes]:
    whole = [said(one) for one in found]
    short = [{**one, "checked": verdict.control.checked} for one, verdict in zip(whole, found, strict=True)]
    for one in short:
        del one["breaches"], one["not_enforced"]
    about = FRAMEWORKS[framework]._asdict()
    del about["controls"]
    files = {"controls.json": folder.rendered({**about, "framework": framework, "controls": short})}
    for one, verdict in zip(whole, found, strict=True):
        control = verdict.control._asdict()
        asked = {name: control[name] for name in ("queries", "rules", "public", "checked")}
        name = re.sub(r"[^A-Za-z0-9.]+", "_", verdict.control.number).strip("_")
        files[f"control_{name}.json"] = folder.rendered({**one, **asked})
    return files


def _about(framework: str, day: str, setting: Setting, known: Known) -> Fields:
    """Return what a folder is about: also where the record of events stood, by which its ledger can be compared."""
    last = next(iter(known.ledger.read(LAST_EVENT)), None) or start(known.ledger)
    return {
        "framework": framework,
        "day": day,
        "policy": setting.policy.source,
        **setting.about,
        "collection_version": VERSION,
        "ledger": str(known.ledger.id),
        "event": last[0],
        "hash": last[1],
    }
