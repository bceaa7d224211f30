# SPDX-FileCopyrightText: 2026 Keystead contributors
# SPDX-License-Identifier: GPL-3.0-or-later
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)

"""Keys of identities that only the controller reaches: looked at, made, and cleared up beside the host's half."""

from __future__ import annotations

import time
import typing as t

from ..module_utils._core import pki
from ..module_utils._core.errors import Denied, KeysteadError, Misconfigured
from ..module_utils._core.keys import spki_sha256
from ..module_utils._core.model import Done
from ..module_utils._core.plan import ELSEWHERE
from ..module_utils._core.ports import Foreseeing, Leftovers, Named, Slot
from ..module_utils._core.staging import staged
from ._keystores.registry import KEYSTORES
from ._ledger.queries import VERSION, key_holders, key_owners
from ._work import failing, is_elsewhere, plan

if t.TYPE_CHECKING:
    from datetime import datetime

    from ..module_utils._core.model import Observed
    from ..module_utils._core.ports import KeyStore
    from ._ledger.chain import Readable
    from ._ledger.port import Ledger
    from ._work import Work


class Custody:
    """The keys of one store of one host, in custodies that only the controller reaches."""

    def __init__(self, ledger: Ledger, host: str, store: str) -> None:
        """Keep who could have the same keys, and whose these are."""
        self._ledger, self._place = t.cast("Readable", ledger), {"host": host, "store": store}
        self._names: dict[str, str] = {}

    def look(self, works: t.Sequence[Work], now: datetime) -> list[Work]:
        """Decide once more with what the custodies say; return what hosts must know, since their key is gone."""
        for work in works:
            with failing([work]):
                if work.found is not None:
                    self._look(work, work.found, now)
        return [work for work in works if work.known.key_gone and not work.error]

    def _look(self, work: Work, found: Observed, now: datetime) -> None:
        """Decide with what the custody says; what `stage` would refuse, or another identity has, is refused here."""
        keys = keystore(work, found)
        _note(work, found, keys)
        if work.identity.state == "absent" and isinstance(keys, Named) and not self._had_keys(work, keys.place):
            work.known = work.known._replace(left=None)  # whoever made what is there, it was not this identity
        work.steps = plan(work, found, now)
        if work.steps:
            self._refuse_shared(work, keys)
        if work.needs("stage_key") and isinstance(keys, Foreseeing):
            keys.check(work.identity.key.type)

    def _had_keys(self, work: Work, place: str) -> bool:
        return any(uri.partition(VERSION)[0] == place for uri in (*work.identity.key.spent, *_open(work)))

    def stage(self, works: t.Sequence[Work]) -> None:
        """Make the next keys, or find those of a run that was cut off, and the requests that they sign (R1)."""
        for work in filter(is_elsewhere, works):
            with failing([work]):
                if work.found is not None:
                    self._stage(work, work.found)

    def settle(self, works: t.Sequence[Work]) -> None:
        """Give current keys their names, and destroy what no generation has, once the hosts have done their part."""
        for work in filter(is_elsewhere, works):
            after = work.after or work.found
            if after is not None and work.identity.state in ("present", "absent"):  # a released one keeps its key
                self._settle(work, after)

    def _stage(self, work: Work, found: Observed) -> None:
        key = staged(keystore(work, found), work.identity.key.type, work.known.rotation, work.known.spent)
        work.key_uri, work.public_id = key.uri, spki_sha256(key.public_key())
        work.csr = pki.request(work.identity.subject, key)

    def _settle(self, work: Work, after: Observed) -> None:
        reason, started = next((step.reason for step in work.steps if step.about == ELSEWHERE), ""), time.monotonic()
        error = self._settled(work, after)
        if reason or error:
            text = str(error) if error else None
            work.done.append(Done("destroy", reason or "its keys are cleared up", time.monotonic() - started, text))
        work.error = work.error or error
        work.known = work.known._replace(left=None)

    def _settled(self, work: Work, after: Observed) -> KeysteadError | None:
        try:
            keys = keystore(work, after)
            self._refuse_shared(work, keys)
            if work.identity.state == "present":
                keys.promote()
            elif isinstance(keys, Named) and not self._had_keys(work, keys.place):
                return None
            keys.delete()
        except KeysteadError as error:
            return error
        return None

    def _refuse_shared(self, work: Work, keys: KeyStore) -> None:
        """Refuse a name in the custody under which another identity has keys, or is to have (C4): they would go."""
        if not isinstance(keys, Named):
            return
        us = {**self._place, "name": work.name}
        first = {**self._place, "name": self._names.setdefault(keys.place, work.name)}
        others = [one for one in (first, *key_holders(self._ledger, keys.place)) if one != us]
        whose = [f"identity {one['name']} of {one['host']}" for one in others]
        whose += [one["label"] for one in key_owners(self._ledger, keys.place)]
        if whose:
            raise Denied(
                f"{work.identity.key.custody}: {keys.place} holds keys of {whose[0]}, or is to; "
                f"give {work.name} a name of its own there"
            )


def abandoned(works: t.Sequence[Work]) -> t.Iterator[str]:
    """Yield a warning for each key that stays where no task reaches it any more."""
    for work in works:
        found, declared = work.found, work.identity.key.custody
        moved = found is not None and (found.custody != declared or bool(_place_of(work, found)))
        if found and moved and found.custody not in (None, "file") and work.identity.state == "present":
            told = f"its key was in {found.custody}, and stays there: {found.key_uri}"
            yield f"{work.name}: {told}; destroy it there, or with hsm_key and state: absent, when nobody needs it"


def _place_of(work: Work, found: Observed) -> str | None:
    """Return where the key of the host's generation is, if that is another place of the same custody."""
    return work.known.elsewhere or next((one.detail for one in found.damage if one.code == "key_elsewhere"), None)


def _open(work: Work) -> tuple[str, ...]:
    """Return the URI of the key of a generation that was never published."""
    opened = work.remembered.open_intent if work.remembered else None
    return (opened.key_uri,) if opened and opened.key_uri else ()


def _note(work: Work, found: Observed, keys: KeyStore) -> None:
    """Note what the custody says of the key of the generation that is, or is to be, current.

    A key that is gone is a reason to make another; what a killed run left there is the controller's to clear up.
    """
    if work.identity.state not in ("present", "absent"):
        return
    place, gone = None, None
    if found.custody == work.identity.key.custody:
        place = keys.elsewhere(found.key_uri or "") if isinstance(keys, Foreseeing) else None
        gone = _gone(work, found, keys, place)
    left = keys.left() if isinstance(keys, Leftovers) and not (gone or place) else None
    work.known = work.known._replace(left=left, key_gone=gone, elsewhere=place)


def _gone(work: Work, found: Observed, keys: KeyStore, place: str | None) -> str | None:
    """Return why the key is no use that the host's generation is for."""
    if work.identity.state != "present":
        return None
    if place is not None:
        return f"its key is in {place}, and not where {found.custody} is declared to be"
    if found.other_uri and found.other is not None:
        other = keystore(work, found, found.other_uri).current()
        return None if other is not None else f"its key is gone from {found.custody}"
    key = keys.current()
    sound = key is not None and spki_sha256(key.public_key()) == found.public_id
    return None if sound else f"its key is gone from {found.custody}"


def keystore(work: Work, found: Observed, current: str | None = None) -> KeyStore:
    """Return the keys of an identity, whose generations are those that the host has.

    `current` is the URI of another generation's key than that of the current one.
    """
    key, options = work.identity.key, work.declaration.custody
    if options is None or key.label is None:
        raise Misconfigured(f"{work.name}: nobody says how custody {key.custody} is reached; write its options")
    ours = found.custody == key.custody
    slot = Slot(key.label, spent=key.spent)
    if ours:
        slot = slot._replace(current=current or found.key_uri, used=found.key_uris)
    return KEYSTORES[key.custody](options[key.custody], slot)
