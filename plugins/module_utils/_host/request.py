# SPDX-FileCopyrightText: 2026 Keystead contributors
# SPDX-License-Identifier: BSD-2-Clause
# Simplified BSD License (see LICENSES/BSD-2-Clause.txt or https://opensource.org/licenses/BSD-2-Clause)

"""What came down the wire, read once."""

from __future__ import annotations

import typing as t
from datetime import datetime, timezone

from .._core import wire
from .._core.errors import KINDS, KeysteadError, Misconfigured, Pending
from .._core.model import Identity, Known


class Request(t.NamedTuple):
    """One phase for one host: `now` is the controller's clock, `deadline` in seconds, `holder` who asks.

    `others`, `paths` and `scan` are what phase `read` looks at beside the identities that are named. `secrets` are PINs
    and passwords by the name of the identity: they come apart from what is wanted, which is shown. `errand` is for
    phases that are about no identity. `refused` are the PINs that tokens of this host refused earlier in the run, by
    where they come from.
    """

    store: str
    host: str
    ledger_id: str | None
    now: datetime
    deadline: float
    holder: dict[str, t.Any]
    broken: dict[str, str]
    entries: tuple[dict[str, t.Any], ...]
    others: bool = False
    paths: tuple[str, ...] = ()
    scan: tuple[str, ...] = ()
    secrets: t.Mapping[str, t.Mapping[str, str]] = {}
    errand: t.Mapping[str, t.Any] = {}
    refused: tuple[str, ...] = ()

    def identities(self) -> t.Iterator[tuple[Identity, Known, dict[str, t.Any]]]:
        """Yield what is wanted, what the controller knows, and the rest of the entry."""
        for entry in self.entries:
            try:
                known, wanted = wire.unpack(Known, entry.get("known") or {}), wire.unpack(Identity, entry["identity"])
            except ValueError as error:
                raise Misconfigured(f"host: what the controller says is refused: {error}; look at its ledger") from None
            yield self._opened(wanted), known, entry

    def _opened(self, wanted: Identity) -> Identity:
        """Return what is wanted with the PIN that opens its token, and the passwords of its files by their paths."""
        said = self.secrets.get(wanted.name)
        if not said:
            return wanted
        publish = tuple(one._replace(password=said.get(one.path)) for one in wanted.publish)
        if "pin" not in said or wanted.key.token is None:
            return wanted._replace(publish=publish)
        opened = wanted.key._replace(token=wanted.key.token._replace(pin=said["pin"]))
        return wanted._replace(key=opened, publish=publish)


def read(params: t.Mapping[str, t.Any]) -> Request:
    """Read the module's parameters; another format is refused, since the two halves must be of one version."""
    if params["format"] != wire.FORMAT:
        raise Misconfigured(
            f"host: the wire has format {params['format']}, this host's half speaks {wire.FORMAT}; "
            "use one version of keystead.identity for both halves"
        )
    return Request(
        store=params["store"],
        host=params["host"],
        ledger_id=params["ledger_id"],
        now=datetime.fromtimestamp(params["now"], timezone.utc),
        deadline=params["deadline"],
        holder=params["holder"] or {},
        broken=params["broken"] or {},
        entries=tuple(params["identities"]),
        others=bool(params.get("others")),
        paths=tuple(params.get("paths") or ()),
        scan=tuple(params.get("scan") or ()),
        secrets=params.get("secrets") or {},
        errand=params.get("errand") or {},
        refused=tuple(params.get("refused") or ()),
    )


def failed(name: str, error: KeysteadError) -> dict[str, t.Any]:
    """Return the answer for an identity that could not be looked at or worked on."""
    kind = next(name for name, known in KINDS.items() if isinstance(error, known))  # Busy is Pending up there
    answer: dict[str, t.Any] = {"kind": kind, "message": " ".join(str(error).split())}
    if isinstance(error, Pending):
        answer["retry_after"] = error.retry_after
    refused = getattr(error, "refused", None)
    if refused is not None:
        answer["refused"] = refused
    busy = getattr(error, "lease", None)
    if busy is not None:
        answer["lease"], answer["holder"] = busy.token, busy.holder
    return {"name": name, "error": answer}
