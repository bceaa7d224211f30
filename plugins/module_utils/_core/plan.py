# SPDX-FileCopyrightText: 2026 Keystead contributors
# SPDX-License-Identifier: BSD-2-Clause
# Simplified BSD License (see LICENSES/BSD-2-Clause.txt or https://opensource.org/licenses/BSD-2-Clause)

"""Decides what to do. Nothing here reads a file, a clock or a network."""

from __future__ import annotations

import typing as t

from . import checks_x509
from .checks import COMMON_CHECKS, Look, sentence
from .errors import Misconfigured
from .model import Identity, Known, Observed, Step

if t.TYPE_CHECKING:
    from .checks import Check

KIND_CHECKS: t.Mapping[str, tuple[Check, ...]] = {"x509": checks_x509.CHECKS}


def decide(look: Look) -> tuple[Step, ...]:
    """Return the steps that bring what was found to what is wanted, in their order; none when all is well."""
    wanted, found, known = look.wanted, look.found, look.known
    if wanted.state == "absent":
        return _absent(found, known)
    if wanted.state == "released":
        return _released(found)
    if wanted.generation == "previous":
        return _previous(wanted, found)
    reason = why_replace(look)
    number = max(found.newest, known.newest) + 1
    return (
        *(_renewal(reason, number, found) if reason else _repairs(found)),
        *_links(found),
        *_consumer(wanted, found, f"generation {number} is new" if reason else None),
        *_leftovers(wanted, found, renewed=bool(reason)),
    )


def why_replace(look: Look) -> str | None:
    """Return the reason of the first check that has one."""
    checks = (*COMMON_CHECKS, *KIND_CHECKS[look.wanted.kind])
    return next(filter(None, (check(look) for check in checks)), None)


def _renewal(reason: str, number: int, found: Observed) -> tuple[Step, ...]:
    place = "is the first" if found.generation is None else f"takes the place of {found.generation}"
    return (Step("stage_key", reason), Step("issue", reason), Step("publish", f"generation {number} {place}"))


def _repairs(found: Observed) -> tuple[Step, ...]:
    return tuple(Step("publish", sentence(finding)) for finding in found.drift)


def _links(found: Observed) -> tuple[Step, ...]:
    says = {
        "missing": "{path} does not lead to {part} yet",
        "elsewhere": "{path} leads elsewhere, not to {part}",
        "same_bytes": "{path} is a file with the same bytes as {part}",
        "file": "{path} is a file that {part} replaces, as replace_files says",
    }
    wrong = (link for link in found.links if link.state != "ok")
    return tuple(Step("link", says[link.state].format(path=link.path, part=link.part), link.path) for link in wrong)


def _consumer(wanted: Identity, found: Observed, renewed: str | None) -> tuple[Step, ...]:
    """Tell the consumer, when what it reads has changed, when an earlier run did not come to it, or when it differs."""
    reason = renewed
    if not reason and found.pending is not None:
        reason = f"an earlier run was cut off before generation {found.pending} was completed"
    if not reason and found.served not in (None, "ok"):
        reason = found.served
    if not reason and any(link.state != "ok" for link in found.links):
        reason = "a link changed"
    if not reason:
        return ()
    ways = (("activate", wanted.activate), ("prove", wanted.prove))
    steps = tuple(Step(action, reason) for action, declared in ways if declared)
    unnoticed = found.pending is not None and not renewed and not steps
    return (Step("publish", reason),) if unnoticed else steps


def _leftovers(wanted: Identity, found: Observed, *, renewed: bool) -> tuple[Step, ...]:
    """Destroy the keys of superseded generations beyond those to keep, and take away links that nobody declares."""
    beside = sorted(found.others) + ([found.generation] if renewed and found.generation is not None else [])
    surplus = beside[: max(0, len(beside) - wanted.keep_generations)]
    steps = [Step("destroy", f"generation {number} is superseded", str(number)) for number in surplus]
    if found.unfinished and not renewed:
        steps.append(Step("destroy", "an earlier run left an unfinished generation behind"))
    steps += [Step("withdraw", f"{path} is no longer declared", path) for path in found.stale_links]
    return tuple(steps)


def _absent(found: Observed, known: Known) -> tuple[Step, ...]:
    steps = [Step("revoke", known.revoke)] if known.revoke else []
    if found.generation is not None or found.others or found.unfinished:
        steps.append(Step("destroy", "the identity is declared absent"))
    steps += [Step("withdraw", f"{path} leads to an identity declared absent", path) for path in found.stale_links]
    return tuple(steps)


def _released(found: Observed) -> tuple[Step, ...]:
    steps = [Step("release", f"{path} becomes a plain file", path) for path in found.stale_links]
    if found.generation is not None or found.others or found.unfinished:
        steps.append(Step("release", "the identity is no longer managed"))
    return tuple(steps)


def _previous(wanted: Identity, found: Observed) -> tuple[Step, ...]:
    complete = sorted({*found.others, *([found.generation] if found.generation is not None else [])})
    if len(complete) < 2:
        raise Misconfigured(
            f"machine_identity: identities[{wanted.name}].generation: there is no previous generation on the host; "
            "remove the option, and set keep_generations before the next renewal"
        )
    target = complete[-2]
    back = () if found.generation == target else (Step("publish", f"generation {target} is asked for"),)
    changed = f"generation {target} is asked for" if back else None
    return (*back, *_links(found), *_consumer(wanted, found, changed))
