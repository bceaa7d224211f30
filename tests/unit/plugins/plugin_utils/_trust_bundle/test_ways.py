# SPDX-FileCopyrightText: 2026 Keystead contributors
# SPDX-License-Identifier: GPL-3.0-or-later
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)

"""Which ways lead to an anchor that goes, which to one that stays; OpenSSL has to say the same of the latter."""

from __future__ import annotations

import datetime as dt
import subprocess
import typing as t

import pytest
from ansible_collections.keystead.identity.plugins.plugin_utils._trust_bundle.ways import NO_WAY, Paths, Traces
from cryptography import x509
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.hazmat.primitives.serialization import Encoding
from cryptography.x509.oid import NameOID

if t.TYPE_CHECKING:
    from pathlib import Path

NOW = dt.datetime.now(dt.UTC)
DAY = dt.timedelta(days=1)
KEYS = {name: ec.generate_private_key(ec.SECP256R1()) for name in ("old", "new", "between", "leaf")}


def named(name: str) -> x509.Name:
    return x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, name)])


def certificate(
    subject: str, issuer: str, *, ca: bool = True, ends: dt.datetime = NOW + DAY, permits: str | None = None
) -> x509.Certificate:
    """Return a certificate of one name, signed by another."""
    made = x509.CertificateBuilder(named(issuer), named(subject), KEYS[subject].public_key())
    made = made.serial_number(x509.random_serial_number()).not_valid_before(NOW - 2 * DAY).not_valid_after(ends)
    made = made.add_extension(x509.BasicConstraints(ca=ca, path_length=None), critical=True)
    if not ca:
        made = made.add_extension(x509.SubjectAlternativeName([x509.DNSName("a.example.org")]), critical=False)
    if permits:
        made = made.add_extension(x509.NameConstraints([x509.DNSName(permits)], None), critical=True)
    return made.sign(KEYS[issuer], hashes.SHA256())


OLD, NEW, LEAF = certificate("old", "old"), certificate("new", "new"), certificate("leaf", "new", ca=False)
CROSS = certificate("new", "old")


def openssl_takes(tmp_path: Path, shown: list[x509.Certificate], staying: list[x509.Certificate]) -> bool:
    """Verify the leaf as a client does that has only what stays."""
    for name, certificates in {"leaf": [LEAF], "shown": shown, "staying": staying}.items():
        (tmp_path / name).write_bytes(b"".join(one.public_bytes(Encoding.PEM) for one in certificates))
    untrusted = ["-untrusted", str(tmp_path / "shown")] if shown else []
    argv = ["openssl", "verify", "-CAfile", str(tmp_path / "staying"), *untrusted, str(tmp_path / "leaf")]
    return subprocess.run(argv, capture_output=True, check=False).returncode == 0


@pytest.mark.needs("openssl")
@pytest.mark.parametrize(
    ("shown", "staying", "why"),
    [
        ([], [NEW], None),
        ([CROSS], [OLD], None),
        ([CROSS], [NEW], None),
        ([], [OLD], NO_WAY),
        ([certificate("new", "old", ends=NOW - DAY)], [OLD], "CN=new is valid from"),
        ([certificate("new", "old", ca=False)], [OLD], "CN=new is not an authority that may sign certificates"),
        ([certificate("new", "old", permits="example.com")], [OLD], "a.example.org"),
        ([certificate("new", "old", ends=NOW - DAY), CROSS], [OLD], None),
        ([CROSS], [certificate("old", "old", ends=NOW - DAY)], "CN=old is valid from"),
        ([], [CROSS], "CN=new does not sign itself, and most verifiers take it only beside the anchor that signed it"),
        ([], [CROSS, OLD], None),
    ],
)
def test_what_stays_is_led_to_by_a_path_that_is_taken_now(
    tmp_path: Path, shown: list[x509.Certificate], staying: list[x509.Certificate], why: str | None
) -> None:
    said = Paths(shown, staying, NOW).refusal(LEAF)
    assert said == why if why in (None, NO_WAY) else str(why) in str(said)
    assert openssl_takes(tmp_path, shown, staying) == (said is None)
    goes = Traces([CROSS, *shown], staying).of(LEAF)
    assert bool(goes) is (why != NO_WAY or staying == [OLD]), "what goes is found by names and signatures alone"
