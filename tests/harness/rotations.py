# SPDX-FileCopyrightText: 2026 Keystead contributors
# SPDX-License-Identifier: GPL-3.0-or-later
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)

"""What the contract suite of rotated keys needs of each backend: a key that somebody else made, and a witness."""

from __future__ import annotations

import re
import typing as t

from ansible_collections.keystead.identity.tests.harness import aws_kms, openbao_transit, softhsm

if t.TYPE_CHECKING:
    from pathlib import Path

    from ansible_collections.keystead.identity.tests.harness.moto import Moto
    from ansible_collections.keystead.identity.tests.harness.openbao_server import Server

Said = dict[str, t.Any]


class Bench(t.Protocol):
    """A backend with keys in it, past all of our code."""

    name: t.ClassVar[str]
    needs: t.ClassVar[tuple[str, ...]]
    server: t.ClassVar[str | None]  # the session fixture that runs what all tests share
    prepares: t.ClassVar[bool]  # whether a new key can wait before it is used
    environment: t.Mapping[str, str]

    def __init__(self, directory: Path, server: t.Any) -> None: ...

    def first(self, name: str) -> Said:
        """Make a key that signs, as an administrator does; return what a task says of where it is."""

    def alive(self, name: str) -> int:
        """Return how many generations of it can be used, or saved, no more: those that are there."""


class Pkcs11:
    """One token of SoftHSM; pkcs11-tool makes and lists."""

    name, server, needs, prepares = "pkcs11", None, softhsm.Custody.needs, True

    def __init__(self, directory: Path, server: None) -> None:
        """Initialise the token."""
        self.custody = softhsm.Custody(directory, server)
        self.environment = self.custody.environment

    def first(self, name: str) -> Said:
        """Make a pair."""
        self.tool("--keypairgen", "--key-type", "EC:prime256v1", "--label", name, "--id", "0a", "--usage-sign")
        return {"pkcs11": {**self.custody.recipe("")["token"], "label": name}}

    def alive(self, name: str) -> int:
        """Count private halves."""
        label, every = rf"label: +{re.escape(name)}(?:\.\d+)?\n", self.custody.every()
        halves = (rf"{half} Key Object; .*\n(?:  .*\n)*?  {label}" for half in ("Private", "Public"))
        private, public = (re.findall(half, every) for half in halves)
        assert len(private) == len(public)
        return len(private)

    def tool(self, *said: str) -> None:
        """Run pkcs11-tool."""
        softhsm.pkcs11_tool(self.custody.module, self.custody.token, self.environment, *said)


class OpenBaoTransit:
    """A transit engine of its own on the OpenBao that all tests share."""

    name, server, needs, prepares = "openbao_transit", "openbao", ("openbao",), False
    environment: t.ClassVar[t.Mapping[str, str]] = {}

    def __init__(self, directory: Path, server: Server) -> None:
        """Mount it."""
        del directory
        self.engine = openbao_transit.Engine(server)
        self.token = self.engine.token()

    def first(self, name: str, kind: str = "ecdsa-p256") -> Said:
        """Make a key, of which version 1 is the first."""
        self.engine.call("POST", f"{self.engine.mount}/keys/{name}", {"type": kind})
        return {"openbao_transit": self.engine.options(name)}

    def alive(self, name: str) -> int:
        """Count versions that were not destroyed."""
        said = self.engine.read(name)
        return int(said["latest_version"]) - max(1, int(said["min_available_version"])) + 1


class AwsKms:
    """Keys in one region of moto, which is not AWS."""

    name, server, needs, prepares = "aws_kms", "moto", ("moto",), True

    def __init__(self, directory: Path, server: Moto) -> None:
        """Take the region of the suite of custodies."""
        del directory
        self.environment = server.environment
        self.kms = server.client("kms", aws_kms.REGION)
        self.firsts: dict[str, str] = {}

    def first(self, name: str) -> Said:
        """Make a key without tags, and an alias that leads to it."""
        made = self.kms.create_key(KeySpec="ECC_NIST_P256", KeyUsage="SIGN_VERIFY")["KeyMetadata"]["Arn"]
        self.kms.create_alias(AliasName=f"alias/{name}", TargetKeyId=made)
        self.firsts[name] = made
        return {"aws_kms": {"alias": f"alias/{name}", "region": aws_kms.REGION}}

    def alive(self, name: str) -> int:
        """Count keys with the tags of the alias, and the first, that are not to be deleted."""
        pages = self.kms.get_paginator("list_keys").paginate()
        keys = [one["KeyArn"] for page in pages for one in page["Keys"]]
        mine = [key for key in keys if key == self.firsts[name] or self._tag(key) == f"alias/{name}"]
        return sum(self.kms.describe_key(KeyId=key)["KeyMetadata"]["KeyState"] == "Enabled" for key in mine)

    def led(self, name: str) -> str:
        """Return the key that an alias leads to."""
        return str(self.kms.describe_key(KeyId=f"alias/{name}")["KeyMetadata"]["Arn"])

    def _tag(self, key: str) -> str | None:
        tags = self.kms.list_resource_tags(KeyId=key)["Tags"]
        return next((one["TagValue"] for one in tags if one["TagKey"] == aws_kms.LABEL), None)


BENCHES: tuple[type[Bench], ...] = (Pkcs11, OpenBaoTransit, AwsKms)
