# SPDX-FileCopyrightText: 2026 Keystead contributors
# SPDX-License-Identifier: GPL-3.0-or-later
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)

"""The issuer `openbao`: the PKI of an OpenBao, or of a HashiCorp Vault."""

from __future__ import annotations

import contextlib
import functools
import typing as t

from ...module_utils._core.errors import KeysteadError, Misconfigured
from .._advice import Advice
from .._auth.registry import login_of
from .._openbao.address import address, name, path
from .._openbao.client import Client

if t.TYPE_CHECKING:
    import datetime as dt

    from ...module_utils._core.model import Credential, Generation, Subject, X509Facts
    from ...module_utils._core.ports import Check, Good, IssuedRecord, Order, Request, Revoked, Unknown
    from .._endings import Ending
    from .._openbao.crl import Crl
    from .._openbao.issued import Records
    from .._openbao.lists import Lists
    from .._openbao.revoked import RevokedOnes
    from .._openbao.signer import Signer, Target

OPTION = "openbao: issuer.openbao"


class OpenBaoIssuer:
    """Issuer, and each further power, over `{url, mount, role, namespace, issuer_ref, sign_verbatim, auth, ...}`.

    Making one reads options alone: a run that has nothing to issue opens no connection and imports no client.
    """

    def __init__(self, options: t.Mapping[str, t.Any]) -> None:
        """Check what can be checked without the server. Raises Misconfigured."""
        where = address(options, OPTION)
        self._options = options
        self._mount = path(options["mount"], f"{OPTION}.mount")
        self._role = name(options.get("role"), f"{OPTION}.role")
        self._reference = name(options.get("issuer_ref"), f"{OPTION}.issuer_ref")
        if not self._role and not options.get("sign_verbatim"):
            raise Misconfigured(f"{OPTION}.role is missing; name the PKI role that signs, or write sign_verbatim: true")
        self._where, self._login = where, login_of(options["auth"])
        self._client = Client(where, self._login)
        self._advice = Advice()
        below = f"/issuer/{self._reference}" if self._reference else ""
        self.id = f"openbao:{where.url}/v1/{where.namespace}{'/' if where.namespace else ''}{self._mount}{below}"

    @property
    def place(self) -> str:
        """Where the issuer is; its key may change, so it is in neither (ADR 11)."""
        return self.id

    @functools.cached_property
    def _target(self) -> Target:
        from .._openbao.signer import Target

        verbatim = bool(self._options.get("sign_verbatim"))
        return Target(self.id, self._mount, self._role, self._reference, verbatim)

    @functools.cached_property
    def _signer(self) -> Signer:
        from .._openbao.signer import Signer

        return Signer(self._client, self._target, self._options, self._advice)

    @functools.cached_property
    def _lists(self) -> Lists:
        from .._openbao.lists import Lists

        return Lists(self._client, self._mount, self._reference, self._signer.authority)

    @functools.cached_property
    def _records(self) -> Records:
        from .._openbao.issued import Records

        return Records(self._client, self._mount, self._signer.kept, self._advice, self._lists.status)

    @functools.cached_property
    def _revoked_ones(self) -> RevokedOnes:
        from .._openbao.revoked import RevokedOnes

        return RevokedOnes(self._client, self._mount)

    @functools.cached_property
    def _crl(self) -> Crl:
        from .._openbao.crl import Crl

        return Crl(self._client, self._mount, self._advice)

    def roots(self) -> tuple[bytes, ...]:
        """Return the roots (DER) that the server names above the issuer; nobody has to be logged in."""
        return self._signer.roots()

    def chain(self) -> tuple[bytes, ...]:
        """Return the issuer that the server names, and those above it, DER; nobody has to be logged in."""
        return self._signer.chain()

    def foresee(self, subject: Subject, current: Credential | None) -> bool:  # noqa: ARG002 - it is the same for all
        """Read what a login needs of the controller; nothing of it goes to a host. Raises Misconfigured."""
        self._login.check()
        return False

    def begin(self, requests: t.Sequence[Request]) -> list[Generation | Order | KeysteadError]:
        """Have one after the other signed. When the server is gone, those that it signed stay signed."""
        self._records.forget()
        return self._signer.sign(requests)

    def finish(self, orders: t.Sequence[Order]) -> list[Generation | Order | KeysteadError]:
        """Return a refusal for each: this issuer answers at once."""
        return self._signer.refuse(orders)

    def revoke(self, certificates: t.Sequence[bytes], reason: str) -> list[Revoked | KeysteadError]:
        """Take certificates (DER) of this mount back. The server keeps no reason, which is said."""
        if len(certificates) > 1:
            with contextlib.suppress(KeysteadError):  # which the revocations will meet as well, and say
                self._crl.advise()
        return self._records.revoke(certificates, reason)

    def revoked_among(self, certificates: t.Sequence[bytes]) -> list[bool] | None:
        """Say of many certificates (DER) of this mount at once whether each is revoked; None where that is dearer."""
        return self._revoked_ones.among(certificates)

    def publish_list(self) -> None:
        """Have the revocation list made now, where the mount is set up to make it from time to time."""
        self._crl.publish()

    def status(self, certificate: bytes) -> Good | Revoked | Unknown:
        """Say what the server kept or publishes of a certificate (DER); nobody has to be logged in."""
        return self._records.status(certificate)

    def revoke_with_key(self, certificate: bytes, private_key: bytes) -> Revoked:
        """Take a certificate (DER) back for who has its private key (PEM), which the server is shown."""
        return self._records.revoke_with_key(certificate, private_key)

    def issued(self, since: dt.datetime) -> t.Iterator[IssuedRecord]:
        """Yield what the mount has signed since then and kept; roles with no_store keep nothing."""
        return self._records.issued(since)

    def remedy(self, found: X509Facts, request: Request) -> str:
        """Return what to change in the role, which signed something else than was asked."""
        from .._openbao.refusals import in_role

        return in_role(found, request, self._role) if self._role else ""

    def advice(self) -> list[str]:
        """Return what the server said beside its answers, and was not returned yet."""
        return self._advice.take()

    def endings(self) -> t.Iterator[Ending]:
        """Yield when the login and the revocation list end; raises KeysteadError for what cannot be asked."""
        from .._openbao.endings import endings

        return endings(self._client, self._login, self._lists, self.id)

    def preflight(self) -> t.Iterator[Check]:
        """Yield whether server, login, token, authority and role are fit; raises KeysteadError for what is not."""
        from .._openbao.preflight import checks

        anywhere = Client(self._where._replace(namespace=""), self._login)
        try:
            yield from checks(self._client, anywhere, self._signer, self._target)
        finally:
            anywhere.close()
