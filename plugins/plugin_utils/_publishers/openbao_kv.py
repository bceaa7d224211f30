# SPDX-FileCopyrightText: 2026 Keystead contributors
# SPDX-License-Identifier: GPL-3.0-or-later
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)

"""The publisher `openbao_kv`: an entry of a KV version 2 of an OpenBao, or of a HashiCorp Vault, by check-and-set."""

from __future__ import annotations

import typing as t
from urllib.parse import urlsplit

from ...module_utils._core.errors import Misconfigured, Unavailable
from ...module_utils._core.publication import CopyState
from .._copy_entry import MARK, MENDS, Owner, entry, is_untouched, state_of
from .._durations import timeout
from .._openbao.address import address, path
from .._openbao.errors import Refused, section, spoken_by
from .._openbao.shared import shared

WHO = "openbao_kv"
_SINCE = f"{MARK}_since"
_RACED = "check-and-set"  # in what the server says of another version


Json = dict[str, t.Any]


class OpenBaoKv:
    """Publisher over `{url, mount, path, namespace, auth, ca_bundle, timeout}`. Making one reads options alone."""

    mends: t.ClassVar[tuple[str, ...]] = MENDS

    def __init__(self, options: t.Mapping[str, t.Any], owner: Owner) -> None:
        """Check what can be checked without the server. Raises Misconfigured."""
        where = address({**options, "timeout": timeout(options["timeout"])}, WHO)
        self._mount, self._path = path(options["mount"], f"{WHO}.mount"), path(options["path"], f"{WHO}.path")
        if not self._mount or not self._path:
            raise Misconfigured(f"{WHO}.path: mount and path must not be empty; write for example web/tls")
        self._owner = owner
        with spoken_by(WHO):
            self._client = shared(where, options["auth"])
        below = f"{where.namespace}/" if where.namespace else ""
        self.where = f"{WHO} {where.url}/v1/{below}{self._mount}/data/{self._path}"

    def is_at(self, where: str) -> bool:
        """Tell whether this is the same entry: its server may move, or have another name, as in transit_uri.py."""
        who, _space, url = where.partition(" ")
        return who == WHO and urlsplit(url).path == urlsplit(self.where.partition(" ")[2]).path

    def read(self, parts: t.Mapping[str, bytes] | None) -> CopyState:
        """Compare the newest version with the parts."""
        found = self._look()[0]
        if found is None:
            found = self._deleted(self._metadata())
        return CopyState(self.where, WHO, state_of(found, parts, self._owner, self.where))

    def write(self, parts: t.Mapping[str, bytes]) -> None:
        """Write one more version, unless somebody else writes at the same time; earlier ones stay in its history."""
        (found, version), metadata = self._look(), self._metadata()
        if found is None:
            found, version = self._deleted(metadata), _count(metadata, "current_version")
        state_of(found, parts, self._owner, self.where)
        self._claim(metadata, version + 1)
        self.put(parts, version, found)
        if self.read(parts).state != "ok":
            raise Unavailable(f"{WHO}: {self._path} does not hold what was written; look who else writes it, run again")

    def put(self, parts: t.Mapping[str, bytes], version: int, found: t.Mapping[str, t.Any] | None = None) -> None:
        """Write the version after `version`, `found`. Raises Unavailable where that is not the newest one any more."""
        body = {"options": {"cas": version}, "data": entry(parts, self._owner, found, WHO)}
        try:
            with spoken_by(WHO):
                self._client.call("POST", f"{self._mount}/data/{self._path}", body)
        except Refused as refused:
            if _RACED not in refused.said:
                raise
            raise Unavailable(f"{WHO}: somebody else wrote {self._path} at the same time; run again") from None

    def delete(self) -> None:
        """Destroy every version of ours, if the newest one is untouched; the entry too, if nobody else had any."""
        found, _version = self._look()
        if found is None or not is_untouched(found, self._owner):
            return
        metadata = self._metadata() or {}
        said = metadata.get("custom_metadata") or {}
        numbers = sorted(int(number) for number in metadata.get("versions") or {} if number.isdigit())
        ours = [number for number in numbers if self._is_ours(number, metadata)]
        with spoken_by(WHO):
            if said.get(_SINCE) == "1" and ours == numbers and not set(said) - {MARK, _SINCE}:
                self._client.call("DELETE", f"{self._mount}/metadata/{self._path}")
            else:
                self._client.call("POST", f"{self._mount}/destroy/{self._path}", {"versions": ours})
                kept = {name: value for name, value in said.items() if name not in (MARK, _SINCE)}
                self._client.call("POST", f"{self._mount}/metadata/{self._path}", {"custom_metadata": kept})
        if self._look()[0] is not None:
            raise Unavailable(f"{WHO}: {self._path} is there again; look who else writes it, then run again")

    def _is_ours(self, number: int, metadata: Json) -> bool:
        """Tell whether a version is ours: by its mark, and where it was deleted, by when we took the entry."""
        version = metadata["versions"][str(number)]
        if version.get("deletion_time") or version.get("destroyed"):
            since = str((metadata.get("custom_metadata") or {}).get(_SINCE))
            return since.isdigit() and number >= int(since)
        return self._has_mark(self._look(number)[0])

    def _has_mark(self, found: Json | None) -> bool:
        return str((found or {}).get(MARK, "")).startswith(f"{self._owner.label} ")

    def _deleted(self, metadata: Json | None) -> Json | None:
        """Return what stands for an entry whose newest version was deleted, and is not ours; None for nothing."""
        said = (metadata or {}).get("custom_metadata") or {}
        if metadata is None or not _count(metadata, "current_version") or said.get(MARK) == self._owner.label:
            return None
        live = [
            int(number)
            for number, version in (metadata.get("versions") or {}).items()
            if number.isdigit() and not (version.get("deletion_time") or version.get("destroyed"))
        ]
        if live and self._has_mark(self._look(max(live))[0]):
            return None
        return {"": "deleted, with the history of somebody else"}

    def _claim(self, metadata: Json | None, version: int) -> None:
        """Say in the metadata whose the entry is, and since which version: a deleted one says nothing itself."""
        said = (metadata or {}).get("custom_metadata") or {}
        if said.get(MARK) == self._owner.label:
            return
        since = next((number for number in range(1, version) if self._was_ours(number, metadata)), version)
        body = {"custom_metadata": {**said, MARK: self._owner.label, _SINCE: str(since)}}
        with spoken_by(WHO):
            self._client.call("POST", f"{self._mount}/metadata/{self._path}", body)

    def _was_ours(self, number: int, metadata: Json | None) -> bool:
        return str(number) in ((metadata or {}).get("versions") or {}) and self._has_mark(self._look(number)[0])

    def _look(self, number: int = 0) -> tuple[Json | None, int]:
        """Return a version, or the newest one, and its number; None where there is none, or where it was deleted."""
        which = f"?version={number}" if number else ""
        try:
            with spoken_by(WHO):
                answer = section(self._client.call("GET", f"{self._mount}/data/{self._path}{which}"), "data")
                values, version = section(answer, "data"), section(answer, "metadata").get("version")
        except Refused as refused:
            if refused.status == 404:
                return None, 0
            raise
        return values, version if isinstance(version, int) else 0

    def _metadata(self) -> Json | None:
        """Return what the server keeps about all versions; None where there is no entry."""
        try:
            with spoken_by(WHO):
                answer = section(self._client.call("GET", f"{self._mount}/metadata/{self._path}"), "data")
        except Refused as refused:
            if refused.status == 404:
                return None
            raise
        return answer


def _count(metadata: Json | None, name: str) -> int:
    found = (metadata or {}).get(name)
    return found if isinstance(found, int) else 0
