# SPDX-FileCopyrightText: 2026 Keystead contributors
# SPDX-License-Identifier: GPL-3.0-or-later
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)

"""Whether a PKI of OpenBao would sign: the server, its clock, the login, its token, the authority and the role."""

from __future__ import annotations

import time
import typing as t
from datetime import UTC, datetime

from ...module_utils._core.errors import Misconfigured, Unavailable
from ...module_utils._core.ports import Check
from .._host_half import LARGEST_SKEW
from .errors import WHO, LoggedOut, Refused, not_understood, section
from .refusals import no_role

if t.TYPE_CHECKING:
    from collections.abc import Iterator

    from .client import Client, Json
    from .signer import Signer, Target

SOON = 30  # days
SHORT = 600  # seconds of a token that nobody renews
EARLIER = 30.0  # seconds by which a PKI lets a certificate begin earlier, unless its role says otherwise
_HEALTH = "sys/health?standbyok=true&perfstandbyok=true&sealedcode=200&uninitcode=200&drsecondarycode=200"
_MAY_SIGN = {"create", "update", "root"}


def checks(client: Client, health: Client, signer: Signer, target: Target) -> Iterator[Check]:
    """Yield what was found; an error ends it. `health` asks in no namespace: some servers have no health elsewhere.

    Nothing is signed: what is sent to be signed is empty. A SecretID that opens once is not unwrapped.
    """
    yield from _server(health)
    yield _authority(signer)
    if client.opens_once():
        found = "wrapped_secret_id can be unwrapped: a look would use it up"
        yield Check("login", "warning", found, "the first run shows whether it may sign")
        return
    yield from _login(client)
    yield _role(client, target)


def _server(client: Client) -> Iterator[Check]:
    before = time.time()
    found = client.public(_HEALTH)
    after = time.time()
    if found.get("initialized") is not True:
        raise Unavailable(f"{WHO}: it is not initialised; initialise and unseal it, or correct url")
    if found.get("sealed") is not False:
        raise Unavailable(f"{WHO}: it is sealed; unseal it and run again")
    yield Check("server", "ok", "it answers over verified TLS, and is unsealed")
    there = found.get("server_time_utc")
    if not isinstance(there, int):
        raise not_understood("health")
    skew = max(before - there - 1, there - after, 0.0)  # it says whole seconds
    if skew <= EARLIER:
        yield Check("clock", "ok", f"its clock is within {skew:.0f} s of the controller's")
    else:
        state, said = "failed" if skew > LARGEST_SKEW else "warning", f"its clock is {skew:.0f} s off the controller's"
        yield Check("clock", state, said, "synchronise both, by NTP: what it signs begins and ends by its clock")


def _authority(signer: Signer) -> Check:
    signer.roots()
    end = signer.ends()
    left = end - datetime.now(UTC)
    found = f"it signs until {end:%Y-%m-%d}"
    if left.days < 0:
        raise Misconfigured(f"{WHO}: its authority ended on {end:%Y-%m-%d}; make another one there")
    if left.days < SOON:
        return Check("authority", "warning", found, "make another authority there in time")
    return Check("authority", "ok", found)


def _login(client: Client) -> Iterator[Check]:
    try:
        token = section(client.call("GET", "auth/token/lookup-self"), "data")
    except (LoggedOut, Refused):
        return  # a token that may not look at itself may sign all the same
    yield Check("login", "ok", "it lets us in")
    yield _token(token, again=client.again)


def _token(token: Json, *, again: bool) -> Check:
    """Say for how long a token is good, and what comes after it."""
    seconds, uses = token.get("ttl"), token.get("num_uses")
    if isinstance(uses, int) and uses > 0 and not again:
        found = f"the token is good for {uses} calls more"
        return Check("token", "warning", found, "give one whose uses are not counted: every certificate takes some")
    if not isinstance(seconds, int) or seconds <= 0:
        return Check("token", "ok", "the token does not end")
    renewed = token.get("renewable") is True
    then = "is renewed" if renewed else "a new login follows" if again else "cannot be renewed"
    found = f"the token is good for {_span(seconds)}, and {then}"
    if seconds < SHORT and not (renewed or again):
        return Check("token", "warning", found, "give another one, or let the run log in by approle, cert or jwt_file")
    return Check("token", "ok", found)


def _role(client: Client, target: Target) -> Check:
    """Ask to sign an empty request: rights, role and issuer are looked at before the request is."""
    shown = f"role {target.role}" if target.role else f"mount {target.mount}"
    try:
        client.call("POST", target.path, {"csr": ""})
    except Refused as refused:
        if refused.status == 403:
            return _unpermitted(client, target, refused)
        if refused.status != 400:
            raise
        if "unknown role" in refused.said:
            raise no_role(target.role, target.mount) from None
        if "csr" not in refused.said:
            raise
        return Check("role", "ok", f"{shown} signs, and the login may have it sign")
    except Unavailable as error:
        raise target.missing_issuer(error) from None
    raise not_understood("answer to an empty request")


def _unpermitted(client: Client, target: Target, refused: Refused) -> Check:
    """Look at the rights: a policy that wants or forbids parameters refuses the empty request alone."""
    try:
        said = section(client.call("POST", "sys/capabilities-self", {"paths": [target.path]}), "data")
        rights = said.get(target.path)
    except Refused:
        rights = None
    if not isinstance(rights, list) or _MAY_SIGN.isdisjoint(map(str, rights)):
        raise refused
    found = f"the login may use {target.path}, but not with every parameter"
    return Check("role", "warning", found, "the first run shows whether it may with those that it sends")


def _span(seconds: int) -> str:
    """Return a time in the largest unit that it fills."""
    for unit, size in (("d", 86400), ("h", 3600), ("min", 60)):
        if seconds >= 2 * size:
            return f"{seconds // size} {unit}"
    return f"{seconds} s"
