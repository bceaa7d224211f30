# SPDX-FileCopyrightText: 2026 Keystead contributors
# SPDX-License-Identifier: BSD-2-Clause
# Simplified BSD License (see LICENSES/BSD-2-Clause.txt or https://opensource.org/licenses/BSD-2-Clause)

"""Phase `token`: keys of a PKCS#11 token are looked for, made, proved and destroyed, in one session, by one login.

What is to be done was decided by the controller on what an earlier errand saw. Should it not be so any more, nothing
is done.
"""

from __future__ import annotations

import time
import typing as t

from .._core import wire
from .._core.errors import KeysteadError, Misconfigured, Pending
from .._core.held import Errand, Seen, generation_of
from .._pkcs11.alone import alone
from .._pkcs11.generate import CANNOT_RESTRICT, Wish, checked, generate
from .._pkcs11.held import held
from .._pkcs11.library import Missing
from .._pkcs11.lookup import destroy, key_type, uri_of
from .._pkcs11.match import apart
from .._pkcs11.objects import Objects
from .._pkcs11.token import close_tokens, using
from .._pkcs11.trial import prove
from .request import failed

if t.TYPE_CHECKING:
    from .._pkcs11.objects import Pair
    from .._pkcs11.token import OpenToken
    from .request import Request

KEY = "key"
"""What the answer, and the PIN, are called on the wire."""
_PAUSES = (0.05, 0.2)  # seconds
_AS_PAIRS = {"decrypt": "encrypt", "unwrap": "wrap"}  # what the private half of a pair does, by what the pair is for


def run_errand(request: Request, *, check: bool) -> dict[str, t.Any]:
    """Do what is asked in a token, and return what is there then."""
    try:
        errand = wire.unpack(Errand, request.errand)
        if check and errand.errand != "look":
            raise Misconfigured("host: check mode changes no token, and uses no key")
        return {"name": KEY, "seen": run_here(errand, request.secrets.get(KEY, {}).get("pin"))}
    except ValueError as error:
        return failed(KEY, Misconfigured(f"host: what the controller says is refused: {error}"))
    except KeysteadError as error:
        return failed(KEY, error)


def run_here(errand: Errand, pin: str | None) -> dict[str, t.Any]:
    """Do what is asked in a token that this process reaches; return what is there then, packed.

    A token of SoftHSM is not shown in the moment in which another process logs in to it.
    """
    for pause in _PAUSES:
        try:
            return _run(errand, pin)
        except Missing:
            time.sleep(pause)
    return _run(errand, pin)


def _run(errand: Errand, pin: str | None) -> dict[str, t.Any]:
    try:
        with using(errand.token._replace(pin=pin)) as token:
            packed: dict[str, t.Any] = wire.pack(_ERRANDS[errand.errand](token, errand))
            return packed
    finally:
        close_tokens()


def _look(token: OpenToken, errand: Errand) -> Seen:
    """Return what there is; where nothing is, see whether the key that is wanted can be made."""
    found = _there(token, errand, token.objects)
    if not found and errand.type is not None:
        checked(token, errand.type)
    return _seen(token, found)


def _make(token: OpenToken, errand: Errand) -> Seen:
    """Make a key where there is none; one that is not alone is destroyed again."""
    with alone(token):
        if _look_again(token, errand):
            raise Pending(f"pkcs11: {token.name} has such a key by now, another run was quicker; run again")
        return _made(token, errand)


def _made(token: OpenToken, errand: Errand) -> Seen:
    use = tuple(dict.fromkeys(_AS_PAIRS.get(name, name) for name in errand.usage))
    wish = Wish(errand.type or "", errand.label or "", use, errand.extractable, bytes.fromhex(errand.id or ""))
    made = generate(token, wish)
    seen = _seen(token, _look_again(token, errand))
    mine = [one for one in seen.keys if one.id == made.id.hex()]
    if len(seen.keys) != 1 or len(mine) != 1:
        destroy(token, [made])
        raise Pending(f"pkcs11: {token.name} got such a key from another run at the same moment; run again")
    return seen


def _prove(token: OpenToken, errand: Errand) -> Seen:
    """Let a key do what it is for. Raises NotConverged where it does not."""
    found = [pair for pair in _there(token, errand, token.objects) if uri_of(token, pair) == errand.uri]
    if len(found) != 1:
        raise Misconfigured(f"pkcs11: {token.name} has {len(found)} keys that {errand.uri} names; look into the token")
    prove(token, found[0])
    return _seen(token, found)


def _destroy(token: OpenToken, errand: Errand) -> Seen:
    """Destroy these keys, and look into the token whether they are gone. `type` is theirs, where it was seen."""
    found = [pair for pair in _there(token, errand, token.objects) if uri_of(token, pair) in errand.doomed]
    doomed = [pair for pair in found if errand.type in (None, key_type(token, pair))]
    if len(doomed) > len(errand.doomed):
        several = f"{len(doomed)} keys that {errand.doomed[0]} names"
        raise Misconfigured(f"pkcs11: {token.name} has {several}, so none is destroyed; look into the token")
    destroy(token, doomed)
    return _seen(token, _look_again(token, errand))


_ERRANDS: dict[str, t.Callable[[OpenToken, Errand], Seen]] = {
    "look": _look, "make": _make, "prove": _prove, "destroy": _destroy,
}  # fmt: skip


def _there(token: OpenToken, errand: Errand, objects: Objects) -> list[Pair]:
    """Return the keys that have the label or the id, with the later generations of the label where they are meant."""
    identifier = None if errand.id is None else bytes.fromhex(errand.id)
    found = (pair for pair in objects.every() if _is_labelled(pair, errand) or pair.id == identifier)
    return [one for pair in found for one in apart(token, pair)]


def _is_labelled(pair: Pair, errand: Errand) -> bool:
    if errand.generations and errand.label is not None:
        return generation_of(pair.label, errand.label) is not None
    return pair.label == errand.label


def _look_again(token: OpenToken, errand: Errand) -> list[Pair]:
    """Return what the token itself says now, and not what this process remembers of it."""
    try:
        return _there(token, errand, Objects(token.session))
    except RuntimeError as error:
        raise token.said(error, "looking again") from None


def _seen(token: OpenToken, pairs: list[Pair]) -> Seen:
    return Seen(
        label=token.label,
        serial=token.serial,
        manufacturer=_text(token.token.manufacturer_id),
        model=_text(token.token.model),
        restricts=token.module.manufacturer_id not in CANNOT_RESTRICT,
        keys=tuple(held(token, pair) for pair in pairs),
    )


def _text(said: t.Any) -> str:
    text = said.decode("utf-8", "replace") if isinstance(said, bytes) else str(said)
    return "".join(one for one in text if one.isprintable()).strip()
