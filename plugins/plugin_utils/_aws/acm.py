# SPDX-FileCopyrightText: 2026 Keystead contributors
# SPDX-License-Identifier: GPL-3.0-or-later
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)

"""The imported certificates of AWS Certificate Manager: found by ARN or tag, imported, tagged, deleted."""

from __future__ import annotations

import typing as t
from datetime import UTC, datetime, timedelta

from ...module_utils._core.errors import Misconfigured
from .client import Client
from .errors import Refused

WHO = "aws_acm"
ALGORITHMS = {
    "ecdsa-p256": "EC_prime256v1", "ecdsa-p384": "EC_secp384r1", "rsa-2048": "RSA_2048", "rsa-3072": "RSA_3072",
    "rsa-4096": "RSA_4096",
}  # fmt: skip
"""What ACM calls the types of keys that it imports."""
SETTLES = timedelta(hours=1)  # within which what was imported may be missing where tags are looked for
_MISSING = "ResourceNotFoundException"
Tags = t.Mapping[str, str]


class Imported(t.NamedTuple):
    """A certificate as it is there: certificate and chain in PEM, KeyAlgorithm, tags, and the ARNs of who uses it."""

    arn: str
    certificate: bytes
    chain: bytes
    algorithm: str
    tags: Tags
    users: tuple[str, ...]


class Acm:
    """What can be done with imported certificates of one account and region."""

    def __init__(self, options: t.Mapping[str, t.Any]) -> None:
        """Connect to nothing yet. Raises Misconfigured."""
        self._client = Client(WHO, "acm", options)
        self._by_tag = Client(WHO, "resourcegroupstaggingapi", options)

    def region_of(self, said: str) -> str | None:
        """Return a region that is said, or else the one of the configuration of the controller."""
        return self._client.region_of(said)

    def tagged(self, name: str, value: str) -> str | None:
        """Return the ARN of the one certificate with a tag; None where there is none."""
        found, token = [], ""
        while True:
            answer = self._by_tag.call(
                "GetResources", TagFilters=[{"Key": name, "Values": [value]}], ResourceTypeFilters=["acm:certificate"],
                PaginationToken=token,
            )  # fmt: skip
            found += [one["ResourceARN"] for one in answer.get("ResourceTagMappingList", ())]
            token = answer.get("PaginationToken") or ""
            if not token:
                break
        there = [arn for arn in dict.fromkeys(found) if self.at(arn) is not None] if len(found) > 1 else found
        if len(there) > 1:
            raise Misconfigured(f"{WHO}: {' and '.join(sorted(there))} have the tag {name}={value}; write arn: and one")
        return there[0] if there else None

    def tagged_lately(self, name: str, value: str) -> str | None:
        """Return the same of what was imported a moment ago, and may not be found by its tag yet."""
        since, token = datetime.now(UTC) - SETTLES, ""
        while True:
            more = {"NextToken": token} if token else {}
            answer = self._client.call("ListCertificates", Includes={"keyTypes": list(ALGORITHMS.values())}, **more)
            for one in answer.get("CertificateSummaryList", ()):
                arn, at = one["CertificateArn"], one.get("ImportedAt")
                if at is not None and at >= since and self._tags(arn).get(name) == value:
                    return str(arn)
            token = answer.get("NextToken") or ""
            if not token:
                return None

    def at(self, arn: str) -> Imported | None:
        """Return what an ARN names; None where there is nothing. Raises Misconfigured for what was not imported."""
        try:
            facts = self._client.call("DescribeCertificate", CertificateArn=arn)["Certificate"]
            if facts.get("Type") != "IMPORTED":
                raise Misconfigured(f"{WHO}.arn: {arn} was not imported, so nothing can take its place; write another")
            held = self._client.call("GetCertificate", CertificateArn=arn)
            tags = self._tags(arn)
        except Refused as refused:
            if refused.code == _MISSING:
                return None
            raise
        return Imported(
            arn, held["Certificate"].encode(), (held.get("CertificateChain") or "").encode(),
            str(facts.get("KeyAlgorithm", "")).replace("-", "_"), tags, tuple(facts.get("InUseBy") or ()),
        )  # fmt: skip

    def put(self, arn: str | None, parts: t.Mapping[str, bytes], tags: Tags) -> str:
        """Import under an ARN, or anew with tags, which ACM takes then only; return the ARN."""
        chain = {"CertificateChain": parts["chain"]} if parts["chain"].strip() else {}
        where = {"CertificateArn": arn} if arn else {"Tags": _listed(tags)}
        said = {"Certificate": parts["certificate"], "PrivateKey": parts["private_key"], **chain, **where}
        return str(self._client.call("ImportCertificate", **said)["CertificateArn"])

    def tag(self, arn: str, tags: Tags) -> None:
        """Give it these tags beside those that it has."""
        self._client.call("AddTagsToCertificate", CertificateArn=arn, Tags=_listed(tags))

    def delete(self, arn: str) -> None:
        """Delete it."""
        self._client.call("DeleteCertificate", CertificateArn=arn)

    def _tags(self, arn: str) -> dict[str, str]:
        said = self._client.call("ListTagsForCertificate", CertificateArn=arn).get("Tags", ())
        return {one["Key"]: one.get("Value", "") for one in said}


def _listed(tags: Tags) -> list[dict[str, str]]:
    return [{"Key": name, "Value": value} for name, value in tags.items()]
