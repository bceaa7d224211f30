# SPDX-FileCopyrightText: 2026 Keystead contributors
# SPDX-License-Identifier: GPL-3.0-or-later
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)

"""What the contract suite of key stores needs of each custody: a module of tests/harness has it as `Custody`.

One is made over `(directory, server)`: a directory of its own, and what the session fixture `Custody.server` yields,
None where that is None. It serves all tests of a module, so every test has a label of its own.
"""

from __future__ import annotations

import importlib
import json
import os
import subprocess
import sys
import typing as t

import pytest
from ansible_collections.keystead.identity.plugins.module_utils._core.errors import KeysteadError
from ansible_collections.keystead.identity.plugins.module_utils._core.ports import KeyStore, Slot
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import ec, padding, rsa

if t.TYPE_CHECKING:
    from pathlib import Path

PACKAGE = "ansible_collections.keystead.identity.tests.harness"
CUSTODIES = ("softhsm", "swtpm", "openbao_transit", "aws_kms")
"""The modules of tests/harness that have a `Custody`. A custody that can run on two real things has two of them."""

MESSAGES = (b"what stands in a certificate", b"", b"what stands in a revocation list" * 500)
"""What is signed; a stand-in for a real thing has `messages` of its own, which are those that it signs rightly."""

Recipe = dict[str, t.Any]


class Custody(t.Protocol):
    """The real thing behind a key store, set up for the suite. A key is something that can sign."""

    name: t.ClassVar[str]  # what begins its errors: pkcs11, openbao_transit, aws_kms
    needs: t.ClassVar[tuple[str, ...]]  # of tests/needs.py
    server: t.ClassVar[str | None]  # the session fixture that runs what all tests share
    key_types: t.ClassVar[tuple[str, ...]]  # those that it can make, the quickest first
    lacks: t.ClassVar[str]  # a key type that it must refuse by name
    destroys_one: t.ClassVar[bool]  # whether a key that was never used can be destroyed while one in use stays
    one_type: t.ClassVar[bool]  # whether all keys of a label have one type for ever

    def __init__(self, directory: Path, server: t.Any) -> None: ...

    def recipe(self, label: str) -> Recipe:
        """Return, as JSON can carry it, all that another process needs to open the key store of a label.

        `environment` in it is set in that process.
        """

    @staticmethod
    def open(recipe: Recipe, slot: Slot) -> KeyStore:
        """Return a key store as a new process makes it: nothing that this one knows already may help it."""

    def describe(self) -> str:
        """Return manufacturer and model, or product and version, of the real thing."""

    def seen(self, label: str) -> list[str]:
        """Return what a tool that is not ours sees of a label: a line for each key, and for each half of one."""

    def extract(self, uri: str) -> bytes | None:
        """Try to get the private key out; return what came, None where everything was refused."""

    def stop(self) -> None:
        """Stop what was started."""


def custody(name: str) -> type[Custody]:
    """Return what sets a custody up."""
    return t.cast("type[Custody]", importlib.import_module(f"{PACKAGE}.{name}").Custody)


def every_custody() -> list[t.Any]:
    """Return a parameter for each custody, with what it needs of the machine."""
    return [pytest.param(name, marks=pytest.mark.needs(*custody(name).needs)) for name in CUSTODIES]


class Kept(t.NamedTuple):
    """A custody that runs, and a label that only one test has."""

    module: str
    custody: Custody
    label: str

    def store(self, current: str | None = None, *used: str, label: str = "") -> t.Any:
        """Return a new key store of this label. `used` are further keys in use beside the current one."""
        label = label or self.label
        return self.custody.open(self.custody.recipe(label), slot(label, current, *used))

    def elsewhere(self, script: str, current: str | None = None, *used: str) -> str:
        """Run statements about `store` in a process of its own, which then ends at once; return its last line."""
        return child(self.module, self.custody.recipe(self.label), slot(self.label, current, *used), script)

    @property
    def messages(self) -> tuple[bytes, ...]:
        """What it is to sign."""
        return t.cast("tuple[bytes, ...]", getattr(type(self.custody), "messages", MESSAGES))

    def seen(self) -> list[str]:
        """Return what a tool that is not ours sees of the label."""
        return self.custody.seen(self.label)


def slot(label: str, current: str | None = None, *used: str) -> Slot:
    """Return where keys of a label belong."""
    return Slot(label, current, tuple(filter(None, (current, *used))))


CHILD = f"""
import json, os, sys
told = json.load(sys.stdin)
from {PACKAGE}.keystores import custody, slot
store = custody(told["module"]).open(told["recipe"], slot(*told["slot"]))
exec(told["script"])
sys.stdout.flush()
os._exit(0)
"""


def child(module: str, recipe: Recipe, wanted: Slot, script: str) -> str:
    """Run `script` over a key store in a process of its own, killed without any clean end; return its last line."""
    told = {"module": module, "recipe": recipe, "script": script, "slot": [wanted.label, wanted.current, *wanted.used]}
    paths = os.environ["ANSIBLE_COLLECTIONS_PATH"].partition(os.pathsep)[0]
    done = subprocess.run(
        [sys.executable, "-c", CHILD], input=json.dumps(told), check=False, capture_output=True, text=True, timeout=120,
        env={**os.environ, **recipe.get("environment", {}), "PYTHONPATH": paths},
    )  # fmt: skip
    assert done.returncode == 0, done.stderr[-3000:]
    return (done.stdout.splitlines() or [""])[-1]


def in_a_fork(act: t.Callable[[], bytes]) -> bytes | KeysteadError:
    """Return what an act returns, or how it is refused, in a child of this process that ends afterwards."""
    read, write = os.pipe()
    pid = os.fork()
    if not pid:  # whatever happens, the child must not go on as a second pytest
        try:
            os.write(write, b"+" + act())
        except KeysteadError as error:
            os.write(write, b"-" + str(error).encode())
        finally:
            os._exit(0)
    os.close(write)
    with os.fdopen(read, "rb") as pipe:
        answer = pipe.read()
    os.waitpid(pid, 0)
    assert answer, "the child said nothing"
    return answer[1:] if answer[:1] == b"+" else KeysteadError(answer[1:].decode())


def verify(public_key: t.Any, signature: bytes, data: bytes) -> None:
    """Verify by cryptography what stands in a certificate as a signature; raises InvalidSignature."""
    if isinstance(public_key, rsa.RSAPublicKey):
        public_key.verify(signature, data, padding.PKCS1v15(), hashes.SHA256())
    elif isinstance(public_key, ec.EllipticCurvePublicKey):
        fits = {"secp256r1": hashes.SHA256(), "secp384r1": hashes.SHA384(), "secp521r1": hashes.SHA512()}
        public_key.verify(signature, data, ec.ECDSA(fits[public_key.curve.name]))
    else:
        public_key.verify(signature, data)
