# SPDX-FileCopyrightText: 2026 Keystead contributors
# SPDX-License-Identifier: GPL-3.0-or-later
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)

"""The publisher `openbao_kv`: an entry of a KV version 2 of an OpenBao, or of a HashiCorp Vault, by check-and-set."""

from __future__ import annotations

import typing as t

from ...module_utils._core.errors import Misconfigured, Unavailable
from ...module_utils._core.publication import CopyState
from .._copy_entry import MENDS, Owner, entry, is_untouched, state_of
from .._durations import timeout
from .._openbao.address import address, path
from .._openbao.errors import Refused, section, spoken_by
from .._openbao.shared import shared

WHO = "openbao_kv"
_RACED = "check-and-set"  # in what the server says of another version


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

    def read(self, parts: t.Mapping[str, bytes] | None) -> CopyState:
        """Compare the newest version with the parts."""
        return CopyState(self.where, WHO, state_of(self._look()[0], parts, self._owner, self.where))

    def write(self, parts: t.Mapping[str, bytes]) -> None:
        """Write one more version, unless somebody else writes at the same time; earlier ones stay in its history."""
        found, version = self._look()
        state_of(found, parts, self._owner, self.where)
        self.put(parts, self._newest() if found is None else version, found)
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
        """Destroy every version, if the newest one is ours and untouched."""
        found, _version = self._look()
        if found is None or not is_untouched(found, self._owner):
            return
        with spoken_by(WHO):
            self._client.call("DELETE", f"{self._mount}/metadata/{self._path}")
        if self._look()[0] is not None:
            raise Unavailable(f"{WHO}: {self._path} is there again; look who else writes it, then run again")

    def _look(self) -> tuple[dict[str, t.Any] | None, int]:
        """Return the newest version and its number; None where there is none, or where it was deleted."""
        try:
            with spoken_by(WHO):
                found = section(self._client.call("GET", f"{self._mount}/data/{self._path}"), "data")
                values, version = section(found, "data"), section(found, "metadata").get("version")
        except Refused as refused:
            if refused.status == 404:
                return None, 0
            raise
        return values, version if isinstance(version, int) else 0

    def _newest(self) -> int:
        """Return the number of the newest version where that was deleted, which check-and-set wants to hear; else 0."""
        try:
            with spoken_by(WHO):
                answer = section(self._client.call("GET", f"{self._mount}/metadata/{self._path}"), "data")
        except Refused as refused:
            if refused.status == 404:
                return 0
            raise
        version = answer.get("current_version")
        return version if isinstance(version, int) else 0
