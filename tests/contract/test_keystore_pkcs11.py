# SPDX-FileCopyrightText: 2026 Keystead contributors
# SPDX-License-Identifier: GPL-3.0-or-later
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)

"""What can go wrong with a token, and what a key store over one says and leaves then. Each test has its own SoftHSM."""

from __future__ import annotations

import json
import os
import re
import shutil
import subprocess
import sys
import threading
import typing as t
from pathlib import Path

import pytest
from ansible_collections.keystead.identity.plugins.module_utils._core.errors import (
    Denied,
    KeysteadError,
    Misconfigured,
    Unavailable,
)
from ansible_collections.keystead.identity.plugins.module_utils._core.key import Token
from ansible_collections.keystead.identity.plugins.module_utils._keystores.pkcs11 import Pkcs11KeyStore
from ansible_collections.keystead.identity.plugins.module_utils._pkcs11.attributes import CAPABILITIES, GUARDS, read
from ansible_collections.keystead.identity.plugins.module_utils._pkcs11.generate import Wish, generate
from ansible_collections.keystead.identity.plugins.module_utils._pkcs11.keys import TokenKey
from ansible_collections.keystead.identity.plugins.module_utils._pkcs11.lookup import labelled, uri_of
from ansible_collections.keystead.identity.plugins.module_utils._pkcs11.token import (
    close_tokens,
    forget,
    open_token,
    using,
)
from ansible_collections.keystead.identity.plugins.module_utils._pkcs11.uri import parse
from ansible_collections.keystead.identity.plugins.plugin_utils._keystores.registry import KEYSTORES
from ansible_collections.keystead.identity.tests.harness import softhsm, swtpm
from ansible_collections.keystead.identity.tests.harness.issuers import check_sentence
from ansible_collections.keystead.identity.tests.harness.keystores import CHILD, Kept, child, in_a_fork, slot, verify
from ansible_collections.keystead.identity.tests.needs import OLD_PYTHON

pytestmark = pytest.mark.needs(*softhsm.Custody.needs)

DATA = b"what stands in a certificate"
SPY = "/usr/lib/x86_64-linux-gnu/pkcs11-spy.so"  # of OpenSC: writes down every call, and passes it on
LIBC = "/lib/x86_64-linux-gnu/libc.so.6"
TYPE = "ecdsa-p256"
WRONG = "canary-9999"
SAYS = """
from ansible_collections.keystead.identity.plugins.module_utils._core.errors import KeysteadError
for number in range({times}):
    try:
        {act}
    except KeysteadError as error:
        print(type(error).__name__, error)
"""


@pytest.fixture
def kept(tmp_path: Path) -> t.Iterator[Kept]:
    """Return a label in a token that this test has for itself."""
    yield Kept("softhsm", softhsm.Custody(tmp_path, None), "web")
    forget()


def token(kept: Kept, **said: t.Any) -> Token:
    """Return where the token is, with other options beside."""
    os.environ.update(kept.custody.recipe("web")["environment"])
    return Token(**{**kept.custody.recipe("web")["token"], **said})


def refusal(act: t.Callable[[], t.Any], kind: type[KeysteadError]) -> str:
    """Return how something is refused, in a sentence that shows no PIN."""
    with pytest.raises(KeysteadError) as refused:
        act()
    assert isinstance(refused.value, kind), repr(refused.value)
    return check_sentence(refused.value, "pkcs11", (softhsm.PIN, WRONG))


def store(wanted: Token, label: str = "web") -> Pkcs11KeyStore:
    """Return a key store as a new process makes it."""
    forget()
    return Pkcs11KeyStore(wanted, slot(label))


# which token


def test_where_no_token_fits_those_that_are_there_are_named(kept: Kept) -> None:
    said = refusal(store(token(kept, token_label="other")).staged, Misconfigured)
    assert re.search(r"no token has token_label other; \S+ shows suite \(serial number [0-9a-f]{16}\)", said)
    said = refusal(store(token(kept, token_serial="0815")).staged, Misconfigured)
    assert "no token has token_label suite and token_serial 0815" in said
    assert "set one of them" in refusal(store(token(kept, token_label=None)).staged, Misconfigured)


def test_of_two_tokens_with_one_label_none_is_taken_until_the_serial_number_says_which(kept: Kept) -> None:
    custody = t.cast("softhsm.Custody", kept.custody)
    serial = parse(store(token(kept)).stage(TYPE).uri).serial
    forget()
    custody.hsm.add(custody.token)
    said = refusal(store(token(kept)).staged, Misconfigured)
    assert "2 tokens have token_label suite" in said
    assert serial in said
    found = store(token(kept, token_label=None, token_serial=serial)).staged()
    assert found is not None
    assert parse(found.uri).serial == serial


@pytest.mark.parametrize("path", ["/nowhere/module.so", "libsofthsm2.so", "/etc/passwd", LIBC])
def test_what_is_no_module_is_named_with_what_helps(kept: Kept, path: str) -> None:
    said = refusal(store(token(kept, module_path=path)).staged, Misconfigured)
    assert f"module_path {path} " in said
    assert "; " in said


@pytest.mark.needs("old_cryptography")
def test_an_interpreter_without_the_library_says_so_with_the_line_that_installs_it(kept: Kept) -> None:
    script = f"""
import sys
sys.path.insert(0, {os.environ["ANSIBLE_COLLECTIONS_PATH"].partition(os.pathsep)[0]!r})
from ansible_collections.keystead.identity.plugins.module_utils._core.errors import Misconfigured
from ansible_collections.keystead.identity.plugins.module_utils._core.key import Token
from ansible_collections.keystead.identity.plugins.module_utils._core.ports import Slot
from ansible_collections.keystead.identity.plugins.module_utils._keystores.pkcs11 import Pkcs11KeyStore
try:
    Pkcs11KeyStore(Token({softhsm.MODULE!r}, token_label="suite"), Slot("web")).staged()
except Misconfigured as error:
    print(error)
"""
    done = subprocess.run([OLD_PYTHON, "-c", script], check=True, capture_output=True, text=True)
    assert f"python-pkcs11 is missing in {OLD_PYTHON}" in done.stdout, done.stderr
    assert re.search(r"python\S* -m pip install python-pkcs11", done.stdout)
    assert kept.seen() == []


# which key


def test_two_keys_with_the_id_of_the_current_one_are_refused(kept: Kept) -> None:
    made = kept.store().stage(TYPE)
    with using(token(kept)) as opened:
        other = generate(opened, Wish(TYPE, "web", id=made.id))
        assert uri_of(opened, other) == made.uri
    said = refusal(kept.store(made.uri).current, Misconfigured)
    assert "has 2 keys that may be meant" in said
    assert made.uri in said


def test_what_a_token_says_of_a_key_is_read_back(kept: Kept) -> None:
    forget()
    with using(token(kept)) as opened:
        pair, secret = (generate(opened, Wish(key_type, "web")) for key_type in (TYPE, "aes-256"))
        signs, encrypts = read(pair.private), read(secret.secret)
        loose = read(generate(opened, Wish(TYPE, "web", use=("sign", "derive"), extractable=True)).private)
    guarded = {**dict.fromkeys(GUARDS, True), "extractable": False}
    assert {name: signs[name] for name in GUARDS} == {name: encrypts[name] for name in GUARDS} == guarded
    assert [name for name in CAPABILITIES if signs[name]] == ["sign"]
    assert [name for name in CAPABILITIES if encrypts[name]] == ["encrypt", "decrypt"]
    assert (loose["extractable"], loose["never_extractable"], loose["derive"]) == (True, False, True)


@pytest.mark.parametrize("key_type", ["ecdsa-p521", "rsa-2048", "ed25519"])
def test_a_key_that_another_tool_made_signs_too(kept: Kept, key_type: str) -> None:
    kinds = {"ecdsa-p521": "EC:secp521r1", "rsa-2048": "rsa:2048", "ed25519": "EC:edwards25519"}
    custody = t.cast("softhsm.Custody", kept.custody)
    said = ("--keypairgen", "--key-type", kinds[key_type], "--label", "theirs", "--id", "0a0b")
    custody.hsm.tool(custody.token, *said)
    forget()
    with using(token(kept)) as opened:
        (found,) = labelled(opened, "theirs")
        key = TokenKey(opened, found)
    assert key.type == key_type
    verify(key.public_key(), key.sign(DATA), DATA)
    current = kept.store(key.uri, label="theirs").current()
    assert current.uri == key.uri


# who may use it


def calls(kept: Kept, log: Path, script: str, **said: t.Any) -> tuple[list[str], str]:
    """Run statements about `store` in another process; return the functions of the module it called, and its output."""
    recipe = kept.custody.recipe(kept.label)
    recipe["token"].update(module_path=SPY, **said)
    recipe["environment"] = {**recipe["environment"], "PKCS11SPY": softhsm.MODULE, "PKCS11SPY_OUTPUT": str(log)}
    answer = child(kept.module, recipe, slot(kept.label), script)
    return re.findall(r"^\d+: (C_\w+)", log.read_text(encoding="utf-8", errors="replace"), re.MULTILINE), answer


def test_a_wrong_pin_is_tried_once_however_often_the_token_is_needed(kept: Kept, tmp_path: Path) -> None:
    script = SAYS.format(times=20, act="store.staged() if number % 2 else store.stage('ecdsa-p256')")
    called, said = calls(kept, tmp_path / "log", script, pin=WRONG)
    assert called.count("C_Login") == 1
    assert re.match(r"Denied pkcs11: token suite refuses its PIN; .*logging in with pin\b", said)
    assert WRONG not in said


def test_a_wrong_pin_is_tried_once_by_all_processes_of_a_run(kept: Kept, tmp_path: Path) -> None:
    shares = f"""
from ansible_collections.keystead.identity.plugins.module_utils._pkcs11.tries import share
share({str(tmp_path)!r})
""" + SAYS.format(times=1, act="store.staged()")
    first, said = calls(kept, tmp_path / "log-1", shares, pin=WRONG)
    assert first.count("C_Login") == 1
    assert "refuses its PIN" in said
    second, said = calls(kept, tmp_path / "log-2", shares, pin=WRONG)
    assert second.count("C_Login") == 0
    assert "refused its PIN (from pin) earlier in this run" in said


def test_on_the_controller_the_processes_of_a_run_share_what_they_learn(kept: Kept) -> None:
    from ansible import constants

    options = {"at": "controller", **token(kept, pin=WRONG)._asdict()}
    forget()
    assert "refuses its PIN" in refusal(KEYSTORES["pkcs11"](options, slot("web")).staged, Denied)
    shared = list(Path(constants.DEFAULT_LOCAL_TMP).glob("pkcs11-*"))
    try:
        forget()
        said = refusal(KEYSTORES["pkcs11"]({**options, "pin": softhsm.PIN}, slot("web")).staged, Denied)
        assert "earlier in this run" in said
    finally:
        for path in shared:
            path.unlink()
    forget()
    made = KEYSTORES["pkcs11"]({**options, "pin": softhsm.PIN}, slot("web")).stage(TYPE)
    verify(made.public_key(), made.sign(DATA), DATA)


def test_a_batch_needs_one_session_one_login_and_one_pass_over_the_token(kept: Kept, tmp_path: Path) -> None:
    script = """
from ansible_collections.keystead.identity.plugins.module_utils._core.key import Token
from ansible_collections.keystead.identity.plugins.module_utils._core.ports import Slot
from ansible_collections.keystead.identity.plugins.module_utils._keystores.pkcs11 import Pkcs11KeyStore
for number in range(1000):
    other = Pkcs11KeyStore(Token(**told["recipe"]["token"]), Slot(f"web-{number}"))
    assert (other.current(), other.staged(), other.left()) == (None, None, None)
key = store.staged()
print(all(key.sign(b"%d" % number) for number in range(50)))
"""
    store(token(kept)).stage(TYPE)
    called, said = calls(kept, tmp_path / "log", script)
    assert said == "True"
    counted = ("C_OpenSession", "C_Login", "C_FindObjectsInit", "C_SignInit")
    assert [called.count(name) for name in counted] == [1, 1, 3, 1 + 50]  # one that was found waiting is tried first


@pytest.mark.parametrize(
    ("mode", "content", "said"),
    [
        (0o644, softhsm.PIN, r"may be read or changed by others \(0644\); set mode 0600"),
        (0o620, softhsm.PIN, r"may be read or changed by others \(0620\)"),
        (0o600, "\n", "has no PIN in its first line"),
        (0o600, "", "has no PIN in its first line"),
        (0o600, WRONG, "refuses its PIN.*logging in with pin_file /"),
    ],
)
def test_a_pin_file_that_is_no_use_is_named(kept: Kept, tmp_path: Path, mode: int, content: str, said: str) -> None:
    path = tmp_path / "pin"
    path.write_text(content, encoding="utf-8")
    path.chmod(mode)
    assert re.search(said, refusal(store(token(kept, pin=None, pin_file=str(path))).staged, KeysteadError))


def test_a_pin_comes_from_the_first_line_of_a_file_or_from_the_environment(
    kept: Kept, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    path = tmp_path / "pin"
    path.write_text(f"{softhsm.PIN}\na comment\n", encoding="utf-8")
    path.chmod(0o640)
    made = store(token(kept, pin=None, pin_file=str(path))).stage(TYPE)
    monkeypatch.setenv("TOKEN_PIN", softhsm.PIN)
    found = store(token(kept, pin=None, pin_env="TOKEN_PIN")).staged()
    assert found is not None
    assert found.uri == made.uri
    monkeypatch.delenv("TOKEN_PIN")
    unset = token(kept, pin=None, pin_env="TOKEN_PIN")
    assert "pin_env TOKEN_PIN is not set" in refusal(store(unset).staged, Misconfigured)
    assert "needs its user PIN" in refusal(store(token(kept, pin=None)).staged, Misconfigured)
    both = token(kept, pin_env="TOKEN_PIN")
    assert "pin and pin_env are set" in refusal(store(both).staged, Misconfigured)


# what happens to it meanwhile


def test_a_token_that_was_removed_is_missed_at_once_and_by_the_next_process(kept: Kept) -> None:
    custody = t.cast("softhsm.Custody", kept.custody)
    key = kept.store().stage(TYPE)
    for path in custody.hsm.tokens.iterdir():
        shutil.rmtree(path)
    refusal(lambda: key.sign(DATA), Misconfigured)
    refusal(lambda: Pkcs11KeyStore(token(kept), slot("web")).stage(TYPE), Unavailable)
    assert "no token has token_label suite" in refusal(kept.store().staged, Misconfigured)


def test_a_token_that_was_initialised_anew_has_no_key_any_more_and_says_so(kept: Kept) -> None:
    custody = t.cast("softhsm.Custody", kept.custody)
    key = kept.store().stage(TYPE)
    number = str(open_token(token(kept)).slot.slot_id)
    pins = ("--so-pin", softhsm.SO_PIN, "--pin", softhsm.PIN)
    custody.hsm.util("--init-token", "--slot", number, "--label", custody.token, *pins)
    assert "does not have the key any more" in refusal(lambda: key.sign(DATA), Misconfigured)
    assert kept.store(key.uri).current() is None
    made = kept.store().stage(TYPE)
    verify(made.public_key(), made.sign(DATA), DATA)
    assert len(kept.seen()) == 2


def test_a_session_that_somebody_ended_is_not_taken_up_again_in_this_process(kept: Kept) -> None:
    key = kept.store().stage(TYPE)
    opened = open_token(token(kept))
    opened.session.close()  # as a removed token does it
    said = refusal(lambda: key.sign(DATA), Unavailable)
    assert "ended the session" in said
    assert refusal(Pkcs11KeyStore(token(kept), slot("web")).staged, Unavailable) == said
    found = kept.store().staged()
    assert found.uri == key.uri


def test_a_key_that_another_process_destroyed_is_missed_once_and_then_known_to_be_gone(kept: Kept) -> None:
    key = kept.store().stage(TYPE)
    verify(key.public_key(), key.sign(DATA), DATA)
    kept.elsewhere("store.delete()")
    assert "does not have the key any more" in refusal(lambda: key.sign(DATA), Misconfigured)
    assert Pkcs11KeyStore(token(kept), slot("web")).staged() is None


@pytest.mark.needs("tmpfs", "unshare")
def test_a_full_token_says_so_leaves_no_half_and_works_when_there_is_space_again(kept: Kept, tmp_path: Path) -> None:
    recipe = kept.custody.recipe("web")
    script = """
import subprocess
from ansible_collections.keystead.identity.plugins.module_utils._core.errors import KeysteadError
from ansible_collections.keystead.identity.plugins.module_utils._core.key import Token
from ansible_collections.keystead.identity.plugins.module_utils._core.ports import Slot
from ansible_collections.keystead.identity.plugins.module_utils._keystores.pkcs11 import Pkcs11KeyStore
of = lambda number: Pkcs11KeyStore(Token(**told["recipe"]["token"]), Slot(f"web-{number}"))
for number in range(100):
    try:
        of(number).stage("ecdsa-p256")
    except KeysteadError as error:
        said = str(error)
        break
of(0).delete()
of(number).stage("ecdsa-p256")
print(json.dumps([number, said, of(number).left()]))
"""
    paths = os.environ["ANSIBLE_COLLECTIONS_PATH"].partition(os.pathsep)[0]
    tokens = str(t.cast("softhsm.Custody", kept.custody).hsm.tokens)
    mounts = 'mount -t tmpfs -o size=64k none "$1" && cp -a "$2"/. "$1" && shift 2 && exec "$@"'
    shutil.copytree(tokens, tmp_path / "copy")
    told = {"module": "softhsm", "recipe": recipe, "script": script, "slot": ["web", None]}
    done = subprocess.run(
        ["unshare", "--mount", "sh", "-c", mounts, "-", tokens, str(tmp_path / "copy"), sys.executable, "-c", CHILD],
        input=json.dumps(told), check=False, capture_output=True, text=True, timeout=120,
        env={**os.environ, **recipe["environment"], "PYTHONPATH": paths},
    )  # fmt: skip
    assert done.returncode == 0, done.stderr[-2000:]
    number, said, left = json.loads(done.stdout.splitlines()[-1])
    assert number > 1
    assert re.search(r"pkcs11: token suite .*while making a key of type ecdsa-p256.*full", said)
    assert left == f"token suite has a key with the label web-{number} that nothing uses"


# what a kill leaves


@pytest.mark.needs("strace")
def test_what_a_kill_at_any_write_leaves_of_a_key_is_destroyed_by_the_next_run(kept: Kept, tmp_path: Path) -> None:
    custody = t.cast("softhsm.Custody", kept.custody)
    recipe, clean = kept.custody.recipe("web"), tmp_path / "clean"
    shutil.copytree(custody.hsm.tokens, clean)
    told = {"module": "softhsm", "recipe": recipe, "slot": ["web", None], "script": f"store.stage({TYPE!r})"}
    paths = os.environ["ANSIBLE_COLLECTIONS_PATH"].partition(os.pathsep)[0]
    left: list[str | None] = []
    for number in range(3, 400, 9):  # the first two are the login's own, which SoftHSM itself does not survive
        shutil.rmtree(custody.hsm.tokens)
        shutil.copytree(clean, custody.hsm.tokens)
        kill = f"inject=write:signal=KILL:when={number}"
        trace = ["strace", "-f", "-e", "trace=write", "-e", kill, "-o", "/dev/null"]
        done = subprocess.run(
            [*trace, sys.executable, "-c", CHILD], input=json.dumps(told), check=False, capture_output=True, text=True,
            env={**os.environ, **recipe["environment"], "PYTHONPATH": paths}, timeout=60,
        )  # fmt: skip
        healed = kept.elsewhere("before = store.left(); store.delete(); print(json.dumps([before, store.left()]))")
        left.append(json.loads(healed)[0])
        assert json.loads(healed)[1] is None
        assert kept.seen() == []
        if not done.returncode:
            break
    else:
        raise AssertionError("it never came to its end")
    said = "token suite has a {} with the label web that nothing uses"
    assert set(left) == {None, said.format("half of a key"), said.format("key")}


def test_half_of_a_key_is_nothing_to_sign_with_and_is_replaced_by_a_whole_one(kept: Kept) -> None:
    custody = t.cast("softhsm.Custody", kept.custody)
    first = kept.store().stage(TYPE)
    forget()
    custody.hsm.tool(custody.token, "--delete-object", "--type", "privkey", "--id", parse(first.uri).id.hex())
    assert [line.partition(":")[0] for line in kept.seen()] == ["Public Key"]
    assert kept.store().staged() is None
    second = kept.store().stage(TYPE)
    assert second.uri != first.uri
    assert len(kept.seen()) == 2
    verify(second.public_key(), second.sign(DATA), DATA)


def test_a_secret_key_or_a_certificate_of_the_same_label_is_not_touched(kept: Kept) -> None:
    custody = t.cast("softhsm.Custody", kept.custody)
    custody.hsm.tool(custody.token, "--keygen", "--key-type", "AES:32", "--label", "web", "--id", "0a0b")
    kept.store().stage(TYPE)
    kept.store().delete()
    assert kept.seen() == ["Secret Key: 0a0b"]


# who uses it at the same time


def test_threads_share_the_session_and_every_signature_is_right(kept: Kept) -> None:
    key = kept.store().stage(TYPE)
    signed: dict[bytes, bytes] = {}

    def sign(thread: int) -> None:
        for number in range(100):
            data = b"%d %d" % (thread, number)
            signed[data] = key.sign(data)

    threads = [threading.Thread(target=sign, args=(number,)) for number in range(4)]
    for one in threads:
        one.start()
    for one in threads:
        one.join()
    assert len(signed) == 400
    for data, signature in signed.items():
        verify(key.public_key(), signature, data)


def test_a_fork_in_the_middle_of_a_batch_disturbs_neither_side(kept: Kept) -> None:
    key = kept.store().stage(TYPE)
    for number in range(5):
        answer = in_a_fork(lambda: key.sign(DATA))
        assert isinstance(answer, bytes), answer
        verify(key.public_key(), answer, DATA)
        verify(key.public_key(), key.sign(b"%d" % number), b"%d" % number)


def test_closing_every_token_is_no_end_for_those_who_still_need_one(kept: Kept) -> None:
    key = kept.store().stage(TYPE)
    close_tokens()
    verify(key.public_key(), key.sign(DATA), DATA)
    close_tokens()
    close_tokens()
    found = Pkcs11KeyStore(token(kept), slot("web")).staged()
    assert found is not None
    assert found.uri == key.uri


# a TPM, which locks


@pytest.mark.needs(*swtpm.Custody.needs)
def test_a_tpm_counts_one_failed_login_of_a_run_and_is_not_locked(tmp_path: Path) -> None:
    custody = swtpm.Custody(tmp_path, None)
    try:
        before = failed_logins(custody)
        recipe = custody.recipe("web")
        wrong = {**recipe, "token": {**recipe["token"], "pin": WRONG}}
        said = child("swtpm", wrong, slot("web"), SAYS.format(times=10, act="store.staged()"))
        assert said.startswith("Denied pkcs11: token suite refuses its PIN")
        assert failed_logins(custody) - before == 1
        assert child("swtpm", recipe, slot("web"), "print(store.staged())") == "None"
    finally:
        custody.stop()


def failed_logins(custody: swtpm.Custody) -> int:
    """Return what the TPM itself counts towards its lock."""
    said = softhsm.output(["tpm2_getcap", "properties-variable"], custody.environment)
    (number,) = re.findall(r"TPM2_PT_LOCKOUT_COUNTER: (0x[0-9A-Fa-f]+)", said)
    return int(number, 16)


@pytest.mark.needs(*swtpm.Custody.needs)
def test_a_tpm_whose_resource_manager_dies_says_so_and_works_again_with_a_new_one(tmp_path: Path) -> None:
    custody = swtpm.Custody(tmp_path, None)
    script = """
import signal
key = store.stage("ecdsa-p256")
os.kill(told["recipe"]["manager"], signal.SIGKILL)
""" + SAYS.format(times=1, act="key.sign(b'')")
    try:
        recipe = custody.recipe("web")
        said = child("swtpm", {**recipe, "manager": custody.tpm.manager.pid}, slot("web"), script)
        assert re.match(r"Unavailable pkcs11: token suite .*while signing with pkcs11:token=suite;.*; look", said)
        custody.tpm.manage()
        assert child("swtpm", recipe, slot("web"), "print(store.staged().sign(b'') != b'')") == "True"
    finally:
        custody.stop()


@pytest.mark.needs(*swtpm.Custody.needs)
def test_a_tpm_makes_and_uses_more_keys_in_one_process_than_it_has_places_for(tmp_path: Path) -> None:
    custody = swtpm.Custody(tmp_path, None)
    script = """
from ansible_collections.keystead.identity.plugins.module_utils._core.key import Token
from ansible_collections.keystead.identity.plugins.module_utils._core.ports import Slot
from ansible_collections.keystead.identity.plugins.module_utils._keystores.pkcs11 import Pkcs11KeyStore
stores = [Pkcs11KeyStore(Token(**told["recipe"]["token"]), Slot(f"web-{number}")) for number in range(40)]
keys = [one.stage("ecdsa-p256") for one in stores]
first = [key.sign(b"1") for key in keys]
second = [one.staged().sign(b"2") for one in stores]
from ansible_collections.keystead.identity.tests.harness.keystores import verify
for key, *signatures in zip(keys, first, second):
    verify(key.public_key(), signatures[0], b"1")
    verify(key.public_key(), signatures[1], b"2")
print(len({key.uri for key in keys}))
"""
    try:
        assert child("swtpm", custody.recipe("web"), slot("web"), script) == "40"
    finally:
        custody.stop()
