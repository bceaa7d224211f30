# SPDX-FileCopyrightText: 2026 Keystead contributors
# SPDX-License-Identifier: GPL-3.0-or-later
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)

"""dns-01 by dynamic updates (RFC 2136), signed by TSIG (RFC 8945)."""

from __future__ import annotations

import re
import socket
import sys
import typing as t

from ...module_utils._core.errors import Denied, Misconfigured, Unavailable
from .._secrets import credential, given
from .address import WHO

if t.TYPE_CHECKING:
    from .dns import Record

SECONDS = 10.0
_BASE64 = re.compile(r"[A-Za-z0-9+/]+={0,2}", re.ASCII)
Options = t.Mapping[str, t.Any]


class Update:
    """Speaks to the primary server of the zones. Nothing is imported before it is made."""

    def __init__(self, options: Options, option: str) -> None:
        """Read who may update, and where. Raises Misconfigured."""
        self._options, self._option = options, option
        try:
            import dns.name
            import dns.tsig
        except ImportError:
            raise Misconfigured(
                f"{WHO}: {sys.executable} lacks dnspython; run: {sys.executable} -m pip install dnspython"
            ) from None
        name, secret = options["key_name"], self._secret()
        try:
            keyname = dns.name.from_text(name)
            self._key = dns.tsig.Key(keyname, secret, dns.name.from_text(options["key_algorithm"]))
            self._zone = dns.name.from_text(options["zone"]) if options.get("zone") else None
        except Exception:  # noqa: BLE001 - whatever it raises could hold the secret
            raise Misconfigured(
                f"{option}: key_name, key_secret or zone has another form; write them as BIND does"
            ) from None

    def present(self, record: Record) -> None:
        """Put a record there, beside others of its name."""
        self._change(record, lambda update, name, data: update.add(name, data))

    def cleanup(self, record: Record) -> None:
        """Take this record away, and no other of its name."""
        self._change(record, lambda update, name, data: update.delete(name, data))

    def _secret(self) -> str:
        names = ("key_secret", "key_secret_file")
        secret = credential(self._options, str(given(self._options, names, self._option)), self._option)
        if not _BASE64.fullmatch(secret):
            raise Misconfigured(f"{self._option}.key_secret is not base64; write it as BIND's tsig-keygen does")
        return secret

    def _change(self, record: Record, work: t.Callable[[t.Any, t.Any, t.Any], object]) -> None:
        import dns.exception
        import dns.name
        import dns.rcode
        import dns.rdataset
        import dns.tsig
        import dns.update

        try:
            name = dns.name.from_text(record.name)
            zone = self._zone or self._zone_of(name)
            update = dns.update.UpdateMessage(zone)
            update.use_tsig(self._key)
            work(update, name, dns.rdataset.from_text("IN", "TXT", self._options["ttl"], f'"{record.value}"'))
            rcode = self._asked(update).rcode()
        except dns.tsig.PeerError as error:
            told = {"BadKey": "does not know the key", "BadSignature": "does not accept the signature"}
            why = told.get(type(error).__name__.removeprefix("Peer"), "refuses the signature")
            raise Denied(f"{WHO}: {self._where()} {why}; correct key_name, key_secret and key_algorithm") from None
        except (dns.exception.DNSException, OSError, EOFError) as error:
            raise Unavailable(
                f"{WHO}: {self._where()} did not answer an update of {record.name} ({type(error).__name__}); "
                "run again, or correct server and port"
            ) from None
        if rcode != dns.rcode.NOERROR:
            said = dns.rcode.to_text(rcode)
            raise Denied(f"{WHO}: {self._where()} refuses to change {record.name} ({said}); permit it, or correct zone")

    def _asked(self, message: t.Any) -> t.Any:
        import dns.query

        found = socket.getaddrinfo(self._options["server"], self._options["port"], type=socket.SOCK_STREAM)
        return dns.query.tcp(message, str(found[0][4][0]), timeout=SECONDS, port=self._options["port"])

    def _zone_of(self, name: t.Any) -> t.Any:
        """Return the zone that a name is in: the first one above it with a SOA record at this server."""
        import dns.message
        import dns.name
        import dns.rdatatype

        while name != dns.name.root:
            answer = self._asked(dns.message.make_query(name, dns.rdatatype.SOA))
            found = [one for one in (*answer.answer, *answer.authority) if one.rdtype == dns.rdatatype.SOA]
            if found:
                return found[0].name
            name = name.parent()
        raise Denied(f"{WHO}: {self._where()} has no zone for a name; write issuer.acme.challenge.dns_01.rfc2136.zone")

    def _where(self) -> str:
        return f"the name server {self._options['server']}"
