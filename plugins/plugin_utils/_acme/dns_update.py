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
from .side_by_side import Part, by_name, each

if t.TYPE_CHECKING:
    from collections.abc import Sequence

    from .dns import Record
    from .side_by_side import Failed

SECONDS = 10.0
IN_ONE = 190  # records in one message: each has at most 255 + 10 + 1 + 43 bytes, and all have 65535
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

    def present(self, records: Sequence[Record]) -> Failed:
        """Put records there, beside others of their names."""
        return self._change(records, "add")

    def cleanup(self, records: Sequence[Record]) -> Failed:
        """Take these records away, and no others of their names."""
        return self._change(records, "delete")

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

    def _change(self, records: Sequence[Record], verb: str) -> Failed:
        """Change each zone by one message, or as few as hold all of it; zones side by side."""
        zones, failed = self._by_zone(records)
        lots = [
            [Part(tuple(same[start : start + IN_ONE]), zone) for start in range(0, len(same), IN_ONE)]
            for zone, same in zones.items()
        ]
        return {**failed, **each(lots, lambda part: self._update(part, verb))}

    def _by_zone(self, records: Sequence[Record]) -> tuple[dict[t.Any, list[Record]], Failed]:
        """Return records by their zones, and why the zone of some is not known."""
        import dns.name

        found: dict[str, t.Any] = {}

        def look(part: Part) -> Failed:
            name = part.records[0].name
            found[name] = self._with_server(f"a question for {name}", lambda: self._zone_of(dns.name.from_text(name)))
            return {}

        names = by_name(records)
        if self._zone is not None:
            found, failed = dict.fromkeys(names, self._zone), {}
        else:
            first, *others = [[Part(same)] for same in names.values()]
            failed = each([first], look)  # by itself: it tells whether anybody answers
            over = next((error for error in failed.values() if isinstance(error, Unavailable)), None)
            failed |= each(others, look) if over is None else dict.fromkeys(records, over)
        zones: dict[t.Any, list[Record]] = {}
        for one in records:
            if one.name in found:
                zones.setdefault(found[one.name], []).append(one)
        return zones, failed

    def _update(self, part: Part, verb: str) -> Failed:
        """Send one message. Where it is refused as a whole (RFC 2136, 3), find out for which names alone it is."""
        import dns.rcode

        names = by_name(part.records)
        what = f"an update of {next(iter(names))}" + (f" and {len(names) - 1} more" if len(names) > 1 else "")
        rcode = self._with_server(what, lambda: self._asked(self._message(part, verb)).rcode())
        if rcode == dns.rcode.NOERROR:
            return {}
        if len(names) > 1 and rcode not in {dns.rcode.NOTZONE, dns.rcode.NOTAUTH}:
            return each([[part._replace(records=same) for same in names.values()]], lambda one: self._update(one, verb))
        said = dns.rcode.to_text(rcode)
        told = f"{WHO}: {self._where()} refuses to change {{}} ({said}); permit it, or correct zone"
        return {one: Denied(told.format(one.name)) for one in part.records}

    def _message(self, part: Part, verb: str) -> t.Any:
        import dns.name
        import dns.rdataset
        import dns.update

        update = dns.update.UpdateMessage(part.zone)
        update.use_tsig(self._key)
        for one in part.records:
            data = dns.rdataset.from_text("IN", "TXT", self._options["ttl"], f'"{one.value}"')
            (update.add if verb == "add" else update.delete)(dns.name.from_text(one.name), data)
        return update

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
