# SPDX-FileCopyrightText: 2026 Keystead contributors
# SPDX-License-Identifier: GPL-3.0-or-later
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)

"""In what issuers differ where a user would notice: the contract suite holds each to it, the documentation shows it."""

from __future__ import annotations

import typing as t


class Facts(t.NamedTuple):
    """What one issuer does; `MEANINGS` says each in words."""

    speaks_to_server: bool
    takes_names_from_task: bool
    takes_usages_from_task: bool
    takes_lifetime_from_task: bool
    caps_lifetime: bool
    revokes: bool
    keeps_reasons: bool
    tells_status: bool
    lists: bool
    may_forget: bool
    answers_later: bool
    names_roots: bool
    takes_every_name: bool
    takes_every_profile: bool
    same_again: int
    tells_status_later: bool
    signs_ed25519: bool
    signs_ml_dsa: bool
    signs_ecdsa: bool
    may_revoke_renewed: bool
    knows_by_key: bool

    def signs(self, key_type: str) -> bool:
        """Tell whether it signs for keys of a type; others get a refusal, or no answer at all."""
        of = {"ed25519": self.signs_ed25519, "ecdsa": self.signs_ecdsa, "ml": self.signs_ml_dsa}
        return of.get(key_type.partition("-")[0], True)


MEANINGS: t.Mapping[str, str] = {
    "speaks_to_server": "It is a server: ``timeout`` applies, and ``ca_bundle``, for which AWS has "
    "``AWS_CA_BUNDLE``.",
    "takes_names_from_task": "It certifies the names of the task, whatever the host's request says. "
    "Where it does not, both have to agree, and an answer with other names is refused.",
    "takes_usages_from_task": "It obeys ``profile``. "
    "Where it does not, its own set-up decides, and an answer with other usages is refused.",
    "takes_lifetime_from_task": "It obeys ``lifetime``. "
    "Where it does not, its own set-up decides, and an answer that lives longer is refused.",
    "caps_lifetime": "It shortens a ``lifetime`` that is longer than it permits. Where it does not, it refuses.",
    "revokes": "It can revoke.",
    "keeps_reasons": "It keeps the reason of a revocation. Where it does not, the record says ``unspecified``.",
    "tells_status": "It can say whether a certificate is revoked. Where it cannot, only the ledger knows.",
    "lists": "It can say what it has issued, so that an answer that got lost is found again.",
    "may_forget": "It can be set up to forget what it issues. An answer that got lost is then not found: "
    "another one is signed, and the first one is an orphan in the ledger: issuer, key, names, and when.",
    "answers_later": "It is given an order and answers later. The ledger has where the order is before anything is "
    "signed, so an answer that got lost is found there, and the next run goes on with what is pending.",
    "names_roots": "It names the root above it, which is pinned at its first sight. Where it does not, ``roots`` "
    "declares it; without that, the roots count that the system of the controller trusts.",
    "takes_every_name": "It certifies every kind of name. Where it does not, these are DNS names and IP addresses "
    "(RFC 8555, 9.7.7; RFC 8738).",
    "takes_every_profile": "It can be set up for every ``profile``. Where it cannot, its operator decides on the "
    "usages.",
    "same_again": "Asked again for the same key within some minutes, it gives the same certificate, so that an answer "
    "that got lost is found again for as long.",
    "tells_status_later": "Its own list tells of a revocation only when it is written anew; the ledger knows at once.",
    "signs_ed25519": "It signs for Ed25519 keys.",
    "signs_ml_dsa": "It signs for ML-DSA keys (FIPS 204). Where it does not, ``key.type`` is refused before anything "
    "is touched.",
    "signs_ecdsa": "It signs for ECDSA keys. Where it does not, for RSA keys alone (RFC 8894, 3.1).",
    "may_revoke_renewed": "It may revoke a certificate at once when it signs another one in its place. Where a renewal "
    "does not come to its end, the next run issues again, whatever is declared by then.",
    "knows_by_key": "It may know a request by its key, and answer to that as it did before. So a key that was refused, "
    "or was for other names, is not used again.",
}
FACTS: t.Mapping[str, Facts] = {
    "acme": Facts(
        speaks_to_server=True,
        takes_names_from_task=False,
        takes_usages_from_task=False,
        takes_lifetime_from_task=True,
        caps_lifetime=False,
        revokes=True,
        keeps_reasons=True,
        tells_status=False,
        lists=False,
        may_forget=False,
        answers_later=True,
        names_roots=False,
        takes_every_name=False,
        takes_every_profile=False,
        same_again=0,
        tells_status_later=False,
        signs_ed25519=True,
        signs_ml_dsa=False,
        signs_ecdsa=True,
        may_revoke_renewed=False,
        knows_by_key=False,
    ),
    "local": Facts(
        speaks_to_server=False,
        takes_names_from_task=True,
        takes_usages_from_task=True,
        takes_lifetime_from_task=True,
        caps_lifetime=True,
        revokes=True,
        keeps_reasons=True,
        tells_status=True,
        lists=True,
        may_forget=False,
        answers_later=False,
        names_roots=True,
        takes_every_name=True,
        takes_every_profile=True,
        same_again=0,
        tells_status_later=False,
        signs_ed25519=True,
        signs_ml_dsa=True,
        signs_ecdsa=True,
        may_revoke_renewed=False,
        knows_by_key=False,
    ),
    "openbao": Facts(
        speaks_to_server=True,
        takes_names_from_task=False,
        takes_usages_from_task=False,
        takes_lifetime_from_task=True,
        caps_lifetime=True,
        revokes=True,
        keeps_reasons=False,
        tells_status=True,
        lists=True,
        may_forget=True,
        answers_later=False,
        names_roots=True,
        takes_every_name=True,
        takes_every_profile=True,
        same_again=0,
        tells_status_later=False,
        signs_ed25519=True,
        signs_ml_dsa=True,
        signs_ecdsa=True,
        may_revoke_renewed=False,
        knows_by_key=False,
    ),
    "local_ssh": Facts(
        speaks_to_server=False,
        takes_names_from_task=True,
        takes_usages_from_task=False,
        takes_lifetime_from_task=True,
        caps_lifetime=True,
        revokes=True,
        keeps_reasons=True,
        tells_status=True,
        lists=True,
        may_forget=False,
        answers_later=False,
        names_roots=True,
        takes_every_name=False,
        takes_every_profile=False,
        same_again=0,
        tells_status_later=False,
        signs_ed25519=True,
        signs_ml_dsa=False,
        signs_ecdsa=True,
        may_revoke_renewed=False,
        knows_by_key=False,
    ),
    "openbao_ssh": Facts(
        speaks_to_server=True,
        takes_names_from_task=True,
        takes_usages_from_task=False,
        takes_lifetime_from_task=True,
        caps_lifetime=False,
        revokes=False,
        keeps_reasons=False,
        tells_status=False,
        lists=False,
        may_forget=True,
        answers_later=False,
        names_roots=True,
        takes_every_name=False,
        takes_every_profile=False,
        same_again=0,
        tells_status_later=False,
        signs_ed25519=True,
        signs_ml_dsa=False,
        signs_ecdsa=True,
        may_revoke_renewed=False,
        knows_by_key=False,
    ),
    # The API reference of AWS Private CA (IssueCertificate, RevokeCertificate) and its user guide ("RFC compliance",
    # "Supported cryptographic algorithms"), docs.aws.amazon.com/privateca, say so.
    "aws_pca": Facts(
        speaks_to_server=True,
        takes_names_from_task=False,
        takes_usages_from_task=True,
        takes_lifetime_from_task=True,
        caps_lifetime=False,
        revokes=True,
        keeps_reasons=True,
        tells_status=True,
        lists=False,
        may_forget=True,
        answers_later=False,
        names_roots=True,
        takes_every_name=True,
        takes_every_profile=True,
        same_again=300,
        tells_status_later=True,
        signs_ed25519=False,
        signs_ml_dsa=True,
        signs_ecdsa=True,
        may_revoke_renewed=False,
        knows_by_key=False,
    ),
    "est": Facts(  # RFC 7030 knows requests and their answers: no life (4.2), no revocation, no list of what was signed
        speaks_to_server=True,
        takes_names_from_task=False,
        takes_usages_from_task=False,
        takes_lifetime_from_task=False,
        caps_lifetime=True,
        revokes=False,
        keeps_reasons=False,
        tells_status=False,
        lists=False,
        may_forget=True,
        answers_later=False,
        names_roots=True,
        takes_every_name=True,
        takes_every_profile=True,
        same_again=0,
        tells_status_later=False,
        signs_ed25519=True,
        signs_ml_dsa=True,
        signs_ecdsa=True,
        may_revoke_renewed=False,
        knows_by_key=True,
    ),
    # RFC 8894: a request has names (3.3.1), nothing has a life, and the server grants what it likes (4.3). There is no
    # revocation (2.8 leaves it to other means), no list, and GetCert (3.3.4) wants a serial number, which who lost an
    # answer does not have. What is PENDING (3.3.2.3) is asked for by the same transaction again (4.4), so no order has
    # an address. What is signed is encrypted to the key (3.2.2). The usages are micromdm's: scepserver signs for
    # clients alone.
    "scep": Facts(
        speaks_to_server=True,
        takes_names_from_task=False,
        takes_usages_from_task=False,
        takes_lifetime_from_task=False,
        caps_lifetime=True,
        revokes=False,
        keeps_reasons=False,
        tells_status=False,
        lists=False,
        may_forget=True,
        answers_later=False,
        names_roots=False,
        takes_every_name=True,
        takes_every_profile=False,
        same_again=0,
        tells_status_later=False,
        signs_ed25519=False,
        signs_ml_dsa=False,
        signs_ecdsa=False,
        may_revoke_renewed=True,
        knows_by_key=True,
    ),
}


def facts_of(issuer_id: str) -> Facts:
    """Return in what the issuer with an id differs: that begins with its backend."""
    return FACTS[issuer_id.partition(":")[0]]
