# SPDX-FileCopyrightText: 2026 Keystead contributors
# SPDX-License-Identifier: GPL-3.0-or-later
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)

"""What the contract suite of publishers needs of each: somewhere real to write to, and somebody else's eyes to look."""

from __future__ import annotations

import contextlib
import json
import os
import re
import secrets
import subprocess
import typing as t
from dataclasses import dataclass, field

from ansible_collections.keystead.identity.plugins.module_utils._core.keys import spki_sha256
from ansible_collections.keystead.identity.plugins.module_utils._core.publication import Publication
from ansible_collections.keystead.identity.plugins.module_utils._host.copy_file import CopyFile, Owner
from ansible_collections.keystead.identity.plugins.module_utils._host.copy_record import CopyRecord
from ansible_collections.keystead.identity.plugins.module_utils._host.place import Place, open_place
from ansible_collections.keystead.identity.plugins.module_utils._options.option import spec
from ansible_collections.keystead.identity.plugins.module_utils._options.publish import PUBLISH
from ansible_collections.keystead.identity.plugins.module_utils._publishers.registry import PUBLISHERS
from ansible_collections.keystead.identity.plugins.plugin_utils._copy_entry import Owner as EntryOwner
from ansible_collections.keystead.identity.plugins.plugin_utils._publishers.registry import PUBLISHERS as REMOTES
from ansible_collections.keystead.identity.plugins.plugin_utils._validate import validated
from ansible_collections.keystead.identity.tests.harness.brownfield import Authority, pair
from ansible_collections.keystead.identity.tests.harness.in_process import until
from ansible_collections.keystead.identity.tests.harness.moto import reached
from ansible_collections.keystead.identity.tests.harness.openbao_server import Refused
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
    """One place to copy to, made over a directory and what the session fixture `server` yields, if it names one.

    `needs` are of tests/needs.py; `refuses` begins every error of it; `takes` are the parts that go there.
    """

    needs: t.ClassVar[tuple[str, ...]]
    server: t.ClassVar[str | None]
    refuses: t.ClassVar[str]
    takes: t.ClassVar[tuple[str, ...]]

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
    running: t.Any = None
    said: dict[str, t.Any] = field(default_factory=dict)
    server: t.ClassVar[str | None] = None
    refuses: t.ClassVar[str] = "host: "
    takes: t.ClassVar[tuple[str, ...]] = ("private_key", "certificate", "chain")
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


class _Entry:
    """An entry of names and values, in a store that the controller reaches."""

    takes: t.ClassVar[tuple[str, ...]] = ("certificate", "chain")
    name: t.ClassVar[str]
    key = ""

    def __init__(self, directory: Path, running: t.Any) -> None:
        """Take an entry of its own."""
        self.directory, self.running, self.open = directory, running, contextlib.ExitStack()
        self.path = f"tests/{secrets.token_hex(6)}"

    def publisher(self, *, replaces: bool = False) -> Publisher:
        """Return one as a task makes it."""
        said = validated({self.name: self.options()}, spec(PUBLISH), module="machine_identity")[self.name]
        return REMOTES[self.name](said, EntryOwner("web1.example.org/web 0123456789ab", NAME, replaces=replaces))

    def options(self) -> dict[str, t.Any]:
        """Return what a task says."""
        raise NotImplementedError

    def values(self) -> dict[str, str] | None:
        """Return what a tool that is not ours reads."""
        raise NotImplementedError

    def put(self, values: dict[str, str]) -> None:
        """Write as somebody else."""
        raise NotImplementedError

    def seen(self) -> Held | None:
        """Return what somebody else reads."""
        values = self.values()
        return None if values is None else held("".join(values.values()).encode())

    def spoilt(self, _made: Parts) -> dict[str, t.Callable[[], object]]:
        """Return what others do to entries, whose mark they keep."""
        return {
            "parts": lambda: self.put({**(self.values() or {}), "note": "by hand"}),
            "certificate": lambda: self.put({**(self.values() or {}), "certificate": parts(0)["certificate"].decode()}),
            "unreadable": lambda: self.put({**(self.values() or {}), "certificate": "junk"}),
            "missing": self.drop,
            **({"key": lambda: self.put({**(self.values() or {}), "private_key": self.key})} if self.key else {}),
        }

    def drop(self) -> None:
        """Delete it as somebody else."""
        raise NotImplementedError

    def occupy(self) -> None:
        """Write what was never ours."""
        self.put({"password": "somebody else's"})


class OpenBaoKv(_Entry):
    """A KV version 2 on a real OpenBao."""

    needs: t.ClassVar[tuple[str, ...]] = ("openbao",)
    server: t.ClassVar[str | None] = "openbao"
    refuses: t.ClassVar[str] = "openbao_kv: "
    name = "openbao_kv"

    def __init__(self, directory: Path, running: t.Any) -> None:
        """Mount an engine."""
        super().__init__(directory, running)
        self.mount, self.broken = f"kv{secrets.token_hex(6)}", False
        self.running.call("POST", f"sys/mounts/{self.mount}", {"type": "kv", "options": {"version": "2"}})
        until(self._is_ready)  # a new one upgrades itself, and refuses everything meanwhile

    def _is_ready(self) -> bool:
        try:
            self.running.call("GET", f"{self.mount}/config")
        except Refused:
            return False
        return True

    def options(self) -> dict[str, t.Any]:
        """Return what a task says."""
        url = "https://127.0.0.1:9" if self.broken else self.running.url
        auth = {"token": {"token": self.running.token}}
        common = {"auth": auth, "ca_bundle": str(self.running.ca_bundle), "timeout": "5s"}
        return {"url": url, "mount": self.mount, "path": self.path, **common}

    def values(self) -> dict[str, str] | None:
        """Read as root."""
        try:
            return t.cast("dict[str, str]", self.running.call("GET", f"{self.mount}/data/{self.path}")["data"]["data"])
        except Refused:
            return None

    def put(self, values: dict[str, str]) -> None:
        """Write as root."""
        self.running.call("POST", f"{self.mount}/data/{self.path}", {"data": values})

    def drop(self) -> None:
        """Delete the newest version, as `bao kv delete` does."""
        self.running.call("DELETE", f"{self.mount}/data/{self.path}")

    def fail(self) -> None:
        """Lead nowhere."""
        self.broken = True

    def mend(self) -> None:
        """Lead there again."""
        self.broken = False


class AwsSecretsManager(_Entry):
    """Secrets Manager of moto, a stand-in that keeps state, and not AWS."""

    needs: t.ClassVar[tuple[str, ...]] = ("moto",)
    server: t.ClassVar[str | None] = "moto"
    refuses: t.ClassVar[str] = "aws_secrets_manager: "
    name = "aws_secrets_manager"

    def __init__(self, directory: Path, running: t.Any) -> None:
        """Let boto3 come to the stand-in."""
        super().__init__(directory, running)
        self.aws = running.client("secretsmanager")
        self.open.enter_context(reached(running.environment))

    def options(self) -> dict[str, t.Any]:
        """Return what a task says."""
        return {"name": self.path, "timeout": "10s"}

    def values(self) -> dict[str, str] | None:
        """Read with boto3 alone."""
        try:
            return t.cast("dict[str, str]", json.loads(self.aws.get_secret_value(SecretId=self.path)["SecretString"]))
        except self.aws.exceptions.ClientError:
            return None

    def put(self, values: dict[str, str]) -> None:
        """Write with boto3 alone."""
        try:
            self.aws.put_secret_value(SecretId=self.path, SecretString=json.dumps(values))
        except self.aws.exceptions.ResourceNotFoundException:
            self.aws.create_secret(Name=self.path, SecretString=json.dumps(values))

    def drop(self) -> None:
        """Schedule it for deletion."""
        self.aws.delete_secret(SecretId=self.path, RecoveryWindowInDays=30)

    def fail(self) -> None:
        """Lead nowhere."""
        self.open.enter_context(reached({**self.running.environment, "AWS_ENDPOINT_URL": "http://127.0.0.1:9"}))

    def mend(self) -> None:
        """Lead there again."""
        self.open.close()
        self.open.enter_context(reached(self.running.environment))


class _WithKey:
    """An entry that holds the private key as well."""

    takes: t.ClassVar[tuple[str, ...]] = ("private_key", "certificate", "chain")
    key = parts(1)["private_key"].decode()


class OpenBaoKvWithKey(_WithKey, OpenBaoKv):
    """See above."""


class AwsSecretsManagerWithKey(_WithKey, AwsSecretsManager):
    """See above."""


class AwsAcm(_WithKey, _Entry):
    """Certificate Manager of moto, a stand-in that keeps state, and not AWS. Nobody can read a private key there.

    What it gets wrong is not built upon: it takes a key that is not that of the certificate, deletes what is in use,
    loses the tags with each import, and adds a root of Amazon's own to every chain.
    """

    needs: t.ClassVar[tuple[str, ...]] = ("moto",)
    server: t.ClassVar[str | None] = "moto"
    refuses: t.ClassVar[str] = "aws_acm: "
    name = "aws_acm"

    def __init__(self, directory: Path, running: t.Any) -> None:
        """Let boto3 come to the stand-in."""
        super().__init__(directory, running)
        fixed = f"web1.example.org/web {secrets.token_hex(6)}"
        self.named: t.Callable[[], str] = lambda: fixed
        self.aws, self.arn = running.client("acm"), ""
        self.open.enter_context(reached(running.environment))

    @property
    def label(self) -> str:
        """What marks our certificate."""
        return self.named()

    def publisher(self) -> Publisher:
        """Return one as a task makes it."""
        said = validated({self.name: self.options()}, spec(PUBLISH), module="machine_identity")[self.name]
        return REMOTES[self.name](said, EntryOwner(self.label, NAME, replaces=False, key_type="ecdsa-p256"))

    def options(self) -> dict[str, t.Any]:
        """Return what a task says."""
        return {"timeout": "10s", **({"arn": self.arn} if self.arn else {})}

    def arns(self) -> list[str]:
        """Return what has our tag, or is declared, with boto3 alone."""
        found = self.aws.list_certificates()["CertificateSummaryList"]
        arns = [one["CertificateArn"] for one in found]
        return [arn for arn in arns if arn == self.arn or self.tags(arn).get("keystead") == self.label]

    def tags(self, arn: str) -> dict[str, str]:
        """Return the tags of a certificate."""
        found = self.aws.list_tags_for_certificate(CertificateArn=arn)["Tags"]
        return {one["Key"]: one["Value"] for one in found}

    def values(self) -> dict[str, str] | None:
        """Read with boto3 alone; what the key is, only its certificate tells."""
        arns = self.arns()
        assert len(arns) <= 1, arns
        if not arns:
            return None
        found = self.aws.get_certificate(CertificateArn=arns[0])
        blocks = CERTIFICATE.findall(found["CertificateChain"].encode())
        return {"certificate": found["Certificate"], "chain": b"".join(blocks[:-1]).decode()}

    def seen(self) -> Held | None:
        """Return what somebody else reads, and whose certificate it is."""
        values = self.values()
        if values is None:
            return None
        leaf = x509.load_pem_x509_certificate(values["certificate"].encode())
        return held("".join(values.values()).encode())._replace(key=spki_sha256(leaf.public_key()))

    def put(self, values: dict[str, t.Any]) -> None:
        """Import under the same ARN with boto3 alone; AWS keeps the tags."""
        (arn,) = self.arns()
        tags = self.tags(arn)
        said = {"Certificate": values["certificate"], "PrivateKey": values["private_key"]}
        self.aws.import_certificate(CertificateArn=arn, CertificateChain=values["chain"], **said)
        named = [{"Key": name, "Value": value} for name, value in tags.items()]
        if named:
            self.aws.add_tags_to_certificate(CertificateArn=arn, Tags=named)

    def spoilt(self, made: Parts) -> dict[str, t.Callable[[], object]]:
        """Return what others do to imported certificates."""
        return {
            "certificate": lambda: self.put(parts(0)),
            "key": lambda: self.put(parts(1)),
            "parts": lambda: self.put({**made, "chain": parts(0)["chain"]}),
            "same": lambda: self.aws.add_tags_to_certificate(
                CertificateArn=self.arns()[0], Tags=[{"Key": "keystead:content", "Value": "another"}]
            ),
            "missing": self.drop,
        }

    def drop(self) -> None:
        """Delete it with boto3 alone."""
        self.aws.delete_certificate(CertificateArn=self.arns()[0])

    def occupy(self) -> None:
        """Import what was never ours, which a task names."""
        other = parts(1)
        said = {"Certificate": other["certificate"], "PrivateKey": other["private_key"]}
        self.arn = self.aws.import_certificate(**said, CertificateChain=other["chain"])["CertificateArn"]

    def fail(self) -> None:
        """Lead nowhere."""
        self.open.enter_context(reached({**self.running.environment, "AWS_ENDPOINT_URL": "http://127.0.0.1:9"}))

    def mend(self) -> None:
        """Lead there again."""
        self.open.close()
        self.open.enter_context(reached(self.running.environment))

    def use(self) -> str:
        """Let a load balancer use it; return the ARN of its listener."""
        made, name = self.running, f"lb{secrets.token_hex(6)}"
        ec2, elb = made.client("ec2"), made.client("elbv2")
        vpc = ec2.create_vpc(CidrBlock="10.0.0.0/16")["Vpc"]["VpcId"]
        subnets = [
            ec2.create_subnet(VpcId=vpc, CidrBlock=f"10.0.{at}.0/24", AvailabilityZone=f"eu-central-1{zone}")
            for at, zone in enumerate("ab")
        ]
        ids = [one["Subnet"]["SubnetId"] for one in subnets]
        balancer = elb.create_load_balancer(Name=name, Subnets=ids)["LoadBalancers"][0]["LoadBalancerArn"]
        group = elb.create_target_group(Name=name, Protocol="HTTP", Port=80, VpcId=vpc)["TargetGroups"][0]
        listener = elb.create_listener(
            LoadBalancerArn=balancer, Protocol="HTTPS", Port=443, Certificates=[{"CertificateArn": self.arns()[0]}],
            DefaultActions=[{"Type": "forward", "TargetGroupArn": group["TargetGroupArn"]}],
        )  # fmt: skip
        return str(listener["Listeners"][0]["ListenerArn"])


BACKENDS: dict[str, t.Any] = {
    "pem_bundle": PemBundle, "pkcs12": Pkcs12, "pkcs12_legacy": LegacyPkcs12,
    "openbao_kv": OpenBaoKv, "openbao_kv_with_key": OpenBaoKvWithKey, "aws_secrets_manager": AwsSecretsManager,
    "aws_secrets_manager_with_key": AwsSecretsManagerWithKey, "aws_acm": AwsAcm,
}  # fmt: skip
