# SPDX-FileCopyrightText: 2026 Keystead contributors
# SPDX-License-Identifier: GPL-3.0-or-later
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)

"""dns-01 by dynamic updates (RFC 2136), signed by TSIG (RFC 8945)."""

from __future__ import annotations

import socket
import sys
import typing as t

from ...module_utils._core.errors import Denied, Misconfigured, Unavailable
from .._secrets import credential, given
from .address import WHO
from .dns_options import SECRETS, check_secret

if t.TYPE_CHECKING:
    from .dns import Record

SECONDS = 10.0
Options = t.Mapping[str, t.Any]


class Update:
    """Speaks to the primary server of the zones. Nothing is imported before it is made."""

    at_once = 1

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

    def look(self) -> str:
        """Ask the server for its zone, or anything; say what was found. Raises KeysteadError."""
        import dns.name
        import dns.rdatatype

        found = self._with_server("a question", lambda: self._soa(self._zone or dns.name.root))
        if self._zone is None:
            return f"{self._where()} answers"
        if not any(one.rdtype == dns.rdatatype.SOA and one.name == self._zone for one in found.answer):
            raise Denied(f"{WHO}: {self._where()} does not have the zone {self._zone}; correct {self._option}.zone")
        return f"{self._where()} has the zone {self._zone}"

    def _secret(self) -> str:
        name = str(given(self._options, SECRETS, self._option))
        secret = credential(self._options, name, self._option)
        check_secret(secret, f"{self._option}.{name}")
        return secret

    def _change(self, record: Record, work: t.Callable[[t.Any, t.Any, t.Any], object]) -> None:
        import dns.name
        import dns.rcode
        import dns.rdataset
        import dns.update

        def change() -> t.Any:
            name = dns.name.from_text(record.name)
            update = dns.update.UpdateMessage(self._zone or self._zone_of(name))
            update.use_tsig(self._key)
            work(update, name, dns.rdataset.from_text("IN", "TXT", self._options["ttl"], f'"{record.value}"'))
            return self._asked(update).rcode()

        rcode = self._with_server(f"an update of {record.name}", change)
        if rcode != dns.rcode.NOERROR:
            said = dns.rcode.to_text(rcode)
            raise Denied(f"{WHO}: {self._where()} refuses to change {record.name} ({said}); permit it, or correct zone")

    def _with_server(self, what: str, work: t.Callable[[], t.Any]) -> t.Any:
        import dns.exception
        import dns.tsig

        try:
            return work()
        except dns.tsig.PeerError as error:
            told = {"BadKey": "does not know the key", "BadSignature": "does not accept the signature"}
            why = told.get(type(error).__name__.removeprefix("Peer"), "refuses the signature")
            raise Denied(f"{WHO}: {self._where()} {why}; correct key_name, key_secret and key_algorithm") from None
        except (dns.exception.DNSException, OSError, EOFError, UnicodeError) as error:
            raise Unavailable(
                f"{WHO}: {self._where()} did not answer {what} ({type(error).__name__}); "
                "run again, or correct server and port"
            ) from None

    def _asked(self, message: t.Any) -> t.Any:
        import dns.query

        found = socket.getaddrinfo(self._options["server"], self._options["port"], type=socket.SOCK_STREAM)
        return dns.query.tcp(message, str(found[0][4][0]), timeout=SECONDS, port=self._options["port"])

    def _zone_of(self, name: t.Any) -> t.Any:
        """Return the zone that a name is in: the first one above it with a SOA record at this server."""
        import dns.name
        import dns.rdatatype

        while name != dns.name.root:
            answer = self._soa(name)
            found = [one for one in (*answer.answer, *answer.authority) if one.rdtype == dns.rdatatype.SOA]
            if found:
                return found[0].name
            name = name.parent()
        raise Denied(f"{WHO}: {self._where()} has no zone for a name; write issuer.acme.challenge.dns_01.rfc2136.zone")

    def _soa(self, name: t.Any) -> t.Any:
        import dns.message
        import dns.rdatatype

        return self._asked(dns.message.make_query(name, dns.rdatatype.SOA))

    def _where(self) -> str:
        return f"the name server {self._options['server']}"
