# SPDX-FileCopyrightText: 2026 Keystead contributors
# SPDX-License-Identifier: GPL-3.0-or-later
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)

"""The custody `aws_kms` over moto (tests/harness/moto.py), seen by boto3 itself."""

from __future__ import annotations

import contextlib
import typing as t

from ansible_collections.keystead.identity.plugins.module_utils._options.custody import AWS_KMS
from ansible_collections.keystead.identity.plugins.module_utils._options.option import spec
from ansible_collections.keystead.identity.plugins.plugin_utils._keystores.registry import KEYSTORES
from ansible_collections.keystead.identity.tests.harness.moto import reached
from cryptography.hazmat.primitives.serialization import load_der_private_key

if t.TYPE_CHECKING:
    from pathlib import Path

    from ansible_collections.keystead.identity.plugins.module_utils._core.ports import KeyStore, Slot
    from ansible_collections.keystead.identity.tests.harness.keystores import Recipe
    from ansible_collections.keystead.identity.tests.harness.moto import Moto

REGION = "eu-west-1"
LABEL = "keystead:label"
DEFAULTS = {name: said["default"] for name, said in spec(AWS_KMS).items() if "default" in said}


class Custody:
    """Keys in one region of the stand-in."""

    name = "aws_kms"
    needs = ("moto",)
    server = "moto"
    key_types = ("ecdsa-p256", "ecdsa-p384", "rsa-2048", "rsa-3072", "rsa-4096")  # moto has no others that we use
    lacks = "aes-256"
    destroys_one = True
    one_type = False
    messages = (b"what stands in a certificate", b"x" * 4096)  # of a digest, moto signs another digest

    def __init__(self, _directory: Path, server: Moto) -> None:
        self._moto = server
        self._kms = server.client("kms", REGION)
        self._open = contextlib.ExitStack()
        self._open.enter_context(reached(server.environment))

    def recipe(self, label: str) -> Recipe:
        """Return options with an alias of this label's own."""
        options = {**DEFAULTS, "alias": f"alias/{label}", "region": REGION}
        return {"options": options, "environment": self._moto.environment}

    @staticmethod
    def open(recipe: Recipe, slot: Slot) -> KeyStore:
        """Return a key store. What it shares with others are clients of boto3, which know nothing of keys."""
        return KEYSTORES["aws_kms"](recipe["options"], slot)

    def describe(self) -> str:
        """Return which stand-in this is."""
        from importlib.metadata import version

        return f"moto {version('moto')}, a stand-in that keeps state, and not AWS"

    def seen(self, label: str) -> list[str]:
        """Return the keys with this label that are not scheduled for deletion."""
        return [key["Arn"] for key in self.tagged(label) if key["KeyState"] != "PendingDeletion"]

    def destroy_shown(self, label: str, shown: t.Sequence[str]) -> None:
        """Disable keys that `seen` has shown."""
        del label
        for uri in shown:
            self.disable(uri)

    def disable(self, uri: str) -> None:
        """Disable a key, as somebody else may."""
        self._kms.disable_key(KeyId=uri.rpartition("/")[2])  # of an ARN, moto fails

    def tagged(self, label: str) -> list[dict[str, t.Any]]:
        """Return what DescribeKey says of each key with this label."""
        keys = [one["KeyArn"] for page in self._kms.get_paginator("list_keys").paginate() for one in page["Keys"]]
        return [self._kms.describe_key(KeyId=key)["KeyMetadata"] for key in keys if self.tags(key).get(LABEL) == label]

    def tags(self, uri: str) -> dict[str, str]:
        """Return the tags of a key."""
        return {one["TagKey"]: one["TagValue"] for one in self._kms.list_resource_tags(KeyId=uri)["Tags"]}

    def aliases(self, label: str) -> dict[str, str]:
        """Return the aliases of a label with the id of the key that each leads to."""
        pages = self._kms.get_paginator("list_aliases").paginate()
        found = {one["AliasName"]: one["TargetKeyId"] for page in pages for one in page["Aliases"]}
        return {name: key for name, key in found.items() if name in (f"alias/{label}", f"alias/{label}-next")}

    def extract(self, uri: str) -> bytes | None:
        """Look whether KMS has any way to export a key, and whether what it gives of this one is a private key."""
        operations = self._kms.meta.service_model.operation_names
        given: bytes = self._kms.get_public_key(KeyId=uri)["PublicKey"]
        with contextlib.suppress(ValueError, TypeError):
            load_der_private_key(given, None)
            return given
        return "".join(name for name in operations if "Export" in name or "GetPrivate" in name).encode() or None

    def stop(self) -> None:
        """Let boto3 find what it found before; the server is that of other tests too."""
        self._open.close()
