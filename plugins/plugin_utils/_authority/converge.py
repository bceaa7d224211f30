# SPDX-FileCopyrightText: 2026 Keystead contributors
# SPDX-License-Identifier: GPL-3.0-or-later
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)


"""Look, decide, act, look again, for one authority."""

from __future__ import annotations

import contextlib
import typing as t
from dataclasses import dataclass

with contextlib.suppress(ImportError):
    from cryptography import x509

from ...module_utils._core.errors import Misconfigured, NotConverged
from ...module_utils._core.keys import generate
from ...module_utils._core.model import Step
from . import revocation, signing, store
from .wanted import Wanted, check_is_the_declared

if t.TYPE_CHECKING:
    import datetime as dt

    from .journal import Journal
    from .store import Authority


@dataclass(frozen=True)
class Found:
    """What is on disk: the authority, the one above it, and whether a killed run left something behind."""

    authority: Authority | None
    parent: Authority | None
    left_behind: bool


@dataclass(frozen=True)
class Outcome:
    """What had to be done, the authority before and after, and what its reader should know."""

    steps: tuple[Step, ...]
    before: Authority | None
    after: Authority | None
    warnings: tuple[str, ...] = ()


def converge(
    wanted: Wanted, *, present: bool, check: bool, now: dt.datetime, journal: Journal = contextlib.nullcontext
) -> Outcome:
    """Bring one authority to what is wanted; with `check`, only say what would be done. Raises KeysteadError.

    `journal` is told of the steps before anything is done, and surrounds the act.
    """
    decide = _to_have if present else _to_be_rid_of
    found = _look(wanted)
    steps = decide(wanted, found, now)
    if check or not steps:
        return Outcome(steps, found.authority, found.authority, _warnings(wanted, found, now))
    if present and wanted.parent and found.parent is None:
        store.load(wanted.parent.directory, wanted.parent.name)
    with store.maintained(wanted.directory, wanted.name):
        steps = decide(wanted, found := _look(wanted), now)
        with journal(steps):
            _act(wanted, found, steps, present=present, now=now)
            after = _look(wanted)
            _check_settled(wanted, decide(wanted, after, now))
    return Outcome(steps, found.authority, after.authority, _warnings(wanted, after, now))


def _check_settled(wanted: Wanted, left: tuple[Step, ...]) -> None:
    if left:
        raise NotConverged(f"local: authority {wanted.name}: {left[0].reason}, although everything was done; run again")


def _look(wanted: Wanted) -> Found:
    above = wanted.parent
    return Found(
        authority=store.find(wanted.directory, wanted.name),
        parent=store.find(above.directory, above.name) if above else None,
        left_behind=store.left_behind(wanted.directory, wanted.name),
    )


def _to_have(wanted: Wanted, found: Found, now: dt.datetime) -> tuple[Step, ...]:
    steps = _to_clear(found)
    if found.authority is None:
        _check_parent_may_sign(wanted, found.parent, now)
        why = f"there is no authority {wanted.name} in {wanted.directory} yet"
        signer = f"{wanted.parent.name} signs it" if wanted.parent else "a root signs itself"
        return (*steps, Step("stage_key", why), Step("issue", f"{why}: {signer}"),
                Step("publish", "there is no revocation list yet"))  # fmt: skip
    check_is_the_declared(found.authority, wanted, found.parent)
    signing.check_is_alive(found.authority, now)
    found.authority.open(wanted.passphrase)
    reason = revocation.due(found.authority, now)
    return (*steps, Step("publish", reason)) if reason else steps


def _to_be_rid_of(wanted: Wanted, found: Found, now: dt.datetime) -> tuple[Step, ...]:
    steps = _to_clear(found)
    if found.authority is None:
        return steps
    living = sum(
        one.not_valid_after_utc > now and revocation.revocation(found.authority, one.serial_number) is None
        for one in signing.recorded(found.authority)
    )
    if living:
        raise Misconfigured(
            f"local: authority {wanted.name} in {wanted.directory} cannot be destroyed: it has signed certificates "
            f"that are neither expired nor revoked ({living}); revoke them, or wait until they have expired"
        )
    if _stands_in(found.parent, found.authority.certificate, now):
        steps = (*steps, Step("revoke", f"it is declared absent and {found.parent.name} still vouches for it"))
    return (*steps, Step("destroy", "it is declared absent"))


def _to_clear(found: Found) -> tuple[Step, ...]:
    return (Step("destroy", "a run that was killed left an incomplete authority behind"),) if found.left_behind else ()


def _act(wanted: Wanted, found: Found, steps: tuple[Step, ...], *, present: bool, now: dt.datetime) -> None:
    if found.left_behind:
        _clear(wanted, found, now)
    if present:
        authority = found.authority or _created(wanted, found.parent, now)
        if any(step.action == "publish" for step in steps):
            revocation.publish(authority, authority.open(wanted.passphrase), now)
    elif found.authority is not None:
        _revoke_at_parent(wanted, found.parent, found.authority.certificate, now)
        store.destroy(wanted.directory, wanted.name)


def _created(wanted: Wanted, parent: Authority | None, now: dt.datetime) -> Authority:
    key = generate(wanted.key_type)
    if parent is None or wanted.parent is None:
        chain = [signing.root(wanted, key, now)]
    else:
        signed = signing.below(parent, parent.open(wanted.parent.passphrase), wanted, key.public_key(), now)
        chain = [signed, parent.certificate, *parent.issuers]
    store.stage(wanted.directory, wanted.name, key, wanted.passphrase, chain)
    if parent is not None:
        signing.record(parent, chain[:1])
    store.publish(wanted.directory, wanted.name)
    return store.load(wanted.directory, wanted.name)


def _clear(wanted: Wanted, found: Found, now: dt.datetime) -> None:
    """Remove what was never published; a certificate that the parent gave for it is taken back."""
    orphan = store.staged_certificate(wanted.directory, wanted.name)
    if orphan is not None:
        _revoke_at_parent(wanted, found.parent, orphan, now)
    store.clear(wanted.directory, wanted.name)


def _revoke_at_parent(wanted: Wanted, parent: Authority | None, orphan: x509.Certificate, now: dt.datetime) -> None:
    if parent is not None and wanted.parent is not None and _stands_in(parent, orphan, now):
        key = parent.open(wanted.parent.passphrase)
        revocation.revoke(parent, key, [orphan.serial_number], "cessation_of_operation", now)


def _stands_in(parent: Authority | None, certificate: x509.Certificate, now: dt.datetime) -> t.TypeGuard[Authority]:
    """Say whether an authority has signed a certificate that is neither expired nor revoked."""
    return (
        parent is not None
        and (parent.issued / f"{certificate.serial_number:x}.pem").exists()
        and certificate.not_valid_after_utc > now
        and revocation.revocation(parent, certificate.serial_number) is None
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
    parent.open(wanted.parent.passphrase)


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
