# SPDX-FileCopyrightText: 2026 Keystead contributors
# SPDX-License-Identifier: GPL-3.0-or-later
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)

"""What one more certificate costs that a key in a token signs, beside what it cannot cost less than.

python -m benchmarks.custody build: works below build/custody and writes build/custody.json. In each round, one after
the other: bare python-pkcs11 signs, an authority with its key in a file issues, one with its key in SoftHSM 2 issues.
All keys are P-256, a batch is 1,000 certificates in calls of 50, and everything is open before it begins, so that a
quotient is what one more costs. The goal is the third within 1.5 times the sum of the first two.
"""

from __future__ import annotations

import hashlib
import os
import time
import typing as t

from . import figures, machine, printed
from .part import Part, main
from .runner import Unexpected

if t.TYPE_CHECKING:
    from pathlib import Path

ROUNDS, QUICK_ROUNDS = 15, 5
BATCH, CALL = 1000, 50
GOAL = 1.5
LIKE_A_CERTIFICATE = bytes(500)

Work = t.Callable[[int], None]


def bare() -> Work:
    """Return what signs in the token by the library alone, over a session that is open, with a key of its own."""
    import pkcs11
    from ansible_collections.keystead.identity.tests.harness.softhsm import MODULE, PIN

    session = pkcs11.lib(MODULE).get_token(token_label="bare").open(rw=True, user_pin=PIN)  # noqa: S106
    curve = {pkcs11.Attribute.EC_PARAMS: pkcs11.util.ec.encode_named_curve_parameters("secp256r1")}
    parameters = session.create_domain_parameters(pkcs11.KeyType.EC, curve, local=True)
    key: t.Any = parameters.generate_keypair(store=True)[1]

    def work(count: int) -> None:
        for _one in range(count):
            key.sign(hashlib.sha256(LIKE_A_CERTIFICATE).digest(), mechanism=pkcs11.Mechanism.ECDSA)

    return work


def issuing(directory: Path, name: str, custody: figures.Figures | None) -> Work:
    """Return what issues, with an authority made here; a certificate less than was asked for is Unexpected."""
    from ansible_collections.keystead.identity.plugins.module_utils._core.model import Generation
    from ansible_collections.keystead.identity.plugins.plugin_utils._issuers.local import LocalIssuer
    from ansible_collections.keystead.identity.tests.harness import local

    local.authority(directory, name, key={"type": "ecdsa-p256", **({"custody": custody} if custody else {})})
    issuer, request = LocalIssuer({"directory": directory, "authority": name, "custody": custody}), local.request()

    def work(count: int) -> None:
        for _call in range(count // CALL):
            if not all(isinstance(one, Generation) for one in issuer.begin([request] * CALL)):
                raise Unexpected(f"authority {name} refused to sign")

    work(CALL)  # what is done once, such as the login
    return work


def measured(works: t.Mapping[str, Work], rounds: int) -> dict[str, list[float]]:
    """Return the milliseconds of one more, for each of the works, which follow each other in every round."""
    found: dict[str, list[float]] = {name: [] for name in works}
    for number in range(rounds):
        printed.say(f"round {number + 1} of {rounds}")
        for name, work in works.items():
            start = time.perf_counter()
            work(BATCH)
            found[name].append(1000 * (time.perf_counter() - start) / BATCH)
    return found


def run(place: Path, rounds: int) -> figures.Figures:
    """Measure and return what build/custody.json holds."""
    from ansible_collections.keystead.identity.tests.harness.softhsm import MODULE, PIN, SoftHsm
    from ansible_collections.keystead.identity.tests.needs import lack_of

    for need in ("softhsm", "python-pkcs11"):
        if lack_of(need):
            raise Unexpected(f"not measured: {lack_of(need)}")
    result, load, hsm = {**machine.about(), "rounds": rounds}, machine.Load(), SoftHsm(place)
    os.environ.update(hsm.environment)
    for token in ("authority", "bare"):
        hsm.add(token)
    option = {"pkcs11": {"module_path": MODULE, "token_label": "authority", "pin": PIN}}
    inside = issuing(place / "authorities", "token", option)
    works = {"signature": bare(), "file": issuing(place / "authorities", "file", None), "token": inside}
    found = measured(works, rounds)
    ratios = [token / (bare + file) for bare, file, token in zip(*found.values(), strict=True)]
    milliseconds = {name: figures.spread(values) for name, values in found.items()}
    return {**result, "milliseconds": milliseconds, "ratio": figures.spread(ratios), "goal": GOAL, "load": load.seen()}


def lines(result: figures.Figures) -> t.Iterator[str]:
    """Yield the figures for a terminal."""
    titles = {"signature": "one bare signature", "file": "key in a file", "token": "key in SoftHSM 2"}
    yield "one more certificate, P-256, of a batch of 1,000: ms (quartiles)"
    for name, title in titles.items():
        yield f"{title:<20}{printed.spread(result['milliseconds'][name], 3)}"
    yield f"{'token / the others':<20}{printed.spread(result['ratio'], 3)}; the goal is {result['goal']}"
    yield from printed.load(result)


if __name__ == "__main__":
    main(Part("custody", "What a key in a token costs.", ROUNDS, QUICK_ROUNDS, run, lines))
