# SPDX-FileCopyrightText: 2026 Keystead contributors
# SPDX-License-Identifier: GPL-3.0-or-later
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)

"""The revocation lists that certificates name, and the delta lists beside them: each fetched and read once."""

from __future__ import annotations

import contextlib
import datetime as dt
import typing as t

with contextlib.suppress(ImportError):
    from cryptography import x509
    from cryptography.hazmat.primitives.serialization import Encoding

from ..module_utils._core.pki import MALFORMED
from ..module_utils._core.ports import Good, Revoked, Unknown
from ._distribution_points import freshest, points
from ._revocation_list import RevocationList, read
from ._revocation_status import said

if t.TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Sequence

    from ._list_signers import ListSigners

    Fetch = Callable[[str], bytes | None]

MOST_PLACES = 4
MOST_DELTAS = 2


class PublishedLists:
    """Keeps what was fetched, and what could be read of it by whom its signers are."""

    def __init__(self) -> None:
        """Fetch nothing yet."""
        self._fetched: dict[str, bytes | None] = {}
        self._lists: dict[tuple[str, int], RevocationList | None] = {}

    def said(
        self, leaf: x509.Certificate, signers: ListSigners, fetch: Fetch
    ) -> tuple[Good | Revoked | Unknown, list[RevocationList]]:
        """Return what the lists say that a certificate names, and which of them do: often the first says all."""
        lists: list[RevocationList] = []
        for there in self._each(leaf, signers, fetch):
            lists += there
            status = said(leaf, lists)
            if not isinstance(status, Unknown):
                return status, lists
        return Unknown(), lists

    def all_said(
        self, leaf: x509.Certificate, signers: ListSigners, fetch: Fetch
    ) -> list[tuple[Good | Revoked | Unknown, list[RevocationList]]]:
        """Return what the lists of each place say by themselves, and what all of them do: copies may lag behind."""
        each = list(self._each(leaf, signers, fetch))
        return [(said(leaf, lists), lists) for lists in (*each, [one for lists in each for one in lists])]

    def _each(self, leaf: x509.Certificate, signers: ListSigners, fetch: Fetch) -> Iterator[list[RevocationList]]:
        """Yield what is at each place that a certificate names: a list, and the delta lists beside it."""
        for place in urls(points(leaf))[:MOST_PLACES]:
            found = self._list(place, signers, fetch)
            if found is not None:
                latest = urls([*freshest(leaf), *freshest(found.found)])[:MOST_DELTAS]
                deltas = (self._list(one, signers, fetch) for one in dict.fromkeys(latest))
                yield [found, *(one for one in deltas if one)]

    def forget(self) -> None:
        """Find out anew who signed what: somebody who did was revoked."""
        self._lists.clear()

    def _list(self, place: str, signers: ListSigners, fetch: Fetch) -> RevocationList | None:
        if place not in self._fetched:
            self._fetched[place] = _der(fetch(place))
        key = (place, id(signers))
        if key not in self._lists:  # to find out who signed a long one takes a while
            der = self._fetched[place]
            self._lists[key] = read(der, signers, dt.datetime.now(dt.UTC)) if der else None
        return self._lists[key]


def urls(names: Sequence[x509.GeneralName]) -> list[str]:
    """Return the places that can be asked by HTTP."""
    found = [str(name.value) for name in names if isinstance(name, x509.UniformResourceIdentifier)]
    return [url for url in found if url.lower().startswith(("http://", "https://")) and url.isprintable()]


def _der(found: bytes | None) -> bytes | None:
    """Return a list in DER: some publish PEM, which RFC 5280 (4.2.1.13) does not know."""
    if found is None or not found.startswith(b"-----BEGIN"):
        return found
    try:
        return x509.load_pem_x509_crl(found).public_bytes(Encoding.DER)
    except MALFORMED:
        return None
