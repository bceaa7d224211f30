# SPDX-FileCopyrightText: 2026 Keystead contributors
# SPDX-License-Identifier: GPL-3.0-or-later
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)

"""What the contract suite of issuers needs of each backend: `tests/harness/NAME.py` has it as `Backend`.

A backend is made over `(directory, server)`: a directory of the test, and what the session fixture `Backend.server`
yields, None where that is None.
"""

from __future__ import annotations

import importlib
import re
import typing as t

from ansible_collections.keystead.identity.plugins.module_utils._core.errors import Denied, KeysteadError
from ansible_collections.keystead.identity.plugins.module_utils._core.model import Generation
from ansible_collections.keystead.identity.plugins.module_utils._core.ports import Issuer, Order, Request
from ansible_collections.keystead.identity.plugins.module_utils._options.common import COMMON
from ansible_collections.keystead.identity.plugins.module_utils._options.machine_identity import OPTIONS
from ansible_collections.keystead.identity.plugins.module_utils._options.option import spec
from ansible_collections.keystead.identity.plugins.plugin_utils._declare import checked_issuer
from ansible_collections.keystead.identity.plugins.plugin_utils._issuers.registry import ISSUERS
from ansible_collections.keystead.identity.plugins.plugin_utils._validate import validated
from cryptography import x509
from cryptography.hazmat.primitives.serialization import Encoding

if t.TYPE_CHECKING:
    from pathlib import Path

Options = dict[str, t.Any]


class Wrong(t.NamedTuple):
    """Options with credentials that open nothing, and the secrets among them."""

    options: Options
    secrets: tuple[str, ...]
    kind: type[KeysteadError] = Denied


class Upstream(t.NamedTuple):
    """A server as its clients reach it: URL, the bundle of its authority, and that authority itself."""

    url: str
    ca_bundle: Path
    authority: t.Any


class Backend(t.Protocol):
    """The real thing behind an issuer, set up for the suite."""

    needs: t.ClassVar[tuple[str, ...]]  # of tests/needs.py
    server: t.ClassVar[str | None]  # the session fixture that runs what all tests share
    profile: t.ClassVar[str]  # for which `options` signs by default
    life: t.ClassVar[int]  # seconds that `options` grant; only where the backend alone decides on that
    shortest: t.ClassVar[int]  # seconds that `short` grants, where that is more than two hours
    key_type: t.ClassVar[str]  # for which it signs, where that is not ECDSA
    by_host: t.ClassVar[bool]  # whether only hosts speak to it
    logins_of_a_batch: t.ClassVar[int]
    of_forgotten: t.ClassVar[type]  # the status of what it signed when it is `forgetful`

    def __init__(self, directory: Path, server: t.Any) -> None: ...

    def options(self, profile: str = "tls_server", **said: t.Any) -> Options:
        """Return options for signing names below example.org for up to 30 days."""

    def narrow(self) -> tuple[Options, str]:
        """Return options for signing names below example.com only, and a pattern of the backend's own refusal."""

    def short(self) -> Options:
        """Return options for signing for two hours at most, or for `shortest`."""

    def forgetful(self) -> Options:
        """Return options for signing without remembering it."""

    def unreachable(self) -> Options:
        """Return options whose server does not answer; `options` where there is none."""

    def wrong(self) -> dict[str, Wrong]:
        """Return what does not open the backend, by what is wrong."""

    def revoked(self, certificate: bytes) -> str | None:
        """Return why the backend itself says that a certificate (DER) is revoked; for one that tells no client."""

    def logins(self) -> int:
        """Return how often anybody logged in to this backend so far."""

    def publish(self) -> None:
        """Let the backend write the revocation list that it would write in its own time; others need not have this."""

    def signed(self) -> list[str]:
        """Return the serial numbers of what was signed so far, where `same_again`; others need not have this."""

    @property
    def secrets(self) -> tuple[str, ...]:
        """The credentials in `options`."""


class ServerBackend(Backend, t.Protocol):
    """What the suite of faults needs beside that, of backends that speak to a server."""

    signs: t.ClassVar[str]  # what `METHOD path` of a request contains that has something signed
    revokes: t.ClassVar[str]  # the same of one that takes something back

    @property
    def upstream(self) -> Upstream:
        """Where the server is."""

    def through(self, url: str, **said: t.Any) -> Options:
        """Return options that reach the server at another URL, with two seconds for a call."""

    def outage(self) -> t.ContextManager[str]:
        """Take the server out of service; yield a pattern of how that must be said."""


def adapter(name: str) -> type[Backend]:
    """Return what makes the backend of an issuer."""
    module = importlib.import_module(f"ansible_collections.keystead.identity.tests.harness.{name}")
    return t.cast("type[Backend]", module.Backend)


class Made(t.NamedTuple):
    """An issuer's name, and its backend, running."""

    name: str
    backend: Backend

    def issuer(self, options: Options | None = None, **said: t.Any) -> Issuer:
        """Make an issuer as a task does: from these options, else from those of the backend with others beside."""
        task = {"issuer": {self.name: options or self.backend.options(**said)}, "identities": [{"name": "web"}]}
        checked = checked_issuer(validated(task, spec(COMMON, OPTIONS), module="machine_identity")["issuer"])
        assert checked
        one = ISSUERS[self.name](checked[self.name])
        if not getattr(self.backend, "by_host", False):
            return one
        from ansible_collections.keystead.identity.tests.harness.by_host import ByHost

        return ByHost(one)

    @property
    def key_type(self) -> str:
        """The type of the keys for which the backend signs by default."""
        return getattr(self.backend, "key_type", "ecdsa-p256")

    def request(self, *said: t.Any, **more: t.Any) -> Request:
        """Return what an issuer is asked for, by default for what the backend signs."""
        from ansible_collections.keystead.identity.tests.harness import local

        return local.request(*said, **{"profile": self.backend.profile, "key_type": self.key_type, **more})

    def public_id(self, number: int = 0) -> str:
        """Return the SPKI SHA-256 of the key of such a request."""
        from ansible_collections.keystead.identity.tests.harness import local

        return local.public_id(number, self.key_type)


def answers(issuer: Issuer, *requests: Request) -> list[Generation | KeysteadError]:
    """Ask until nothing is pending."""
    found = issuer.begin(requests)
    while orders := [one for one in found if isinstance(one, Order)]:
        finished = iter(issuer.finish(orders))
        found = [next(finished) if isinstance(one, Order) else one for one in found]
    return t.cast("list[Generation | KeysteadError]", found)


def settled(issuer: Issuer, *requests: Request) -> list[Generation]:
    """Ask until nothing is pending; everything must be granted."""
    found = answers(issuer, *requests)
    for one in found:
        assert isinstance(one, Generation), one
    return t.cast("list[Generation]", found)


def refusal(issuer: Issuer, *requests: Request) -> KeysteadError:
    """Return how the first of these requests was refused: in its place, or for all of them together."""
    try:
        found = answers(issuer, *requests)[0]
    except KeysteadError as error:
        return error
    assert isinstance(found, KeysteadError), "it was granted"
    return found


def leaf(generation: Generation) -> x509.Certificate:
    """Return the certificate of a generation."""
    return x509.load_pem_x509_certificate(generation.parts["certificate"].content)


def der(generation: Generation) -> bytes:
    """Return the certificate of a generation, as DER."""
    return leaf(generation).public_bytes(Encoding.DER)


def check_sentence(error: KeysteadError, name: str, secrets: t.Iterable[str] = ()) -> str:
    """Check that an error is one sentence of this backend, fit for a user, without a secret. Return it."""
    said = str(error)
    assert said.startswith(f"{name}: "), said
    assert said.isprintable(), repr(said)
    assert len(said) < 600, said
    assert not re.search(r"Traceback|Error\(|Exception|object at 0x|<class|unexpected \w+ at ", said), said
    assert not [secret for secret in secrets if secret in said or secret in repr(error)], "a credential is in it"
    behind = () if error.__suppress_context__ else (error.__cause__, error.__context__)  # what a debugger would show
    assert not [secret for secret in secrets if any(secret in f"{one} {one!r}" for one in behind)], "it is behind it"
    return said
