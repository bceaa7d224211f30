# SPDX-FileCopyrightText: 2026 Keystead contributors
# SPDX-License-Identifier: GPL-3.0-or-later
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)

"""What an identity of a kind may say: the options that belong to others are refused, never accepted and ignored."""

from __future__ import annotations

import re
import typing as t

from ..module_utils._core.errors import Misconfigured
from ..module_utils._core.model import Identity, Subject
from ._issuers.registry import SIGN_FOR_SSH
from ._names import host_name, ip_address, subject

if t.TYPE_CHECKING:
    from ..module_utils._core.key import Key

Options = t.Mapping[str, t.Any]

SSH = "ssh_host"
MOST_PRINCIPALS = 256  # OpenSSH's SSHKEY_CERT_MAX_PRINCIPALS
MOST_BYTES = 8192  # of all of them, so that a certificate has its place among what crosses the wire
_NAMES = ("common_name", "dns_names", "ip_addresses", "uris", "email_addresses")
_WITH_PORT = re.compile(r"[^:]*:[0-9]*")
_OF_TLS = ("server_name", "starttls", "client_auth")


def names(options: Options) -> Subject:
    """Return whom an identity names. Raises Misconfigured that names the option."""
    if options["kind"] != SSH:
        if options["principals"]:
            raise Misconfigured("principals: they belong to kind ssh_host; write dns_names and ip_addresses")
        return subject(options)
    for option in _NAMES:
        if options[option]:
            raise Misconfigured(f"{option}: kind ssh_host has principals; write these names there")
    return _principals(options["principals"] or ())


def _principals(said: t.Sequence[str]) -> Subject:
    if len(said) > MOST_PRINCIPALS:
        raise Misconfigured(f"principals: {len(said)} are more than {MOST_PRINCIPALS}; declare fewer")
    if sum(len(one) + 4 for one in said) > MOST_BYTES:
        raise Misconfigured(f"principals: together they are longer than {MOST_BYTES} bytes; declare fewer")
    found: dict[str, list[str]] = {"dns_names": [], "ip_addresses": []}
    for one in said:
        try:
            option, value = _principal(one)
        except Misconfigured as error:
            raise Misconfigured(f"principals: {error}") from None
        found[option].append(value)
    plain = {option: tuple(dict.fromkeys(values)) for option, values in found.items()}
    return Subject(dns_names=plain["dns_names"], ip_addresses=plain["ip_addresses"])


def _principal(said: str) -> tuple[str, str]:
    """Return as what one is kept, an address or a name, and its canonical form. Raises Misconfigured."""
    if "://" in said:
        raise Misconfigured(f"{said[:80]!r} is a URL; write its host alone")
    if said.startswith("[") or _WITH_PORT.fullmatch(said):
        raise Misconfigured(
            f"{said[:80]!r} has a port or brackets, which no host certificate names; write the name or address alone"
        )
    if ":" in said or "/" in said or said.rpartition(".")[2].isdigit():
        return "ip_addresses", ip_address(said)
    return "dns_names", host_name(said)


def check_named(options: Options, named: Subject) -> None:
    """Refuse a credential that is to be there and names nobody. Raises Misconfigured."""
    if options["state"] != "present" or named.dns_names or named.ip_addresses or named.uris or named.email_addresses:
        return
    if options["kind"] == SSH:
        raise Misconfigured(
            "principals: a host certificate without any is good for every host; write the names that clients use"
        )
    raise Misconfigured(
        f"dns_names: profile {options['profile']} needs a name; write dns_names, ip_addresses, uris or email_addresses"
    )


def check_fits(options: Options, key: Key) -> None:
    """Refuse what a kind has nothing to do with. Raises Misconfigured."""
    if options["kind"] == SSH and options["adopt"]:
        raise Misconfigured("adopt: kind ssh_host takes over nothing that is on the host already; leave it out")
    if options["kind"] != SSH or options["state"] != "present":
        return
    if key.custody != "file":
        raise Misconfigured(f"key.custody: sshd reads its key from a file, not from {key.custody}; leave custody out")
    if key.type.startswith("ml-dsa-"):
        raise Misconfigured(f"key.type: OpenSSH has no {key.type} keys; write ed25519, ecdsa-p256 or rsa-3072")
    if options["profile"] != Identity("").profile:
        raise Misconfigured("profile: it belongs to kind x509; leave it out")
    if int(str(options["mode"]), 8) & 0o077:
        raise Misconfigured(f"mode: sshd ignores a key that others may read, as with {options['mode']}; write 0600")
    if options["publish"]:
        raise Misconfigured("publish: kind ssh_host has no copies in other places; leave it out, and use links")
    for option in _OF_TLS:
        if options["prove"] and options["prove"][option]:
            raise Misconfigured(f"prove.{option}: it belongs to TLS, and not to SSH; leave it out")


def check_signs(backend: str, kind: str) -> None:
    """Refuse an issuer that signs no credentials of a kind. Raises Misconfigured."""
    if (backend in SIGN_FOR_SSH) != (kind == SSH):
        able = " or ".join(SIGN_FOR_SSH) if kind == SSH else "another issuer"
        raise Misconfigured(f"issuer: {backend} signs nothing of kind {kind}; write {able}")
