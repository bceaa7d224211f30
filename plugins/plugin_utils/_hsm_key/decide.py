# SPDX-FileCopyrightText: 2026 Keystead contributors
# SPDX-License-Identifier: GPL-3.0-or-later
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)

"""Which of the keys in a token is meant, whether it is as declared, and what is to be done. Pure: it only decides."""

from __future__ import annotations

import typing as t

from ...module_utils._core.errors import Denied, Misconfigured
from ...module_utils._core.held import TOKEN_KEY_TYPES, Held, capabilities
from ...module_utils._core.model import Step
from .wanted import WHO, check_usage

if t.TYPE_CHECKING:
    from ...module_utils._core.held import Seen
    from .wanted import Wanted

MOST_SHOWN = 5


class Known(t.NamedTuple):
    """What the ledger knows of a key: whether it has it, who uses it, and the URIs that the token lacks by now.

    `intent` is how the last making of such a key ended, where the ledger does not have this one: `pending`, `failed`,
    `ok`, or nothing.
    """

    recorded: bool = False
    users: tuple[str, ...] = ()
    stale: tuple[str, ...] = ()
    intent: str = ""

    @property
    def is_ours(self) -> bool:
        """Whether a run made the key that ended before it could say so."""
        return self.intent == "pending"


def name_of(seen: Seen) -> str:
    """Return what a token is called in sentences."""
    return f"token {seen.label or seen.serial}"


def chosen(wanted: Wanted, seen: Seen) -> Held | None:
    """Return the one key that is meant; None where there is none. Raises Misconfigured where it may be several."""
    _check_token(wanted, seen)
    fits = [key for key in seen.keys if _is_meant(wanted, key)]
    if len(fits) > 1 and wanted.type is not None:
        fits = [key for key in fits if key.type == wanted.type] or fits
    if len(fits) > 1:
        raise Misconfigured(
            f"{WHO}: {name_of(seen)} has {len(fits)} keys with {wanted.called}: {_shown(fits)}; {_way_out(fits)}"
        )
    if not fits and seen.keys and wanted.present:
        raise Misconfigured(
            f"{WHO}: {name_of(seen)} has no key with {wanted.called}, but has {_shown(seen.keys)}; leave label or id "
            "out to mean that, or write others for a key of its own"
        )
    for key in fits:
        _check_class(wanted, key, seen)
    return fits[0] if fits else None


def _check_token(wanted: Wanted, seen: Seen) -> None:
    """Refuse a token that is not the one which the URI describes (RFC 7512, 2.3)."""
    told = {"token": seen.label, "serial": seen.serial, "model": seen.model, "manufacturer": seen.manufacturer}
    for name, there in told.items():
        declared = getattr(wanted.uri, name)
        if declared and declared != there:
            raise Misconfigured(
                f"{WHO}: option uri: it says {name} {declared}, and {name_of(seen)} has {there or 'none'}; correct it"
            )


def _check_class(wanted: Wanted, key: Held, seen: Seen) -> None:
    """Refuse a secret key where the URI names half of a pair, and a pair where it names a secret key."""
    if wanted.uri.type and (wanted.uri.type == "secret-key") != ("secret" in key.halves):
        raise Misconfigured(
            f"{WHO}: option uri: it says type {wanted.uri.type}, and {name_of(seen)} has a {key.called}; correct it"
        )


def _way_out(fits: t.Sequence[Held]) -> str:
    """Return how to say which key is meant; where no name tells them apart, nobody but a person can."""
    if len({(key.label, key.id, key.type) for key in fits}) == len(fits):
        return "say which one is meant by label and id, or by type"
    return (
        "no label, id and type tells all of them apart, so destroy by hand what is not meant, with pkcs11-tool "
        "--delete-object for example, or write another label"
    )


def _is_meant(wanted: Wanted, key: Held) -> bool:
    return (wanted.now or wanted.label) in (None, key.label) and wanted.id in (None, key.id)


def _shown(keys: t.Sequence[Held]) -> str:
    more = f" and {len(keys) - MOST_SHOWN} more" if len(keys) > MOST_SHOWN else ""
    return "; ".join(key.called for key in keys[:MOST_SHOWN]) + more


def check(wanted: Wanted, key: Held, seen: Seen) -> None:
    """Refuse a key that is not as declared: nothing here changes or replaces what is there. Raises Misconfigured."""
    there = f"{WHO}: {name_of(seen)} has a {key.called}"
    if not key.usable:
        raise Misconfigured(f"{there}; destroy it with state: absent, or write another label")
    if wanted.type not in (None, key.type):
        raise Misconfigured(f"{there}, declared is type {wanted.type}; declare {key.type}, or write another label")
    if key.type not in TOKEN_KEY_TYPES:
        raise Misconfigured(f"{there}, of a type that is not used here; use one of {', '.join(TOKEN_KEY_TYPES)}")
    check_usage(key.type, wanted)
    usage = wanted.used_for(key.type)
    missing = sorted(capabilities(key.type, usage).intersection(key.lacks))
    if missing:
        what = f"which may not {' and '.join(missing)} (CKA_{missing[0].upper()} is false), declared is usage"
        raise Misconfigured(f"{there}, {what} {', '.join(usage)}; declare what it may, or write another label")
    if "extractable" in (key.lacks if wanted.extractable else key.has):
        says = "can never come out" if wanted.extractable else "can come out"
        said = str(not wanted.extractable).lower()
        raise Misconfigured(f"{there}, which {says} of it; declare extractable: {said}, or write another label")


def decide(wanted: Wanted, key: Held | None, seen: Seen, known: Known) -> tuple[Step, ...]:
    """Return what is to be done with one key, and why. Raises Denied for what is in use, Misconfigured."""
    if wanted.present:
        step = _to_have(wanted, key, seen, known)
    else:
        step = None if key is None else _to_be_rid_of(wanted, key, seen, known)
    if step is None and known.stale:
        step = Step("withdraw", f"{name_of(seen)} no longer has {known.stale[0]}, and the ledger still says so")
    return () if step is None else (step,)


def _to_have(wanted: Wanted, key: Held | None, seen: Seen, known: Known) -> Step | None:
    if key is not None and _is_a_remnant(wanted, key, known):
        why = "only the public half of it, which a run left that was cut off; that is destroyed first"
        return Step("stage_key", f"{name_of(seen)} has {why}")
    if key is not None:
        check(wanted, key, seen)
        if known.is_ours and not known.recorded:
            return Step("stage_key", f"{name_of(seen)} has it: a run made it that ended before the ledger knew")
        why = f"{name_of(seen)} has it, and the ledger does not know it yet"
        return None if known.recorded else Step("adopt", why)
    if wanted.label is None:
        raise Misconfigured(
            f"{WHO}: {name_of(seen)} has no key with {wanted.called}; set label, so that one can be made, or correct it"
        )
    gone = "no longer has the key" if known.stale else "has no key"
    return Step("stage_key", f"{name_of(seen)} {gone} with {wanted.called}")


def _is_a_remnant(wanted: Wanted, key: Held, known: Known) -> bool:
    """Whether a key is what is left of one that we meant to make: nobody can use a public half without the other."""
    return not key.usable and key.label == wanted.label and known.intent in ("pending", "failed")


def _to_be_rid_of(wanted: Wanted, key: Held, seen: Seen, known: Known) -> Step:
    if wanted.type not in (None, key.type):
        raise Misconfigured(
            f"{WHO}: {name_of(seen)} has a {key.called}, declared absent is one of type {wanted.type}; leave type out, "
            f"or declare {key.type}, to have it destroyed"
        )
    if not known.users:
        return Step("destroy", "it is declared absent")
    users = ", ".join(known.users[:MOST_SHOWN])
    users += f" and {len(known.users) - MOST_SHOWN} more" if len(known.users) > MOST_SHOWN else ""
    if not wanted.destroy_in_use:
        raise Denied(
            f"{WHO}: the key with {wanted.called} is in use by {users}; replace it there first, or set "
            "destroy_in_use: true to destroy it all the same"
        )
    return Step("destroy", f"it is declared absent, although it is in use by {users}")
