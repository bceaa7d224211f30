# SPDX-FileCopyrightText: 2026 Keystead contributors
# SPDX-License-Identifier: GPL-3.0-or-later
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)

"""A transit engine of a test on an OpenBao that all tests of a session share, and `bao` as the witness."""

from __future__ import annotations

import itertools
import json
import re
import subprocess
import typing as t
from dataclasses import dataclass, field
from pathlib import Path

from ansible_collections.keystead.identity.plugins.module_utils._core.ports import Slot
from ansible_collections.keystead.identity.plugins.module_utils._options.common import COMMON
from ansible_collections.keystead.identity.plugins.module_utils._options.custody import custody
from ansible_collections.keystead.identity.plugins.module_utils._options.option import spec
from ansible_collections.keystead.identity.plugins.plugin_utils._keystores.registry import KEYSTORES
from ansible_collections.keystead.identity.plugins.plugin_utils._validate import validated
from ansible_collections.keystead.identity.tests.harness.openbao_server import Refused
from ansible_collections.keystead.identity.tests.needs import OPENBAO

if t.TYPE_CHECKING:
    from ansible_collections.keystead.identity.plugins.module_utils._core.ports import KeyStore
    from ansible_collections.keystead.identity.tests.harness.openbao_server import Answer, Server

Options = dict[str, t.Any]
NAME = "openbao_transit"
TYPES = (
    "ecdsa-p256", "ecdsa-p384", "ed25519", "ml-dsa-44", "ml-dsa-65", "ml-dsa-87", "rsa-2048", "rsa-3072", "rsa-4096",
)  # fmt: skip
_numbers = itertools.count(1)
PAGE = Path(__file__).parents[2] / "docs/docsite/rst/custody_openbao_transit.rst"


def least(mount: str, name: str = "+") -> str:
    """Return the policy that the page calls the least, for one key or for all of a mount."""
    page = PAGE.read_text(encoding="utf-8")
    (policy,) = re.findall(r"^\.\. code-block:: text\n\n((?: .*\n|\n)+)", page, re.MULTILINE)
    return str(policy).replace("identities/", f"{mount}/").replace("/+", f"/{name}")


@dataclass
class Engine:
    """A transit engine in a namespace or in none, and the policy of a converger."""

    server: Server
    namespace: str = ""
    key: str = "+"  # the name of the keys that it may use
    mount: str = field(init=False)
    policy: str = field(init=False)

    def __post_init__(self) -> None:
        """Mount it, and write the policy."""
        self.mount = f"transit{next(_numbers)}"
        self.policy = f"converge-{self.mount}"
        self.call("POST", f"sys/mounts/{self.mount}", {"type": "transit"})
        self.allow(least(self.mount, self.key))

    def call(self, method: str, path: str, body: t.Mapping[str, t.Any] | None = None) -> Answer:
        """Call the server as root, in the namespace."""
        return self.server.call(method, path, body, namespace=self.namespace)

    def allow(self, rights: str) -> None:
        """Write another policy."""
        self.call("PUT", f"sys/policies/acl/{self.policy}", {"policy": rights})

    def token(self) -> str:
        """Return a token with the rights of a converger."""
        body = {"policies": [self.policy], "ttl": "1h"}
        return str(self.call("POST", "auth/token/create", body)["auth"]["client_token"])

    def options(self, name: str = "web", **said: t.Any) -> Options:
        """Return what a task says: a key, and a token of a converger, unless something else is said."""
        found = {
            "url": self.server.url,
            "mount": self.mount,
            "name": name,
            "auth": {"token": {"token": self.server.token}},
            "ca_bundle": str(self.server.ca_bundle),
            **({"namespace": self.namespace} if self.namespace else {}),
        }
        return {**found, **said}

    def read(self, name: str = "web") -> Options:
        """Return what the server says of a key."""
        return t.cast("Options", self.call("GET", f"{self.mount}/keys/{name}")["data"])

    def change(self, name: str = "web", **said: t.Any) -> None:
        """Set something of a key, as an operator would."""
        self.call("POST", f"{self.mount}/keys/{name}/config", said)

    def rotate(self, name: str = "web") -> None:
        """Make one more version, as an operator would."""
        self.call("POST", f"{self.mount}/keys/{name}/rotate", {})


def store(options: Options, current: str | None = None, *used: str) -> t.Any:
    """Return a key store as a task makes it."""
    slot = Slot("web", current, tuple(filter(None, (current, *used))))
    return KEYSTORES[NAME](checked(options), slot)


def checked(options: Options) -> Options:
    """Return the options of a custody as they come out of validation."""
    said = validated({"custody": {NAME: options}}, spec(COMMON, {"custody": custody()}), module="machine_identity")
    return t.cast("Options", said["custody"][NAME])


def _name(label: str) -> str:
    """Return a label as the server can name a key."""
    return re.sub("[^a-z0-9]", "-", label)


class Custody:
    """One engine, as the contract suite wants it."""

    name, server = NAME, "openbao"
    needs = ("openbao",)
    key_types = TYPES
    lacks = "ecdsa-p521"
    destroys_one = False
    one_type = True

    def __init__(self, directory: Path, server: Server) -> None:
        """Mount it."""
        self.directory, self.engine = directory, Engine(server)
        self.token = self.engine.token()

    def recipe(self, label: str) -> dict[str, t.Any]:
        """Return the options with the label as name: keys have no other."""
        return self.engine.options(_name(label), auth={"token": {"token": self.token}})

    @property
    def secrets(self) -> tuple[str, ...]:
        """The credentials in `option`."""
        return (self.token,)

    def option(self, label: str) -> dict[str, t.Any]:
        """Return the option `key.custody` of a task."""
        return {self.name: self.recipe(label)}

    def destroy(self, label: str) -> None:
        """Destroy the keys of a label behind everybody's back."""
        self.engine.change(_name(label), deletion_allowed=True)
        self.engine.call("DELETE", f"{self.engine.mount}/keys/{_name(label)}")

    @staticmethod
    def open(recipe: dict[str, t.Any], slot: Slot) -> KeyStore:
        """Return a key store."""
        return KEYSTORES[NAME](checked(recipe), slot)

    def describe(self) -> str:
        """Return what the server calls itself."""
        return f"OpenBao {self.engine.call('GET', 'sys/health')['version']}"

    def seen(self, label: str) -> list[str]:
        """Return the versions that `bao read` shows."""
        done = self._bao("read", "-format=json", f"{self.engine.mount}/keys/{_name(label)}")
        if done.returncode:
            assert "No value found" in done.stderr, done.stderr
            return []
        said = json.loads(done.stdout)["data"]
        return [f"{said['type']} version {number}" for number in said["keys"]]

    def extract(self, uri: str) -> bytes | None:
        """Ask for the key by every way that there is, as root, who may everything."""
        key, _query, _version = uri.rpartition("/")[2].partition("?")
        ways = (f"export/signing-key/{key}", f"export/encryption-key/{key}", f"backup/{key}")
        return next(filter(None, map(self._got, ways)), None)

    def _got(self, path: str) -> bytes | None:
        try:
            return json.dumps(self.engine.call("GET", f"{self.engine.mount}/{path}")).encode()
        except Refused as refused:
            said = str(refused)
        assert re.search("not exportable|not allowed|not support|disallowed", said), said
        return None

    def stop(self) -> None:
        """Do nothing: others use the server too."""

    def _bao(self, *arguments: str) -> subprocess.CompletedProcess[str]:
        server = self.engine.server
        said = {"BAO_ADDR": server.url, "BAO_CACERT": str(server.ca_bundle), "BAO_TOKEN": server.token}
        return subprocess.run(
            [OPENBAO, *arguments], check=False, capture_output=True, text=True, timeout=60,
            env={**said, "HOME": str(self.directory)},
        )  # fmt: skip
