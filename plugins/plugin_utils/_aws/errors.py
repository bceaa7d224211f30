# SPDX-FileCopyrightText: 2026 Keystead contributors
# SPDX-License-Identifier: GPL-3.0-or-later
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)

"""What AWS answers, or boto3 cannot do, as errors that say what to do next. They begin with the backend that asked."""

from __future__ import annotations

import re
import typing as t

from ...module_utils._core.errors import Denied, KeysteadError, Misconfigured, Unavailable, Unreached
from .._retry_after import retry_after

LONGEST = 300  # of what AWS says
_PREFIXES = {"resourcegroupstaggingapi": "tag"}  # what IAM calls a service that has another name in boto3
_ACCESS = ("AccessDenied", "AccessDeniedException", "NotAuthorized", "NotAuthorizedException", "UnauthorizedOperation")
_CREDENTIALS = (
    "ExpiredToken", "ExpiredTokenException", "IncompleteSignature", "InvalidAccessKeyId", "InvalidClientTokenId",
    "InvalidSignatureException", "MissingAuthenticationToken", "RequestExpired", "SignatureDoesNotMatch",
    "UnrecognizedClientException",
)  # fmt: skip
_THROTTLED = (
    "PriorRequestNotComplete", "RequestLimitExceeded", "RequestThrottled", "RequestThrottledException", "SlowDown",
    "Throttling", "ThrottlingException", "ThrottledException", "TooManyRequestsException",
)  # fmt: skip
LOOKED = (
    "AWS_ACCESS_KEY_ID and AWS_SECRET_ACCESS_KEY, the profile (AWS_PROFILE) in ~/.aws/credentials and ~/.aws/config, "
    "a web identity, and the role of the container or machine"
)


class Place(t.NamedTuple):
    """Who calls, which service, in which region; None where boto3's configuration says it."""

    who: str
    service: str
    region: str | None

    def permission(self, operation: str) -> str:
        """Return the action of an IAM policy that permits an operation."""
        return f"{_PREFIXES.get(self.service, self.service)}:{operation}"


class Silent(Unavailable):
    """It did not answer in time: whoever asks again waits as long again."""


class Throttled(Unavailable):
    """It was asked too often, or too much is asked of it: another try makes sense after `retry_after` seconds."""

    def __init__(self, message: str, retry_after: float) -> None:
        """Keep when that is."""
        super().__init__(message)
        self.retry_after = retry_after


class LoggedOut(Denied):
    """AWS does not know who asks, so no other call can go well either."""


class Refused(Denied):
    """The service understood the call and said no: AWS's `code`, and what it `said`."""

    def __init__(self, message: str, code: str, said: str) -> None:
        """Keep what the caller may know better words for."""
        super().__init__(message)
        self.code, self.said = code, said


def failure(
    error: Exception, place: Place, operation: str = "", secrets: t.Collection[str] = ()
) -> KeysteadError | None:
    """Return the error of what boto3 raised, None where it is not boto3's; `secrets` are not repeated."""
    from botocore.exceptions import BotoCoreError, ClientError

    if isinstance(error, KeysteadError):
        return error
    if isinstance(error, ClientError):
        return _answered(error, place, operation, secrets)
    if isinstance(error, BotoCoreError):
        return _unasked(error, place)
    if isinstance(error, OSError) and error.filename:
        named = f"{error.filename}, which the configuration of boto3 names, cannot be read ({error.strerror})"
        return Misconfigured(f"{place.who}: {named}; correct it")
    if isinstance(error, ValueError) and "endpoint" in str(error):
        return Misconfigured(f"{place.who}: AWS_ENDPOINT_URL is no URL; write for example https://aws.example.org")
    return None


def _answered(error: t.Any, place: Place, operation: str, secrets: t.Collection[str]) -> KeysteadError:
    who, action = place.who, place.permission(operation)
    told = error.response.get("Error", {})
    status = error.response.get("ResponseMetadata", {}).get("HTTPStatusCode", 0)
    code, said = str(told.get("Code", "")), " ".join(str(told.get("Message") or told.get("message") or "").split())
    if code in _CREDENTIALS:  # some of these repeat what was signed, a session's token included
        return LoggedOut(
            f"{who}: AWS does not accept the credentials that boto3 found ({_shown(code)}); renew or correct them, "
            f"and look at the clock here. boto3 looks at {LOOKED}"
        )
    hidden = said.startswith("<") or any(one in said for one in secrets)  # a page is nobody's sentence
    said, shown = "" if hidden else said[:LONGEST], _shown(code)
    if code in _ACCESS or status == 403:
        return Refused(f"{who}: access is denied to {action} ({said or shown}); permit this action", code, said)
    if code in _THROTTLED or status == 429:
        told = f"{who}: AWS throttles {action} ({shown}); run again later, or for fewer hosts at a time"
        return Throttled(told, retry_after(error.response.get("ResponseMetadata", {}).get("HTTPHeaders", {})))
    if 300 <= status < 400 or (status, code) == (404, "404"):  # AWS itself would name what it does not find
        told = f"redirected with status {status}, which is not followed" if status < 400 else "not found there"
        return Misconfigured(f"{who}: {action} is {told}; correct region or AWS_ENDPOINT_URL")
    return _failed(f"{who}: {action}", status, code, said)


def _failed(what: str, status: int, code: str, said: str) -> KeysteadError:
    if status >= 500 or not code:
        return Unavailable(f"{what} failed at AWS with status {status}; run again later")
    return Refused(f"{what} is refused ({f'{_shown(code)}: {said}' if said else _shown(code)})", code, said)


def _shown(code: str) -> str:
    return code.removesuffix("Exception")


def _unasked(error: Exception, place: Place) -> KeysteadError:
    """Return the error of what boto3 could not do; by the name of its class, since an older one lacks some of them."""
    who, names = place.who, [kind.__name__ for kind in type(error).__mro__]
    if "SSLError" in names and re.search("certificate|match", str(error), re.IGNORECASE):
        told = f"TLS with {_endpoint(error)} fails, its certificate is not one that is trusted here for this name"
        return Misconfigured(f"{who}: {told}; if it is the right server, name its authority in AWS_CA_BUNDLE")
    for name, (kind, told) in _UNASKED.items():
        if name in names:
            said = told.format(place=place, looked=LOOKED, region=repr(str(place.region))[:60], at=_endpoint(error))
            return kind(f"{who}: {said}")
    kind_of = type(error).__name__
    return Misconfigured(f"{who}: boto3 cannot call {place.service} ({kind_of}); look at its configuration")


def _endpoint(error: Exception) -> str:
    """Return where an error says that a request went, without what may be private in a URL."""
    from urllib.parse import urlsplit

    parts = urlsplit(str(getattr(error, "kwargs", {}).get("endpoint_url", "")))
    return f"{parts.scheme}://{parts.hostname or ''}" if parts.hostname else "the endpoint"


def not_understood(place: Place, operation: str) -> Unavailable:
    """Return the error of an answer that AWS would not give, so that nothing can follow from it."""
    told = f"the answer to {place.permission(operation)} cannot be understood"
    return Unavailable(f"{place.who}: {told}; run again, and look whether AWS_ENDPOINT_URL is right")


_RENEW = "log in again, or correct the profile"
_UNASKED: dict[str, tuple[type[KeysteadError], str]] = {
    "NoCredentialsError": (Misconfigured, "boto3 found no credentials; it looked at {looked}"),
    "PartialCredentialsError": (Misconfigured, "boto3 found half of the credentials; it looked at {looked}"),
    "NoRegionError": (Misconfigured, "no region is named; write option region, or set AWS_DEFAULT_REGION"),
    "InvalidRegionError": (Misconfigured, "region: {region} is no region; write for example eu-central-1"),
    "ProfileNotFound": (Misconfigured, "there is no such profile as AWS_PROFILE names in ~/.aws/config; correct it"),
    "ConfigParseError": (Misconfigured, "boto3 cannot read its configuration, ~/.aws/config; correct it"),
    "ConfigNotFound": (Misconfigured, "boto3 does not find the file that AWS_CONFIG_FILE names; correct it"),
    "CredentialRetrievalError": (Denied, f"boto3 did not get credentials from where its profile says; {_RENEW}"),
    "SSOError": (Denied, f"the login of the profile has ended, or never was; {_RENEW} (aws sso login)"),
    "LoginError": (Denied, f"the login of the profile has ended, or never was; {_RENEW} (aws login)"),
    "TokenRetrievalError": (Denied, f"boto3 got no token for its profile; {_RENEW}"),
    "SSLError": (
        Unavailable,
        "TLS with {at} fails; if this is the right server, name the authority of its certificate in AWS_CA_BUNDLE",
    ),
    "ProxyConnectionError": (Unreached, "the proxy of HTTPS_PROXY cannot be reached; correct it, or run again later"),
    "ConnectTimeoutError": (
        Unreached,
        "{at} does not accept a connection in time; run again later, or correct region or AWS_ENDPOINT_URL",
    ),
    "EndpointConnectionError": (
        Unreached,
        "{at} cannot be reached; run again later, or correct region or AWS_ENDPOINT_URL",
    ),
    "ReadTimeoutError": (Unavailable, "{at} did not answer in time (option timeout); run again later"),
    "ConnectionClosedError": (Unavailable, "{at} ended the call before its answer was complete; run again"),
    "HTTPClientError": (Unavailable, "{at} ended the call before its answer was complete; run again"),
    "ParamValidationError": (Misconfigured, "boto3 does not let {place.service} be told that; correct the options"),
    "UnknownServiceError": (
        Misconfigured,
        "the installed botocore does not know {place.service}; pip install --upgrade boto3",
    ),
}
