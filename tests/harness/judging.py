# SPDX-FileCopyrightText: 2026 Keystead contributors
# SPDX-License-Identifier: GPL-3.0-or-later
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)

"""What tests of identity_policy share: policies, records and certificates to be judged, and what is said of them."""

from __future__ import annotations

import json
import typing as t
from datetime import UTC, datetime, timedelta

from ansible_collections.keystead.identity.plugins.module_utils._options.common import COMMON
from ansible_collections.keystead.identity.plugins.module_utils._options.identity_policy import OPTIONS
from ansible_collections.keystead.identity.plugins.module_utils._options.option import spec
from ansible_collections.keystead.identity.plugins.plugin_utils._identity_policy.answer import answer
from ansible_collections.keystead.identity.plugins.plugin_utils._inventory import Place
from ansible_collections.keystead.identity.plugins.plugin_utils._validate import validated
from ansible_collections.keystead.identity.tests.harness.brownfield import PEM
from cryptography import x509
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import ec, rsa
from cryptography.hazmat.primitives.serialization import SSHCertificateBuilder, SSHCertificateType

if t.TYPE_CHECKING:
    from pathlib import Path

    from ansible_collections.keystead.identity.tests.harness.in_process import World

NOWHERE = "sqlite:////nowhere/ledger.db"


def moment(ahead: float) -> str:
    """Return a moment so many days from now on."""
    return f"{datetime.now(UTC) + timedelta(days=ahead):%Y-%m-%dT%H:%M:%SZ}"


def day(ahead: int) -> str:
    """Return the day so many days from today on."""
    return moment(ahead)[:10]


def judged(world: World | None, **said: t.Any) -> dict[str, t.Any]:
    """Return what the task returns; without a world, there is no ledger."""
    args = {"ledger": NOWHERE if world is None else world.url, **said}
    valid = validated(args, spec(COMMON, OPTIONS), module="identity_policy")
    return answer(valid, datetime.now(UTC), Place("web1" if world is None else world.host))


def policy(path: Path, *rules: dict[str, t.Any], waivers: t.Sequence[dict[str, t.Any]] = ()) -> str:
    """Write a policy and return its path."""
    path.write_text(json.dumps({"format": 1, "rules": rules, "waivers": list(waivers)}), encoding="utf-8")
    return str(path)


def records(path: Path, *entries: dict[str, t.Any]) -> list[str]:
    """Write records of another system."""
    path.write_text(json.dumps(entries))
    return [str(path)]


def unjudged(result: dict[str, t.Any]) -> list[str]:
    """Return the rules that cannot tell."""
    return [one["rule"] for one in result["not_judged"]]


class Certificate(t.NamedTuple):
    """A certificate to be made, which is fine but for what is said."""

    names: tuple[str, ...] = ("www.example.org",)
    common_name: str = "made"
    issuer: str = "made"
    usages: tuple[x509.ObjectIdentifier, ...] = (x509.ExtendedKeyUsageOID.SERVER_AUTH,)
    key: t.Any = None
    begins: float = -1
    ends: float = 89

    @property
    def pem(self) -> str:
        """Sign it."""
        key = self.key or ec.generate_private_key(ec.SECP256R1())
        subject, issuer = (_named(one) for one in (self.common_name, self.issuer))
        now, serial = datetime.now(UTC), x509.random_serial_number()
        begins, ends = now + timedelta(days=self.begins), now + timedelta(days=self.ends)
        made = x509.CertificateBuilder(issuer, subject, key.public_key(), serial, begins, ends)
        if self.names:
            alternative = x509.SubjectAlternativeName([x509.DNSName(one) for one in self.names])
            made = made.add_extension(alternative, critical=False)
        if self.usages:
            made = made.add_extension(x509.ExtendedKeyUsage(self.usages), critical=False)
        return made.sign(key, hashes.SHA256()).public_bytes(PEM).decode()


def _named(common_name: str) -> x509.Name:
    return x509.Name([x509.NameAttribute(x509.NameOID.COMMON_NAME, common_name)])


def of_ssh(public_key: t.Any, authority: t.Any, *principals: str, serial: int = 0) -> str:
    """Return a certificate of SSH for a host."""
    now = int(datetime.now(UTC).timestamp())
    made = SSHCertificateBuilder().public_key(public_key).serial(serial).type(SSHCertificateType.HOST).key_id(b"host")
    made = made.valid_principals([one.encode() for one in principals])
    made = made.valid_after(now - 60).valid_before(now + 60 * 86400)
    return made.sign(authority).public_bytes().decode()


def rsa_of(p: int, q: int) -> rsa.RSAPrivateKey:
    """Return the key of two primes."""
    d = pow(65537, -1, (p - 1) * (q - 1))
    crt = (rsa.rsa_crt_dmp1(d, p), rsa.rsa_crt_dmq1(d, q), rsa.rsa_crt_iqmp(p, q))
    public = rsa.RSAPublicNumbers(65537, p * q)
    return rsa.RSAPrivateNumbers(p, q, d, *crt, public).private_key()
