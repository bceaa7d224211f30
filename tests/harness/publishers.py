# SPDX-FileCopyrightText: 2026 Keystead contributors
# SPDX-License-Identifier: GPL-3.0-or-later
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)

"""What the contract suite of publishers needs of each: somewhere real to write to, and somebody else's eyes to look."""

from __future__ import annotations

import os
import re
import subprocess
import typing as t
from dataclasses import dataclass, field

from ansible_collections.keystead.identity.plugins.module_utils._core.keys import spki_sha256
from ansible_collections.keystead.identity.plugins.module_utils._core.publication import Publication
from ansible_collections.keystead.identity.plugins.module_utils._host.copy_file import CopyFile, Owner
from ansible_collections.keystead.identity.plugins.module_utils._host.copy_record import CopyRecord
from ansible_collections.keystead.identity.plugins.module_utils._host.place import Place, open_place
from ansible_collections.keystead.identity.plugins.module_utils._publishers.registry import PUBLISHERS
from ansible_collections.keystead.identity.tests.harness.brownfield import Authority, pair
from cryptography import x509
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.hazmat.primitives.serialization import load_pem_private_key

if t.TYPE_CHECKING:
    from pathlib import Path

    from ansible_collections.keystead.identity.plugins.module_utils._core.ports import Publisher

Parts = dict[str, bytes]
NAME = "web"
KEYS = [ec.generate_private_key(ec.SECP256R1()) for _number in range(2)]
CERTIFICATE = re.compile(rb"-----BEGIN CERTIFICATE-----.+?-----END CERTIFICATE-----\n", re.DOTALL)
KEY = re.compile(rb"-----BEGIN PRIVATE KEY-----.+?-----END PRIVATE KEY-----\n", re.DOTALL)


class Held(t.NamedTuple):
    """What stands in a copy: which key (SHA-256 of its SPKI) and which certificates (SHA-256), in no order."""

    key: str | None
    certificates: frozenset[str]


def held(text: bytes) -> Held:
    """Return what a PEM text holds, by cryptography alone."""
    key = KEY.search(text)
    found = [x509.load_pem_x509_certificate(block) for block in CERTIFICATE.findall(text)]
    return Held(
        spki_sha256(load_pem_private_key(key[0], None).public_key()) if key else None,
        frozenset(one.fingerprint(hashes.SHA256()).hex() for one in found),
    )


def parts(number: int = 0, *, authority: Authority | None = None) -> Parts:
    """Return the parts of a generation; those of another number have another key."""
    made = pair("web.example.org", key=KEYS[number], authority=authority or Authority())
    return {"private_key": made.key, "certificate": made.certificate, "chain": made.chain}


class Backend(t.Protocol):
    """One place to copy to. `needs` are of tests/needs.py; `refuses` begins every error of it."""

    needs: t.ClassVar[tuple[str, ...]]
    refuses: t.ClassVar[str]

    def publisher(self) -> Publisher:
        """Return a publisher as a run of its own has it."""

    def seen(self) -> Held | None:
        """Return what somebody else finds there; None where there is nothing."""

    def spoilt(self, made: Parts) -> dict[str, t.Callable[[], object]]:
        """Return how others may change what was written there, by the state that this must be called."""

    def occupy(self) -> None:
        """Put something there that was never ours."""

    def fail(self) -> None:
        """Make it impossible to write there, until `mend`."""

    def mend(self) -> None:
        """Make it possible again."""


@dataclass
class _File:
    """A file in a directory, written as the host's half writes it."""

    directory: Path
    said: dict[str, t.Any] = field(default_factory=dict)
    refuses: t.ClassVar[str] = "host: "
    publisher_name: t.ClassVar[str]

    def __post_init__(self) -> None:
        """Make the store, and the directory of the file."""
        (self.directory / "store" / NAME).mkdir(parents=True)
        (self.directory / "etc").mkdir()

    @property
    def path(self) -> Path:
        """The file."""
        return self.directory / "etc" / "web.copy"

    def publisher(self, **said: t.Any) -> Publisher:
        """Return one that read the record of the store anew."""
        publication = Publication(str(self.path), self.publisher_name, **{**self.said, **said})
        store = str(self.directory / "store")
        store_fd = os.open(store, os.O_RDONLY)
        place = t.cast("Place", open_place(store, store_fd, NAME))
        os.close(store_fd)
        form = PUBLISHERS[self.publisher_name](publication, NAME)
        return CopyFile(publication, form, Owner(store, NAME, replaces=False), CopyRecord(place))

    def occupy(self) -> None:
        """Write what somebody else may have there."""
        self.path.write_bytes(b"somebody else's\n")

    def fail(self) -> None:
        """Take the directory away."""
        (self.directory / "etc").rename(self.directory / "elsewhere")

    def mend(self) -> None:
        """Put it back."""
        (self.directory / "elsewhere").rename(self.directory / "etc")

    def _other(self) -> dict[str, t.Callable[[], object]]:
        """Return what may happen to any file."""
        return {"missing": self.path.unlink, "mode": lambda: self.path.chmod(0o644)}

    def _form(self, made: Parts, **said: t.Any) -> None:
        publication = Publication(str(self.path), self.publisher_name, **{**self.said, **said})
        self.path.write_bytes(PUBLISHERS[self.publisher_name](publication, "other").content(made))


class PemBundle(_File):
    """A PEM file that other programs read."""

    needs: t.ClassVar[tuple[str, ...]] = ()
    publisher_name = "pem_bundle"

    def seen(self) -> Held | None:
        """Read its blocks."""
        return held(self.path.read_bytes()) if self.path.exists() else None

    def spoilt(self, _made: Parts) -> dict[str, t.Callable[[], object]]:
        """Return what others do to PEM files."""
        return {
            **self._other(),
            "parts": lambda: self.path.write_bytes(b"# by hand\n" + self.path.read_bytes()),
            "key": lambda: self._form(parts(1)),
            "certificate": lambda: self._form(parts(0)),
            "unreadable": lambda: self.path.write_bytes(b"nothing of the kind\n"),
        }


class Pkcs12(_File):
    """A PKCS#12 file that OpenSSL reads."""

    needs: t.ClassVar[tuple[str, ...]] = ("openssl",)
    publisher_name = "pkcs12"
    password = "pass, word"

    def __post_init__(self) -> None:
        """Say the password."""
        super().__post_init__()
        self.said.setdefault("password", self.password)

    def seen(self) -> Held | None:
        """Let OpenSSL open it; of what it cannot open, nothing is seen."""
        if not self.path.exists():
            return None
        return held(self.by_openssl("-nodes").stdout)

    def by_openssl(self, *arguments: str) -> subprocess.CompletedProcess[bytes]:
        """Run `openssl pkcs12`."""
        command = ["openssl", "pkcs12", "-in", str(self.path), "-passin", f"pass:{self.password}", *arguments]
        return subprocess.run(command, check=False, capture_output=True)

    def by_keytool(self) -> str:
        """Run `keytool -list`."""
        command = ["keytool", "-list", "-v", "-keystore", str(self.path), "-storepass", self.password]
        return subprocess.run(command, check=True, capture_output=True, text=True).stdout

    def spoilt(self, made: Parts) -> dict[str, t.Callable[[], object]]:
        """Return what others do to PKCS#12 files."""
        other = {"legacy": "modern", "modern": "legacy"}[self.said.get("encryption", "modern")]
        return {
            **self._other(),
            "password": lambda: self._form(parts(0), password="another"),
            "key": lambda: self._form(parts(1)),
            "certificate": lambda: self._form(parts(0)),
            "parts": lambda: self._form({**made, "chain": b""}),
            "encryption": lambda: self._form(made, encryption=other),
            "unreadable": lambda: self.path.write_bytes(self.path.read_bytes()[:-1]),
        }


class LegacyPkcs12(Pkcs12):
    """The same for old readers."""

    def __post_init__(self) -> None:
        """Say the encryption."""
        super().__post_init__()
        self.said["encryption"] = "legacy"


BACKENDS: dict[str, t.Callable[[Path], t.Any]] = {
    "pem_bundle": PemBundle, "pkcs12": Pkcs12, "pkcs12_legacy": LegacyPkcs12,
}  # fmt: skip
