# SPDX-FileCopyrightText: 2026 Keystead contributors
# SPDX-License-Identifier: GPL-3.0-or-later
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)

"""The calls of a transit engine about one key. What it answers is looked at before it is believed."""

from __future__ import annotations

import base64
import contextlib
import typing as t
from datetime import UTC, datetime

from ...module_utils._core.errors import Denied, Misconfigured
from .errors import Refused, not_understood, plain, section, spoken_by

if t.TYPE_CHECKING:
    from .client import Client, Json
    from .transit_uri import Place

WHO = "openbao_transit"
TYPES = {
    **{name: name for name in ("ecdsa-p256", "ecdsa-p384", "ed25519", "rsa-2048", "rsa-3072", "rsa-4096")},
    **{f"ml-dsa-{size}": f"mldsa-{size}" for size in (44, 65, 87)},
}
"""Our types of keys, and what the server calls them. ML-DSA is there since OpenBao 2.7, and not in Vault."""


class Made(t.NamedTuple):
    """A version as the server tells of it: the public key as it says it, None for a secret key, and since when."""

    public: str | None
    at: datetime | None


class Found(t.NamedTuple):
    """What the server says of a key: its type, its newest version, and the public keys of the versions that may sign.

    `oldest` is the first version that was not destroyed, `floors` are the minimum versions for decryption and
    encryption, the latter for signatures too, and `flaws` what a key of ours may not be, each with a remedy, by the
    field that says so. `every` has all versions that were not destroyed.
    """

    kind: str
    latest: int
    oldest: int
    floors: tuple[int, int]
    public: dict[int, str]
    flaws: dict[str, str]
    every: t.Mapping[int, Made] = {}


class Transit:
    """One key of a transit engine. Raises KeysteadErrors that begin with openbao_transit."""

    def __init__(self, client: Client, place: Place) -> None:
        """Keep whom to ask about which key; nothing is asked yet."""
        self._client, self.place = client, place
        self._path = f"{place.mount}/keys/{place.name}"

    def look(self) -> Found | None:
        """Return what there is; None where there is no such key."""
        with self._speaking():
            try:
                data = section(self._client.call("GET", self._path), "data")
            except Refused as refused:
                if refused.status == 404 and not refused.said:
                    return None
                raise
        return self._found(data)

    def create(self, key_type: str) -> None:
        """Make the key with its version 1. Where it is there already, the server changes nothing and says nothing."""
        said = {"type": TYPES[key_type], "exportable": False, "allow_plaintext_backup": False}
        try:
            self._change(self._path, said)
        except Denied as error:
            if "unknown key type" not in str(error):
                raise
            raise Misconfigured(
                f"{WHO}: the server has no keys of type {key_type}, which OpenBao has since 2.7; write another key.type"
            ) from None

    def rotate(self) -> None:
        """Make one more version."""
        self._change(f"{self._path}/rotate", {})

    def trim(self, found: Found, oldest: int) -> None:
        """Destroy all versions before `oldest`, for ever. The server wants its other minimum versions raised first."""
        decryption, encryption = (max(one, oldest) for one in found.floors)
        said = {"min_decryption_version": decryption, "min_encryption_version": encryption}
        self._change(f"{self._path}/config", said)
        self._change(f"{self._path}/trim", {"min_available_version": oldest})

    def use_from(self, version: int) -> None:
        """Let the server sign and encrypt with no version that is older. All go on verifying and decrypting."""
        self._change(f"{self._path}/config", {"min_encryption_version": version})

    def comes_back(self, version: int, data: bytes, said: Json) -> bool:
        """Tell whether a version encrypts data, and decrypts that again. `said` is what the type needs."""
        name, plaintext = self.place.name, base64.b64encode(data).decode()
        body = {**said, "plaintext": plaintext, "key_version": version}
        with self._speaking():
            hidden = section(self._client.call("POST", f"{self.place.mount}/encrypt/{name}", body), "data")
            body = {**said, "ciphertext": hidden.get("ciphertext")}
            shown = section(self._client.call("POST", f"{self.place.mount}/decrypt/{name}", body), "data")
        return hidden.get("key_version") == version and shown.get("plaintext") == plaintext

    def destroy(self) -> None:
        """Destroy the key with all its versions, for ever."""
        self._change(f"{self._path}/config", {"deletion_allowed": True})
        with self._speaking():
            self._client.call("DELETE", self._path)

    def sign(self, version: int, data: bytes, said: Json) -> bytes:
        """Return the signature that one version makes, its form as yet unseen. `said` is what the type needs."""
        body = {**said, "input": base64.b64encode(data).decode(), "key_version": version}
        with self._speaking():
            answer = section(self._client.call("POST", f"{self.place.mount}/sign/{self.place.name}", body), "data")
            prefix, _colon, signature = str(answer.get("signature")).rpartition(":")
            if prefix != f"vault:v{version}" or answer.get("key_version") != version:
                raise not_understood("signature")
            try:
                return base64.b64decode(signature, validate=True)
            except ValueError:
                raise not_understood("signature") from None

    def _change(self, path: str, said: Json) -> None:
        with self._speaking():
            self._client.call("POST", path, said)

    @contextlib.contextmanager
    def _speaking(self) -> t.Iterator[None]:
        """Raise what the client raises as one of the errors of the house, in the name of this custody."""
        with spoken_by(WHO):
            try:
                yield
            except Refused as refused:
                kind = Misconfigured if refused.status == 404 else Denied
                raise kind(str(refused)) from None
            except Denied as denied:
                raise plain(denied) from None

    def _found(self, data: Json) -> Found:
        keys = data.get("keys", {})  # keys that are no pair may have none
        counts = [data.get(f"{what}_version") for what in ("latest", "min_available", *_FLOORS)]
        if not isinstance(keys, dict) or not all(isinstance(one, int) for one in counts):
            raise Misconfigured(
                f"{WHO}: mount {self.place.mount} is no transit engine; correct mount, or enable one there"
            )
        latest, available, *floors = t.cast("list[int]", counts)
        lowest = max(1, available, *floors)
        public = {
            int(number): str(said.get("public_key"))
            for number, said in keys.items()
            if isinstance(said, dict) and number.isdecimal()
        }
        return Found(
            kind=str(data.get("type")),
            latest=latest,
            oldest=max(1, available),
            floors=(floors[0], floors[1]),
            public={number: said for number, said in public.items() if number >= lowest},
            every={int(number): _made(said) for number, said in keys.items() if number.isdecimal()},
            flaws={field: told.format(path=self._path) for field, told in _FLAWS.items() if data.get(field)},
        )


def _made(said: t.Any) -> Made:
    """Return what a version says: a pair its time as text (RFC 3339), a secret key in seconds since 1970."""
    public = str(said.get("public_key")) if isinstance(said, dict) else None
    at = said.get("creation_time") if isinstance(said, dict) else said
    with contextlib.suppress(ValueError, OverflowError):
        if isinstance(at, int):
            return Made(public, datetime.fromtimestamp(at, UTC))
        return Made(public, datetime.fromisoformat(str(at)))
    return Made(public, None)


_FLOORS = ("min_decryption", "min_encryption")
_ANOTHER = "name another one"
_FLAWS = {
    "exportable": f"can be exported, which cannot be undone; {_ANOTHER}",
    "allow_plaintext_backup": f"can be backed up in plaintext, which cannot be undone; {_ANOTHER}",
    "imported_key": f"was imported, so it has been elsewhere; {_ANOTHER}",
    "derived": f"has other keys derived from it; {_ANOTHER}",
    "soft_deleted": f"was deleted and can be restored: bao write -f {{path}}/soft-delete-restore; or {_ANOTHER}",
    "auto_rotate_period": "gets new versions by itself; end that: bao write {path}/config auto_rotate_period=0",
}
"""What no key of ours may be, by the field of the server that says so."""
