# SPDX-FileCopyrightText: 2026 Keystead contributors
# SPDX-License-Identifier: GPL-3.0-or-later
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)


"""Look, decide, act, look again, for one authority."""

from __future__ import annotations

import contextlib
import typing as t
from dataclasses import dataclass, replace

with contextlib.suppress(ImportError):
    from cryptography import x509

from ...module_utils._core.errors import Misconfigured, NotConverged
from ...module_utils._core.keys import key_type_of
from ...module_utils._core.model import Step
from . import crl, publication, records, revocation, signing, store
from .creation import created
from .custody import Held, Taken, discard, held, label, settle
from .known import NOTHING, known
from .wanted import Wanted, check_is_the_declared

if t.TYPE_CHECKING:
    import datetime as dt

    from ...module_utils._core.ports import SigningKey
    from .journal import Journal
    from .known import Elsewhere
    from .store import Authority


@dataclass(frozen=True)
class Found:
    """What is there: the authority, the one above it, what a killed run left behind, and what its custody holds.

    And what others know of the authority, and of the one above it.
    """

    authority: Authority | None
    parent: Authority | None
    left_behind: bool
    held: Held
    elsewhere: Elsewhere
    above: Elsewhere


@dataclass(frozen=True)
class Outcome:
    """What had to be done, the authority before and after, and what its reader should know."""

    steps: tuple[Step, ...]
    before: Authority | None
    after: Authority | None
    warnings: tuple[str, ...] = ()


def converge(  # noqa: PLR0913 - by name, and each is one thing
    wanted: Wanted,
    *,
    present: bool,
    check: bool,
    now: dt.datetime,
    journal: Journal = contextlib.nullcontext,
    elsewhere: Elsewhere = NOTHING,
    above: Elsewhere = NOTHING,
) -> Outcome:
    """Bring one authority to what is wanted; with `check`, only say what would be done. Raises KeysteadError.

    `journal` is told of the steps before anything is done, and surrounds the act. `elsewhere` is what others know of
    it, `above` what they know of its parent.
    """
    decide = _to_have if present else _to_be_rid_of
    looking = _Looking(wanted, elsewhere, above, present=present)
    found = looking.look() if check else looking.look_and_wait()
    steps = decide(wanted, found, now)
    warnings = _older(found, present=present) if any(step.action == "publish" for step in steps) else ()
    if check or not steps:
        return Outcome(steps, found.authority, found.authority, (*warnings, *_warnings(wanted, found, now)))
    if present and wanted.parent and found.parent is None:
        store.load(wanted.parent.directory, wanted.parent.name)
    with store.maintained(wanted.directory, wanted.name):
        steps = decide(wanted, found := looking.look(), now)
        with journal(steps):
            _act(wanted, found, present=present, now=now)
            after = looking.look()
            _check_settled(wanted, decide(wanted, after, now))
    return Outcome(steps, found.authority, after.authority, (*warnings, *_warnings(wanted, after, now)))


def _check_settled(wanted: Wanted, left: tuple[Step, ...]) -> None:
    if left:
        raise NotConverged(f"local: authority {wanted.name}: {left[0].reason}, although everything was done; run again")


class _Looking:
    """Looks at what there is."""

    def __init__(self, wanted: Wanted, elsewhere: Elsewhere, above: Elsewhere, *, present: bool) -> None:
        self._wanted, self._elsewhere, self._above, self._present = wanted, elsewhere, above, present

    def look_and_wait(self) -> Found:
        """Look; where there is a key without an authority, look again when nobody is making one any more."""
        try:
            return self.look()
        except Taken:
            with store.maintained(self._wanted.directory, self._wanted.name):
                return self.look()

    def look(self) -> Found:
        wanted, above = self._wanted, self._wanted.parent
        authority = store.find(wanted.directory, wanted.name)
        return Found(
            authority=authority,
            parent=store.find(above.directory, above.name) if above else None,
            left_behind=store.left_behind(wanted.directory, wanted.name),
            held=held(wanted, authority, present=self._present),
            elsewhere=self._elsewhere,
            above=self._above,
        )


def _to_have(wanted: Wanted, found: Found, now: dt.datetime) -> tuple[Step, ...]:
    steps = _to_clear(found)
    if found.authority is None:
        _check_parent_may_sign(wanted, found.parent, now)
        wanted.publication(None)
        why = f"there is no authority {wanted.name} in {wanted.directory} yet"
        signer = f"{wanted.parent.name} signs it" if wanted.parent else "a root signs itself"
        return (*steps, *_to_have_a_key(wanted, found.held.waiting, why), Step("issue", f"{why}: {signer}"),
                Step("publish", "there is no revocation list yet"))  # fmt: skip
    check_is_the_declared(found.authority, wanted, found.parent)
    signing.check_is_alive(found.authority, now)
    certificate = found.authority.certificate
    if found.parent and records.find(found.parent, certificate.serial_number):
        raise signing.revoked(found.authority, certificate)
    found.authority.open(wanted.opening)
    wishes = wanted.publication(found.authority)
    differing = publication.differences(found.authority.publication, wishes)
    due = crl.due(replace(found.authority, publication=wishes), now, found.elsewhere)
    reasons = (found.held.left, *differing, *due)
    return (*steps, *(Step("publish", reason) for reason in reasons if reason))


def _to_have_a_key(wanted: Wanted, waiting: SigningKey | None, why: str) -> tuple[Step, ...]:
    custody = wanted.opening.custody_name
    if waiting is None:
        where = f": {custody} makes it, and calls it {label(wanted.path)}" if wanted.opening.custody else ""
        return (Step("stage_key", why + where),)
    found = key_type_of(waiting.public_key())
    if found == wanted.key_type:
        return ()
    return (Step("stage_key", f"the key that waits in {custody} is {found}, declared is {wanted.key_type}"),)


def _to_be_rid_of(wanted: Wanted, found: Found, now: dt.datetime) -> tuple[Step, ...]:
    steps = _to_clear(found)
    if found.authority is None:
        return steps
    living = sum(
        one.not_valid_after_utc > now and records.find(found.authority, one.serial_number) is None
        for one in signing.recorded(found.authority)
    )
    if living:
        raise Misconfigured(
            f"local: authority {wanted.name} in {wanted.directory} cannot be destroyed: it has signed certificates "
            f"that are neither expired nor revoked ({living}); revoke them, or wait until they have expired"
        )
    if _stands_in(found.parent, found.authority.certificate, now):
        steps = (*steps, *_to_bring_back(found.parent, found.above))
        steps = (*steps, Step("revoke", f"it is declared absent and {found.parent.name} still vouches for it"))
    key = f", and its key in {wanted.opening.custody_name} with it" if wanted.opening.custody else ""
    return (*steps, Step("destroy", f"it is declared absent{key}"))


def _to_bring_back(parent: Authority, above: Elsewhere) -> tuple[Step, ...]:
    """Say what the next list of an authority has again, since others know of it."""
    return tuple(Step("publish", f"{parent.name}: {reason}") for reason in known(parent, above).reasons())


def _to_clear(found: Found) -> tuple[Step, ...]:
    return (Step("destroy", "a run that was killed left an incomplete authority behind"),) if found.left_behind else ()


def _act(wanted: Wanted, found: Found, *, present: bool, now: dt.datetime) -> None:
    if found.left_behind:
        _clear(wanted, found, now, present=present)
    if present:
        authority = found.authority or created(wanted, found.parent, now)
        if found.held.left:
            settle(wanted, authority)
        authority = _as_published(wanted, authority)
        crl.publish(authority, lambda: authority.open(wanted.opening), now, found.elsewhere)
        return
    if found.authority is not None:
        _revoke_at_parent(wanted, found, found.authority.certificate, now)
        store.bury(wanted.directory, wanted.name)
        discard(wanted, found.authority.about)  # when nothing claims the key any more, and something tells of it yet
        store.clear(wanted.directory, wanted.name)


def _as_published(wanted: Wanted, authority: Authority) -> Authority:
    """Write down what the authority shall publish, where that differs."""
    wishes = wanted.publication(authority)
    if wishes != authority.publication:
        publication.keep(authority.path, wishes)
    return replace(authority, publication=wishes)


def _clear(wanted: Wanted, found: Found, now: dt.datetime, *, present: bool) -> None:
    """Remove what was never published; a certificate that the parent gave for it is taken back.

    A key that waits in its custody is kept for another try, unless its authority was, or is, to be destroyed.
    """
    orphan = store.staged_certificate(wanted.directory, wanted.name)
    if orphan is not None:
        _revoke_at_parent(wanted, found, orphan, now)
    if found.authority is None:
        begun = store.begun(wanted.directory, wanted.name)
        kept = present and begun is not None and begun.key_label == label(wanted.path)
        for trace in (store.buried(wanted.directory, wanted.name), None if kept else begun):
            discard(wanted, trace)
    store.clear(wanted.directory, wanted.name)


def _revoke_at_parent(wanted: Wanted, found: Found, orphan: x509.Certificate, now: dt.datetime) -> None:
    parent = found.parent
    if wanted.parent is not None and _stands_in(parent, orphan, now):
        key = parent.open(wanted.parent.opening)
        revocation.revoke(parent, key, [orphan.serial_number], "cessation_of_operation", now, elsewhere=found.above)


def _stands_in(parent: Authority | None, certificate: x509.Certificate, now: dt.datetime) -> t.TypeGuard[Authority]:
    """Say whether an authority has signed a certificate that is neither expired nor revoked."""
    return (
        parent is not None
        and (parent.issued / f"{certificate.serial_number:x}.pem").exists()
        and certificate.not_valid_after_utc > now
        and records.find(parent, certificate.serial_number) is None
    )


def _check_parent_may_sign(wanted: Wanted, parent: Authority | None, now: dt.datetime) -> None:
    if parent is None or wanted.parent is None:
        return
    signing.check_is_alive(parent, now)
    limit = parent.certificate.extensions.get_extension_for_class(x509.BasicConstraints).value.path_length
    if limit is not None and (wanted.path_length is None or wanted.path_length >= limit):
        raise Misconfigured(
            f"local: option path_length: {wanted.path_length} is too much below {parent.name}, whose own is {limit}; "
            + (f"use at most {limit - 1}" if limit else "name a parent that may have authorities below it")
        )
    parent.open(wanted.parent.opening)


def _older(found: Found, *, present: bool) -> tuple[str, ...]:
    """Say that a directory whose list is about to be made is older than what others know of it."""
    authority, elsewhere = (found.authority, found.elsewhere) if present else (found.parent, found.above)
    if authority is None or not known(authority, elsewhere).is_older:
        return ()
    warning = (
        f"local: {authority.path} is older than what is known of it elsewhere, as if it had been restored from a "
        "backup; its revocation list is made good, but what it has signed since then is not in issued/ there, and only "
        "the ledger tells of it"
    )
    return (warning,)


def _warnings(wanted: Wanted, found: Found, now: dt.datetime) -> tuple[str, ...]:
    if wanted.parent and not found.parent:
        return (f"local: parent {wanted.parent.name} does not exist in {wanted.parent.directory} yet",)
    if found.authority is None:
        return ()
    certificate = found.authority.certificate
    end, start = certificate.not_valid_after_utc, certificate.not_valid_before_utc
    if end - now > (end - start) / 3:
        return ()
    return (f"local: authority {wanted.name} ends on {end:%Y-%m-%d}; create its successor in time",)
