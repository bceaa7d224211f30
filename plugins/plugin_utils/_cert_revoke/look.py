# SPDX-FileCopyrightText: 2026 Keystead contributors
# SPDX-License-Identifier: GPL-3.0-or-later
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)

"""How each certificate stands: as the ledger says, else as whoever signed it does. Nothing is changed."""

from __future__ import annotations

import typing as t

from ...module_utils._core.credentials import is_of_ssh
from ...module_utils._core.errors import KeysteadError, Misconfigured, Unavailable
from ...module_utils._core.ports import Good, Revoked, Revoker, Unknown
from ...module_utils._core.revoking import RestoresLists, TellsMany
from .._issuers.facts import facts_of
from .._ledger import revocations
from .decide import Found
from .wanted import WHO

if t.TYPE_CHECKING:
    import datetime as dt
    from collections.abc import Callable, Sequence

    from ...module_utils._core.ports import Issuer
    from .._ledger.chain import Readable
    from .._ledger.journal import Journal
    from .._signers import Signers
    from .kept import Target

Ask = t.Any  # Revoker and Issuer in one


def look(
    ledger: Readable, targets: Sequence[Target], signers: Signers, now: dt.datetime, say: Callable[[int], None]
) -> list[Found]:
    """Return how each target stands. An issuer that does not answer is an error of its certificates alone.

    `say` hears how many are looked at by now. Raises Misconfigured where nobody here can revoke one of them.
    """
    standing = _Standing(signers)
    known = {target.kept.fingerprint: one for target in targets if (one := _known(target, now))}
    known.update(standing.lost([one for one in known.values() if one.recorded and one.target.kept.not_after > now]))
    good = standing.good([target for target in targets if target.kept.fingerprint not in known])
    found = []
    for number, target in enumerate(targets):
        say(number)
        key = target.kept.fingerprint
        found.append(known.get(key) or good.get(key) or standing.of(target))
    if not any(one.revoked and not one.recorded for one in found):
        return found
    if ledger.id is None:
        ended = t.cast("Journal", ledger).ended()
        return [_by_journal(one, ended.get(one.name)) if one.revoked else one for one in found]
    begun = revocations.begun(ledger)
    return _listed([one._replace(begun=_is_begun(one, begun)) for one in found])


def _listed(found: Sequence[Found]) -> list[Found]:
    """Look whether lists have what was revoked elsewhere. What a run of ours began gets its list anyway."""
    elsewhere: dict[int, list[Found]] = {}
    for one in found:
        if one.to_record and not one.begun and isinstance(one.issuer, RestoresLists):
            elsewhere.setdefault(id(one.issuer), []).append(one)
    lost = {key: one for mine in elsewhere.values() for key, one in _lost(mine[0].issuer, mine).items()}
    return [lost.get(_print(one), one) for one in found]


def revoked_among(issuer: Ask, found: Sequence[Found]) -> frozenset[str] | None:
    """Return the fingerprints of those that an issuer calls revoked, where it can tell of many at once; else None."""
    if not isinstance(issuer, TellsMany):
        return None
    told = issuer.revoked_among([one.target.kept.certificate or b"" for one in found])
    if told is None:
        return None
    return frozenset(_print(one) for one, is_revoked in zip(found, told, strict=True) if is_revoked)


def _print(found: Found) -> str:
    return found.target.kept.fingerprint


def _by_journal(found: Found, ended: str | None) -> Found:
    """Return how a certificate stands by what a journal, the ledger being down, knows of its revocation."""
    return found._replace(recorded=ended == "ok", begun=ended == "pending", unsure=ended is None)


def _is_begun(found: Found, begun: frozenset[tuple[str, str, str, int | None]]) -> bool:
    places = {(one.host, one.store, one.identity, one.number) for one in found.target.holders}
    names = {found.name} if not places else set()
    return bool(found.revoked and not found.recorded) and (
        bool(places & begun) or any(name in names for _host, _store, name, _number in begun)
    )


def _known(target: Target, now: dt.datetime) -> Found | None:
    kept = target.kept
    if kept.revoked is not None:
        return Found(target, None, "revoked", kept.revoked, recorded=True)
    if kept.not_after <= now:
        return Found(target, None, "expired")
    return None


class _Standing:
    """Asks whoever signed."""

    def __init__(self, signers: Signers) -> None:
        self._signers = signers
        self._by_id: dict[str, Ask] = {}
        self._silent: dict[str, list[Unavailable]] = {}

    def good(self, targets: Sequence[Target]) -> dict[str, Found]:
        """Return those that their issuers, by one list each, do not call revoked; by fingerprint."""
        by_issuer: dict[str, list[Target]] = {}
        for target in targets:
            if target.kept.issuer_id and target.kept.holder:  # the record says that it is the issuer's own
                by_issuer.setdefault(target.kept.issuer_id, []).append(target)
        found = {}
        for mine in by_issuer.values():
            issuer = self._named(mine[0])
            unrevoked = [Found(target, issuer, "good") for target in mine]
            known = revoked_among(issuer, unrevoked)
            if known is not None:
                found.update({one.target.kept.fingerprint: one for one in unrevoked if _print(one) not in known})
        return found

    def lost(self, recorded: Sequence[Found]) -> dict[str, Found]:
        """Return those that the ledger calls revoked and the list of their issuer does not, by fingerprint.

        A task that wants nothing more need not name the issuer.
        """
        by_issuer: dict[str, list[Found]] = {}
        for one in recorded:
            by_issuer.setdefault(str(one.target.kept.issuer_id), []).append(one)
        found = {}
        for issuer in self._signers.all() if recorded else ():
            if isinstance(issuer, RestoresLists) and issuer.id in by_issuer:  # the others may be asked who they are
                found.update(_lost(issuer, by_issuer[issuer.id]))
        return found

    def of(self, target: Target) -> Found:
        """Return how one certificate stands."""
        der = target.kept.certificate or b""
        issuer = self._named(target) if target.kept.issuer_id else self._found(target, der)
        silent = self._silent.setdefault(issuer.id, [])
        if len(silent) > 1:  # twice in a row: another time limit for each of a thousand certificates helps nobody
            return Found(target, issuer, "unknown", error=silent[-1])
        try:
            status = issuer.status(der)
            silent.clear()
        except KeysteadError as error:
            silent += [error] if isinstance(error, Unavailable) else []
            return Found(target, issuer, "unknown", error=error)
        if isinstance(status, Revoked):
            return Found(target, issuer, "revoked", status)
        return Found(target, issuer, "good" if isinstance(status, Good) else "unknown")

    def _named(self, target: Target) -> Ask:
        """Return who signed by the recorded id. Raises Misconfigured."""
        issuer_id = str(target.kept.issuer_id)
        if issuer_id not in self._by_id:
            self._by_id[issuer_id] = self._by_record(issuer_id, target)
        return self._by_id[issuer_id]

    def _by_record(self, issuer_id: str, target: Target) -> Ask:
        issuer = next((one for one in self._signers.all() if one.id == issuer_id), None)
        if issuer is None:
            raise Misconfigured(
                f"{WHO}: option issuers: none of them is {issuer_id}, which signed {target.called}; add it there"
            )
        if not isinstance(issuer, Revoker):
            means = "revoke it by the means of who runs it"
            if is_of_ssh(target.kept.certificate or b""):
                means = "keep it from clients by RevokedHostKeys until it ends"
            raise Misconfigured(
                f"{WHO}: {issuer_id} cannot revoke, and signed {target.called}; {means}, and leave it out here"
            )
        return issuer

    def _found(self, target: Target, der: bytes) -> Ask:
        """Return who signed what no record tells of: who knows it, else the only one that may have. Raises."""
        able = [one for one in self._signers.all() if isinstance(one, Revoker)]
        maybe = []
        for one in able:
            if not isinstance(one.status(der), Unknown):
                return one
            if not _would_know(t.cast("Issuer", one)):
                maybe.append(one)
        if len(maybe) == 1:
            return maybe[0]
        if maybe:
            names = " or ".join(one.id for one in t.cast("list[Issuer]", maybe))
            raise Misconfigured(
                f"{WHO}: option {target.at}: {names} may have signed {target.called}; write which as its issuer"
            )
        asked = ", ".join(one.id for one in t.cast("list[Issuer]", able))
        told = f"{asked} did not sign it" if able else "nobody here can revoke it"
        raise Misconfigured(f"{WHO}: {target.called}: {told}; name who signed it in issuer or issuers")


def _lost(issuer: Ask, recorded: Sequence[Found]) -> dict[str, Found]:
    known = [(one, revocation) for one in recorded if (revocation := one.revocation)]
    try:
        missing = issuer.lacks([revocation for _one, revocation in known])
    except KeysteadError as error:
        return {_print(one): one._replace(issuer=issuer, error=error) for one in recorded}
    return {
        _print(one): one._replace(issuer=issuer, lost=True)
        for one, revocation in known
        if revocation.serial_number in missing
    }


def _would_know(issuer: Issuer) -> bool:
    """Tell whether an issuer that knows nothing of a certificate did not sign it."""
    facts = facts_of(issuer.id)
    return facts.tells_status and not facts.tells_status_later
