# SPDX-FileCopyrightText: 2026 Keystead contributors
# SPDX-License-Identifier: GPL-3.0-or-later
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)

"""Rule V1 for certificates of SSH: no faulty or malicious answer of an issuer is installed."""

from __future__ import annotations

import datetime as dt
import typing as t

import pytest
from ansible_collections.keystead.identity.plugins.module_utils._core import ssh
from ansible_collections.keystead.identity.plugins.module_utils._core.errors import Denied
from ansible_collections.keystead.identity.plugins.module_utils._core.model import Part
from ansible_collections.keystead.identity.plugins.plugin_utils._answer_ssh import accepted
from ansible_collections.keystead.identity.plugins.plugin_utils._ssh.certificate import generation
from ansible_collections.keystead.identity.tests.harness import local, local_ssh
from cryptography.hazmat.primitives.serialization import SSHCertificateBuilder, SSHCertificateType

NOW = dt.datetime(2026, 11, 22, 12, tzinfo=dt.UTC)
CA, OTHER_CA = local.key("ed25519", 90), local.key("ed25519", 91)
OTHERS = {"number": 5, "key_type": "ecdsa-p256"}
ASKED = local_ssh.request()
GOOD: dict[str, t.Any] = {
    "number": 0, "type": SSHCertificateType.HOST, "principals": [b"web1.example.org", b"web1"],
    "after": NOW - dt.timedelta(minutes=5), "before": NOW + dt.timedelta(days=1), "critical": (), "ca": CA,
}  # fmt: skip


def content(**said: t.Any) -> bytes:
    """Sign anything."""
    how = {**GOOD, **said}
    builder = (
        SSHCertificateBuilder()
        .public_key(local.key("ecdsa-p256", how["number"]).public_key())
        .serial(7)
        .type(how["type"])
        .key_id(b"web1/sshd")
        .valid_after(how["after"].timestamp())
        .valid_before(how["before"].timestamp())
    )
    named = how["principals"]
    builder = builder.valid_principals(named) if named else builder.valid_for_all_principals()
    for name, value in how["critical"]:
        builder = builder.add_critical_option(name, value)
    return ssh.encoded(builder.sign(how["ca"]).public_bytes())


def answered(found: t.Any, now: dt.datetime = NOW) -> t.Any:
    """Look at an answer as the controller does."""
    return accepted(found, ASKED, local.public_id(0), [ssh.key_of(CA.public_key())], now)


def test_a_good_answer_is_accepted() -> None:
    assert answered(generation(content(), "local_ssh:x")).facts.serial_number == 7


@pytest.mark.parametrize(
    ("said", "reason"),
    [
        ({"number": 5}, "it is for another key"),
        ({"type": SSHCertificateType.USER}, "it is no host certificate"),
        ({"principals": []}, "its principals are not the declared ones"),
        ({"principals": [b"web1.example.org"]}, "its principals are not the declared ones"),
        ({"principals": [b"web1.example.org", b"web1", b"evil"]}, "its principals are not the declared ones"),
        ({"principals": [b"web1.example.org", b"*"]}, "its principals are not the declared ones"),
        ({"critical": ((b"force-command", b""),)}, "it has critical options"),
        ({"before": NOW + dt.timedelta(days=2)}, "longer than asked"),
        ({"before": NOW - dt.timedelta(seconds=1)}, "it ended on"),
        ({"after": NOW + dt.timedelta(hours=1)}, "it is not valid before"),
        ({"ca": OTHER_CA}, "which is none of the pinned keys"),
    ],
)
def test_an_answer_that_is_not_what_was_asked_is_refused(said: dict[str, t.Any], reason: str) -> None:
    with pytest.raises(Denied, match=r"^local_ssh:x: its answer for sshd is refused: ") as refused:
        answered(generation(content(**said), "local_ssh:x"))
    assert reason in str(refused.value)


def test_a_signature_that_is_not_of_the_pinned_key_is_refused() -> None:
    forged = bytearray(content())
    forged[-1] ^= 1
    with pytest.raises(Denied, match="its signature is not valid"):
        answered(generation(bytes(forged), "local_ssh:x"))
    named = content(ca=OTHER_CA).replace(ssh.key_of(OTHER_CA.public_key()), ssh.key_of(CA.public_key()))
    with pytest.raises(Denied, match="its signature is not valid"):
        answered(generation(named, "local_ssh:x"))


def test_a_signature_with_sha_1_is_refused() -> None:
    authority = local.key("rsa-2048", 92)
    found = content(ca=authority)
    assert ssh.parsed(found).signature_type == b"rsa-sha2-512"
    old = found.replace(ssh.string(b"rsa-sha2-512"), ssh.string(b"ssh-rsa"))
    size = len(ssh.string(b"rsa-sha2-512")) - len(ssh.string(b"ssh-rsa"))
    at = old.rindex(ssh.string(b"ssh-rsa")) - 4
    old = old[:at] + (int.from_bytes(old[at : at + 4], "big") - size).to_bytes(4, "big") + old[at + 4 :]
    with pytest.raises(Denied, match="signed with SHA-1"):
        accepted(
            generation(old, "local_ssh:x"), ASKED, local.public_id(0), [ssh.key_of(authority.public_key())], NOW
        )


@pytest.mark.parametrize(
    "parts",
    [
        {"certificate": b"ssh-ed25519-cert-v01@openssh.com AAAA"},
        {"certificate": b""},
        {"certificate": b"-----BEGIN CERTIFICATE-----"},
        {"public_key": b"ssh-ed25519 AAAA\n"},
        {"chain": b""},
        {"certificate": None},
    ],
)
def test_parts_that_are_others_or_hold_something_else_are_refused(parts: dict[str, bytes | None]) -> None:
    good = generation(content(), "local_ssh:x")
    changed = {**good.parts, **{name: Part(found) for name, found in parts.items() if found is not None}}
    kept = {name: part for name, part in changed.items() if parts.get(name, b"") is not None}
    with pytest.raises(Denied, match="is refused"):
        answered(good._replace(parts=kept))


def test_a_line_with_something_beside_the_certificate_is_refused() -> None:
    good = generation(content(), "local_ssh:x")
    line = good.parts["certificate"].content
    for other in (line.strip() + b" comment\n", line + line, b'command="x" ' + line):
        with pytest.raises(Denied, match="is refused"):
            answered(good._replace(parts={**good.parts, "certificate": Part(other)}))


def test_a_description_of_another_certificate_is_refused() -> None:
    good = generation(content(), "local_ssh:x")
    with pytest.raises(Denied, match="not the one it describes"):
        answered(good._replace(not_after=NOW))
