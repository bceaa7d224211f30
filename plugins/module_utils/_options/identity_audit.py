# SPDX-FileCopyrightText: 2026 Keystead contributors
# SPDX-License-Identifier: BSD-2-Clause
# Simplified BSD License (see LICENSES/BSD-2-Clause.txt or https://opensource.org/licenses/BSD-2-Clause)

"""What a task may say to identity_audit."""

from __future__ import annotations

from .authority import PASSPHRASE
from .custody import AWS_KMS, KEY_CUSTODY, OPENBAO_TRANSIT, TOKEN
from .option import Option
from .server import CA_BUNDLE, TIMEOUT

SIGNING_KEY = {
    "file": Option(
        "A private key in a file of the controller, in PEM (PKCS#8), that only this user may read. Where there is "
        "none, an Ed25519 key is made.",
        type="dict",
        options={"path": Option("Where it is.", type="path", required=True), **PASSPHRASE},
    ),
    "pkcs11": Option(
        "A key in a PKCS#11 token that the controller reaches, as M(keystead.identity.hsm_key) makes it.",
        type="dict",
        options={**TOKEN, "label": KEY_CUSTODY["pkcs11"].options["label"]},  # type: ignore[index]
    ),
    "openbao_transit": Option(
        "A key in the transit engine of an OpenBao, or of a HashiCorp Vault. Its newest version signs.",
        type="dict",
        options={**OPENBAO_TRANSIT, "name": Option("The name of the key there.", required=True)},
    ),
    "aws_kms": Option(
        "A key in AWS Key Management Service. Credentials and endpoints are those that boto3 finds on the controller.",
        type="dict",
        options={
            "alias": Option("The alias that leads to the key, for example V(alias/audit).", required=True),
            **{name: option for name, option in AWS_KMS.items() if name in ("region", "timeout")},
        },
    ),
}
RECEIVER = {
    "file": Option(
        "A file that lines are added to, for example on a file system that keeps what was written once.",
        type="dict",
        options={"path": Option("Where it is. Its directory has to be there.", type="path", required=True)},
    ),
    "syslog": Option(
        "A syslog server (RFC 5424). It does not say that it has kept what it was sent.",
        type="dict",
        options={
            "host": Option("Its name or address.", required=True),
            "port": Option("Its port. The default is V(6514) with V(tls), else V(514).", type="int"),
            "protocol": Option(
                "V(tls) is RFC 5425, V(tcp) is RFC 6587 with the length before each message, V(udp) is RFC 5426.",
                default="tls",
                choices=("tls", "tcp", "udp"),
            ),
            "ca_bundle": CA_BUNDLE,
            "timeout": TIMEOUT,
        },
    ),
    "https": Option(
        "A server that is sent each checkpoint by C(POST), as C(application/jose), and answers with a status of 2xx.",
        type="dict",
        options={
            "url": Option("Where to send it. TLS only.", required=True),
            "token": Option("A bearer token that says who we are (RFC 6750).", no_log=True),
            "token_file": Option("A file on the controller whose first line is it.", type="path", no_log=False),
            "ca_bundle": CA_BUNDLE,
            "timeout": TIMEOUT,
        },
    ),
}
OPTIONS = {
    "checkpoints": Option(
        "Files with checkpoints that were shipped, to compare the record with. Whatever else stands in them is passed "
        "over, so the log of a syslog server will do.",
        type="list",
        elements="path",
    ),
    "public_keys": Option(
        "The public keys that may have signed checkpoints, or O(evidence), as PEM or the paths of PEM files. The key "
        "of O(key) is one of them.",
        type="list",
        elements="str",
    ),
    "ledger_id": Option(
        "The id of the ledger that is meant, as RV(ledger_id) told it once. Another one in its place is refused."
    ),
    "copy": Option("An exported copy to verify in the place of the ledger.", type="path"),
    "evidence": Option(
        "Folders of evidence, as M(keystead.identity.identity_policy), M(keystead.identity.identity_incident) and "
        "M(keystead.identity.host_decommission) write them, or a directory that one of them writes to, to verify in "
        "the place of the ledger. Whatever was changed, added or removed in one of them is seen. Who may have signed "
        "them, O(public_keys) says.",
        type="list",
        elements="path",
    ),
    "archives": Option(
        "What O(archive) has taken out of the ledger, in its order, so that the record is proved from its first event "
        "on.",
        type="list",
        elements="path",
    ),
    "key": Option(
        "What signs a checkpoint of a record that was found whole: exactly one of these. Nothing is signed without it, "
        "nor where nothing happened since the last checkpoint.",
        type="dict",
        options=SIGNING_KEY,
        one_of=True,
    ),
    "receivers": Option(
        "Where checkpoints are shipped to, each exactly one of these. What one of them has not got yet, it is sent by "
        "the next run.",
        type="list",
        elements="dict",
        options=RECEIVER,
        one_of=True,
    ),
    "export": Option(
        "Where a copy of the record is written to, as lines of JSON; packed, where the name ends in V(.gz). A copy "
        "that is there and has all of the record is left alone.",
        type="path",
    ),
    "archive": Option(
        "Moves old events out of the ledger, into a file that proves itself.",
        type="dict",
        options={
            "directory": Option("Where the files of old events are kept.", type="path", required=True),
            "keep": Option(
                "How long events stay in the ledger, at least V(90d), for example V(730d).", required=True, no_log=False
            ),
        },
    ),
}
