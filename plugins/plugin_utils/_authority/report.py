# SPDX-FileCopyrightText: 2026 Keystead contributors
# SPDX-License-Identifier: GPL-3.0-or-later
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)


"""What the user of certificate_authority sees."""

from __future__ import annotations

import contextlib
import typing as t

with contextlib.suppress(ImportError):
    from cryptography.hazmat.primitives.serialization import Encoding

from ...module_utils._core import pki
from .._report import certificate
from . import crl

if t.TYPE_CHECKING:
    import datetime as dt

    from .converge import Outcome
    from .publication import Publication
    from .store import Authority
    from .wanted import Wanted


def report(wanted: Wanted, outcome: Outcome, *, diff: bool) -> dict[str, t.Any]:
    """Return the result of the task; nothing in it is secret."""
    answer: dict[str, t.Any] = {
        "changed": bool(outcome.steps),
        "name": wanted.name,
        "steps": [{"action": step.action, "reason": step.reason} for step in outcome.steps],
    }
    if outcome.after is not None:
        answer.update(_authority(outcome.after))
    if outcome.warnings:
        answer["warnings"] = list(outcome.warnings)
    if diff:
        answer["diff"] = _diff(wanted, outcome)
    return answer


def _authority(authority: Authority) -> dict[str, t.Any]:
    facts = certificate(pki.credential(authority.certificate.public_bytes(Encoding.DER)))
    return {
        "certificate": authority.certificate.public_bytes(Encoding.PEM).decode(),
        "crl_path": str(authority.crl_path),
        "crl_der_path": str(authority.crl_der_path),
        "certificate_der_path": str(authority.certificate_der_path),
        "crl_url": authority.publication.crl_url or None,
        "certificate_url": authority.publication.certificate_url or None,
        "crl": _list(authority),
        "issuer_id": authority.id,
        "custody": authority.about.custody,
        "key_uri": authority.about.key_uri,
        "certificate_facts": {fact: value for fact, value in facts.items() if fact != "dns_names"},
    }


def _list(authority: Authority) -> dict[str, t.Any] | None:
    found = crl.facts(authority)
    return found and {
        "number": found.number,
        "this_update": _moment(found.this_update),
        "next_update": found.next_update and _moment(found.next_update),
        "entries": found.entries,
    }


def _moment(moment: dt.datetime) -> str:
    return f"{moment.isoformat()[:19]}Z"


def _diff(wanted: Wanted, outcome: Outcome) -> dict[str, str]:
    """Show the authority and its revocation list as lines, by what the steps do to them."""
    does = {step.action: step.reason for step in outcome.steps}
    lines = "".join(f"{option}: {value}\n" for option, value in wanted.described().items())
    there = f"{lines}{_publication(wanted.publication(outcome.before))}revocation list: published\n"
    before = "" if outcome.before is None else there
    after = before
    if "issue" in does:
        after = there
    elif "publish" in does and outcome.before is not None:
        before = f"{lines}{_publication(outcome.before.publication)}revocation list: {does['publish']}\n"
    elif "destroy" in does:
        after = ""
    path = str(wanted.directory / wanted.name)
    return {"before": before, "after": after, "before_header": path, "after_header": path}


def _publication(published: Publication) -> str:
    return "".join(f"{option}: {value}\n" for option, value in published.described().items())
