# SPDX-FileCopyrightText: 2026 Keystead contributors
# SPDX-License-Identifier: GPL-3.0-or-later
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)

"""Keys that the controller makes, through whole runs: to the host once, to copies of it, and nowhere else."""

from __future__ import annotations

import json
import re
import typing as t

import pytest
from ansible_collections.keystead.identity.plugins.module_utils._core.errors import Denied, Misconfigured
from ansible_collections.keystead.identity.plugins.module_utils._core.keys import generate, spki_sha256, to_pem
from ansible_collections.keystead.identity.plugins.plugin_utils._ledger.registry import open_ledger
from ansible_collections.keystead.identity.plugins.plugin_utils._remote_copies import RemoteCopies
from ansible_collections.keystead.identity.tests.harness.brownfield import pair
from ansible_collections.keystead.identity.tests.harness.in_process import World, reason, steps, web
from ansible_collections.keystead.identity.tests.harness.publishers import BACKENDS, parts
from cryptography.hazmat.primitives.serialization import load_pem_private_key

if t.TYPE_CHECKING:
    from collections.abc import Iterator, Mapping
    from pathlib import Path

    from cryptography import x509

pytestmark = pytest.mark.one_core
HERE = {"origin": "controller"}
KEYED = ("openbao_kv_with_key", "aws_secrets_manager_with_key", "aws_acm")
POLICY = """
format: 1
rules:
  - {id: origin, custody: {origin: [host, controller]}}
  - {id: copies, delivery: {publish_private_key: [openbao_kv, aws_secrets_manager, aws_acm]}}
"""


@pytest.fixture
def world(tmp_path: Path) -> World:
    (tmp_path / "policy.yml").write_text(POLICY, encoding="utf-8")
    return Permitted(tmp_path / "world")


class Permitted(World):
    """A world whose policy lets keys be made on the controller, and go on from there."""

    def converge(self, *args: t.Any, **said: t.Any) -> dict[str, t.Any]:
        """Run the task once."""
        return super().converge(*args, **{"policy": str(self.directory.parent / "policy.yml"), **said})


@pytest.fixture(params=[pytest.param(name, marks=pytest.mark.needs(*BACKENDS[name].needs)) for name in KEYED])
def place(request: pytest.FixtureRequest, tmp_path: Path, world: World) -> Iterator[t.Any]:
    kind = BACKENDS[request.param]
    made = kind(tmp_path, request.getfixturevalue(kind.server))
    with made.open:
        declared(made, world)
        yield made


def declared(place: t.Any, world: World, **more: t.Any) -> dict[str, t.Any]:
    """Return an identity whose private key goes to a place as well."""
    if place.name == "aws_acm":
        place.named = lambda: mark(world)
        return web(key=HERE, publish=[{"aws_acm": place.options()}], **more)
    publish = [{place.name: place.options(), "parts": ["private_key", "certificate", "chain"]}]
    return web(key=HERE, publish=publish, **more)


def mark(world: World) -> str:
    """Return what marks the copies of `web`; the ledger has its id from its first run on."""
    ledger = open_ledger(world.url, read_only=True)
    try:
        return RemoteCopies(ledger, world.host, str(world.store))._label("web")
    finally:
        ledger.close()


def key_of(world: World, generation: str = "current") -> bytes:
    return world.path("web", generation, "private_key.pem").read_bytes()


def public_id(certificate: x509.Certificate) -> str:
    return spki_sha256(certificate.public_key())


def has_ours(place: t.Any, world: World) -> bool:
    """Tell whether a place holds the key and the certificate of the host, as somebody else reads it."""
    seen = place.seen()
    return bool(seen and seen.key == public_id(world.certificate()))


class Wire:
    """The way to the host, which keeps what went down and came up, and may be cut before a phase or after it."""

    def __init__(self, world: World, *, before: str = "", after: str = "") -> None:
        self.world, self.before, self.after = world, before, after
        self.down: list[Mapping[str, t.Any]] = []
        self.up: list[Mapping[str, t.Any]] = []

    def __call__(self, arguments: Mapping[str, t.Any]) -> t.Any:
        if arguments["phase"] == self.before:
            raise KeyboardInterrupt
        self.down.append(json.loads(json.dumps(arguments)))
        self.up.append(self.world.execute(arguments))
        if arguments["phase"] == self.after:
            raise KeyboardInterrupt
        return self.up[-1]


def everywhere(world: World) -> list[str]:
    """Return the files of controller and host that hold the current key."""
    body = b"".join(key_of(world).splitlines()[1:2])
    found = [path for path in world.directory.parent.rglob("*") if path.is_file() and body in path.read_bytes()]
    return sorted({str(path.resolve().relative_to(world.store.resolve())) for path in found})


@pytest.mark.parametrize("key_type", ["ecdsa-p256", "rsa-2048", "ed25519", "ml-dsa-65"])
def test_a_key_of_the_controller_goes_down_once_and_is_kept_by_the_host_alone(world: World, key_type: str) -> None:
    identity, wire = web(key={"type": key_type, **HERE}), Wire(world)
    assert steps(world.converge([identity], check=True)["identities"][0]) == ["stage_key", "issue", "publish"]
    done = world.converge([identity], execute=wire)["identities"][0]
    assert steps(done) == ["stage_key", "issue", "publish"]
    body = key_of(world).decode().splitlines()[1]
    assert [body in json.dumps(one) for one in wire.down] == [False, True]
    assert list(wire.down[-1]["secrets"]["web"]) == ["private_key"]
    assert wire.down[-1]["secrets"]["web"]["private_key"] == key_of(world).decode()
    assert body not in json.dumps(wire.up)
    assert body not in json.dumps(done)
    assert everywhere(world) == ["web/1/combined.pem", "web/1/private_key.pem"]
    assert oct(world.path("web", "current", "private_key.pem").stat().st_mode)[-3:] == "600"
    loaded = load_pem_private_key(key_of(world), None)
    assert spki_sha256(loaded.public_key()) == public_id(world.certificate())
    world.settled([identity])


def test_each_renewal_has_a_key_of_its_own(world: World) -> None:
    world.settled([web(key=HERE)])
    first = key_of(world)
    world.settled([web(key=HERE, lifetime="10d")])
    assert key_of(world) != first
    assert world.generations() == [2]


@pytest.mark.parametrize(
    ("before", "then", "says"),
    [(None, HERE, "host, declared is controller"), (HERE, None, "controller, declared is host")],
)
def test_where_a_key_is_made_is_remembered_and_another_origin_is_a_reason(
    world: World, before: t.Any, then: t.Any, says: str
) -> None:
    world.settled([web(key=before)])
    assert reason(world.settled([web(key=then)])["identities"][0]) == f"the key was made on the {says}"


def test_a_key_of_the_controller_needs_the_leave_of_the_policy(tmp_path: Path) -> None:
    world, silent = World(tmp_path / "world"), tmp_path / "silent.yml"
    with pytest.raises(Denied, match=r"shipped policy.*key-origin, web: key.origin controller; use host, or let a pol"):
        world.converge([web(key=HERE)])
    silent.write_text("format: 1\nrules: [{id: dmz, only: {groups: [dmz]}, custody: {origin: [host, controller]}}]\n")
    says = r"no rule for web that permits key.origin controller; .* say custody: \{origin: \[host, controller\]\}"
    with pytest.raises(Denied, match=says):
        world.converge([web(key=HERE)], policy=str(silent))
    assert world.phases == []
    world.groups = ("dmz",)
    assert not world.converge([web(key=HERE)], policy=str(silent)).get("failed")


def test_a_private_key_goes_on_only_by_a_rule_that_names_where(world: World, tmp_path: Path) -> None:
    named = tmp_path / "named.yml"
    origin = "format: 1\nrules:\n  - {id: origin, custody: {origin: [controller]}}\n"
    identity = web(key=HERE, publish=[{"aws_acm": {}}])
    named.write_text(origin)
    with pytest.raises(Denied, match=r"permits private_key to aws_acm; .* \{publish_private_key: \[aws_acm\]"):
        world.converge([identity], policy=str(named))
    named.write_text(f"{origin}  - {{id: copies, delivery: {{publish_private_key: [openbao_kv]}}}}\n")
    with pytest.raises(Denied, match=r"rule copies, web: publish aws_acm with private_key; leave private_key out of "):
        world.converge([identity], policy=str(named))
    assert world.phases == []


ACM = "publish[0].aws_acm: "


@pytest.mark.parametrize(
    ("said", "says"),
    [
        ({"key": {**HERE, "custody": {"aws_kms": {"alias": "alias/web"}}}}, "key.origin: controller makes a key"),
        ({"key": HERE, "adopt": {"private_key": "/a", "certificate": "/b"}}, "adopt: its key was made elsewhere"),
        ({"publish": [{"aws_acm": {}}]}, f"{ACM}the private key was made on the host and never leaves it"),
        ({"key": HERE, "publish": [{"aws_acm": {}, "parts": ["certificate"]}]}, f"{ACM}it takes private_key,"),
        ({"key": {"type": "ed25519", **HERE}, "publish": [{"aws_acm": {}}]}, f"{ACM}ACM takes no keys of type ed"),
        ({"key": HERE, "publish": [{"aws_acm": {}}], "dns_names": [], "uris": ["spiffe://a/b"]}, f"{ACM}ACM takes no"),
        (
            {"key": HERE, "publish": [{"aws_acm": {}}], "keep_generations": 1, "generation": "previous"},
            "generation: previous has a key that nobody but the host has",
        ),
    ],
)  # fmt: skip
def test_what_cannot_be_is_refused_before_a_host_is_asked(world: World, said: dict[str, t.Any], says: str) -> None:
    with pytest.raises(Misconfigured) as refused:
        world.converge([web(**said)])
    assert str(refused.value).startswith(f"machine_identity: identities[web].{says}")
    assert "; " in str(refused.value)
    assert world.phases == []


@pytest.mark.parametrize("cut", ["before", "after"])
@pytest.mark.parametrize("first", [True, False], ids=["the first", "a renewal"])
def test_a_key_that_went_with_its_run_is_replaced_and_its_certificate_is_an_orphan(
    world: World, cut: str, *, first: bool
) -> None:
    if not first:
        world.settled([web(key=HERE)])
    identity = web(key=HERE, lifetime="10d")
    with pytest.raises(KeyboardInterrupt):
        world.converge([identity], execute=Wire(world, **{cut: "install"}))
    lost = min(world.issued(), key=lambda one: one.not_valid_after_utc)  # of ten days
    if cut == "before":
        world.path("web", "lease.json").unlink()  # as after its time
    done = world.settled([identity])
    states = dict(world.query("SELECT public_id, state FROM generations"))
    if cut == "after":  # the host has it
        assert states[public_id(lost)] == "current"
        assert len(world.issued()) == (1 if first else 2)
        return
    assert states[public_id(lost)] == "orphaned"
    assert [one for one in done["warnings"] if "went with it; certificate " in one and one.startswith("web: ")]
    assert public_id(world.certificate()) != public_id(lost)
    orphans = "SELECT x.serial_number FROM x509 x JOIN generations g ON g.id = x.generation WHERE g.state = 'orphaned'"
    assert world.query(orphans) == [(f"{lost.serial_number:x}",)]
    assert world.query("SELECT outcome FROM events WHERE outcome = 'orphaned'") == [("orphaned",)]


def test_one_whose_run_ended_before_its_answer_was_recorded_is_looked_for(
    world: World, monkeypatch: pytest.MonkeyPatch
) -> None:
    with monkeypatch.context() as cut:
        from ansible_collections.keystead.identity.plugins.plugin_utils._issuers.registry import ISSUERS

        made = ISSUERS["local"]

        def dying(*args: t.Any) -> t.Any:
            issuer = made(*args)
            begin = issuer.begin

            def then_dies(requests: t.Any) -> t.Any:
                begin(requests)
                raise KeyboardInterrupt

            issuer.begin = then_dies  # type: ignore[method-assign]
            return issuer

        cut.setitem(ISSUERS, "local", dying)
        with pytest.raises(KeyboardInterrupt):
            world.converge([web(key=HERE)])
    (lost,) = world.issued()
    world.path("web", "lease.json").unlink()
    world.settled([web(key=HERE)])
    assert dict(world.query("SELECT public_id, state FROM generations")) == {
        public_id(lost): "orphaned", public_id(world.certificate()): "current",
    }  # fmt: skip


@pytest.mark.parametrize(
    ("key", "says"),
    [
        (to_pem(generate("ecdsa-p256")).decode(), "the certificate for web does not fit the staged key"),
        ("junk", "cannot be read, the staged key"),
        ("", "cannot be read, the staged key"),
    ],
)
def test_a_key_that_comes_down_and_does_not_fit_is_not_installed(world: World, key: str, says: str) -> None:
    world.settled([web(key=HERE)])
    before = world.path("web", "current", "combined.pem").read_bytes()

    def execute(arguments: Mapping[str, t.Any]) -> t.Any:
        if arguments["phase"] == "install":
            arguments = {**arguments, "secrets": {"web": {"private_key": key}}}
        return world.execute(arguments)

    done = world.converge([web(key=HERE, lifetime="10d")], execute=execute)["identities"][0]
    assert says in done["msg"]
    assert world.path("web", "current", "combined.pem").read_bytes() == before
    world.settled([web(key=HERE, lifetime="10d")])


def test_what_an_earlier_run_left_beside_the_generation_is_not_used(world: World) -> None:
    world.settled([web()])
    waiting = world.path("web", "next")
    waiting.mkdir(mode=0o700)
    (waiting / "private_key.pem").write_bytes(to_pem(generate("ecdsa-p256")))
    left = (waiting / "private_key.pem").read_bytes()
    world.settled([web(key=HERE)])
    assert key_of(world) != left
    assert not waiting.exists()


def test_a_place_gets_the_key_in_the_run_that_made_it_and_no_other(world: World, place: t.Any) -> None:
    done = world.settled([declared(place, world)])["identities"][0]
    assert steps(done) == ["stage_key", "issue", "publish", "publish"]
    assert has_ours(place, world)
    world.settled([declared(place, world, lifetime="10d")])
    assert has_ours(place, world)
    assert world.generations() == [2]
    assert everywhere(world) == ["web/2/combined.pem", "web/2/private_key.pem"]


def test_a_place_that_lost_the_key_gets_another_one_with_a_renewal_that_says_so(world: World, place: t.Any) -> None:
    identity = declared(place, world)
    world.settled([identity])
    first = key_of(world)
    place.drop()
    done = world.settled([identity])["identities"][0]
    assert steps(done)[:3] == ["stage_key", "issue", "publish"]
    another = "its private key cannot be had from the host, so another one is made"
    assert reason(done).endswith(f"is not there yet; {another}")
    assert (has_ours(place, world), key_of(world) != first, world.generations()) == (True, True, [2])
    place.spoilt(parts(1))["key"]()
    done = world.settled([identity])["identities"][0]
    assert reason(done).endswith(f"holds another key; {another}")
    assert has_ours(place, world)


def test_what_else_drifted_there_needs_no_renewal_where_the_service_shows_the_key(world: World, place: t.Any) -> None:
    identity = declared(place, world)
    world.settled([identity])
    made = {name: world.path("web", "current", f"{name}.pem").read_bytes() for name in ("private_key", "certificate")}
    place.spoilt({**made, "chain": b""})["same" if place.name == "aws_acm" else "parts"]()
    assert steps(world.settled([identity])["identities"][0]) == ["publish"]
    assert (has_ours(place, world), world.generations()) == (True, [1])


def test_a_run_that_was_cut_off_before_it_wrote_there_is_followed_by_a_renewal(world: World, place: t.Any) -> None:
    identity = declared(place, world)
    with pytest.raises(KeyboardInterrupt):
        world.converge([identity], execute=Wire(world, after="install"))
    done = world.settled([identity])["identities"][0]
    assert "so another one is made" in reason(done)
    assert (has_ours(place, world), world.generations()) == (True, [2])


def test_a_place_that_cannot_be_read_costs_no_renewal(world: World, place: t.Any) -> None:
    identity = declared(place, world)
    world.settled([identity])
    place.fail()
    again = declared(place, world)
    done = world.converge([again])["identities"][0]
    assert (done["failed"], steps(done), world.generations()) == (True, ["publish"], [1])
    place.mend()
    world.settled([identity])
    assert world.generations() == [1]


def test_what_its_service_did_not_take_is_not_copied(world: World, place: t.Any) -> None:
    fails = world.directory / "fails"
    identity = declared(place, world, activate={"command": ["sh", "-c", f"! test -e {fails}"]})
    world.settled([identity])
    before = place.seen()
    fails.touch()
    assert world.converge([{**identity, "lifetime": "10d"}])["identities"][0]["failed"]
    assert place.seen() == before
    assert has_ours(place, world)


def test_an_absent_one_takes_its_copy_with_it(world: World, place: t.Any) -> None:
    identity = declared(place, world)
    world.settled([identity])
    world.settled([{"name": "web", "state": "absent", "publish": identity["publish"]}])
    assert place.seen() is None


def test_a_renewal_that_is_due_anyway_asks_the_host_no_more_often(world: World, place: t.Any) -> None:
    identity = declared(place, world)
    world.settled([identity])
    place.drop()
    world.phases.clear()
    world.converge([{**identity, "lifetime": "10d"}])
    assert world.phases == ["prepare", "install"]
    assert has_ours(place, world)


def test_a_host_that_has_something_else_to_do_is_renewed_in_the_same_run(world: World, place: t.Any) -> None:
    identity = declared(place, world)
    world.settled([identity])
    place.drop()
    linked = {**identity, "links": {str(world.links / "web.key"): "private_key"}}
    done = world.settled([linked])["identities"][0]
    assert steps(done)[:3] == ["stage_key", "issue", "publish"]
    assert (world.links / "web.key").read_bytes() == key_of(world)


@pytest.mark.needs("openbao")
def test_a_pair_that_was_adopted_is_replaced_where_a_copy_is_to_hold_its_key(
    request: pytest.FixtureRequest, world: World, tmp_path: Path
) -> None:
    kind = BACKENDS["openbao_kv_with_key"]
    place = kind(tmp_path, request.getfixturevalue("openbao"))
    pair("web.example.org").write(tmp_path / "old")
    adopt = {"private_key": str(tmp_path / "old/web.key"), "certificate": str(tmp_path / "old/fullchain.pem")}
    world.converge([web(adopt=adopt)])
    done = world.settled([declared(place, world)])["identities"][0]
    assert reason(done) == "the key was made on the host, declared is controller"
    assert has_ours(place, world)


class TestAcm:
    """What only AWS Certificate Manager has."""

    @pytest.fixture
    def acm(self, request: pytest.FixtureRequest, tmp_path: Path, world: World) -> Iterator[t.Any]:
        made = BACKENDS["aws_acm"](tmp_path, request.getfixturevalue("moto"))
        with made.open:
            declared(made, world)
            yield made

    pytestmark = pytest.mark.needs("moto")

    def test_the_arn_stays_through_renewals(self, world: World, acm: t.Any) -> None:
        world.settled([declared(acm, world)])
        (arn,) = acm.arns()
        world.settled([declared(acm, world, lifetime="10d")])
        assert acm.arns() == [arn]

    def test_a_declared_arn_is_taken_over_by_leave_and_kept(self, world: World, acm: t.Any) -> None:
        acm.occupy()
        done = world.foreseen([declared(acm, world)])["identities"][0]
        assert f"{acm.arn} holds something else, which is not of web" in done["msg"]
        assert world.issued() == []
        world.settled([declared(acm, world, replace_files=True)])
        assert acm.arns() == [acm.arn]
        assert has_ours(acm, world)

    def test_another_type_of_key_under_the_same_arn_is_refused_before_anything_is_issued(
        self, world: World, acm: t.Any
    ) -> None:
        world.settled([declared(acm, world)])
        done = world.foreseen([{**declared(acm, world), "key": {"type": "rsa-2048", **HERE}}])["identities"][0]
        assert "has a key of type EC_prime256v1, which ACM lets nobody change under the same ARN" in done["msg"]
        assert len(world.issued()) == 1

    def test_tags_of_the_task_are_there_beside_ours(self, world: World, acm: t.Any) -> None:
        identity = declared(acm, world)
        publish = [{"aws_acm": {**acm.options(), "tags": {"shop": "web"}}}]
        world.settled([identity])
        (step,) = world.settled([{**identity, "publish": publish}])["identities"][0]["steps"]
        assert step["reason"].endswith("lacks the tag shop=web")
        assert acm.tags(acm.arns()[0])["shop"] == "web"

    def test_what_is_in_use_is_not_deleted_and_its_user_is_named(self, world: World, acm: t.Any) -> None:
        identity = declared(acm, world)
        world.settled([identity])
        listener = acm.use()
        gone = {"name": "web", "state": "absent", "publish": identity["publish"]}
        done = world.foreseen([gone])["identities"][0]
        assert f"is in use by {listener}; let them use another certificate first" in done["msg"]
        assert world.generations() == [1]
        assert has_ours(acm, world)

    def test_a_pair_that_does_not_fit_is_never_imported_though_the_stand_in_would_take_it(self, acm: t.Any) -> None:
        with pytest.raises(Denied, match=r"^aws_acm: the private key is not that of the certificate; nothing was imp"):
            acm.publisher().write({**parts(0), "private_key": parts(1)["private_key"]})
        assert acm.arns() == []

    def test_what_was_imported_a_moment_ago_is_found_though_no_tag_leads_there_yet(self, acm: t.Any) -> None:
        made = parts()
        acm.publisher().write(made)
        arn = acm.publisher()._acm.tagged_lately("keystead", acm.label)
        assert [arn] == acm.arns()

    @pytest.mark.parametrize(
        ("said", "says"),
        [
            ({"arn": "web"}, r"aws_acm.arn: 'web' is no ARN of a certificate; write arn:aws:acm:"),
            ({"arn": "arn:aws:acm:eu-west-1:123456789012:certificate/1", "region": "x"}, r"aws_acm.region: 'x'"),
            ({"arn": "arn:aws:acm:eu-central-1:123456789012:certificate/1"}, r"aws_acm.arn: there is no certif"),
            ({"tags": {"keystead": "x"}}, r"aws_acm.tags: 'keystead' cannot be a tag; write a name and a value in let"),
            ({"tags": {"a": "\u00e4"}}, r"aws_acm.tags: 'a' cannot be a tag"),
        ],
    )  # fmt: skip
    def test_a_wrong_option_is_named(self, world: World, acm: t.Any, said: dict[str, t.Any], says: str) -> None:
        publish = [{"aws_acm": {**acm.options(), **said}}]
        done = world.converge([web(key=HERE, publish=publish)])["identities"][0]
        assert re.match(says, done["msg"].removeprefix("web: "))
        assert world.issued() == []
