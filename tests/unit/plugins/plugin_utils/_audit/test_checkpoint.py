# SPDX-FileCopyrightText: 2026 Keystead contributors
# SPDX-License-Identifier: GPL-3.0-or-later
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)

"""A checkpoint is believed only where a known key has signed exactly this."""

from __future__ import annotations

import base64
import json

import jwt
import pytest
from ansible_collections.keystead.identity.plugins.module_utils._core.errors import Misconfigured
from ansible_collections.keystead.identity.plugins.module_utils._core.keys import generate, spki_sha256
from ansible_collections.keystead.identity.plugins.plugin_utils._audit import checkpoint
from ansible_collections.keystead.identity.plugins.plugin_utils._audit.checkpoint import ALGORITHMS, Checkpoint, Refused
from ansible_collections.keystead.identity.plugins.plugin_utils._keystores.private_key import private_key
from ansible_collections.keystead.identity.tests.harness import tally
from ansible_collections.keystead.identity.tests.harness.soft_key import SoftKey

ONE = Checkpoint("0f5e1c0a-0000-4000-8000-000000000000", 512, "ab" * 32, "2026-01-31T09:00:00.000Z")
KEY = generate("ecdsa-p256")
KEYS = {spki_sha256(KEY.public_key()): KEY.public_key()}


@pytest.mark.parametrize("key_type", ALGORITHMS)
def test_a_key_of_each_type_signs_wherever_it_lives(key_type: str) -> None:
    soft = SoftKey(key_type)
    keys = {spki_sha256(soft.public_key()): soft.public_key()}
    for key in (soft.real, private_key(soft)):
        assert checkpoint.read(checkpoint.sign(ONE, key), keys) == ONE


def test_a_key_that_json_web_signatures_do_not_know_is_refused_by_its_type() -> None:
    with pytest.raises(Misconfigured, match="it is of type ml-dsa-44, which JSON Web Signatures do not know; use one"):
        checkpoint.sign(ONE, generate("ml-dsa-44"))


def test_another_library_reads_it() -> None:
    signed = checkpoint.sign(ONE, KEY)
    header, payload, _signature = (base64.urlsafe_b64decode(part + "==") for part in signed.split("."))
    assert json.loads(header) == {"alg": "ES256", "kid": next(iter(KEYS)), "typ": "keystead-checkpoint"}
    assert json.loads(payload) == ONE._asdict()


def test_it_is_found_in_the_log_of_a_syslog_server() -> None:
    signed = [checkpoint.sign(ONE._replace(seq=seq), KEY) for seq in (1, 2)]
    log = f"<109>1 at ctl keystead.identity - checkpoint - {signed[0]}\nnoise eyJhbGciOiJub25lIn0.x.y\n{signed[1]} "
    assert checkpoint.found_in(log * 2) == signed


def forged(payload: object, headers: dict[str, object] | None = None, key: object = KEY, how: str = "ES256") -> str:
    headers = {"kid": next(iter(KEYS)), "typ": "keystead-checkpoint", **(headers or {})}
    return jwt.PyJWS().encode(json.dumps(payload).encode(), key, how, headers)  # type: ignore[arg-type]


@pytest.mark.parametrize(
    "signed",
    [
        forged(ONE._asdict(), key=generate("ecdsa-p256")),
        forged(ONE._asdict(), {"typ": "JWT"}),
        forged(ONE._asdict(), {"kid": "ff"}),
        forged(ONE._asdict(), key=b"secret" * 10, how="HS256"),
        forged(ONE._asdict(), key=None, how="none"),
        forged({**ONE._asdict(), "seq": "512"}),
        forged({**ONE._asdict(), "seq": True}),
        forged({"seq": 512}),
        forged([]),
        forged(None),
        "a.b.c",
        "",
    ],
)
def test_what_no_known_key_has_signed_as_a_checkpoint_is_refused(signed: str) -> None:
    with pytest.raises(Refused):
        checkpoint.read(signed, KEYS)


def test_every_changed_character_is_seen() -> None:
    signed = checkpoint.sign(ONE, KEY)
    for place, sign in enumerate(signed[:-1]):  # of the last one, some bits stand for nothing (RFC 4648, 3.5)
        tally.point()
        other = signed[:place] + ("A" if sign != "A" else "B") + signed[place + 1 :]
        with pytest.raises(Refused):
            checkpoint.read(other, KEYS)
