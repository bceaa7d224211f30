# SPDX-FileCopyrightText: 2026 Keystead contributors
# SPDX-License-Identifier: GPL-3.0-or-later
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)

"""Whether a run could do its work: what the controller, the issuers and a host lack, each with its remedy.

A check of the controller is one entry in ON_CONTROLLER, one of a host an entry in module_utils/_host/preflight.py, and
an issuer looks at itself by the port Preflight. Nothing here changes anything.
"""

from __future__ import annotations

import contextlib
import importlib.metadata
import platform
import re
import time
import typing as t
from collections import Counter
from datetime import UTC, datetime

from ansible.errors import AnsibleError

from ..module_utils._core import wire
from ..module_utils._core.errors import Denied, KeysteadError, Misconfigured, Unavailable, first_line
from ..module_utils._core.ports import Check, Preflight
from ..module_utils._enrol.registry import PROGRAMS
from ._declare import checked_issuer, checked_store
from ._edge import unexpected
from ._host_half import LARGEST_SKEW, HostHalf
from ._ledger.registry import check_ledger, open_for
from ._policy.candidate import Candidate
from ._policy.load import load
from ._policy.policy import ENFORCE
from ._policy.signer import normal
from ._policy.weak_lists import known_weak
from ._signers import Signers

if t.TYPE_CHECKING:
    from ._action import Task
    from ._host_half import Answer
    from ._key import Backend
    from ._ledger.port import Ledger
    from ._policy.policy import Policy

MODULE, CONTROLLER = "preflight", "controller"
STATES = ("ok", "warning", "failed")
LIBRARIES = {
    "acme": "5.0.0",
    "ansible-core": "2.18",
    "boto3": "1.40.0",
    "cryptography": "50.0.0",
    "dnspython": "2.7.0",
    "idna": "3.7",
    "jsonschema": "4.18.0",
    "pyjwt": "2.10.0",
    "requests": "2.31.0",
    "rfc8785": "0.1.4",
}
"""What the controller needs, and how old it may be: requirements.txt, where plugins cannot read it."""
_AGAIN = "run again"  # what a run says of a host that does not answer; mostly it has no Python
_NO_ANSWER = "set ansible_python_interpreter to Python 3.8 or newer, with python3-cryptography"
_OTHERWISE = "put that right and run again"

Options = t.Mapping[str, t.Any]
Checks = t.Iterator[Check]


def preflight(args: Options, task: Task, *, pipelining: bool) -> dict[str, t.Any]:
    """Return what the task returns: `checks`, and `failed` where something must be mended."""
    rows = [_row(CONTROLLER, check) for name, look in ON_CONTROLLER for check in _guarded(name, look(args))]
    rows += [_row(task.host, check) for check in _on_host(args, task, pipelining=pipelining)]
    count = Counter(row["state"] for row in rows)
    failed = [f"{row['check']} ({row['where']})" for row in rows if row["state"] == "failed"]
    return {
        "changed": False,
        "checks": rows,
        "failed": bool(failed),
        "msg": f"preflight: {', '.join(failed)} must be mended; look at checks" if failed else _praise(count),
    }


def _praise(count: Counter[str]) -> str:
    return f"{count['ok']} checks passed" + (f", {count['warning']} with a warning" if count["warning"] else "")


def complete(result: dict[str, t.Any], host: str) -> dict[str, t.Any]:
    """Return a result that has checks: of a task that failed before any, one that says why."""
    if "checks" in result or not result.get("failed"):
        return result
    found, _semicolon, remedy = str(result["msg"]).partition("; ")
    return {**result, "checks": [_row(host, Check("options", "failed", found, remedy or _OTHERWISE))]}


def _row(where: str, check: Check) -> dict[str, str]:
    return {
        "where": where, "check": check.name, "state": check.state, "found": check.found, "remedy": check.remedy,
    }  # fmt: skip


def failure(name: str, error: Exception) -> Check:
    """Return the check that ended with this error; the remedy follows its first semicolon."""
    if isinstance(error, AnsibleError):  # such as that a host is unreachable
        return Check(name, "failed", first_line(error), "mend the connection, or leave the host out")
    text = str(error) if isinstance(error, KeysteadError) else unexpected(MODULE, error)
    found, _semicolon, remedy = text.partition("; ")
    return Check(name, "failed", found, remedy or _OTHERWISE)


def _guarded(name: str, checks: Checks) -> Checks:
    """Yield what is found, until an error ends it: that is a finding too."""
    try:
        yield from checks
    except Exception as error:  # noqa: BLE001 - one check that breaks leaves the others standing
        yield failure(name, error)


def _libraries(_args: Options) -> Checks:
    return libraries(LIBRARIES)


def libraries(wanted: t.Mapping[str, str]) -> Checks:
    """Yield whether this Python has these distributions, each at least so old."""
    yield _version("python", platform.python_version(), "3.11", "run Ansible with a newer Python")
    for name, oldest in wanted.items():
        remedy = f"install {name}>={oldest} for the Python that runs Ansible (requirements.txt of the collection)"
        try:
            yield _version(name, importlib.metadata.version(name), oldest, remedy)
        except importlib.metadata.PackageNotFoundError:
            yield Check(name, "failed", f"{name} is not installed", remedy)


def _version(name: str, there: str, oldest: str, remedy: str) -> Check:
    """Compare two versions by their leading numbers."""
    numbers, least = ([int(one) for one in re.findall(r"\d+", text)[:3]] for text in (there, oldest))
    if numbers >= least:
        return Check(name, "ok", f"{name} {there}")
    return Check(name, "failed", f"{name} {there}, at least {oldest} is needed", remedy)


def _ledger(args: Options) -> Checks:
    yield check_ledger(args)


def _policy(args: Options) -> Checks:
    policy = load(args["policy"], datetime.now(UTC))
    known_weak(policy.weak_lists)
    yield Check("policy", "ok", f"{policy.source} holds, with {len(policy.rules)} rules")
    for backend in _declared(args):
        for name, options in backend.items():
            yield from _permitted(policy, name, options or {})


def _permitted(policy: Policy, backend: str, options: Options) -> Checks:
    """Tell of a challenge that no rule lets go to a host, as far as that depends on the issuer alone."""
    if backend != "scep" or not _needs_a_pipe(backend, options):
        return
    asked = Candidate("it", CONTROLLER, profile="tls_client", key_type="rsa-3072", issuer=normal(backend, options))
    refused = [one for one in policy.verdicts(asked, ("issuer",)) if one.severity == ENFORCE]
    for one in refused:
        yield Check("policy", "warning", f"rule {one.rule} refuses {one.value}", one.remedy)
    if not refused and not policy.speaks_of("issuer", "allow", asked):
        remedy = "let a rule of it say issuer: {allow: [{scep: {challenge: true}}]}"
        yield Check("policy", "warning", f"{policy.source} has no rule that permits issuer scep with challenge", remedy)


def _issuers(args: Options) -> Checks:
    backends, signers = _declared(args), Signers([])
    for backend in backends:
        (name,) = backend
        for check in _guarded("issuer", _issuer(backend, args, signers)):
            yield check._replace(name=f"{name}: {check.name}")
    if not backends:
        yield Check("issuer", "warning", "no issuer was looked at", "set option issuer")


def _declared(args: Options) -> list[Backend]:
    return [issuer for one in (args["issuer"], *(args["issuers"] or ())) if (issuer := checked_issuer(one))]


def _issuer(backend: Backend, args: Options, signers: Signers) -> Checks:
    """Let an issuer look at itself, and compare its root with the pinned one."""
    issuer = signers.of(backend)
    if isinstance(issuer, Preflight):
        yield from issuer.preflight()
    else:
        yield Check("issuer", "warning", f"{issuer.id} cannot look at itself", "the first run shows whether it signs")
    with _opened(args) as ledger:
        if ledger is None:
            return
        signers.anchors(issuer, ledger, pin=False)
    yield Check("roots", "ok", "its root is declared, pinned, or will be pinned by the first run")


ON_CONTROLLER: tuple[tuple[str, t.Callable[[Options], Checks]], ...] = (
    ("libraries", _libraries),
    ("policy", _policy),
    ("ledger", _ledger),
    ("issuer", _issuers),
)


def _on_host(args: Options, task: Task, *, pipelining: bool) -> Checks:
    yield from _guarded("host", _asked(args, task))
    yield from _guarded("pipelining", _piped(args, pipelining=pipelining))


def _piped(args: Options, *, pipelining: bool) -> Checks:
    if pipelining:
        yield Check("pipelining", "ok", "pipelining is on")
        return
    secret = any(_needs_a_pipe(name, said or {}) for one in _declared(args) for name, said in one.items())
    found = "pipelining is off: every execution takes longer, and its arguments touch the host's disk"
    found += ", so a secret of the issuer cannot go there" if secret else ""
    remedy = "set pipelining = true in [connection] of ansible.cfg"
    yield Check("pipelining", "failed" if secret else "warning", found, remedy)


def _needs_a_pipe(backend: str, options: Options) -> bool:
    """Tell whether hosts are told a secret of an issuer, if they are to enrol themselves for the first time."""
    if backend == "scep":
        return any(options.get(name) is not None for name in ("challenge", "challenge_file"))
    return backend == "est" and options.get("enrol") == "host" and "basic" in (options.get("auth") or {})


def _asked(args: Options, task: Task) -> Checks:
    with _opened(args) as ledger:  # whose the host's store is
        half = HostHalf(task.execute, args["store"], task.host, ledger.id if ledger else None, {}, [])
    before = datetime.now(UTC)
    try:
        protocols = [name for backend in _declared(args) for name in backend if name in PROGRAMS]
        answer = half.preflight(before, {"protocols": protocols})
    except Unavailable as error:
        check = failure("host", error)
        yield check._replace(remedy=_NO_ANSWER) if check.remedy == _AGAIN else check
        return
    yield _clock(answer, before.timestamp(), time.time())
    for said in _many(answer.get("checks")):
        yield _said(said)


@contextlib.contextmanager
def _opened(args: Options) -> t.Iterator[Ledger | None]:
    """Open a ledger; one that cannot be has a row of its own and is None here."""
    try:
        ledger = open_for(args, read_only=True)
    except KeysteadError:
        yield None
        return
    try:
        yield ledger
    finally:
        ledger.close()


def _clock(answer: Answer, before: float, after: float) -> Check:
    there = wire.number(answer["now"])
    skew = max(before - there, there - after, 0.0)
    if skew <= LARGEST_SKEW:
        return Check("clock", "ok", f"the clock is within {skew:.0f} s of the controller's")
    return Check("clock", "failed", f"the clock is {skew:.0f} s off the controller's", "synchronise both, by NTP")


def _many(said: t.Any) -> t.Sequence[t.Any]:
    return said if isinstance(said, list) else [None]


def _said(said: t.Any) -> Check:
    """Read what a host said of itself. Raises Denied for what has another form."""
    try:
        state = wire.word(STATES)(said["state"])
        name, found, remedy = (wire.text(said.get(key, "")) for key in ("name", "found", "remedy"))
    except (ValueError, TypeError, KeyError, AttributeError):
        raise Denied("host: its answer has another form; look at what runs on this host") from None
    return Check(name, state, found, remedy or ("" if state == "ok" else _OTHERWISE))


def checked(args: Options) -> Options:
    """Return options whose store is a path. Raises Misconfigured."""
    try:
        return {**args, "store": checked_store(args)}
    except Misconfigured as error:
        raise Misconfigured(f"{MODULE}: option {error}") from None
