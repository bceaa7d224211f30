# SPDX-FileCopyrightText: 2026 Keystead contributors
# SPDX-License-Identifier: BSD-2-Clause
# Simplified BSD License (see LICENSES/BSD-2-Clause.txt or https://opensource.org/licenses/BSD-2-Clause)

"""Who may sign for SSH, beside those in `issuers`, of which each has a namesake."""

from __future__ import annotations

import typing as t

from .option import Option
from .server import TIMEOUT

Options = t.Mapping[str, Option]

TRUST = {
    "accept_new_root": Option(
        "The SHA-256, in hexadecimal, of the public key of an authority that may replace the pinned one."
    ),
    "timeout": TIMEOUT,
}
DIRECTORY = (
    "The directory on the controller in which M(keystead.identity.certificate_authority) keeps the authority. "
    "What it signs for SSH, and its key revocation list C(revoked.krl), are in C(ssh) below the authority."
)


def ssh_issuers(local: Options, openbao: Options) -> dict[str, Option]:
    """Return the issuers of kind ssh_host; what opens an authority or a server is as for their namesakes."""
    of_local = {**local, "directory": local["directory"]._replace(help=DIRECTORY)}
    of_openbao = {
        **{name: openbao[name] for name in ("url", "namespace", "auth", "ca_bundle")},
        "mount": Option("Where its SSH engine is mounted.", default="ssh"),
        "role": Option("The role that signs. It needs C(allow_host_certificates).", required=True),
        "issuer_ref": Option(
            "The name or id of the issuer of the mount by whose key the role signs, as C(issuer_ref) of the role says. "
            "The default is the default issuer of the mount."
        ),
    }
    return {
        "local_ssh": Option(
            "An authority in a directory on the controller, which signs for SSH. Its key never reaches a host.",
            type="dict",
            options={**of_local, **TRUST},
        ),
        "openbao_ssh": Option(
            "The SSH engine of an OpenBao, or of a HashiCorp Vault. Its credentials never reach a host.",
            type="dict",
            options={**of_openbao, **TRUST},
        ),
    }
