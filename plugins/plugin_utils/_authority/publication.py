# SPDX-FileCopyrightText: 2026 Keystead contributors
# SPDX-License-Identifier: GPL-3.0-or-later
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)

"""What an authority publishes: where its list and its certificate are found, and how long a list lives.

Unlike all else about an authority, this may change while it lives: what it signed names what held then.
"""

from __future__ import annotations

import contextlib
import datetime as dt
import json
import re
import typing as t
from urllib.parse import SplitResult, urlsplit

with contextlib.suppress(ImportError):
    from cryptography import x509
    from cryptography.x509.oid import AuthorityInformationAccessOID

from ...module_utils._core.errors import Misconfigured
from ...module_utils._core.renewal import margin
from .._durations import LONGEST_LIFE, lifetime, renew_before, shown
from .about import damaged
from .files import read_if_there, write

if t.TYPE_CHECKING:
    from pathlib import Path

NAME = "publication.json"
_FORMAT = 1
_URL = re.compile(r"https?://[!-~]{1,2000}", re.ASCII)
_URLS = ("crl_url", "certificate_url")


class Publication(t.NamedTuple):
    """URLs (empty: none), the life of a list in seconds, and how long before its end it is made anew.

    The latter is `N%` of its life, or seconds as digits.
    """

    crl_url: str = ""
    certificate_url: str = ""
    crl_lifetime: int = 7 * 86400
    crl_renew_before: str = "50%"

    @property
    def life(self) -> dt.timedelta:
        """How long a list lives."""
        return dt.timedelta(seconds=self.crl_lifetime)

    @property
    def margin(self) -> dt.timedelta:
        """How long before its end a list is made anew."""
        return margin(self.crl_renew_before, self.life)

    def extensions(self) -> list[x509.ExtensionType]:
        """Return what every certificate that is signed says of it (RFC 5280, 4.2.1.13 and 4.2.2.1)."""
        found: list[x509.ExtensionType] = []
        if self.crl_url:
            place = x509.DistributionPoint([x509.UniformResourceIdentifier(self.crl_url)], None, None, None)
            found.append(x509.CRLDistributionPoints([place]))
        if self.certificate_url:
            url = x509.UniformResourceIdentifier(self.certificate_url)
            found.append(x509.AuthorityInformationAccess(
                [x509.AccessDescription(AuthorityInformationAccessOID.CA_ISSUERS, url)]
            ))  # fmt: skip
        return found

    def described(self) -> dict[str, str]:
        """Return all of it in the words of the options."""
        before = self.crl_renew_before
        return {
            **{url: getattr(self, url) or "none" for url in _URLS},
            "crl_lifetime": shown(self.crl_lifetime),
            "crl_renew_before": before if before.endswith("%") else shown(int(before)),
        }


def said(options: t.Mapping[str, t.Any]) -> dict[str, t.Any]:
    """Return what a task says of it, as fields of Publication; what it leaves out stays. Raises Misconfigured."""
    fields: dict[str, t.Any] = {url: _url(url, options[url]) for url in _URLS if options[url] is not None}
    with _option("crl_lifetime"):
        if options["crl_lifetime"] is not None:
            fields["crl_lifetime"] = lifetime(options["crl_lifetime"])
    with _option("crl_renew_before"):
        if options["crl_renew_before"] is not None:
            fields["crl_renew_before"] = renew_before(options["crl_renew_before"], LONGEST_LIFE)
    return fields


def merged(found: Publication, fields: t.Mapping[str, t.Any]) -> Publication:
    """Return what an authority has with what a task says in its place. Raises Misconfigured where they do not fit."""
    wanted = found._replace(**fields)
    if wanted.margin >= wanted.life:
        words = wanted.described()
        raise Misconfigured(
            f"certificate_authority: option crl_renew_before: {words['crl_renew_before']} leaves no time in a "
            f"crl_lifetime of {words['crl_lifetime']}; write a shorter one, or 50%"
        )
    return wanted


def differences(found: Publication, wanted: Publication) -> list[str]:
    """Return in what an authority differs from what is declared, one sentence for each option."""
    before, after = found.described(), wanted.described()
    return [f"{name} is {before[name]}, declared is {value}" for name, value in after.items() if value != before[name]]


def keep(place: Path, publication: Publication) -> None:
    """Write it down in the directory of an authority."""
    write(place / NAME, json.dumps({"format": _FORMAT, **publication._asdict()}).encode() + b"\n")


def kept(place: Path) -> Publication:
    """Return what is written down in the directory of an authority; older releases wrote nothing."""
    content = read_if_there(place / NAME)
    if content is None:
        return Publication()
    try:
        record = json.loads(content)
        found = Publication(**{name: record[name] for name in Publication._fields})
        if record["format"] == _FORMAT and _is_sound(found):
            return found
    except (ValueError, KeyError, TypeError, RecursionError):
        pass
    raise damaged(place / NAME)


def _is_sound(found: Publication) -> bool:
    urls = [getattr(found, url) for url in _URLS]
    if not all(isinstance(url, str) and (not url or _URL.fullmatch(url)) for url in urls):
        return False
    if not isinstance(found.crl_lifetime, int) or not 0 < found.crl_lifetime <= LONGEST_LIFE:
        return False
    before = found.crl_renew_before
    return bool(re.fullmatch(r"[1-9]\d?%|[1-9]\d{0,11}", before, re.ASCII)) and found.margin < found.life


def _url(option: str, text: str) -> str:
    with contextlib.suppress(ValueError):
        if not text or (_URL.fullmatch(text) and _is_anybodys(urlsplit(text))):
            return text
    raise Misconfigured(
        f"certificate_authority: option {option}: {_shown(text)!r:.200} is not an http URL of ASCII characters without "
        "a user and a fragment; write for example http://pki.example.org/issuing.crl"
    )


def _is_anybodys(parts: SplitResult) -> bool:
    """Say whether a URL leads every reader to the same place; raises ValueError for a port that there cannot be."""
    return bool(parts.hostname) and parts.port != 0 and not parts.fragment and "@" not in parts.netloc


def _shown(text: str) -> str:
    """Return a URL without the user and the password that may stand in it."""
    return re.sub("//[^/]*@", "//...@", text)


@contextlib.contextmanager
def _option(name: str) -> t.Iterator[None]:
    try:
        yield
    except Misconfigured as error:
        raise Misconfigured(f"certificate_authority: option {name}: {error}") from None
