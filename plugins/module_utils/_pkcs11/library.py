# SPDX-FileCopyrightText: 2026 Keystead contributors
# SPDX-License-Identifier: BSD-2-Clause
# Simplified BSD License (see LICENSES/BSD-2-Clause.txt or https://opensource.org/licenses/BSD-2-Clause)

"""python-pkcs11, the module of a token, and the tokens that it shows."""

from __future__ import annotations

import os
import typing as t

from .._core.errors import Misconfigured, first_line
from .errors import library_missing, names

if t.TYPE_CHECKING:
    from .._core.key import Token

_INITIALISED = 0x400  # CKF_TOKEN_INITIALIZED (PKCS#11 2.40, 3.2)
_loaded: dict[str, t.Any] = {}
TPM2_PKCS11 = "tpm2-software.github.io"
"""What the module of a TPM 2.0 has for a manufacturer."""


class Missing(Misconfigured):
    """No token is the one that is meant."""


def pkcs11() -> t.Any:
    """Return the library; raises Misconfigured with the line that installs it where it is missing."""
    try:
        import pkcs11 as found
    except ImportError:
        raise library_missing() from None
    return found


def load(path: str) -> t.Any:
    """Load a PKCS#11 module, or return it where this process has it already."""
    library = pkcs11()
    if not os.path.isabs(path) or not os.path.isfile(path):
        raise Misconfigured(
            f"pkcs11: module_path {path} is not the absolute path of a file; install the package that brings the "
            "module, and name it as it is where the token is"
        )
    try:
        _loaded[path] = found = library.lib(path)
    except RuntimeError as error:  # PKCS11Error is one
        raise Misconfigured(
            f"pkcs11: module_path {path} cannot be loaded as a PKCS#11 module ({first_line(error)}); see that "
            "it is one, and that its own configuration can be read"
        ) from None
    return found


def leave() -> None:
    """Finalise every module that was loaded, as at the end of a process (python-pkcs11 < 0.8 cannot)."""
    for module in _loaded.values():
        try:
            if hasattr(module, "finalize"):
                module.finalize()
        except RuntimeError:  # it is not initialised, which was wanted
            continue


def find(module: t.Any, wanted: Token) -> t.Any:
    """Return the one token of a module that the task names; raises Missing for none, Misconfigured for several."""
    if not wanted.token_label and not wanted.token_serial:
        raise Misconfigured("pkcs11: neither token_label nor token_serial says which token is meant; set one of them")
    there = list(_tokens(module))
    fits = [
        token
        for token in there
        if wanted.token_label in (None, "", token.label) and wanted.token_serial in (None, "", serial(token))
    ]
    named = " and ".join(
        f"{option} {value}"
        for option, value in (("token_label", wanted.token_label), ("token_serial", wanted.token_serial))
        if value
    )
    if not fits:
        shown = names(f"{token.label or 'without a label'} (serial number {serial(token)})" for token in there)
        raise Missing(f"pkcs11: no token has {named}; {wanted.module_path} shows {shown}")
    if len(fits) > 1:
        shown = names(f"{token.label} (serial number {serial(token)})" for token in fits)
        raise Misconfigured(
            f"pkcs11: {len(fits)} tokens have {named}: {shown}; name the one that is meant by the other"
        )
    return fits[0]


def _tokens(module: t.Any) -> t.Iterator[t.Any]:
    """Yield the tokens that can be used: present, and initialised."""
    error = pkcs11().PKCS11Error
    for slot in module.get_slots(token_present=True):
        try:
            token = slot.get_token()
        except error:  # it was taken out in between, or speaks another language
            continue
        if int(token.flags) & _INITIALISED:
            yield token


def serial(token: t.Any) -> str:
    """Return the serial number of a token."""
    found: bytes = token.serial
    return found.decode("utf-8", "replace").strip(" \0")
