# SPDX-FileCopyrightText: 2026 Keystead contributors
# SPDX-License-Identifier: GPL-3.0-or-later
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)

"""What became of each credential of a host that goes: what is proved, what is not and why, and what is still to do."""

from __future__ import annotations

import typing as t

from ...module_utils._core.model import OBSERVED
from .held import can_revoke, is_foreign

if t.TYPE_CHECKING:
    from collections.abc import Callable, Mapping, Sequence

    from .held import Record

_SHOWN = ("store", "identity", "kind", "generation", "issuer_id", "serial_number", "fingerprint_sha256", "spki_sha256",
          "not_after", "key_type", "custody", "key_uri")  # fmt: skip
_LATER = ("aws_kms",)  # such a key is only marked, and goes days later


class Verdict(t.NamedTuple):
    """What was done of one thing, and whether that is proved; `left` tells that it could still be done."""

    done: str
    at: str | None = None
    why_not: str | None = None
    left: bool = False

    def said(self) -> Record:
        """Return it as it is written down."""
        return {"done": self.done, "at": second(self.at), "proved": self.why_not is None, "why_not": self.why_not}


class Seen(t.NamedTuple):
    """What was looked at: whether the host is gone, what it has left by store and identity, paths that are there.

    `copies` are identities whose copies elsewhere were looked for as well.
    """

    gone: bool
    left: Mapping[tuple[str, str], Sequence[str]]
    paths: frozenset[str]
    copies: frozenset[tuple[str, str]] = frozenset()


class Status(t.NamedTuple):
    """How a certificate stands by who was asked: revoked (since when and why), good, or unknown and why."""

    word: str
    text: str = ""


Asked = t.Callable[["Record"], Status]


def second(at: str | None) -> str | None:
    """Return a moment of the ledger in RFC 3339."""
    return None if at is None else f"{at[:19]}Z"


def judged(one: Record, seen: Seen, asked: Callable[[Record], Status]) -> tuple[Record, list[str]]:
    """Return a credential with what became of it, and what of it is still to be done."""
    certificate, key = of_certificate(one, asked), _elsewhere(of_key(one, seen), one, seen)
    what = f"{one['identity']} (generation {one['generation']}, {one['store']})"
    open_ = [f"{what}: {verdict.why_not}" for verdict in (certificate, key) if verdict.left]
    said = {name: one[name] for name in _SHOWN} | {"not_after": second(one["not_after"]), "paths": one["paths"]}
    return {**said, "copies": one["copies"], "certificate": certificate.said(), "key": key.said()}, open_


def of_certificate(one: Record, asked: Callable[[Record], Status]) -> Verdict:
    """Return what became of a certificate: only what its issuer says, or its end, is a proof."""
    settled = _settled(one)
    if settled is not None:
        return settled
    status = asked(one)
    if not one["revoked_at"] and not can_revoke(one["issuer_id"]):
        return _of_those_who_cannot(one, status)
    done = _revoked(one) if one["revoked_at"] else "it was not revoked"
    if one["revoked_at"] and status.word == "revoked":
        return Verdict(done, one["revoked_at"])
    if one["revoked_at"] and status.word == "unknown":
        return Verdict(done, one["revoked_at"], f"its issuer answered then, and not now: {status.text}")
    why = f"{one['issuer_id']} says that it is {status.word}"
    return Verdict(done, one["revoked_at"], f"{why}; run again, and look at what cert_revoke says", left=True)


def _of_those_who_cannot(one: Record, status: Status) -> Verdict:
    """Return what became of what its issuer cannot revoke: somebody may have revoked it there by other means."""
    if status.word == "revoked":
        return Verdict("it is revoked, by who runs its issuer")
    why = f"{one['issuer_id']} cannot revoke; it is good until it ends at {second(one['not_after'])}, unless who runs "
    return Verdict("it was not revoked", why_not=f"{why}that revokes it by other means")


def _settled(one: Record) -> Verdict | None:
    """Return what is so of a certificate whoever is asked; None where its issuer has to tell."""
    if one["fingerprint_sha256"] is None:
        why = f"{one['issuer_id']} never answered, and whether it signed is not known; look there for its key"
        return Verdict("nothing is known of it", why_not=why)
    if one["revoked_at"] is not None:
        return Verdict(_revoked(one), one["revoked_at"]) if one["ended"] else None  # lists forget what has ended
    if one["ended"]:
        return Verdict("it has ended", one["not_after"])
    if is_foreign(one["issuer_id"]):
        who = one["issuer_id"].partition(":")[2]
        return Verdict("it was not revoked", why_not=f"{who} signed it before it came to us, and only it can revoke it")
    if one["shared_with"]:
        return Verdict("it was not revoked", why_not=f"it is in use as {', '.join(one['shared_with'])}")
    return None


def _revoked(one: Record) -> str:
    return f"it is revoked ({one['revoked']})"


def of_key(one: Record, seen: Seen) -> Verdict:
    """Return what became of a private key: only a look at its custody after it was to be destroyed is a proof."""
    if one["issuer_id"].startswith(OBSERVED):
        return Verdict("nothing was done", why_not="it was only observed: its files are those of somebody else")
    if one["key_shared_with"]:
        why = f"{', '.join(one['key_shared_with'])} has the same key"
        return Verdict("nothing more was done", one["destroyed_at"], why)
    if one["identity_state"] == "released":
        return Verdict("nothing was done", why_not="it was released to plain files, which are no longer ours to remove")
    return _of_gone(one) if seen.gone else _on_host(one, seen)


def _elsewhere(verdict: Verdict, one: Record, seen: Seen) -> Verdict:
    """Return that a key may be somewhere else as well, where nobody looked for it."""
    if verdict.why_not is not None:
        return verdict
    if one["adopted"]:
        return verdict._replace(why_not="it was on the host before it came to us, and its first files may be there")
    if one["copies"] and (one["store"], one["identity"]) not in seen.copies:
        return verdict._replace(why_not=f"a copy was sent to {', '.join(one['copies'])}, and nobody looked there")
    return verdict


def _of_gone(one: Record) -> Verdict:
    if one["destroyed_at"]:
        return Verdict(_destroyed(one), one["destroyed_at"])
    if one["custody"] == "file":
        return Verdict("nothing was done", why_not="its host is gone: nobody saw its files removed")
    place = one["key_uri"] or "what the ledger does not name"
    why = f"its host is gone: nobody saw it leave its custody, where it is {place}"
    return Verdict("nothing was done", why_not=why)


def _destroyed(one: Record) -> str:
    return f"it was destroyed ({one['custody']})"


def _on_host(one: Record, seen: Seen) -> Verdict:
    left = seen.left.get((one["store"], one["identity"]))
    if left is None:
        return Verdict("nothing was done", why_not="nobody looked at the host", left=True)
    if left:
        return Verdict("nothing was done", why_not=f"there is still something to do: {left[0]}", left=True)
    there = [path for path in (*one["paths"], f"{one['store']}/{one['identity']}") if path in seen.paths]
    if there:
        why = f"there is something at {', '.join(there)}, which is no longer what was put there"
        return Verdict(_destroyed(one), one["destroyed_at"], why)
    if one["custody"] in _LATER:
        why = f"{one['custody']} keeps a key for some days before it is gone: {one['key_uri']}"
        return Verdict("it was marked to be destroyed", one["destroyed_at"], why)
    return Verdict(_destroyed(one), one["destroyed_at"])


def of_lone_key(one: Record, *, gone: bool = False) -> Record:
    """Return a key of no identity with what became of it."""
    verdict = Verdict("it was destroyed", one["destroyed_at"])
    if not one["destroyed_at"]:
        verdict = Verdict("nothing was done", why_not=_why_it_stays(one, gone=gone))
    return {**{name: one[name] for name in one if name != "destroyed_at"}, "key": verdict.said()}


def _why_it_stays(one: Record, *, gone: bool) -> str:
    if one["origin"] == "adopted":
        return "it was there before it was taken over, and others may use it; where not, destroy it with hsm_key"
    if gone:
        return f"its host is gone: nobody saw it leave {one['place']}"
    return f"it is still recorded as there, in {one['place']}; destroy it with hsm_key"
