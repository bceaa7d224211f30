# SPDX-FileCopyrightText: 2026 Keystead contributors
# SPDX-License-Identifier: GPL-3.0-or-later
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)

"""The publisher `aws_secrets_manager`: a secret of AWS, whose version AWSCURRENT is JSON of the parts."""

from __future__ import annotations

import json
import re
import typing as t
import uuid

from ...module_utils._core.errors import Misconfigured, Unavailable
from ...module_utils._core.publication import CopyState
from .._aws.client import Client
from .._aws.errors import Refused
from .._copy_entry import MARK, MENDS, Owner, entry, is_untouched, state_of

WHO = "aws_secrets_manager"
WINDOW = 7  # days in which a deleted secret can be restored, which is the least that AWS takes
_NAME = re.compile(r"[A-Za-z0-9/_+=.@-]{1,512}", re.ASCII)
_MISSING, _DELETED = "ResourceNotFoundException", "InvalidRequestException"


class AwsSecretsManager:
    """Publisher over `{name, region, timeout}`. Making one reads options alone."""

    mends: t.ClassVar[tuple[str, ...]] = MENDS

    def __init__(self, options: t.Mapping[str, t.Any], owner: Owner) -> None:
        """Check what can be checked without AWS. Raises Misconfigured."""
        self._name: str = options["name"]
        if not _NAME.fullmatch(self._name):
            raise Misconfigured(f"{WHO}.name: {self._name[:80]!r} is no name there; write letters, digits and /_+=.@-")
        self._owner = owner
        self._client = Client(WHO, "secretsmanager", options)
        region = options.get("region")
        self.where = f"{WHO} {self._name}" + (f" in {region}" if region else "")

    def is_at(self, where: str) -> bool:
        """Tell whether this is the same secret: a region that nobody writes is that of the controller."""
        if where == self.where:
            return True
        told = where.partition(" ")[2]
        name, _in, region = told.partition(" in ")
        return where.startswith(f"{WHO} ") and name == self._name and self._client.region_of(region) == self._region

    @property
    def _region(self) -> str | None:
        return self._client.region_of(self.where.partition(" in ")[2])

    def read(self, parts: t.Mapping[str, bytes] | None) -> CopyState:
        """Compare the version AWSCURRENT with the parts."""
        return CopyState(self.where, WHO, state_of(self._there(), parts, self._owner, self.where))

    def write(self, parts: t.Mapping[str, bytes]) -> None:
        """Make one more version the current one; AWS keeps the one before as AWSPREVIOUS."""
        found = self._there()
        state_of(found, parts, self._owner, self.where)
        text, token = json.dumps(entry(parts, self._owner, found, WHO), sort_keys=True), str(uuid.uuid4())
        tags = [{"Key": MARK, "Value": self._owner.label[:255]}]
        said = self._described()
        if said is None:
            self._client.call("CreateSecret", Name=self._name, SecretString=text, ClientRequestToken=token, Tags=tags)
        else:
            if not self._is_tagged(said):
                self._client.call("TagResource", SecretId=self._name, Tags=tags)
            if said.get("DeletedDate"):
                self._client.call("RestoreSecret", SecretId=self._name)
            self._client.call("PutSecretValue", SecretId=self._name, SecretString=text, ClientRequestToken=token)
        if self.read(parts).state != "ok":
            raise Unavailable(f"{WHO}: {self._name} does not hold what was written; look who else writes it, run again")

    def delete(self) -> None:
        """Schedule the secret for deletion, if its current version is ours and untouched; nobody reads it from then."""
        found = self._look()
        if found is None or not is_untouched(found, self._owner):
            return
        self._client.call("DeleteSecret", SecretId=self._name, RecoveryWindowInDays=WINDOW)
        if self._look() is not None:
            raise Unavailable(f"{WHO}: {self._name} can still be read; look who else writes it, then run again")

    def _there(self) -> dict[str, t.Any] | None:
        """Return the current version; for a secret without one, or to be deleted, that it is somebody else's."""
        found = self._look()
        said = self._described() if found is None else None
        return found if said is None or self._is_tagged(said) else {"": "a secret of somebody else"}

    def _described(self) -> dict[str, t.Any] | None:
        """Return what AWS says of the secret, also of one to be deleted; None where there is none."""
        try:
            return self._client.call("DescribeSecret", SecretId=self._name)
        except Refused as refused:
            if refused.code != _MISSING:
                raise
            return None

    def _is_tagged(self, said: t.Mapping[str, t.Any]) -> bool:
        """Tell whether its tag says that we made it, or took it."""
        tags = {str(tag.get("Key")): tag.get("Value") for tag in said.get("Tags") or ()}
        return tags.get(MARK) == self._owner.label[:255]

    def _look(self) -> dict[str, t.Any] | None:
        """Return the current version as names and values; None where there is none, or where it is to be deleted."""
        try:
            answer = self._client.call("GetSecretValue", SecretId=self._name, VersionStage="AWSCURRENT")
        except Refused as refused:
            if refused.code == _MISSING or (refused.code == _DELETED and "delet" in refused.said):
                return None
            raise
        try:
            found = json.loads(answer.get("SecretString") or "")
        except (ValueError, RecursionError):
            found = None
        return found if isinstance(found, dict) else {"": "not JSON of names and values"}
