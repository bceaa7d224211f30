# SPDX-FileCopyrightText: 2026 Keystead contributors
# SPDX-License-Identifier: BSD-2-Clause
# Simplified BSD License (see LICENSES/BSD-2-Clause.txt or https://opensource.org/licenses/BSD-2-Clause)

"""What PKCS#11 and its library say, as sentences: who speaks, what is wrong, what helps.

The names are those of python-pkcs11's exceptions, which are those of the standard (CKR_PIN_LOCKED is PinLocked).
"""

from __future__ import annotations

import os
import sys
import sysconfig
import typing as t

from .._core.errors import Denied, KeysteadError, Misconfigured, Unavailable, first_line

ENDED = (
    "CryptokiNotInitialized", "DeviceError", "DeviceRemoved", "SessionClosed", "SessionHandleInvalid",
    "TokenNotPresent", "TokenNotRecognised", "UserNotLoggedIn",
)  # fmt: skip
"""What is raised where a session is over: whatever was to be done then, only a new one can do."""
GONE = ("KeyHandleInvalid", "NoSuchKey", "ObjectHandleInvalid")

LOOK = "look into the log of the token, or of its module"
FULL = "see whether it is full, and look into its log, or that of its module"
_LOST = "ended the session: it was removed, restarted or initialised anew; see that it is there, and run again"
_SAID: dict[str, tuple[type[KeysteadError], str]] = {
    "AnotherUserAlreadyLoggedIn": (Unavailable, "has its security officer logged in; log it out, and run again"),
    "ArgumentsBad": (Misconfigured, "refuses what it was asked for"),
    "DeviceMemory": (Misconfigured, "is full; destroy keys in it that nobody uses, and run again"),
    "HostMemory": (Unavailable, "has a module that got no memory; free some, and run again"),
    "MechanismInvalid": (Misconfigured, "does not know the mechanism; choose another type"),
    "PinExpired": (Misconfigured, "says that its PIN has expired; set a new one with its vendor's tool"),
    "PinIncorrect": (
        Denied,
        "refuses its PIN; correct it before you run again, for some tokens lock after a few tries",
    ),
    "PinInvalid": (Denied, "refuses its PIN, which has characters that no PIN there has; correct it"),
    "PinLenRange": (Denied, "refuses its PIN, which is too short or too long for it; correct it"),
    "PinLocked": (
        Denied,
        "has locked its PIN; unlock it as its security officer (softhsm2-util, pkcs11-tool --init-pin)",
    ),
    "SessionCount": (Unavailable, "has no session left; end other programs that use it, and run again"),
    "SessionReadOnly": (Misconfigured, "can only be read"),
    "TokenWriteProtected": (Misconfigured, "is write-protected; allow writing, or use another one"),
    "UserPinNotInitialized": (Misconfigured, "has no user PIN yet; set one with pkcs11-tool --init-pin"),
    **dict.fromkeys(ENDED, (Unavailable, _LOST)),
    **dict.fromkeys(GONE, (Misconfigured, "does not have the key any more; it was destroyed in the meantime")),
}


def translated(error: BaseException, about: str, doing: str = "", remedy: str = LOOK) -> KeysteadError:
    """Return an error of python-pkcs11 as ours; `about` names the token, `doing` says what it was asked for.

    `remedy` is for what says no more than that it failed.
    """
    kind, said = _SAID.get(type(error).__name__, (Unavailable, ""))
    what = f" (while {doing})" if doing else ""
    if said:
        return kind(f"pkcs11: {about} {said}{what}")
    detail = first_line(error)
    name = type(error).__name__
    shown = name if detail == name else f"{name}: {detail}"
    return kind(f"pkcs11: {about} answered {shown}{what}; {remedy}")


def library_missing() -> Misconfigured:
    """Return what to say where this very interpreter has no python-pkcs11."""
    if _externally_managed():
        python = "/opt/keystead/bin/python"
        remedy = (
            f"{sys.executable} -m venv --system-site-packages /opt/keystead && {python} -m pip install python-pkcs11, "
            f"then set ansible_python_interpreter to {python}"
        )
    else:
        remedy = f"{sys.executable} -m pip install python-pkcs11"
    return Misconfigured(f"pkcs11: the library python-pkcs11 is missing in {sys.executable}; install it: {remedy}")


def _externally_managed() -> bool:
    """Return whether the distribution keeps pip out of this interpreter (PEP 668)."""
    marker = os.path.join(sysconfig.get_path("stdlib"), "EXTERNALLY-MANAGED")
    return sys.prefix == sys.base_prefix and os.path.exists(marker)


def names(many: t.Iterable[str]) -> str:
    """Return what there is, for a sentence."""
    return ", ".join(sorted(many)) or "nothing"
