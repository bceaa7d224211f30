# SPDX-FileCopyrightText: 2026 Keystead contributors
# SPDX-License-Identifier: GPL-3.0-or-later
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)

"""The whole of identity_trend: what was found is compared with the last run, and kept beside it, signed."""

from __future__ import annotations

import datetime as dt
import json
import typing as t
from pathlib import Path

from ...module_utils._core.errors import KeysteadError, Misconfigured
from ...module_utils._core.keys import public_pem, spki
from .._actor import VERSION
from .._audit.key import signing_key
from .._audit.records import start
from .._audit.vouched import public_keys
from .._controls import folder
from .._durations import seconds
from .._recall import opened
from . import runs
from .compare import Found, compared
from .runs import COUNTS, FINDINGS, RUNS, TREND, WHO

Options = t.Mapping[str, t.Any]
_LAST = "SELECT seq, hash FROM events ORDER BY seq DESC LIMIT 1"
_RESERVED = {FINDINGS, COUNTS, TREND, folder.MANIFEST, folder.PUBLIC_KEY}
_SAME = (FINDINGS, COUNTS)


def keep(args: Options, now: dt.datetime, *, check: bool) -> dict[str, t.Any]:
    """Compare with the last run, and keep this one where anything differs or a day begins. Raises KeysteadError."""
    directory, longest, files = Path(args["directory"]), _longest(args), _files(args)
    _speaking(lambda: folder.check_can_be_written(directory, WHO))
    with opened(args, WHO) as ledger:
        key = signing_key(args["key"], ledger, make=not check, who=WHO)
        last_event = next(iter(ledger.read(_LAST)), None) or start(ledger)
        about = {"ledger": str(ledger.id), "event": last_event[0], "hash": last_event[1]}
    last = runs.last_of(directory, public_keys(args["public_keys"] or (), key, WHO))
    told: dict[str, t.Any] = {"public_key": public_pem(spki(key.public_key())) if key is not None else None}
    if last is not None and _is_same(last, files, about, now):
        told |= {"changed": False, "path": str(last.path), "trend": last.content(TREND)}
    else:
        told |= _kept(directory, files, {**about, "framework": RUNS}, Means(last, key, now, check))
    old = runs.too_old(directory, longest, now)
    for path in [] if check else old:
        runs.remove(path)
    return {**told, "changed": told["changed"] or bool(old), "removed": [str(path) for path in old]}


class Means(t.NamedTuple):
    """The run before, the key (None where it is yet to be made), the moment, and whether only to look."""

    last: runs.Run | None
    key: t.Any
    now: dt.datetime
    check: bool


def _kept(directory: Path, files: dict[str, bytes], about: dict[str, t.Any], means: Means) -> dict[str, t.Any]:
    last = means.last
    before = Found(last.content(FINDINGS), last.content(COUNTS)) if last is not None else None
    previous = last.path.name if last is not None else None
    trend = compared(before, Found(*(json.loads(files[name]) for name in _SAME)), previous)
    whole = {**files, TREND: folder.rendered(trend)}
    said = {**about, "day": runs.named(means.now), "previous": previous, "collection_version": VERSION}
    wanted = folder.manifest(said, whole)
    path = directory / RUNS / folder.name_of(wanted, WHO)
    if not means.check:
        _speaking(lambda: folder.write(path, wanted, whole, means.key, WHO))
    return {"changed": True, "path": str(path), "trend": trend}


def _is_same(last: runs.Run, files: t.Mapping[str, bytes], about: Options, now: dt.datetime) -> bool:
    """Tell whether the last run is of today, and found the same in the same ledger."""
    wanted = folder.manifest({}, {name: files[name] for name in _SAME})["files"]
    there = last.manifest
    today = str(there.get("day", ""))[:10] == runs.named(now)[:10]
    return today and wanted.items() <= there["files"].items() and all(there.get(name) == about[name] for name in about)


def _files(args: Options) -> dict[str, bytes]:
    """Return what a run is made of, by the names of its files. Raises Misconfigured."""
    findings = sorted(args["findings"] or [], key=folder.rendered)
    found = {FINDINGS: folder.rendered(findings), COUNTS: folder.rendered(args["counts"] or {})}
    wrong = [name for name, count in (args["counts"] or {}).items() if not isinstance(count, int)]
    if wrong:
        raise Misconfigured(f"{WHO}: option counts: {', '.join(map(str, wrong))} is no whole number; leave it out")
    for path in map(Path, args["files"] or ()):
        if path.name in {*_RESERVED, *found}:
            raise Misconfigured(f"{WHO}: option files: {path} has a name that is taken; give it another one")
        try:
            found[path.name] = path.read_bytes()
        except OSError as error:
            remedy = "write the path of a file that this user may read"
            raise Misconfigured(f"{WHO}: option files: {path} cannot be read ({error.strerror}); {remedy}") from None
    return found


def _longest(args: Options) -> dt.timedelta | None:
    try:
        return None if args["keep"] is None else dt.timedelta(seconds=seconds(args["keep"]))
    except Misconfigured as error:
        raise Misconfigured(f"{WHO}: option keep: {error}") from None


def _speaking(work: t.Callable[[], object]) -> None:
    """Let errors of folders name the option of this module."""
    try:
        work()
    except KeysteadError as error:
        error.args = (str(error).replace("option evidence.directory", "option directory"),)
        raise
