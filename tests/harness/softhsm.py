# SPDX-FileCopyrightText: 2026 Keystead contributors
# SPDX-License-Identifier: GPL-3.0-or-later
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)

"""SoftHSM 2 with tokens in a directory of its own, and OpenSC's pkcs11-tool as the witness that is not ours."""

from __future__ import annotations

import contextlib
import os
import re
import subprocess
import typing as t

from ansible_collections.keystead.identity.plugins.module_utils._core.key import Token

if t.TYPE_CHECKING:
    from pathlib import Path

    from ansible_collections.keystead.identity.plugins.module_utils._core.ports import KeyStore, Slot

MODULE = "/usr/lib/softhsm/libsofthsm2.so"
PIN, SO_PIN = "canary-1357", "canary-8642"
CONFIGURATION = """
directories.tokendir = {tokens}
objectstore.backend = file
log.level = ERROR
slots.removable = false
"""
OBJECT = re.compile(r"(\S+ Key) Object; ")


class SoftHsm:
    """A directory of tokens. The module reads SOFTHSM2_CONF when it is loaded, so one process sees one directory."""

    def __init__(self, directory: Path) -> None:
        """Write the configuration; there is no token yet."""
        self.tokens = directory / "tokens"
        self.tokens.mkdir(mode=0o700)
        self.configuration = directory / "softhsm2.conf"
        self.configuration.write_text(CONFIGURATION.format(tokens=self.tokens), encoding="utf-8")

    @property
    def environment(self) -> dict[str, str]:
        """What leads a process to these tokens."""
        return {"SOFTHSM2_CONF": str(self.configuration)}

    def add(self, label: str, pin: str = PIN) -> None:
        """Initialise one more token."""
        self.util("--init-token", "--free", "--label", label, "--so-pin", SO_PIN, "--pin", pin)

    def util(self, *arguments: str) -> str:
        """Run softhsm2-util and return what it says."""
        return output(["softhsm2-util", *arguments], self.environment)

    def tool(self, label: str, *arguments: str) -> str:
        """Run pkcs11-tool, logged in to a token, and return what it says."""
        return pkcs11_tool(MODULE, label, self.environment, *arguments)


def pkcs11_tool(module: str, token: str, environment: dict[str, str], *arguments: str) -> str:
    """Run OpenSC's pkcs11-tool, logged in to a token, and return what it says."""
    command = ["pkcs11-tool", "--module", module, "--token-label", token, "--login", "--pin", PIN, *arguments]
    return output(command, environment)


def output(command: list[str], environment: dict[str, str]) -> str:
    """Run a program that must end well, and return what it says."""
    done = subprocess.run(
        command, check=False, capture_output=True, text=True, errors="replace", env={**os.environ, **environment},
        timeout=60,
    )  # fmt: skip
    assert done.returncode == 0, f"{command[0]}: {done.stdout}{done.stderr}"
    return done.stdout


def keys_of(listing: str, label: str) -> list[str]:
    """Return the objects of a label in what `pkcs11-tool --list-objects` says, for example `Private Key: 0a0b`."""
    found: list[str] = []
    for block in re.split(r"\n(?=\S)", listing):
        kind = OBJECT.match(block)
        fields = dict(re.findall(r"^\s+(label|ID):\s*(.*?)\s*$", block, re.MULTILINE))
        if kind and fields.get("label") == label:
            found.append(f"{kind[1]}: {fields.get('ID', '')}")
    return sorted(found)


class Custody:
    """One token of SoftHSM, as the contract suite wants it."""

    name, server, module = "pkcs11", None, MODULE
    needs = ("softhsm", "pkcs11-tool", "python-pkcs11")
    key_types = ("ecdsa-p256", "ecdsa-p384", "ed25519", "rsa-2048", "rsa-3072", "rsa-4096")
    lacks = "ml-dsa-65"
    destroys_one = True
    one_type = False
    token = "suite"

    def __init__(self, directory: Path, server: None) -> None:
        """Initialise the token."""
        del server
        self.hsm = SoftHsm(directory)
        self.hsm.add(self.token)
        self.environment = self.hsm.environment

    def recipe(self, label: str) -> dict[str, t.Any]:
        """Return where the token is and what opens it; a label needs nothing of its own."""
        del label
        token = {"module_path": self.module, "token_label": self.token, "pin": PIN}
        return {"token": token, "environment": self.environment}

    @staticmethod
    def open(recipe: dict[str, t.Any], slot: Slot) -> KeyStore:
        """Return a key store over a module that was loaded anew."""
        from ansible_collections.keystead.identity.plugins.module_utils._keystores.pkcs11 import Pkcs11KeyStore
        from ansible_collections.keystead.identity.plugins.module_utils._pkcs11.token import forget

        forget()
        os.environ.update(recipe["environment"])
        return Pkcs11KeyStore(Token(**recipe["token"]), slot)

    def describe(self) -> str:
        """Return what pkcs11-tool says of the token."""
        return described(output(["pkcs11-tool", "--module", self.module, "--list-slots"], self.environment), self.token)

    def seen(self, label: str) -> list[str]:
        """Return what pkcs11-tool lists."""
        return keys_of(self.hsm.tool(self.token, "--list-objects"), label)

    def destroy_shown(self, label: str, shown: t.Sequence[str]) -> None:
        """Destroy objects that `seen` has shown."""
        del label
        for identifier in {one.rpartition(" ")[2] for one in shown}:
            for kind in ("privkey", "pubkey"):
                self.hsm.tool(self.token, "--delete-object", "--type", kind, "--id", identifier)

    def every(self) -> str:
        """Return all that is in the token, as the same tool says it."""
        return self.hsm.tool(self.token, "--list-objects")

    def extract(self, uri: str) -> bytes | None:
        """Ask the token for the value of the key, and to wrap it with a key that may wrap."""
        return extracted(self.module, self.token, uri)

    def stop(self) -> None:
        """Do nothing: it has no process of its own."""


def described(listing: str, token: str) -> str:
    """Return manufacturer and model of a token in what `pkcs11-tool --list-slots` says."""
    (block,) = [one for one in re.split(r"\n(?=Slot )", listing) if re.search(rf"token label +: {token}\n", one)]
    fields = dict(re.findall(r"^\s+token (manufacturer|model)\s*:\s*(.*?)\s*$", block, re.MULTILINE))
    return f"{fields['manufacturer']}, {fields['model']}"


def extracted(module: str, token: str, uri: str) -> bytes | None:
    """Return what comes out of a token by the bare library: the private value, or the key wrapped; None if nothing."""
    import pkcs11
    from ansible_collections.keystead.identity.plugins.module_utils._pkcs11.token import forget
    from ansible_collections.keystead.identity.plugins.module_utils._pkcs11.uri import parse

    forget()
    session = pkcs11.lib(module).get_token(token_label=token).open(rw=True, user_pin=PIN)
    try:
        identifier = parse(uri).id
        template = {pkcs11.Attribute.CLASS: pkcs11.ObjectClass.PRIVATE_KEY, pkcs11.Attribute.ID: identifier}
        (key,) = session.get_objects(template)
        first = _value(key) or _wrapped(session, key)
        _loosen(key)
        return first or _value(key) or _wrapped(session, key)
    finally:
        session.close()


def _value(key: t.Any) -> bytes | None:
    import pkcs11

    for name in ("VALUE", "PRIVATE_EXPONENT", "PRIME_1"):
        try:
            return bytes(key[getattr(pkcs11.Attribute, name)])
        except pkcs11.PKCS11Error:
            continue
    return None


def _loosen(key: t.Any) -> None:
    """Ask for what no token may grant, and some seem to; what that is worth is seen afterwards."""
    import pkcs11

    for name, value in (("EXTRACTABLE", True), ("SENSITIVE", False)):
        with contextlib.suppress(pkcs11.PKCS11Error):
            key[getattr(pkcs11.Attribute, name)] = value


def _wrapped(session: t.Any, key: t.Any) -> bytes | None:
    import pkcs11

    try:
        may = pkcs11.MechanismFlag.WRAP | pkcs11.MechanismFlag.UNWRAP
        wrapping = session.generate_key(pkcs11.KeyType.AES, 256, store=False, capabilities=may)
        return bytes(wrapping.wrap_key(key, mechanism=pkcs11.Mechanism.AES_KEY_WRAP_PAD))
    except pkcs11.PKCS11Error:
        return None
