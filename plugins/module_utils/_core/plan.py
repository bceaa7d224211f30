# SPDX-FileCopyrightText: 2026 Keystead contributors
# SPDX-License-Identifier: BSD-2-Clause
# Simplified BSD License (see LICENSES/BSD-2-Clause.txt or https://opensource.org/licenses/BSD-2-Clause)

"""Decides what to do. Nothing here reads a file, a clock or a network."""

from __future__ import annotations

import typing as t

from . import checks_ssh, checks_x509
from .checks import ADOPTED_CHECKS, COMMON_CHECKS, LAST_CHECKS, Look, credential_is_revoked, is_adopted, sentence
from .errors import Misconfigured
from .model import Identity, Known, Observed, Step
from .publication import changes_a_copy, copy_steps, withdraw_steps

if t.TYPE_CHECKING:
    from .checks import Check

REPLACES = "takes the place of"
KIND_CHECKS: t.Mapping[str, tuple[Check, ...]] = {"x509": checks_x509.CHECKS, "ssh_host": checks_ssh.CHECKS}
ADOPTED_KIND_CHECKS: t.Mapping[str, tuple[Check, ...]] = {"x509": checks_x509.ADOPTED_CHECKS, "ssh_host": ()}
ELSEWHERE = "elsewhere"  # what a step is about that the controller does in a custody of its own
UNTOUCHED = ("ok", "same_bytes", "original")  # what a consumer reads by such a link stays what it was


def decide(look: Look) -> tuple[Step, ...]:
    """Return the steps that bring what was found to what is wanted, in their order; none when all is well."""
    wanted, found, known = look.wanted, look.found, look.known
    if wanted.state != "present":
        return _ended(wanted, found, known)
    _refuse_another_kind(look)
    if _is_to_adopt(look):
        return _adopted(look)
    if wanted.generation == "previous":
        return _previous(look)
    if _is_newest_usable(look):
        return _switched(wanted, found, f"generation {max(found.others)} is the newest", max(found.others))
    reason = why_replace(look)
    number = max(found.newest, known.newest) + 1
    return (
        *(_renewal(reason, number, found) if reason else _repairs(found)),
        *copy_steps(found, f"generation {number}" if reason else None),
        *_links(found),
        *_consumer(wanted, found, f"generation {number} is new" if reason else None),
        *_leftovers(wanted, found, renewed=bool(reason)),
        *(() if reason else _kept_elsewhere(known)),
    )


def _refuse_another_kind(look: Look) -> None:
    """Refuse to replace a credential by one of another kind: its links would lead to what the one before lacks (W4)."""
    if look.credential is not None and look.credential.kind != look.wanted.kind:
        raise Misconfigured(
            f"machine_identity: identities[{look.wanted.name}].kind: what is there is of kind {look.credential.kind}, "
            f"declared is {look.wanted.kind}; declare it under another name, and this one as state: absent"
        )


def _ended(wanted: Identity, found: Observed, known: Known) -> tuple[Step, ...]:
    if wanted.state == "observed":
        return ()
    steps = _absent(wanted, found, known) if wanted.state == "absent" else _released(found)
    return steps or _unlisted(known)


def why_replace(look: Look) -> str | None:
    """Return the reason of the first check that has one."""
    checks = (*COMMON_CHECKS, *KIND_CHECKS[look.wanted.kind], *LAST_CHECKS)
    if is_adopted(look):
        checks = (*ADOPTED_CHECKS, *ADOPTED_KIND_CHECKS[look.wanted.kind])
    for check in checks:
        reason = check(look)
        if reason:
            return reason
    return None


def _is_to_adopt(look: Look) -> bool:
    found = look.found
    return look.wanted.adopt is not None and found.generation is None and found.original is not None


def _adopted(look: Look) -> tuple[Step, ...]:
    """Make a generation of the original; its consumer has it already, and is told nothing."""
    found, number = look.found, max(look.found.newest, look.known.newest) + 1
    path = look.wanted.adopt.certificate if look.wanted.adopt else ""
    reason = f"{path} and its key are on the host already and become generation {number}"
    return (
        Step("adopt", reason, str(number)),
        *copy_steps(found),
        *_links(found),
        *_leftovers(look.wanted, found, renewed=False),
    )


def _renewal(reason: str, number: int, found: Observed) -> tuple[Step, ...]:
    place = "is the first" if found.generation is None else f"{REPLACES} {found.generation}"
    return (Step("stage_key", reason), Step("issue", reason), Step("publish", f"generation {number} {place}"))


def _repairs(found: Observed) -> tuple[Step, ...]:
    return tuple(Step("publish", sentence(finding)) for finding in found.drift)


def _links(found: Observed) -> tuple[Step, ...]:
    says = {
        "missing": "{path} does not lead to {part} yet",
        "elsewhere": "{path} leads elsewhere, not to {part}",
        "same_bytes": "{path} is a file with the same bytes as {part}",
        "original": "{path} is what was adopted, and {part} takes its place",
        "file": "{path} is a file that {part} replaces, as replace_files says",
        "copy": "{path} is a copy that was written here, and a link to {part} takes its place",
    }
    wrong = (link for link in found.links if link.state != "ok")
    return tuple(Step("link", says[link.state].format(path=link.path, part=link.part), link.path) for link in wrong)


def _consumer(wanted: Identity, found: Observed, renewed: str | None) -> tuple[Step, ...]:
    """Tell the consumer, when what it reads has changed, when an earlier run did not come to it, or when it differs."""
    reason = renewed
    if not reason and found.pending is not None:
        reason = f"generation {found.pending} is in place, but its consumer was not told or not proved"
    if not reason and found.served not in (None, "ok"):
        reason = found.served
    if not reason and any(link.state not in UNTOUCHED for link in found.links):
        reason = "a link changed"
    if not reason and changes_a_copy(found):
        reason = "a published copy changed"
    if not reason:
        return ()
    ways = (("activate", wanted.activate), ("prove", wanted.prove))
    steps = tuple(Step(action, reason) for action, declared in ways if declared)
    unnoticed = found.pending is not None and not renewed and not steps
    return (Step("publish", reason),) if unnoticed else steps


def _leftovers(wanted: Identity, found: Observed, *, renewed: bool) -> tuple[Step, ...]:
    """Destroy the keys of superseded generations beyond those to keep, and take away links that nobody declares.

    A damaged generation is never kept: nobody can go back to it.
    """
    left = [found.generation] if renewed and found.generation is not None else []
    beside = sorted(found.others) + ([] if found.damage else left)
    surplus = beside[: max(0, len(beside) - wanted.keep_generations)] + (left if found.damage else [])
    steps = [Step("destroy", f"generation {number} is superseded", str(number)) for number in surplus]
    if found.unfinished and not renewed:
        steps.append(Step("destroy", "an earlier run left an unfinished generation behind"))
    steps += [Step("withdraw", f"{path} is no longer declared", path) for path in found.stale_links]
    return (*steps, *withdraw_steps(wanted, found))


def _absent(wanted: Identity, found: Observed, known: Known) -> tuple[Step, ...]:
    there = found.custody if found.custody not in (None, "file", wanted.key.custody) else None
    there = there or next((one.detail for one in found.damage if one.code == "key_elsewhere"), None) or known.elsewhere
    if there:
        raise Misconfigured(
            f"machine_identity: identities[{wanted.name}].key.custody: its key is in {there}, declared is "
            f"{wanted.key.custody}; write its custody beside state: absent, so that the key is destroyed as well"
        )
    existed = found.certificate is not None or known.newest
    steps = [Step("revoke", known.revoke)] if known.revoke and existed else []
    if found.generation is not None or found.others or found.unfinished:
        steps.append(Step("destroy", "the identity is declared absent"))
    steps += [Step("withdraw", f"{path} leads to an identity declared absent", path) for path in found.stale_links]
    return (*steps, *withdraw_steps(wanted, found), *_kept_elsewhere(known))


def _kept_elsewhere(known: Known) -> tuple[Step, ...]:
    """Finish what a killed run began in a custody that only the controller reaches."""
    return (Step("destroy", known.left, ELSEWHERE),) if known.left else ()


def _released(found: Observed) -> tuple[Step, ...]:
    steps = [Step("release", f"{path} becomes a plain file", path) for path in found.stale_links]
    if found.generation is not None or found.others or found.unfinished:
        steps.append(Step("release", "the identity is no longer managed"))
    return tuple(steps)


def _unlisted(known: Known) -> tuple[Step, ...]:
    """Withdraw what is gone from the host without our doing: nothing is left to do but to write that down."""
    return (Step("withdraw", "it is not on the host, and the ledger still lists it"),) if known.listed else ()


def generation_to_be(wanted: Identity, current: int | None, others: t.Sequence[int]) -> int | None:
    """Return which of the complete generations is to be current; None where the one asked for is not there."""
    complete = sorted({*others, *([current] if current is not None else [])})
    position = -2 if wanted.generation == "previous" else -1
    return complete[position] if len(complete) >= -position else None


def _is_newest_usable(look: Look) -> bool:
    """Tell whether a newer generation than the current one, left by `generation: previous`, would be kept."""
    found = look.found
    if look.other is None or found.generation is None or found.pending is not None:
        return False
    if max(found.others, default=0) <= found.generation:
        return False
    newest = found._replace(generation=max(found.others), issuer_id=look.wanted.issuer_id, damage=())
    return why_replace(look._replace(found=newest, credential=look.other)) is None


def _previous(look: Look) -> tuple[Step, ...]:
    wanted, found = look.wanted, look.found
    target = generation_to_be(wanted, found.generation, found.others)
    option = f"machine_identity: identities[{wanted.name}].generation"
    if target is None:
        raise Misconfigured(
            f"{option}: there is no previous generation on the host; "
            "remove the option, and set keep_generations before the next renewal"
        )
    there = target == found.generation
    useless = _why_useless(look if there else look._replace(credential=look.other))
    if there and found.damage:
        useless = sentence(found.damage[0])
    elif found.other_gone or look.known.key_gone:
        useless = look.known.key_gone or "its key is gone"
    if useless:
        raise Misconfigured(f"{option}: generation {target} cannot be used, {useless}; remove the option")
    return _switched(wanted, found, f"generation {target} is asked for", target)


def _why_useless(look: Look) -> str | None:
    """Say why nobody should go back to a credential."""
    if look.credential is None:
        return "its certificate cannot be read"
    end = look.credential.not_after
    return credential_is_revoked(look) or (f"it ended on {end:%Y-%m-%d %H:%M}" if look.now >= end else None)


def _switched(wanted: Identity, found: Observed, reason: str, target: int) -> tuple[Step, ...]:
    """Make a complete generation the current one, where it is not."""
    elsewhere = found.generation != target
    there = {*found.others, *([found.generation] if found.generation is not None else [])}
    then = found._replace(generation=target, others=tuple(sorted(there - {target})))
    return (
        *((Step("publish", reason, str(target)),) if elsewhere else _repairs(found)),
        *copy_steps(found, f"generation {target}" if elsewhere else None),
        *_links(found),
        *_consumer(wanted, found, reason if elsewhere else None),
        *_leftovers(wanted, then, renewed=False),
    )
