# SPDX-FileCopyrightText: 2026 Keystead contributors
# SPDX-License-Identifier: GPL-3.0-or-later
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)

"""The interface as it was designed: every name is an option, or is refused by name until it is built; none is lost."""

from __future__ import annotations

import typing as t

import pytest
from ansible_collections.keystead.identity.plugins.module_utils._core.model import ACTIONS, PARTS_OF
from ansible_collections.keystead.identity.plugins.module_utils._options import (
    authority,
    blast_radius,
    cert_revoke,
    host_decommission,
    hsm_key,
    identity_audit,
    identity_incident,
    identity_notify,
    identity_policy,
    identity_report,
    identity_trend,
    identity_watch,
    issuer_info,
    key_rotate,
    ledger_info,
    machine_identity,
    trust_bundle,
)
from ansible_collections.keystead.identity.plugins.module_utils._options.common import COMMON
from ansible_collections.keystead.identity.plugins.module_utils._options.planned import PLANNED, Planned

if t.TYPE_CHECKING:
    from ansible_collections.keystead.identity.plugins.module_utils._options.option import Option

pytestmark = pytest.mark.one_core

ISSUER = """
    local.directory local.authority local.passphrase local.passphrase_file local.roots local.accept_new_root
    local.timeout local.ca_bundle openbao.url openbao.mount openbao.role openbao.namespace openbao.issuer_ref
    openbao.sign_verbatim openbao.roots openbao.accept_new_root openbao.timeout openbao.ca_bundle
    openbao.auth.token.token openbao.auth.token.token_file openbao.auth.token.token_env openbao.auth.approle.role_id
    openbao.auth.approle.secret_id openbao.auth.approle.secret_id_file openbao.auth.approle.wrapped_secret_id
    openbao.auth.approle.mount openbao.auth.cert.certificate openbao.auth.cert.private_key openbao.auth.cert.name
    openbao.auth.cert.mount openbao.auth.jwt.role openbao.auth.jwt.jwt openbao.auth.jwt.jwt_file
    openbao.auth.jwt.mount est.url est.label est.fingerprint_sha256 est.roots est.accept_new_root est.timeout
    est.ca_bundle est.auth.basic.username est.auth.basic.password est.auth.basic.password_file
    est.auth.cert.certificate est.auth.cert.private_key est.auth.bootstrap.certificate
    est.auth.bootstrap.private_key est.enrol=controller est.enrol=host acme scep.url scep.fingerprint_sha256
    scep.challenge scep.challenge_file scep.roots scep.accept_new_root scep.timeout scep.ca_bundle aws_pca.arn
    aws_pca.region aws_pca.template_arn aws_pca.roots aws_pca.accept_new_root aws_pca.timeout aws_pca.ca_bundle
    openbao_ssh local_ssh
"""
IDENTITY = """
    name kind=x509 kind=ssh_host state=present state=absent state=released state=observed common_name dns_names
    ip_addresses uris email_addresses principals profile=tls_server profile=tls_client profile=tls_peer key.type
    key.reuse key.origin=host key.origin=controller key.custody.file key.custody.pkcs11 key.custody.openbao_transit
    key.custody.aws_kms lifetime renew_before contact service labels owner group mode links replace_files
    activate.unit activate.command activate.only_if prove.host prove.port prove.server_name prove.starttls=smtp
    prove.starttls=imap prove.starttls=ldap prove.starttls=postgres prove.client_auth prove.command prove.timeout
    prove.when=changed prove.when=always adopt publish publish.parts publish.pkcs12.path publish.pkcs12.password
    publish.pkcs12.password_file publish.pkcs12.encryption=modern publish.pkcs12.encryption=legacy
    publish.pkcs12.owner publish.pkcs12.group publish.pkcs12.mode publish.pem_bundle.path publish.pem_bundle.parts
    publish.pem_bundle.owner publish.pem_bundle.group publish.pem_bundle.mode publish.openbao_kv.url
    publish.openbao_kv.mount publish.openbao_kv.path publish.openbao_kv.namespace publish.openbao_kv.auth
    publish.openbao_kv.ca_bundle publish.openbao_kv.timeout publish.aws_secrets_manager.name
    publish.aws_secrets_manager.region publish.aws_secrets_manager.timeout publish.aws_acm.arn publish.aws_acm.region
    publish.aws_acm.tags publish.aws_acm.timeout keep_generations generation=previous
    revoke_on_absent trusts.issuer trusts.service
"""
SHARED = "ledger ledger_password ledger_password_file policy"
TASK = f"{SHARED} store scope purge wait check_status=ledger check_status=live crl_issuers plan approvals"
INFO = f"{SHARED} store names paths scan records check_status=ledger check_status=live ca_bundle crl_issuers"
PREFLIGHT = f"{SHARED} store"
AUTHORITY = f"""
    {SHARED} name directory subject parent key.type lifetime path_length name_constraints passphrase passphrase_file
    crl_lifetime crl_renew_before crl_url certificate_url crl_seen state=present state=absent
"""

HSM_KEY = f"""
    {SHARED} module_path token_label token_serial pin pin_env pin_file label id uri type=ecdsa-p256 type=ecdsa-p384
    type=ecdsa-p521 type=ed25519 type=rsa-2048 type=rsa-3072 type=rsa-4096 type=aes-256 usage=sign extractable
    state=present state=absent destroy_in_use
"""
KEYS = """
    custody.pkcs11.at=host custody.pkcs11.at=controller custody.pkcs11.label custody.pkcs11.module_path
    custody.pkcs11.token_label custody.pkcs11.pin_file custody.openbao_transit.name custody.openbao_transit.mount
    custody.aws_kms.alias custody.aws_kms.pending_window overlap grace destroy_in_use
"""
CERTIFICATE = """
    serial_number issuer fingerprint_sha256 path pem identity host spki_sha256 issued_before orphaned superseded
"""
CERT_REVOKE = f"""
    {SHARED} reason=unspecified reason=key_compromise reason=ca_compromise reason=affiliation_changed reason=superseded
    reason=cessation_of_operation reason=certificate_hold reason=remove_from_crl reason=privilege_withdrawn
    reason=aa_compromise replaced_first emergency justification expect plan approvals
"""
SELECTORS = "service contact issuer key_type custody host serial_number spki_sha256 state records"
FORESEEN = """
    service contact issuer key_type custody host identity managed records as_of until limit certificates compare_with
    findings frameworks public_issuers public_keys checkpoints evidence.directory
"""
EXPIRY = "expires_within expires_after expires_before expired"


def below(path: str, names: str) -> list[str]:
    """Return the names with the path of the option that they belong to."""
    return [f"{path}.{name}" for name in names.split()]


DESIGNED = {
    "machine_identity": [
        *TASK.split(),
        "retry_refused",  # ADR 28: of what did not fit, an issuer is not asked again at once
        *below("issuer", ISSUER),
        *below("issuers", ISSUER),
        *below("identities", IDENTITY),
        *below("identities.issuer", ISSUER),
    ],
    "machine_identity_info": [*INFO.split(), *below("issuers", ISSUER)],
    "preflight": [*PREFLIGHT.split(), *below("issuer", ISSUER), *below("issuers", ISSUER)],
    "certificate_authority": AUTHORITY.split(),
    "hsm_key": HSM_KEY.split(),
    "trust_bundle": [
        *f"{SHARED} name anchors path system state=present state=absent".split(),
        "drop_in_use",  # ADR 25: as hsm_key has it
        "activate",  # ADR 39: as identities have it
    ],
    "identity_audit": [
        *f"{SHARED} checkpoints public_keys ledger_id copy archives key receivers export archive".split(),  # ADR 29
        "evidence",  # ADR 33: what identity_policy signs
        *below("key", "file pkcs11 openbao_transit aws_kms"),
        *below("receivers", "file syslog https"),
    ],
    "cert_revoke": [
        *CERT_REVOKE.split(),
        "private_key_file",  # issue 5: what OpenBao takes from who has found a key
        *below("certificates", CERTIFICATE),
        *below("issuer", ISSUER),
        *below("issuers", ISSUER),
    ],
    "identity_ledger_info": [
        *SHARED.split(),
        *SELECTORS.split(),
        *EXPIRY.split(),
        *("identity", "fingerprint_sha256"),  # as cert_revoke has them
        *("managed", "limit", "after"),  # ADR 31: whose rows, and which page
    ],
    "blast_radius": [
        *SHARED.split(),
        *(name for name in SELECTORS.split() if name != "state"),  # it looks at all that ever was
        *("identity", "fingerprint_sha256", "issued_after", "issued_before", "reason"),  # as cert_revoke has them
        *("authority", "contact_required"),  # issue 8
    ],
    "issuer_info": [*SHARED.split(), "issued_after", *below("issuer", ISSUER), *below("issuers", ISSUER)],  # issue 8
    "identity_incident": [  # ADR 44
        *f"{SHARED} records name about reason detected limit stage again totals".split(),
        *below("about", "host spki_sha256 authority"),
        *below("evidence", "directory key files"),
    ],
    "host_decommission": [
        *f"{SHARED} host gone looked paths_left crl_issuers ca_bundle evidence.directory".split(),  # ADR 41
        *below("issuers", ISSUER),
        *below("evidence.key", "file pkcs11 openbao_transit aws_kms"),
    ],
    "identity_policy": [
        *SHARED.split(),
        *FORESEEN.split(),  # ADR 33
        *below("evidence.key", "file pkcs11 openbao_transit aws_kms"),
        *below("declarations.issuer", ISSUER),
        *below("declarations.identities", IDENTITY),
    ],
    "identity_report": [
        *f"{SHARED} html json csv cbom metrics title records".split(),  # ADR 34
        *below("issuers", ISSUER),
    ],
    "identity_notify": [
        *f"{SHARED} events state".split(),  # issue 8
        *below("receivers.webhook", "url token token_file ca_bundle timeout"),
        *below("receivers.alertmanager", "url token token_file ca_bundle timeout lasts"),
    ],
    "identity_watch": [
        *f"{SHARED} warning critical identities checkpoint_age json metrics".split(),  # ADR 40
        *("checkpoints", "public_keys", "ledger_id"),  # as identity_audit has them
        *below("issuers", ISSUER),
    ],
    "identity_trend": [
        *f"{SHARED} directory public_keys findings counts files keep".split(),  # issue 8, ADR 40
        *below("key", "file pkcs11 openbao_transit aws_kms"),
    ],
    "key_rotate": [
        "max_age",
        "created_before",
        "retry_refused",
        *below("keys", KEYS),
        *(name for name in TASK.split() if name != "purge"),
    ],
}
TABLES: dict[str, dict[str, Option]] = {
    "machine_identity": {**COMMON, **machine_identity.OPTIONS},
    "machine_identity_info": {**COMMON, **machine_identity.INFO},
    "preflight": {**COMMON, **machine_identity.PREFLIGHT},
    "certificate_authority": {**COMMON, **authority.OPTIONS},
    "hsm_key": {**COMMON, **hsm_key.OPTIONS},
    "trust_bundle": {**COMMON, **trust_bundle.OPTIONS},
    "identity_audit": {**COMMON, **identity_audit.OPTIONS},
    "cert_revoke": {**COMMON, **cert_revoke.OPTIONS},
    "identity_ledger_info": {**COMMON, **ledger_info.OPTIONS},
    "blast_radius": {**COMMON, **blast_radius.OPTIONS},
    "issuer_info": {**COMMON, **issuer_info.OPTIONS},
    "identity_incident": {**COMMON, **identity_incident.OPTIONS},
    "host_decommission": {**COMMON, **host_decommission.OPTIONS},
    "identity_policy": {**COMMON, **identity_policy.OPTIONS},
    "identity_report": {**COMMON, **identity_report.OPTIONS},
    "identity_notify": {**COMMON, **identity_notify.OPTIONS},
    "identity_watch": {**COMMON, **identity_watch.OPTIONS},
    "identity_trend": {**COMMON, **identity_trend.OPTIONS},
    "key_rotate": {**COMMON, **key_rotate.OPTIONS},
}
DEFAULTS = {
    "store": "/var/lib/keystead/identities",
    "purge": False,
    "wait": "0s",
    "check_status": "ledger",
    "issuer.local.timeout": "30s",
    "issuer.openbao.timeout": "30s",
    "issuer.aws_pca.timeout": "30s",
    "issuer.openbao.mount": "pki",
    "issuer.est.timeout": "30s",
    "issuer.est.enrol": "controller",
    "issuer.scep.timeout": "30s",
    "issuer.openbao.sign_verbatim": False,
    "issuer.openbao.auth.approle.mount": "approle",
    "issuer.openbao.auth.cert.mount": "cert",
    "issuer.openbao.auth.jwt.mount": "jwt",
    "identities.kind": "x509",
    "identities.state": "present",
    "identities.profile": "tls_server",
    "identities.key.type": "ecdsa-p256",
    "identities.key.reuse": False,
    "identities.key.origin": "host",
    "identities.lifetime": "30d",
    "identities.renew_before": "33%",
    "identities.mode": "0600",
    "identities.keep_generations": 0,
    "identities.revoke_on_absent": False,
    "identities.replace_files": False,
    "identities.publish.pkcs12.encryption": "modern",
    "identities.prove.timeout": "5s",
    "identities.prove.when": "changed",
}


def option(module: str, path: str) -> Option | None:
    """Return the option at a path; None where the tables have none."""
    table: t.Mapping[str, Option] | None = TABLES[module]
    found = None
    for name in path.split("."):
        found = (table or {}).get(name)
        if found is None:
            return None
        table = found.options
    return found


def is_planned(module: str, path: str, value: str) -> bool:
    """Tell whether an option, or this value of it, is refused by name."""
    tree: t.Any = PLANNED[module]
    for name in path.split("."):
        tree = tree.get(name) if isinstance(tree, dict) else None
        if isinstance(tree, Planned):
            return not value or not tree.values or value in tree.values
    return False


def is_built(module: str, path: str, value: str) -> bool:
    """Tell whether an option is accepted, and this value of it where it has a closed list."""
    found = option(module, path)
    return found is not None and (not value or value in found.choices)


@pytest.mark.parametrize(("module", "name"), [(module, name) for module, names in DESIGNED.items() for name in names])
def test_every_name_of_the_interface_is_an_option_or_refused_by_name(module: str, name: str) -> None:
    path, _, value = name.partition("=")
    assert is_built(module, path, value) or is_planned(module, path, value)


@pytest.mark.parametrize("module", TABLES)
def test_no_option_is_left_that_nobody_designed(module: str) -> None:
    designed = {name.partition("=")[0].partition(".")[0] for name in DESIGNED[module]}
    assert set(TABLES[module]) <= designed | {"identities", "issuer", "issuers"}


@pytest.mark.parametrize("path", DEFAULTS)
def test_a_default_is_the_designed_one(path: str) -> None:
    found = option("machine_identity", path)
    assert found is not None
    assert found.default == DEFAULTS[path]


def test_the_closed_lists_are_the_designed_ones() -> None:
    of_tls = {"certificate", "chain", "fullchain", "private_key", "combined", "key_uri", "nginx_tls"}
    assert set(PARTS_OF["x509"]) == of_tls
    assert set(PARTS_OF["ssh_host"]) == {"private_key", "public_key", "certificate"}
    assert set(PARTS_OF) == {"x509", "ssh_host"}
    said = "stage_key issue publish link activate prove revoke destroy withdraw release adopt roll_back"
    assert list(ACTIONS) == said.split()
