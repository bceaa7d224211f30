# SPDX-FileCopyrightText: 2026 Keystead contributors
# SPDX-License-Identifier: GPL-3.0-or-later
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)

"""Certificates of authorities as a task names them, and as a host has them."""

from __future__ import annotations

import contextlib
import typing as t

with contextlib.suppress(ImportError):
    from cryptography import x509

from ...module_utils._core import pki
from ...module_utils._core.errors import Misconfigured
from .reading import OPTION, certificates, content

if t.TYPE_CHECKING:
    from datetime import datetime

MOST = 2048  # in one bundle; as many again may be retained


class Anchor(t.NamedTuple):
    """A certificate that is trusted. Two are the same where their bytes are."""

    der: bytes
    fingerprint: str
    subject: str
    not_before: datetime
    not_after: datetime
    is_ca: bool

    @property
    def called(self) -> str:
        """What it is called in sentences."""
        return f"{self.subject or 'an authority without a name'} ({self.fingerprint[:16]})"

    @property
    def certificate(self) -> x509.Certificate:
        """The certificate, for its signature."""
        return x509.load_der_x509_certificate(self.der)

    def holds(self, now: datetime) -> bool:
        """Tell whether anybody can be verified by it now."""
        return self.not_before <= now < self.not_after

    def to_row(self) -> dict[str, t.Any]:
        """Return what the user sees of it."""
        ends = f"{self.not_after.isoformat()[:19]}Z"
        return {"subject": self.subject, "fingerprint_sha256": self.fingerprint, "not_after": ends}


def anchor(der: bytes) -> Anchor:
    """Read a certificate; raises ValueError for what cannot be understood."""
    found = pki.credential(der)
    return Anchor(der, found.credential_id, found.facts.subject_name, found.not_before, found.not_after,
                  found.facts.is_ca)


def declared(entries: t.Sequence[str]) -> tuple[tuple[Anchor, ...], list[str]]:
    """Return the anchors that a task names, each once, and what is to be said of those named twice.

    Raises Misconfigured for a key, a certificate that may not sign others, and what cannot be read.
    """
    found: dict[str, tuple[Anchor, str]] = {}
    warnings = []
    for number, entry in enumerate(entries, start=1):
        at = f"entry {number}" if "-----BEGIN" in entry else entry[:255]
        for one in _anchors(entry, at):
            if one.fingerprint in found:
                warnings.append(f"{OPTION}{at}: {one.called} is named twice, in {found[one.fingerprint][1]} first")
            else:
                found[one.fingerprint] = (one, at)
    if len(found) > MOST:
        raise Misconfigured(f"{OPTION}{len(found)} are named, and a bundle has at most {MOST}; make several of it")
    return tuple(one for one, _at in found.values()), warnings


def _anchors(entry: str, at: str) -> t.Iterator[Anchor]:
    ders = list(certificates(content(entry, at), at))
    for number, der in enumerate(ders, start=1):
        which = f"{at}, certificate {number}" if len(ders) > 1 else at
        try:
            one = anchor(der)
        except ValueError:
            raise Misconfigured(f"{OPTION}{which}: it cannot be understood; leave it out") from None
        if not one.is_ca:
            raise Misconfigured(
                f"{OPTION}{which}: {one.called} is no authority: its basic constraints do not say so (RFC 5280, "
                "4.2.1.9); name the certificate of who signed it"
            )
        yield one
