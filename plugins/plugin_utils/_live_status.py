# SPDX-FileCopyrightText: 2026 Keystead contributors
# SPDX-License-Identifier: GPL-3.0-or-later
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)

"""Whether certificates are revoked, asked before anything is decided (`check_status: live`).

Who signed a certificate is asked, where it can say; else what is published where the certificate says so. What was
revoked elsewhere is written down, and is replaced. Nothing that cannot be told is taken for revoked, or for good.
"""

from __future__ import annotations

import typing as t

from ..module_utils._core import credentials, pki
from ..module_utils._core.ports import Revoked, Unknown
from ._asking import Asking
from ._ledger.port import Event, Outcome, RevokedChange
from ._ledger.queries import certificate as recorded
from ._published import Told
from ._roots import certificates

if t.TYPE_CHECKING:
    from ._ledger.chain import Readable
    from ._ledger.port import Batch, Ledger
    from ._signers import Signers
    from ._work import Work

MOST_SHOWN = 5


class LiveStatus:
    """Asks for the certificates of one host."""

    def __init__(self, signers: Signers, ledger: Ledger, batch: Batch, crl_issuers: t.Sequence[str] = ()) -> None:
        """Ask nobody yet. `crl_issuers` are those of the option. Raises Misconfigured."""
        known = certificates(crl_issuers, "machine_identity: option crl_issuers")
        self._ledger, self._batch, self._asking = ledger, batch, Asking(signers, crl_issuers=known)

    def look(self, works: t.Sequence[Work], *, check: bool) -> list[str]:
        """Let each know of its revocation, and the ledger but in check mode; return a warning of what nobody tells."""
        outcomes: list[Outcome] = []
        unknown: dict[str, list[str]] = {}
        for work in works:
            if not _is_to_ask(work, self._batch):
                continue
            told = self._status(work)
            if isinstance(told.status, Revoked):
                outcomes.append(_revoked(work, told.status))
            elif isinstance(told.status, Unknown):
                unknown.setdefault(told.why, []).append(work.name)
        if outcomes and not check:
            self._ledger.record(self._batch, outcomes)
        return [_warning(names, why) for why, names in unknown.items()]

    def _status(self, work: Work) -> Told:
        known = work.remembered
        leaf, *above = _read(self._ledger, self._batch, work)
        if known is None or not leaf:
            return Told(Unknown(), "its certificate is not in the ledger")
        return self._asking.status(leaf, above, str(known.issuer_id))


def _is_to_ask(work: Work, batch: Batch) -> bool:
    """Tell whether there is a certificate in use that is not known to be revoked or ended."""
    known = work.remembered
    if known is None or known.generation is None or work.identity.state not in ("present", "observed"):
        return False
    is_revoked = any(credential_id == known.credential_id for credential_id, _why in known.revoked)
    return not is_revoked and known.not_after is not None and batch.at < known.not_after


def _read(ledger: Ledger, batch: Batch, work: Work) -> list[bytes]:
    """Return the certificate in use and its chain, encoded, as the ledger has them; nothing where it cannot be read."""
    leaf, chain = recorded(t.cast("Readable", ledger), batch.host, batch.store, work.name) or ("", "")
    try:
        above = pki.der_certificates(chain.encode()) if chain else ()
        return [credentials.encoded(leaf.encode()), *above]
    except ValueError:
        return [b""]


def _revoked(work: Work, found: Revoked) -> Outcome:
    known = work.remembered
    number, credential_id = (known.generation, str(known.credential_id)) if known else (None, "")
    work.known = work.known._replace(revoked=(*work.known.revoked, (credential_id, found.reason)))
    event = Event("revoke", "it was revoked elsewhere, which its issuer tells")
    return Outcome(work.name, number, (event,), (RevokedChange(found.reason, found.when),))


def _warning(names: t.Sequence[str], why: str) -> str:
    shown = ", ".join(names[:MOST_SHOWN]) + (f" and {len(names) - MOST_SHOWN} more" if len(names) > MOST_SHOWN else "")
    return f"nobody tells whether {shown} {'is' if len(names) == 1 else 'are'} revoked: {why}"
