# SPDX-FileCopyrightText: 2026 Keystead contributors
# SPDX-License-Identifier: GPL-3.0-or-later
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)


"""The issuer `local` over a real two-tier authority in a temporary directory, and what its tests share."""

from __future__ import annotations

import datetime as dt
import functools
import typing as t

from ansible_collections.keystead.identity.plugins.module_utils._core import pki
from ansible_collections.keystead.identity.plugins.module_utils._core.errors import Misconfigured
from ansible_collections.keystead.identity.plugins.module_utils._core.key import Key
from ansible_collections.keystead.identity.plugins.module_utils._core.keys import generate, spki_sha256
from ansible_collections.keystead.identity.plugins.module_utils._core.model import Identity, Subject
from ansible_collections.keystead.identity.plugins.module_utils._core.ports import Request
from ansible_collections.keystead.identity.plugins.module_utils._options.authority import OPTIONS
from ansible_collections.keystead.identity.plugins.module_utils._options.option import spec
from ansible_collections.keystead.identity.plugins.plugin_utils._authority.converge import Outcome, converge
from ansible_collections.keystead.identity.plugins.plugin_utils._authority.known import NOTHING, Elsewhere
from ansible_collections.keystead.identity.plugins.plugin_utils._authority.wanted import wanted
from ansible_collections.keystead.identity.plugins.plugin_utils._validate import validated
from ansible_collections.keystead.identity.tests.harness.issuers import Wrong
from cryptography import x509

if t.TYPE_CHECKING:
    from pathlib import Path

WEB = Subject(dns_names=("a.example.org", "b.example.org"))


def now() -> dt.datetime:
    """Return the moment."""
    return dt.datetime.now(dt.UTC)


def authority(  # noqa: PLR0913 - by name
    directory: Path,
    name: str,
    *,
    state: str = "present",
    check: bool = False,
    at: dt.datetime | None = None,
    elsewhere: Elsewhere = NOTHING,
    **said: t.Any,
) -> Outcome:
    """Run the work of certificate_authority without Ansible."""
    options = validated(
        {"name": name, "directory": str(directory), **said}, spec(OPTIONS), module="certificate_authority"
    )
    return converge(
        wanted(options), present=state == "present", check=check, now=at or now(), elsewhere=elsewhere
    )


def two_tiers(directory: Path, key_type: str = "ecdsa-p256", **below: t.Any) -> dict[str, str]:
    """Make a root and an authority below it; return the options of the issuer."""
    authority(directory, "root", key={"type": key_type})
    authority(directory, "issuing", key={"type": key_type}, parent={"name": "root"}, **below)
    return {"directory": str(directory), "authority": "issuing"}


_MADE: dict[str, t.Any] = {}


@functools.cache
def _key(key_type: str, number: int) -> t.Any:  # noqa: ARG001  a number tells keys of one type apart
    made = generate(key_type)
    _MADE[spki_sha256(made.public_key())] = made
    return made


def key(key_type: str = "ecdsa-p256", number: int = 0) -> t.Any:
    """Return a private key that is made once."""
    return _key(key_type, number)


def private_key(csr: bytes) -> t.Any:
    """Return the key, of those that were made here, by which a request (DER) is signed."""
    return _MADE[spki_sha256(x509.load_der_x509_csr(csr).public_key())]


def public_id(number: int = 0, key_type: str = "ecdsa-p256") -> str:
    """Return the SPKI SHA-256 of such a key."""
    return spki_sha256(key(key_type, number).public_key())


def request(
    subject: Subject = WEB,
    *,
    profile: str = "tls_server",
    lifetime: int = 86400,
    key_type: str = "ecdsa-p256",
    number: int = 0,
) -> Request:
    """Return what an issuer is asked for."""
    return Request("web", subject, profile, lifetime, pki.request(subject, key(key_type, number)))


def identity(subject: Subject = WEB, key_type: str = "ecdsa-p256") -> Identity:
    """Return what a task declares."""
    return Identity("web", subject=subject, key=Key(key_type))


class Backend:
    """The backend of the contract suite; see tests/harness/issuers.py."""

    needs: t.ClassVar[tuple[str, ...]] = ()
    profile: t.ClassVar[str] = "tls_server"
    server: t.ClassVar[str | None] = None
    logins_of_a_batch: t.ClassVar[int] = 0
    of_forgotten: t.ClassVar[type] = object
    secrets = ("open, sesame",)

    def __init__(self, directory: Path, _server: None) -> None:
        """Make a root and an authority below it whose key has a passphrase."""
        self.directory = directory
        self._options = {**two_tiers(directory, passphrase=self.secrets[0]), "passphrase": self.secrets[0]}

    def options(self, profile: str = "tls_server", **said: t.Any) -> dict[str, t.Any]:  # noqa: ARG002 - it obeys all
        return {**self._options, **said}

    def _other(self, name: str, **said: t.Any) -> dict[str, t.Any]:
        authority(self.directory, name, parent={"name": "root"}, **said)
        return {"directory": str(self.directory), "authority": name}

    def narrow(self) -> tuple[dict[str, t.Any], str]:
        options = self._other("narrow", name_constraints={"permitted": {"dns": ["example.com"]}})
        return options, "a.example.org.*(permit|constraint)"

    def short(self) -> dict[str, t.Any]:
        return self._other("short", lifetime="2h")

    def forgetful(self) -> dict[str, t.Any]:
        raise AssertionError("it never forgets")

    def unreachable(self) -> dict[str, t.Any]:
        return self.options()

    def wrong(self) -> dict[str, Wrong]:
        return {"passphrase": Wrong(self.options(passphrase="open, barley"), ("open, barley",), Misconfigured)}

    def logins(self) -> int:
        return 0
