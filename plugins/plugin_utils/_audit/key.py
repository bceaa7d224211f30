# SPDX-FileCopyrightText: 2026 Keystead contributors
# SPDX-License-Identifier: GPL-3.0-or-later
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)

"""The key that signs checkpoints, wherever it lives."""

from __future__ import annotations

import typing as t
from datetime import UTC, datetime
from pathlib import Path

from ...module_utils._core.errors import Misconfigured
from ...module_utils._core.ports import Slot
from .._authority.passphrase import passphrase
from .._keystores.private_key import private_key
from .._keystores.registry import KEYSTORES
from .._ledger.signing_key import check_can_be_made, key_at
from .checkpoint import WHO, algorithm_of

if t.TYPE_CHECKING:
    from .._host_half import HostHalf
    from .._key_rotate.model import Known, There, Version
    from .._ledger.chain import Readable

_NAMES = {"pkcs11": "label", "openbao_transit": "name", "aws_kms": "alias"}
_UNASKED = {"pkcs11": {"at": "controller"}, "aws_kms": {"pending_window": "30d"}}
"""What a custody wants to know, and a key that only signs has no choice in."""
Options = t.Mapping[str, t.Any]


def signing_key(
    custody: t.Mapping[str, Options], ledger: Readable, *, make: bool, who: str = WHO, option: str = "key"
) -> t.Any:
    """Return the key that an option names, as one of cryptography's; None for a file that is yet to be made.

    Raises KeysteadError, also for what could not sign.
    """
    ((name, options),) = custody.items()
    said = f"option {option}.{name}"
    key = _in_file(options, who, said, make=make) if name == "file" else _in_custody(custody, ledger, f"{who}: {said}")
    if key is not None:
        algorithm_of(key.public_key(), who, option)
    return key


def _in_file(options: Options, who: str, said: str, *, make: bool) -> t.Any:
    path = Path(options["path"])
    if not make and not path.exists():
        check_can_be_made(path, who)
        return None
    return key_at(path, who, make=make, passphrase=passphrase(options, f"{said} {path}"))


def _in_custody(custody: t.Mapping[str, Options], ledger: Readable, who: str) -> t.Any:
    from .._key_rotate.history import history
    from .._key_rotate.registry import BACKENDS, Reach

    ((name, options),) = custody.items()
    called = str(options[_NAMES[name]])
    said = {**_UNASKED.get(name, {}), **options}
    reach = Reach(t.cast("HostHalf", None), datetime.now(UTC))  # nothing here is on a host
    there = BACKENDS[name](said, reach).look(lambda place: history(ledger, place, called))
    found = _active(there, history(ledger, there.place, called))
    key = KEYSTORES[name](said, Slot(called, found.uri, (found.uri,))).current() if found else None
    if key is None:
        raise Misconfigured(
            f"{who}: {there.called}: there is none that could sign; make it first, and let this login use it"
        )
    return private_key(key)


def _active(there: There, known: Known) -> Version | None:
    """Return the generation that signs: the newest that key_rotate has recorded, else what its name leads to."""
    kept = [found for one in known.live if (found := there.at(one.uri)) is not None]
    return kept[-1] if kept else there.at(there.leads) or next(iter(there.versions), None)
