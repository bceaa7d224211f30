# SPDX-FileCopyrightText: 2026 Keystead contributors
# SPDX-License-Identifier: GPL-3.0-or-later
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)

"""What the page says in words: the one sentence that comes first, and the figures beside it."""

from __future__ import annotations

import typing as t

from .views import shown

if t.TYPE_CHECKING:
    from collections.abc import Mapping

    from .figures import Figures


_CRITICAL = {"expired": "ended", "revoked": "revoked", "not_valid_yet": "not valid yet"}


class Tile(t.NamedTuple):
    """A figure (None where nobody knows), what it counts, how it is toned when there is any, and where it leads.

    That is a section of the page; in the table of identities, `column` and `value` narrow it to the same.
    """

    number: int | None
    label: str
    tone: str = ""
    section: str = ""
    column: str = ""
    value: str = ""


def headline(figures: Figures) -> str:
    """Return what a reader has to know before all else."""
    totals, beside = figures["totals"], _beside(figures)
    count, parts = _count(totals["identities"], "identity"), _urgent(totals)
    if not totals["identities"]:
        first = "No identity is in use."
    elif parts:
        first = f"Of {count}, {' and '.join(parts)}."
    else:
        first = f"{'None' if beside else 'Nothing is urgent: none'} of {count} is at critical or high risk."
    return " ".join([first, *beside])


def _urgent(totals: Mapping[str, int]) -> list[str]:
    parts, urgent, soon = [], totals["critical"], totals["high"]
    if urgent:
        what = [f"{totals[name]:,} {said}" for name, said in _CRITICAL.items() if totals[name]]
        parts.append(f"{urgent:,} need{'s' if urgent == 1 else ''} help now ({', '.join(what)})")
    if soon:
        parts.append(f"{soon:,} {'is' if soon == 1 else 'are'} at high risk")
    return parts


def _beside(figures: Figures) -> list[str]:
    """Return what is urgent and no identity of ours."""
    rogue, bad = figures["totals"]["rogue"], len(_in_trouble(figures))
    found = [f"Nobody here knows {_count(rogue, 'certificate')} that issuers list."] if rogue else []
    return found + ([f"{_count(bad, 'backend')} {'is' if bad == 1 else 'are'} in trouble."] if bad else [])


def _in_trouble(figures: Figures) -> list[Mapping[str, t.Any]]:
    return [one for one in figures["backends"] if one["health"] == "failed"]


def tiles(figures: Figures) -> list[Tile]:
    """Return the figures at the head of the page."""
    totals, never = figures["totals"], len(figures["coverage"]["never_issued"])
    picked, covered = ("identities", "codes"), "coverage"
    return [
        Tile(totals["identities"], "identities in use"),
        Tile(totals["expired"], "have ended", "critical", *picked, "expired"),
        Tile(totals["revoked"], "revoked, and in use", "critical", *picked, "revoked"),
        Tile(totals["not_valid_yet"], "not valid yet", "critical", *picked, "not valid yet"),
        Tile(totals["ends_within_7d"], "end within 7 days", "high", "identities", "within", "7 days"),
        Tile(totals["ends_within_30d"], "end within 30 days", "medium", "identities", "within", "30 days"),
        Tile(totals["rogue"], "certificates nobody here knows", "critical", covered),
        Tile(len(_in_trouble(figures)), "backends in trouble", "critical", "backends"),
        Tile(totals["hosts"], "hosts"),
        Tile(totals["hosts_without_identity"], "hosts without a live identity", "medium", covered),
        Tile(never, "declared, never issued", "medium", covered),
        Tile(totals["observed"], "observed, not managed"),
    ]


def ends(figures: Figures) -> str:
    """Return what the timeline says, for whoever does not see it."""
    days = figures["timeline"]["days"]
    busiest = max(days, key=lambda one: int(one["count"]))
    later = sum(one["count"] for one in figures["timeline"]["months"]) + figures["timeline"]["later"]
    within = sum(one["count"] for one in days)
    if not within:
        return f"Nothing ends within {len(days)} days."
    return (
        f"Within {len(days)} days, {within:,} of {later:,} that live end, most of them on {busiest['day']} "
        f"({busiest['count']:,}). {figures['timeline']['ended']:,} have ended already."
    )


def wrong(figures: Figures) -> str:
    """Return how much is wrong, and with how many."""
    touched = figures["totals"]["identities"] - figures["totals"]["without_risk"]
    if not touched:
        return "Nothing was found to be wrong."
    return f"{touched:,} of {_count(figures['totals']['identities'], 'identity')} with at least one finding."


def backends(figures: Figures) -> str:
    """Return how the backends are."""
    found = figures["backends"]
    bad = _in_trouble(figures)
    unused = [one for one in found if any(each.startswith("unused") for each in one["remarks"])]
    text = f"{_count(len(found), 'backend')}"
    text += f", {len(bad)} of them in trouble" if bad else ", none of them in trouble"
    text += f"; {len(unused)} unused." if unused else "."
    return text + " Health is what an issuer says when it is asked now, else what it answered for 30 days."


def readiness(figures: Figures) -> str:
    """Return how far the way to post-quantum keys is."""
    found = figures["post_quantum"]
    if not figures["totals"]["identities"]:
        return "There are no keys."
    services = found["services"]
    moved = services["ready"] + services["side by side"]
    return (
        f"{found['share']:.1%} of the keys in use are ML-DSA, which no quantum computer is known to forge; "
        f"{moved} of {sum(services.values())} services have at least one."
    )


def covered(figures: Figures) -> str:
    """Return what is not covered."""
    found = figures["coverage"]
    parts = []
    if found["hosts"]:
        bare = len(found["hosts_without_identity"])
        parts.append(f"{bare:,} of {_count(found['hosts'], 'host')} in the inventory without a live identity")
        parts.append(f"{_count(len(found['identities_without_host']), 'identity')} of hosts that it does not have")
    if found["issuers_asked"]:
        rogue = _count(len(found["rogue"]), "certificate")
        parts.append(f"{rogue} that only the {_count(len(found['issuers_asked']), 'issuer')} asked know of")
    return "; ".join(parts) + "." if parts else "There was no inventory and no issuer to compare with."


def unasked(figures: Figures) -> list[str]:
    """Return who did not say what it signed."""
    found = figures["coverage"]
    none = [] if found["issuers_asked"] else ["No issuer was asked what it signed: the option issuers names none."]
    return [*map(shown, silent(figures)), *none]


def silent(figures: Figures) -> list[str]:
    """Return why issuers that the task names did not say all that they signed."""
    return [f"{one['issuer']}: {one['because']}" for one in figures["coverage"]["issuers_silent"]]


def _count(number: int, one: str) -> str:
    several = f"{one[:-1]}ies" if one.endswith("y") else f"{one}s"
    return f"{number:,} {one if number == 1 else several}"
