# SPDX-FileCopyrightText: 2026 Keystead contributors
# SPDX-License-Identifier: GPL-3.0-or-later
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)

"""One service of AWS by boto3: its conventions for credentials, roles, regions and endpoints, one deadline a call."""

from __future__ import annotations

import functools
import ipaddress
import os
import threading
import typing as t
from urllib.parse import urlsplit

from ...module_utils._core.errors import Misconfigured
from .._deadline import Worker
from .._durations import seconds
from .errors import Place, Silent, failure, not_understood

Json = dict[str, t.Any]
CONNECTS_WITHIN = 10.0  # seconds, of each try
LARGEST = 64 * 1024 * 1024  # bytes of an object
_UNREADABLE = (AttributeError, KeyError, LookupError, RecursionError, TypeError)
_MADE: dict[tuple[t.Any, ...], t.Any] = {}
_MAKING = threading.Lock()
_TOLD: dict[int, list[Exception]] = {}  # by thread: what was answered to the tries of its call


class Client:
    """Calls `service`, as boto3 and IAM policies call it, for `who`, the backend that begins each error.

    `options` are the backend's: `region`, which may be missing, and `timeout`, in seconds or as `30s`. Nothing is read,
    imported or connected before the first call; what boto3 makes is shared by all of the process.
    """

    def __init__(self, who: str, service: str, options: t.Mapping[str, t.Any]) -> None:
        """Keep whom to call. Raises Misconfigured."""
        self._place = Place(who, service, options.get("region") or None)
        self.timeout = _timeout(options.get("timeout", "30s"), who)
        self._worker = Worker()

    def call(self, operation: str, **parameters: t.Any) -> Json:
        """Return the answer to an operation by its name in the API, for example `DescribeKey`.

        Raises Refused with AWS's code where the service said no, and other KeysteadErrors.
        """
        theirs = imported(self._place.who)
        told: list[Exception] = []

        def asked() -> Json:
            from botocore import xform_name

            _TOLD[threading.get_ident()] = told
            method = getattr(_client(self._place, self.timeout), xform_name(operation))
            try:
                answer: Json = method(**parameters)
            except theirs:
                raise
            except _UNREADABLE:  # what boto3's parser stumbles over is nothing that AWS says
                raise not_understood(self._place, operation) from None
            return _whole(answer)

        try:
            return self._worker.within(self.timeout, asked)
        except TimeoutError:
            if told:  # it answered, and boto3 was about to try again
                raise failure(told[-1], self._place, operation, _secrets(parameters)) or told[-1] from None
            said = f"{self._place.service} did not answer {operation} within {self.timeout:g}s (option timeout)"
            raise Silent(f"{self._place.who}: {said}; run again later") from None
        except theirs as error:
            raise failure(error, self._place, operation, _secrets(parameters)) or error from None

    @property
    def region(self) -> str:
        """The region that is asked, by the options or by boto3's conventions."""
        theirs = imported(self._place.who)
        try:
            region: str = _client(self._place, self.timeout).meta.region_name
        except theirs as error:
            raise failure(error, self._place) or error from None
        return region

    def region_of(self, said: str) -> str | None:
        """Return a region that is said, or else the one of the configuration of the controller."""
        if said:
            return said
        theirs = imported(self._place.who)
        try:
            import botocore.session

            return botocore.session.get_session().get_config_variable("region") or None
        except theirs as error:
            raise failure(error, self._place) or error from None

    def knows(self, shape: str, value: str) -> bool:
        """Tell whether the installed botocore has a value in an enumeration of the service, for example `KeySpec`."""
        theirs = imported(self._place.who)
        try:
            model = _client(self._place, self.timeout).meta.service_model
        except theirs as error:
            raise failure(error, self._place) or error from None
        return value in model.shape_for(shape).enum


def _whole(answer: Json) -> Json:
    """Read what is sent as a stream, while the deadline holds."""
    body: t.Any = answer.get("Body")
    return {**answer, "Body": body.read(LARGEST)} if hasattr(body, "read") else answer


def imported(who: str) -> tuple[type[Exception], ...]:
    """Import boto3, outside of every deadline, and return what it raises. Raises Misconfigured where it is missing."""
    try:
        import boto3  # noqa: F401 - it takes long
        from botocore.exceptions import BotoCoreError, ClientError
    except ImportError:
        raise Misconfigured(
            f"{who}: boto3 is missing on the controller; install it for the Python of ansible-core: pip install boto3"
        ) from None
    return BotoCoreError, ClientError, OSError, ValueError


def _timeout(value: t.Any, who: str) -> float:
    timeout = seconds(value) if isinstance(value, str) else float(value)
    if timeout <= 0:
        raise Misconfigured(f"{who}: option timeout: 0s is no time; write for example 30s")
    return timeout


def _client(place: Place, timeout: float) -> t.Any:
    """Return the client of this process. What boto3 reads from the environment belongs to what it is made of."""
    said = tuple(sorted(one for one in os.environ.items() if one[0].startswith("AWS_")))
    key = (os.getpid(), place.service, place.region, timeout, said)
    with _MAKING:  # making one is not safe in threads, using one is
        if key not in _MADE:
            _MADE[key] = _made(place, timeout)
        return _MADE[key]


def _made(place: Place, timeout: float) -> t.Any:
    import boto3
    import botocore.session
    from botocore.config import Config

    session = botocore.session.get_session()
    session.register_component("data_loader", _loader(session.get_config_variable("data_path")))
    _check_bundle(session.get_config_variable("ca_bundle"), os.environ.get("REQUESTS_CA_BUNDLE"), place.who)

    def checked(request: t.Any, **_said: t.Any) -> None:
        _refuse_plain(request.url, place.who)

    session.register("before-send", checked)
    session.register("response-received", _keep)
    limits = Config(connect_timeout=min(timeout, CONNECTS_WITHIN), read_timeout=timeout, retries={"mode": "standard"})
    return boto3.session.Session(botocore_session=session).client(
        place.service, region_name=place.region, config=limits
    )


@functools.cache
def _loader(path: str | None) -> t.Any:
    """Return what reads the descriptions of services: they are large, and the same for every client."""
    from botocore.loaders import create_loader

    return create_loader(path)


def _keep(parsed_response: t.Any = None, **said: t.Any) -> None:
    """Keep an answer that is an error: boto3 may not come to say it."""
    from botocore.exceptions import ClientError

    if isinstance(parsed_response, dict) and parsed_response.get("Error"):
        operation = str(said.get("event_name", "")).rpartition(".")[2]
        _TOLD.get(threading.get_ident(), []).append(ClientError(parsed_response, operation))


def _check_bundle(named: str | None, further: str | None, who: str) -> None:
    """Raise Misconfigured for an empty name of a bundle, by which a boto3 of 2025 verifies nothing, or a wrong one."""
    if any(one is not None and not one.strip() for one in (named, further)):
        raise Misconfigured(
            f"{who}: AWS_CA_BUNDLE, REQUESTS_CA_BUNDLE or ca_bundle of the profile is there and empty, which could "
            "mean that no TLS certificate is verified; remove it, or let it name a file of PEM certificates"
        )
    bundle = named or further
    if bundle and not os.access(bundle, os.R_OK):
        raise Misconfigured(f"{who}: AWS_CA_BUNDLE names {bundle}, which cannot be read; correct it")


def _refuse_plain(url: str, who: str) -> None:
    """Raise Misconfigured for a request over http that would leave this machine."""
    parts = urlsplit(url)
    host = parts.hostname or ""
    if parts.scheme == "https" or host == "localhost":
        return
    try:
        local = ipaddress.ip_address(host).is_loopback
    except ValueError:
        local = False
    if not local:
        raise Misconfigured(
            f"{who}: the endpoint {parts.scheme}://{host} is not safe; write https in AWS_ENDPOINT_URL, or in "
            "endpoint_url of the profile (http is only spoken to this machine itself, 127.0.0.1)"
        )


def _secrets(parameters: t.Mapping[str, t.Any]) -> tuple[str, ...]:
    """Return what no error may repeat: private parameters, and the credentials of the environment."""
    found = [parameters.get(name) for name in ("PrivateKey", "SecretBinary", "SecretString")]
    found += [os.environ.get(name) for name in ("AWS_SECRET_ACCESS_KEY", "AWS_SESSION_TOKEN")]
    return tuple(one.decode(errors="replace") if isinstance(one, bytes) else str(one) for one in found if one)
