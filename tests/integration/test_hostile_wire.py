# SPDX-FileCopyrightText: 2026 Keystead contributors
# SPDX-License-Identifier: GPL-3.0-or-later
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)


"""A host that lies: whatever it answers, nobody signs, nothing strange is shown, and no error is a traceback (C3)."""

from __future__ import annotations

import base64
import copy
import typing as t

import pytest
from ansible_collections.keystead.identity.plugins.module_utils._core import pki
from ansible_collections.keystead.identity.plugins.module_utils._core.keys import spki_sha256
from ansible_collections.keystead.identity.plugins.module_utils._core.model import Subject
from ansible_collections.keystead.identity.plugins.plugin_utils._edge import told
from ansible_collections.keystead.identity.tests.harness import local, tally
from ansible_collections.keystead.identity.tests.harness.in_process import World, web
from cryptography import x509
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.serialization import Encoding

if t.TYPE_CHECKING:
    from pathlib import Path

Answer = dict[str, t.Any]
Change = t.Callable[[Answer], t.Any]

JINJA = "{{ lookup('pipe', 'touch /tmp/keystead-was-here') }}"
ESCAPE = "\x1b]0;owned\x07\x1b[2J"
DEEP: list[t.Any] = []
for _ in range(5000):
    DEEP = [DEEP]
ANYTHING = (
    None, True, -1, 1.5, float("nan"), float("inf"), 10**13, 10**400, "", JINJA, ESCAPE, "A" * 5000, "../../etc", [],
    {}, [None], [[]], {"x": 1}, ["\u202e"],
)  # fmt: skip


class Liar:
    """A fake way to a host, with state: it asks the real host's half, and changes what it answers in one phase."""

    def __init__(self, world: World, phase: str, change: Change) -> None:
        """Keep how to lie."""
        self._world, self._phase, self._change = world, phase, change

    def __call__(self, arguments: Answer) -> Answer:
        """Run a phase."""
        answer = self._world.execute(arguments)
        if arguments["phase"] != self._phase:
            return answer
        changed = self._change(answer)
        return t.cast("Answer", changed) if isinstance(changed, dict) else answer


def lied_to(world: World, phase: str, change: Change, **said: t.Any) -> Answer:
    """Run the task against a liar and return its result, after a look at all that it shows."""
    liar = Liar(world, phase, change)
    result = told("machine_identity", lambda: world.converge([web(**said)], diff=True, execute=liar))
    assert "unexpected" not in result.get("msg", ""), result["msg"]
    for text in _texts(result):
        assert all(one.isprintable() or one == "\n" for one in text), text
    return result


@pytest.fixture
def world(tmp_path: Path) -> World:
    """Return a controller and a host, where nothing was issued yet."""
    return World(tmp_path)


def first(change: Change) -> Change:
    """Return a change of the first identity's answer."""
    return lambda answer: change(answer["identities"][0])


def put(*path: str | int, value: t.Any) -> Change:
    """Return a change that puts a value somewhere."""

    def change(answer: Answer) -> None:
        there: t.Any = answer
        for step in path[:-1]:
            there = there[step]
        there[path[-1]] = value

    return change


def csr(
    *names: str, common_name: str | None = None, extensions: t.Sequence[x509.ExtensionType] = (), number: int = 0
) -> bytes:
    """Return a request of a host's own making, DER."""
    builder = x509.CertificateSigningRequestBuilder().subject_name(pki.name(Subject(common_name)))
    builder = builder.add_extension(x509.SubjectAlternativeName(list(map(x509.DNSName, names))), critical=True)
    for extension in extensions:
        builder = builder.add_extension(extension, critical=True)
    return builder.sign(local.key(number=number), hashes.SHA256()).public_bytes(Encoding.DER)


def sends(request: bytes, key_type: str = "ecdsa-p256") -> Change:
    """Return a change that sends another request, and says that its key was staged."""
    public_id = spki_sha256(local.key(key_type).public_key())
    return first(lambda one: one.update(csr=base64.b64encode(request).decode(), public_id=public_id))


GOOD = csr("web.example.org")
REQUESTS: dict[str, tuple[Change, str]] = {
    "other names": (sends(csr("bank.example.org")), "alternative names"),
    "one name more": (sends(csr("web.example.org", "bank.example.org")), "alternative names"),
    "a common name": (sends(csr("web.example.org", common_name="bank")), "subject"),
    "an authority": (
        sends(csr("web.example.org", extensions=[x509.BasicConstraints(ca=True, path_length=None)])), "extensions",
    ),
    "an invalid signature": (sends(GOOD[:-1] + bytes([GOOD[-1] ^ 1])), "signature"),
    "bytes behind it": (sends(GOOD + b"\0"), "not a PKCS#10 request"),
    "another key type": (
        sends(pki.request(Subject(dns_names=("web.example.org",)), local.key("ed25519")), "ed25519"), "its key is",
    ),
    "another key than it staged": (first(put("public_id", value="0" * 64)), "not the one that was staged"),
    "megabytes": (sends(b"0" * (1 << 22)), "base64 of moderate length"),
    "a little more than allowed": (sends(b"0" * (1 << 16)), "PKCS#10"),
    "junk": (sends(b"\x30\x80junk"), "PKCS#10"),
    "nothing": (first(lambda one: one.pop("csr")), "PKCS#10"),
    "no base64": (first(put("csr", value="%%%")), "base64"),
    "Jinja": (first(put("csr", value=JINJA)), "base64"),
}  # fmt: skip
ANSWERS: dict[str, tuple[Change, str]] = {
    "another format": (put("format", value=2), "format"),
    "a format in words": (put("format", value="1"), "format"),
    "no format": (lambda answer: answer.pop("format"), "format"),
    "no identities": (lambda answer: answer.pop("identities"), "format"),
    "identities as a mapping": (put("identities", value={"web": {}}), "format"),
    "no answer for it": (put("identities", value=[]), "no answer"),
    "answers for others": (first(put("name", value="api")), "no answer"),
    "a name that is none": (first(put("name", value=["web"])), "no answer"),
    "a look at another": (first(put("observed", "name", value="api")), "something else"),
    "no time": (lambda answer: answer.pop("now"), "time"),
    "a time that is no number": (put("now", value=float("nan")), "time"),
    "a time without end": (put("now", value=float("inf")), "time"),
    "megabytes": (lambda answer: answer["identities"].append({"name": "A" * (9 << 20)}), "larger than"),
    "deep nesting": (lambda answer: answer["identities"].append({"name": "x", "y": DEEP}), "nested"),
    "a link that nobody declared": (
        first(put("observed", "links", value=[{"path": "/etc/shadow", "part": "chain", "state": "file"}])), "something",
    ),
    "a stale link that nobody declared": (first(put("observed", "stale_links", value=["/etc/shadow"])), "nobody named"),
    "a copy that nobody declared": (first(put("observed", "stale_copies", value=["kv/web"])), "nobody named"),
    "numbers that spoil the ledger": (first(put("observed", "newest", value=10**12)), "impossible numbers"),
    "an error without a kind": (first(put("error", value={"kind": "SystemExit", "message": "x"})), "does not say how"),
    "an error with escapes": (first(put("error", value={"kind": "Denied", "message": ESCAPE})), "does not say how"),
    "a failure with escapes": (lambda _answer: {"failed": True, "msg": f"host: {ESCAPE}"}, "owned"),
    "a failure of the module": (lambda _: {"failed": True, "msg": ESCAPE * 99, "rc": ESCAPE}, "without an answer"),
    "nothing at all": (lambda answer: answer.clear(), "format"),
}  # fmt: skip


@pytest.mark.parametrize("lie", REQUESTS)
def test_a_request_that_is_not_the_declared_one_is_signed_by_nobody(world: World, lie: str) -> None:
    change, reason = REQUESTS[lie]
    result = lied_to(world, "prepare", change)
    assert reason in result["msg"]
    assert world.issued() == []


@pytest.mark.parametrize("lie", ANSWERS)
def test_an_answer_of_another_form_is_refused_with_the_reason(world: World, lie: str) -> None:
    change, reason = ANSWERS[lie]
    result = lied_to(world, "prepare", change)
    assert reason in result["msg"]
    assert world.issued() == []


def test_every_field_of_a_look_may_be_anything_and_nothing_unexpected_happens(world: World) -> None:
    world.converge([web()])
    looks: list[Answer] = []
    lied_to(world, "prepare", first(lambda one: looks.append(copy.deepcopy(one["observed"]))))
    fields = [*_paths(looks[0]), ["damage"], ["drift"], ["links"], ["stale_links"], ["pending"], ["served"], ["other"]]
    for path in fields:
        for value in ANYTHING:
            tally.point()
            lied_to(world, "prepare", first(put("observed", *path, value=value)))
    assert len(fields) * len(ANYTHING) > 400


def test_a_host_that_says_it_did_what_nobody_asked_is_refused(world: World) -> None:
    revoked = {"action": "revoke", "reason": "it was fun"}
    result = lied_to(world, "install", first(lambda one: one["done"].append(revoked)))
    assert "nobody told it" in result["msg"]
    assert world.remembered().generation is None


def test_a_host_that_says_it_installed_and_shows_nothing_has_not_converged(world: World) -> None:
    result = lied_to(world, "install", first(put("observed", value={"name": "web"})))
    assert "everything was done" in result["msg"]
    assert world.remembered().generation is None


def test_a_host_that_is_silent_after_the_installation_is_an_error_and_the_next_run_goes_on(world: World) -> None:
    assert "no answer" in lied_to(world, "install", put("identities", value=[]))["msg"]
    assert not world.converge([web()]).get("failed")
    assert world.remembered().generation == world.current()


def test_every_field_of_the_second_look_may_be_anything(world: World) -> None:
    world.converge([web()])
    for number, value in enumerate(ANYTHING):
        for field in ("observed", "done", "error", "name"):
            tally.point()
            names = ["web.example.org", f"w{number}.example.org"]
            lied_to(world, "install", first(put(field, value=value)), dns_names=names, keep_generations=3)
    assert not world.converge([web()]).get("failed")


def _texts(value: t.Any) -> t.Iterator[str]:
    if isinstance(value, str):
        yield value
    elif isinstance(value, dict):
        for name, member in value.items():
            yield str(name)
            yield from _texts(member)
    elif isinstance(value, (list, tuple)):
        for member in value:
            yield from _texts(member)


def _paths(value: t.Any, above: tuple[t.Any, ...] = ()) -> t.Iterator[tuple[t.Any, ...]]:
    """Yield the path of everything in nested dictionaries."""
    if above:
        yield above
    if isinstance(value, dict):
        for name, member in value.items():
            yield from _paths(member, (*above, name))
