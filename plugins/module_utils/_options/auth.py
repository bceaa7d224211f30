# SPDX-FileCopyrightText: 2026 Keystead contributors
# SPDX-License-Identifier: BSD-2-Clause
# Simplified BSD License (see LICENSES/BSD-2-Clause.txt or https://opensource.org/licenses/BSD-2-Clause)

"""The ways to log in to OpenBao, and to HashiCorp Vault, whose interface it shares."""

from __future__ import annotations

from .option import Option


def _mount(name: str) -> Option:
    return Option("Where this way to log in is mounted, without C(auth/).", default=name)


AUTH = {
    "token": Option(
        "A token that somebody else has got: exactly one of these.",
        type="dict",
        options={
            "token": Option("The token itself.", no_log=True),
            "token_file": Option(
                "A file on the controller whose first line is it, for example the sink of an agent.",
                type="path",
                no_log=False,
            ),
            "token_env": Option("The environment variable on the controller that holds it.", no_log=False),
        },
    ),
    "approle": Option(
        "A RoleID and its SecretID, which is exactly one of C(secret_id), "
        "C(secret_id_file) and C(wrapped_secret_id), "
        "or nothing where the role asks for none.",
        type="dict",
        options={
            "role_id": Option("The RoleID.", required=True),
            "secret_id": Option("The SecretID itself.", no_log=True),
            "secret_id_file": Option(
                "A file on the controller whose first line is the SecretID.", type="path", no_log=False
            ),
            "wrapped_secret_id": Option(
                "A token of response wrapping that holds the SecretID. It can be unwrapped once, so it serves one task "
                "on one host.",
                no_log=True,
            ),
            "mount": _mount("approle"),
        },
    ),
    "cert": Option(
        "A TLS certificate of the controller.",
        type="dict",
        options={
            "certificate": Option("Its path on the controller, PEM, its chain after it.", type="path", required=True),
            "private_key": Option(
                "The path of its key on the controller, PEM, without a passphrase.",
                type="path",
                required=True,
                no_log=False,
            ),
            "name": Option("The role to log in with. Without it, the server takes the first one that fits."),
            "mount": _mount("cert"),
        },
    ),
    "jwt": Option(
        "A JSON Web Token (RFC 7519), as a CI system gives to its jobs: exactly one of "
        "C(jwt) and C(jwt_file).",
        type="dict",
        options={
            "role": Option("The role to log in with. Without it, the server takes its default."),
            "jwt": Option("The token itself.", no_log=True),
            "jwt_file": Option("A file on the controller whose first line is it.", type="path", no_log=False),
            "mount": _mount("jwt"),
        },
    ),
}


def auth() -> Option:
    """Return the option that names exactly one way to log in."""
    return Option("How to log in: exactly one of these.", type="dict", options=AUTH, one_of=True, required=True)
