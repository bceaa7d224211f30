# SPDX-FileCopyrightText: 2026 Keystead contributors
# SPDX-License-Identifier: GPL-3.0-or-later
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)

"""The keys of one identity in AWS KMS: their tags, the aliases that lead to them, their deletion and its cancellation.

KMS is eventually consistent: what was just done is not always seen at once, so it is looked for until it is.
"""

from __future__ import annotations

import time
import typing as t

from ...module_utils._core.errors import Misconfigured, NotConverged, Unavailable
from .client import Client
from .errors import Refused
from .kms_key import ALGORITHMS, SPECS, WHO, KmsKey
from .tags import taggable

if t.TYPE_CHECKING:
    from datetime import datetime

MANAGED, LABEL, RETIRED, GENERATION = "managed-by", "keystead:label", "keystead:retired", "keystead:generation"
MANAGER = "keystead"
ENABLED, DISABLED, PENDING = "Enabled", "Disabled", "PendingDeletion"
PAUSES = (0.0, 0.2, 0.5, 1.0, 2.0, 4.0)  # seconds before each look
_NOT_THERE = ("InvalidArnException", "NotFoundException")
_NO_SUCH_TYPE = ("UnsupportedOperationException", "ValidationException")


class Found(t.NamedTuple):
    """A key as DescribeKey shows it: its ARN, its KeySpec, KeyState and KeyUsage, and when it was made."""

    uri: str
    spec: str
    state: str
    usage: str = "SIGN_VERIFY"
    made_at: datetime | None = None

    @property
    def key_id(self) -> str:
        """Return its id, which is enough in the account and region that it is in."""
        return self.uri.rpartition("/")[2]


_NONE = Found("", "", "")


class Kms:
    """What can be done with keys and aliases; `label` says in tags whose keys they are."""

    def __init__(self, options: t.Mapping[str, t.Any], label: str) -> None:
        """Connect to nothing yet. Raises Misconfigured."""
        self._client = Client(WHO, "kms", options)
        self._by_tag = Client(WHO, "resourcegroupstaggingapi", options)
        self._description = label
        self._tags = {MANAGED: MANAGER, LABEL: taggable(label)}

    def found(self, name: str) -> Found | None:
        """Return the key that an ARN names or an alias leads to; None where there is none."""
        try:
            said = self._client.call("DescribeKey", KeyId=name)["KeyMetadata"]
        except Refused as refused:
            if refused.code in _NOT_THERE:
                return None
            raise
        usage, made_at = said.get("KeyUsage", ""), said.get("CreationDate")
        return Found(said["Arn"], said.get("KeySpec", ""), said["KeyState"], usage, made_at)

    def key(self, found: Found) -> KmsKey:
        """Return a key to sign with. Raises Misconfigured for one that cannot, such as one for encryption."""
        if found.spec not in ALGORITHMS:
            raise Misconfigured(f"{WHO}: {found.uri} is of the type {found.spec}, which signs no certificates")
        return KmsKey(self._client, found.uri, found.spec)

    def is_ours(self, found: Found) -> bool:
        """Tell whether a key has the tags of this identity."""
        return self._tags.items() <= self._tags_of(found).items()

    def all(self, number: int | None = None) -> t.Iterator[str]:
        """Yield the ARNs of the keys with the tags of this identity, or of one generation; one call for each hundred.

        The index of tags lags behind: a key that was made seconds ago may be missing.
        """
        filters = [{"Key": name, "Values": [value]} for name, value in self._numbered(number).items()]
        token = ""
        while True:
            further = {"PaginationToken": token} if token else {}
            answer = self._by_tag.call("GetResources", TagFilters=filters, ResourceTypeFilters=["kms:key"], **further)
            yield from (one["ResourceARN"] for one in answer["ResourceTagMappingList"])
            token = answer.get("PaginationToken", "")
            if not token:
                return

    @property
    def region(self) -> str:
        """The region that is asked."""
        return self._client.region

    def check(self, key_type: str) -> str:
        """Return what KMS calls a type of key. Raises Misconfigured where it, or botocore, knows none."""
        spec = SPECS.get(key_type)
        if spec is None:
            raise Misconfigured(f"{WHO}: key.type {key_type} cannot be made; choose one of {', '.join(SPECS)}")
        if not self._client.knows("KeySpec", spec):
            raise Misconfigured(
                f"{WHO}: the installed botocore knows no {key_type} keys ({spec}); pip install --upgrade boto3"
            )
        return spec

    def _numbered(self, number: int | None) -> dict[str, str]:
        return self._tags if number is None else {**self._tags, GENERATION: str(number)}

    def make(self, key_type: str, number: int | None = None) -> Found:
        """Make a key that signs, with its tags in the same call. Raises Misconfigured for a type that is unknown."""
        spec = self.check(key_type)
        tags = [{"TagKey": name, "TagValue": value} for name, value in self._numbered(number).items()]
        try:
            answer = self._client.call(
                "CreateKey", KeySpec=spec, KeyUsage="SIGN_VERIFY", Description=self._description, Tags=tags
            )
        except Refused as refused:
            if refused.code in _NO_SUCH_TYPE:
                raise Misconfigured(
                    f"{WHO}: the region makes no keys of key.type {key_type} ({spec}); choose another key.type, or "
                    "another region"
                ) from None
            raise
        made = Found(answer["KeyMetadata"]["Arn"], spec, ENABLED)
        _until(lambda: self.found(made.uri) is not None, Unavailable(f"{WHO}: {made.uri} is made, but not there yet"))
        return made

    def lead(self, alias: str, uri: str, *, new: bool) -> None:
        """Let an alias lead to a key; `new` where there is none of that name yet."""
        self._client.call("CreateAlias" if new else "UpdateAlias", AliasName=alias, TargetKeyId=uri)
        told = f"{WHO}: {alias} was moved, but does not lead to {uri} yet; run again in some minutes"
        _until(lambda: (self.found(alias) or _NONE).uri == uri, Unavailable(told))

    def aliases_of(self, uri: str) -> list[str]:
        """Return the names of the aliases that lead to a key, the first hundred."""
        answer = self._client.call("ListAliases", KeyId=uri, Limit=100)
        return [one["AliasName"] for one in answer["Aliases"]]

    def forget(self, alias: str) -> None:
        """Remove an alias, if it is there."""
        try:
            self._client.call("DeleteAlias", AliasName=alias)
        except Refused as refused:
            if refused.code not in _NOT_THERE:
                raise

    def retire(self, found: Found, days: int) -> None:
        """Schedule the deletion of a key, and look whether that is so. The tag says later that it was us."""
        self._client.call("TagResource", KeyId=found.uri, Tags=[{"TagKey": RETIRED, "TagValue": "true"}])
        self._client.call("ScheduleKeyDeletion", KeyId=found.key_id, PendingWindowInDays=days)
        told = f"{WHO}: the deletion of {found.uri} was scheduled, but KMS does not say so; run again"
        _until(lambda: (self.found(found.uri) or _NONE).state in (PENDING, ""), NotConverged(told))

    def is_retired(self, found: Found) -> bool:
        """Tell whether a key does not work because this collection retired it, and nobody else."""
        return found.state in (PENDING, DISABLED) and RETIRED in self._tags_of(found)

    def save(self, found: Found) -> None:
        """Take back that a key was retired."""
        if found.state == PENDING:
            self._client.call("CancelKeyDeletion", KeyId=found.key_id)  # it is disabled then
        self._client.call("EnableKey", KeyId=found.key_id)
        self._client.call("UntagResource", KeyId=found.uri, TagKeys=[RETIRED])
        told = f"{WHO}: {found.uri} was enabled again, but KMS does not say so; run again"
        _until(lambda: (self.found(found.uri) or _NONE).state == ENABLED, NotConverged(told))

    def _tags_of(self, found: Found) -> dict[str, str]:
        answer = self._client.call("ListResourceTags", KeyId=found.uri)
        return {one["TagKey"]: one["TagValue"] for one in answer["Tags"]}


def _until(seen: t.Callable[[], bool], otherwise: Exception) -> None:
    """Look again, less and less often, until something is seen. Raises `otherwise` after some seconds."""
    for pause in PAUSES:
        time.sleep(pause)
        if seen():
            return
    raise otherwise
