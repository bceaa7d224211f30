# SPDX-FileCopyrightText: 2026 Keystead contributors
# SPDX-License-Identifier: GPL-3.0-or-later
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)

"""What a task says about the files of an identity and about the service that uses them, checked before a host is asked.

Every function takes validated options and raises Misconfigured, whose message begins with the option.
"""

from __future__ import annotations

import re
import typing as t

from ..module_utils._core.errors import Misconfigured
from ..module_utils._core.model import PARTS_OF, Activation, Adopt, Files, Link, Proof
from ._durations import seconds
from ._names import dns_name
from ._paths import absolute

if t.TYPE_CHECKING:
    from ..module_utils._core.key import Key

_OF_A_FILE = ("private_key", "combined")
_KEY_MODES = ("0400", "0440", "0600", "0640")
_PUBLIC_MODES = (*_KEY_MODES, "0444", "0644")
_MODE = re.compile(r"0?[0-7]{3}", re.ASCII)
_UNIT = re.compile(r"[A-Za-z0-9:_.\\@][A-Za-z0-9:_.\\@-]{0,254}", re.ASCII)
_OF_A_HANDSHAKE = ("server_name", "starttls", "client_auth")
_SHOWS_A_CLIENT = ("tls_client", "tls_peer")
LONGEST_PROOF = 3600
_TEMPLATE = "Ansible fills in no keys, write links: \"{{ {directory ~ '/web.pem': 'fullchain'} }}\"; "

Options = t.Mapping[str, t.Any]


def text(options: Options, option: str, longest: int = 255) -> str | None:
    """Return a text that fits on one line, or None."""
    value: str | None = options[option]
    if value is not None and not (1 <= len(value) <= longest and value.isprintable()):
        raise Misconfigured(f"{option}: {value[:60]!r} is not 1 to {longest} printable characters; write a line")
    return value


def outside_store(path: str, store: str) -> str:
    """Return a path that is neither in the store nor above it."""
    if path == store or path.startswith(f"{store}/") or store.startswith(f"{path}/"):
        raise Misconfigured(f"{path!r} is in the way of the store {store!r}; write a path elsewhere")
    return path


def files(options: Options, store: str, key: Key, kind: str = "x509") -> Files:
    """Return how the parts stand in the file system."""
    return Files(
        owner=text(options, "owner"),
        group=text(options, "group"),
        mode=key_mode(options["mode"]),
        links=tuple(_link(path, part, store, (key, kind)) for path, part in (options["links"] or {}).items()),
        replace_files=options["replace_files"],
    )


def lacking_parts(custody: str, *, token: bool) -> tuple[str, ...]:
    """Return the parts that a generation lacks whose key lives there; `token` tells that it is one of the host."""
    if custody == "file":
        return ("key_uri",)
    return _OF_A_FILE if token else (*_OF_A_FILE, "nginx_tls")


def adoption(options: Options | None, state: str, key: Key) -> Adopt | None:
    """Return which pair of the host is to be adopted or observed; of one that is to go, none is looked at."""
    if options is None or state not in ("present", "observed"):
        return None
    for option in ("certificate", "private_key", "chain"):
        if options[option] is not None:
            if "-----" in options[option]:  # not shown: it may be a key
                raise Misconfigured(f"adopt.{option}: it is no path but PEM; write the path of a file on the host")
            try:
                absolute(options[option])
            except Misconfigured as error:
                raise Misconfigured(f"adopt.{option}: {error}") from None
    if state == "present" and options["private_key"] is None:
        raise Misconfigured(
            "adopt.private_key: without the key nothing can be adopted; write its path, or say state: observed"
        )
    if key.custody != "file":
        raise Misconfigured(f"adopt: custody {key.custody} takes no key out of a file; write custody {{file: {{}}}}")
    if key.comes_down and state == "present":
        raise Misconfigured(
            "adopt: its key was made elsewhere, and key.origin: controller makes another; leave that out until it is "
            "adopted, and adopt from then on"
        )
    return Adopt(options["certificate"], options["private_key"], options["chain"], options["replace"])


def activation(options: Options | None) -> Activation | None:
    """Return how the consumer is told."""
    if options is None:
        return None
    _exactly_one(options, "activate", "unit", "command")
    unit = options["unit"]
    if unit is not None and not _UNIT.fullmatch(unit):
        raise Misconfigured(f"activate.unit: {unit[:60]!r} is not a systemd unit; write it as nginx.service")
    return Activation(
        unit=unit,
        command=_command(options, "activate", "command"),
        only_if=_command(options, "activate", "only_if"),
    )


def proof(options: Options | None, profile: str, custody: str) -> Proof | None:
    """Return how the consumer is asked."""
    if options is None:
        return None
    if options["client_auth"] and custody != "file":
        raise Misconfigured(f"prove.client_auth: custody {custody} has no key for a handshake of ours; write command")
    _exactly_one(options, "prove", "port", "command")
    _check_handshake(options, profile)
    return Proof(
        host=_host(options),
        port=options["port"],
        server_name=_server_name(options["server_name"]),
        starttls=options["starttls"],
        client_auth=options["client_auth"],
        command=_command(options, "prove", "command"),
        timeout=float(_timeout(options["timeout"])),
        when=options["when"],
    )


def _octal(mode: t.Any) -> str:
    if not isinstance(mode, str):
        raise Misconfigured(f'mode: {mode!r:.60} was read by YAML as a number; quote it: "0640"')
    if not _MODE.fullmatch(mode):
        raise Misconfigured(f'mode: {mode!r:.60} is not an octal mode; write "0600" or "0640"')
    return mode.zfill(4)


def public_mode(mode: t.Any) -> str:
    """Return the mode of a file without a private key."""
    padded = _octal(mode)
    if padded not in _PUBLIC_MODES:
        raise Misconfigured(f'mode: "{padded}" is no mode for such a file; write one of {", ".join(_PUBLIC_MODES)}')
    return padded


def key_mode(mode: t.Any) -> str:
    """Return the mode of a file with a private key."""
    padded = _octal(mode)
    if padded[3] != "0":
        raise Misconfigured(f'mode: "{padded}" lets every user of the host at the private key; write "0600" or "0640"')
    if padded not in _KEY_MODES:
        raise Misconfigured(f'mode: "{padded}" is no mode for a private key; write one of {", ".join(_KEY_MODES)}')
    return padded


def _link(path: t.Any, part: t.Any, store: str, of: tuple[Key, str]) -> Link:
    key, kind = of
    try:
        absolute(str(path))
    except Misconfigured as error:
        raise Misconfigured(f"links: {_TEMPLATE if '{{' in str(path) else ''}{error}") from None
    try:
        outside_store(path, store)
    except Misconfigured as error:
        raise Misconfigured(f"links: {error}") from None
    lacking = lacking_parts(key.custody, token=key.token is not None)
    if part in lacking and part in PARTS_OF[kind]:
        instead = "private_key" if key.custody == "file" else "key_uri"
        raise Misconfigured(f"links[{path}]: custody {key.custody} has no {part}; write {instead}")
    if part not in PARTS_OF[kind]:
        known = ", ".join(known for known in PARTS_OF[kind] if known not in lacking)
        raise Misconfigured(f"links[{path}]: {part!r:.60} is not a part; write one of {known}")
    return Link(path, part)


def _exactly_one(options: Options, where: str, *names: str) -> None:
    found = [name for name in names if options[name] is not None]
    if len(found) != 1:
        shown = " and ".join(found) or "none"
        raise Misconfigured(f"{where}: exactly one of {' and '.join(names)} is needed, found {shown}")


def _command(options: Options, where: str, option: str) -> tuple[str, ...]:
    argv = options[option]
    if argv is None:
        return ()
    if not argv or not argv[0] or not all(len(word) <= 4096 and word.isprintable() for word in argv):
        raise Misconfigured(
            f"{where}.{option}: a list of a command and its arguments is needed, each of them on one line; "
            "write for example [systemctl, reload, nginx]"
        )
    return tuple(argv)


def _check_handshake(options: Options, profile: str) -> None:
    port = options["port"]
    extra = [name for name in _OF_A_HANDSHAKE if options[name]]
    if port is None and extra:
        raise Misconfigured(f"prove.{extra[0]}: it belongs to a handshake; leave it out, or write port for command")
    if port is not None and not 1 <= port <= 65535:
        raise Misconfigured(f"prove.port: {port} is not a TCP port; write 1 to 65535, for example 443")
    if options["client_auth"] and profile not in _SHOWS_A_CLIENT:
        raise Misconfigured(f"prove.client_auth: profile {profile} shows no client; write tls_peer or tls_client")


def _host(options: Options) -> str:
    host: str = options["host"]
    if not 1 <= len(host) <= 255 or not host.isprintable() or " " in host:
        raise Misconfigured(f"prove.host: {host[:60]!r} is not a host; write a name or an address")
    return host


def _server_name(server_name: str | None) -> str | None:
    if server_name is None:
        return None
    try:
        return dns_name(server_name)
    except Misconfigured as error:
        raise Misconfigured(f"prove.server_name: {error}") from None


def _timeout(value: str) -> int:
    try:
        timeout = seconds(value)
    except Misconfigured as error:
        raise Misconfigured(f"prove.timeout: {error}") from None
    if not 1 <= timeout <= LONGEST_PROOF:
        raise Misconfigured(f"prove.timeout: {value!r} is no useful limit; write one from 1s to 1h, for example 5s")
    return timeout
