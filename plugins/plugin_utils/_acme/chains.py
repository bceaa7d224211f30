# SPDX-FileCopyrightText: 2026 Keystead contributors
# SPDX-License-Identifier: GPL-3.0-or-later
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)

"""What a server hands out for an order: the certificate, its chain, the other chains, and which of them is taken."""

from __future__ import annotations

import contextlib
import typing as t

with contextlib.suppress(ImportError):
    from cryptography import x509
    from cryptography.hazmat.primitives.serialization import Encoding
    from cryptography.x509.oid import NameOID

from ...module_utils._core.errors import KeysteadError, printable
from ...module_utils._core.pki import MALFORMED
from .._chains import Above
from .._path import signed_by
from .errors import not_understood

if t.TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from ...module_utils._core.model import Generation
    from .errors import Answer

MOST_CHAINS = 8
_NO_CHAIN = "chain"
Chain = t.List["x509.Certificate"]  # noqa: UP006 - evaluated without cryptography


class Chains:
    """Chooses among chains: the preferred root first, then those that end at a trusted one, then the server's own."""

    def __init__(
        self, roots: Callable[[], tuple[bytes, ...]], preferred: str | None, advise: Callable[[str], None]
    ) -> None:
        """Keep the trust anchors (DER), and the common name of the root that is preferred."""
        self._roots, self._preferred, self._advise = roots, preferred, advise
        self._anchors: list[x509.Certificate] | None = None
        self.astray: dict[int, str] = {}  # serial numbers of leaves that lead to no anchor, and to whom they do

    def generation(self, answer: Answer, read: Callable[[str], Answer], issuer_id: str) -> Generation:
        """Return the generation of a downloaded chain; `read` gets another one. Raises Unavailable for what is none."""
        try:
            leaf, *chain = self._chosen(answer, read)
            return self._generation(leaf, chain, issuer_id)
        except MALFORMED:
            raise not_understood("certificate") from None

    def _chosen(self, answer: Answer, read: Callable[[str], Answer]) -> Chain:
        first = _certificates(answer)
        if self._rank(first) == 0:
            return first
        others = [self._other(url, read) for url in alternates(answer)[:MOST_CHAINS]]
        fitting = [one for one in others if one and one[0] == first[0]]
        chosen = min([first, *fitting], key=self._rank)
        if self._preferred and not self._is_preferred(chosen):
            self._advise(f"acme: it has no chain to {self._preferred} (preferred_chain); another one was taken")
        return chosen

    def _other(self, url: str, read: Callable[[str], Answer]) -> Chain:
        """Return another chain; empty where it cannot be had, for the first one is there."""
        try:
            return _certificates(read(url))
        except KeysteadError as error:
            why = str(error)
        except MALFORMED:
            why = "acme: another chain cannot be understood"
        self._advise(f"{why.partition(';')[0]}; its other chains were looked at without it")
        return []

    def _rank(self, chain: Chain) -> int:
        reaches = self._anchor(chain) is not None
        preferred = self._preferred is None or self._is_preferred(chain)
        return (0 if reaches else 2) + (0 if preferred else 1)

    def _is_preferred(self, chain: Chain) -> bool:
        """Tell whether the root above a chain has the preferred common name: the root itself need not be in it."""
        names = chain[-1].issuer.get_attributes_for_oid(NameOID.COMMON_NAME)
        return any(str(name.value) == self._preferred for name in names)

    def _anchor(self, chain: Chain) -> x509.Certificate | None:
        if self._anchors is None:
            self._anchors = [x509.load_der_x509_certificate(root) for root in self._roots()]
        named = (root for root in self._anchors if root.subject == chain[-1].issuer or root == chain[-1])
        return next((root for root in named if root == chain[-1] or signed_by(chain[-1], root)), None)

    def _generation(self, leaf: x509.Certificate, chain: Chain, issuer_id: str) -> Generation:
        anchor = self._anchor([leaf, *chain])
        if anchor is None:
            self.astray[leaf.serial_number] = printable([leaf, *chain][-1].issuer.rfc4514_string()[:200])
        if chain and chain[-1] == anchor:
            chain = chain[:-1]
        above = b"".join(one.public_bytes(Encoding.PEM) for one in chain)
        roots = b"" if anchor is None else anchor.public_bytes(Encoding.PEM)
        return Above(above, roots).generation(leaf, issuer_id)


def _certificates(answer: Answer) -> Chain:
    found = x509.load_pem_x509_certificates(answer.content)
    if not found:
        raise ValueError(_NO_CHAIN)
    return found


def alternates(answer: Answer) -> list[str]:
    """Return the URLs of the other chains (RFC 8555, 7.4.2), in the server's order."""
    from requests.utils import parse_header_links

    links: Sequence[t.Mapping[str, str]] = parse_header_links(str(answer.headers.get("Link", "")))
    return [link["url"] for link in links if link.get("rel") == "alternate" and "url" in link]
