# SPDX-FileCopyrightText: 2026 Keystead contributors
# SPDX-License-Identifier: BSD-2-Clause
# Simplified BSD License (see LICENSES/BSD-2-Clause.txt or https://opensource.org/licenses/BSD-2-Clause)

"""How a key is made in a token so that it never comes out, and does what it is for and nothing else."""

from __future__ import annotations

import os
import typing as t

from .._core.errors import Denied, KeysteadError, Misconfigured, NotConverged
from . import attributes
from .errors import FULL, names
from .kinds import KINDS, Kind, able
from .library import TPM2_PKCS11, pkcs11
from .lookup import destroy
from .objects import Pair

if t.TYPE_CHECKING:
    from .token import OpenToken

_USES = {
    "sign": ("SIGN", "VERIFY"),
    "encrypt": ("ENCRYPT", "DECRYPT"),
    "wrap": ("WRAP", "UNWRAP"),
    "derive": ("DERIVE",),
}
"""What a key may be for, and the capabilities that this is in PKCS#11."""
USES = tuple(_USES)
CANNOT_RESTRICT = (TPM2_PKCS11,)
"""Modules, by their manufacturer, that refuse a template with fewer capabilities than the TPM gives the key."""
_REFUSED = (
    "AttributeTypeInvalid", "AttributeValueInvalid", "CurveNotSupported", "DomainParamsInvalid", "FunctionNotSupported",
    "KeySizeRange", "MechanismInvalid", "MechanismParamInvalid", "TemplateIncomplete", "TemplateInconsistent",
)  # fmt: skip
_ID_BYTES = 16
_TRIES = 2
_GUARDS = ("extractable", "sensitive")
_PLACES_FOR_ONE = 2  # its parent is loaded with it


class Wish(t.NamedTuple):
    """What key is to be made. `use` is of USES; none means what a type is for: signing, or for AES encrypting."""

    type: str
    label: str
    use: tuple[str, ...] = ()
    extractable: bool = False
    id: bytes = b""


def generate(token: OpenToken, wish: Wish) -> Pair:
    """Make a key, read it back and return it; the caller holds the token's lock, and is `alone`.

    A key that is not whole is destroyed and made once more: SoftHSM loses a half where others make keys beside us.
    Raises KeysteadError.
    """
    kind = checked(token, wish.type)
    for _try in range(_TRIES):
        made, whole = _tried(token, kind, wish._replace(id=wish.id or os.urandom(_ID_BYTES)))
        if not whole:
            destroy(token, [made])
        elif _may_come_out(token, wish, made):
            destroy(token, [made])
            made_so = f"{token.name} made a key that can come out of it, so it was destroyed"
            raise Denied(f"pkcs11: {made_so}; use another token")
        else:
            return made
    raise NotConverged(
        f"pkcs11: {token.name} says that it made a key with the label {wish.label}, and does not have the whole of it; "
        f"what there was of it is destroyed; {FULL}"
    )


def _tried(token: OpenToken, kind: Kind, wish: Wish) -> tuple[Pair, bool]:
    """Make a key; return it, and whether the token has all of it when it is asked again."""
    token.take(_PLACES_FOR_ONE)
    objects = token.objects
    try:
        before = objects.count(wish.label, wish.id)
        made = (_secret if kind.family == "AES" else _pair)(token, kind, wish)
        after = objects.count(wish.label, wish.id)
    except RuntimeError as error:
        raise _said(token, wish, error) from None
    for name in ("private", "public", "secret"):
        handle = getattr(made, name)
        if handle is not None:
            objects.add(name, made.id, made.label, handle)
    return made, after == before + len(list(made.handles()))


def _may_come_out(token: OpenToken, wish: Wish, made: Pair) -> bool:
    try:
        guards = attributes.read(made.private or made.secret, _GUARDS)
    except RuntimeError as error:
        raise _said(token, wish, error) from None
    return (guards["extractable"] is True and not wish.extractable) or guards["sensitive"] is False


def checked(token: OpenToken, key_type: str) -> Kind:
    """Return what a type is in PKCS#11; raises Misconfigured where this token cannot make it."""
    try:
        can = able(token.slot)
    except RuntimeError as error:
        raise token.said(error, "listing its mechanisms") from None
    if key_type not in can:
        raise _unable(token, key_type, can)
    return KINDS[key_type]


def _unable(token: OpenToken, key_type: str, can: list[str]) -> Misconfigured:
    signs = key_type not in KINDS or bool(KINDS[key_type].signs)  # what signs is not replaced by what encrypts
    others = [name for name in can if name != key_type and bool(KINDS[name].signs) == signs]
    return Misconfigured(f"pkcs11: {token.name} cannot make a key of key.type {key_type}; it can make {names(others)}")


def _said(token: OpenToken, wish: Wish, error: RuntimeError) -> KeysteadError:
    """Return why a key was not made. A curve or a size that is only missing in practice is found out by trying."""
    if type(error).__name__ in _REFUSED:
        return _unable(token, wish.type, able(token.slot))
    return token.said(error, f"making a key of type {wish.type}", FULL)


def _pair(token: OpenToken, kind: Kind, wish: Wish) -> Pair:
    library = pkcs11()
    attribute = library.Attribute
    private = {attribute.EXTRACTABLE: wish.extractable, attribute.SENSITIVE: True, attribute.PRIVATE: True}
    public: dict[t.Any, t.Any] = {}
    if token.module.manufacturer_id not in CANNOT_RESTRICT:
        private[attribute.SIGN_RECOVER] = public[attribute.VERIFY_RECOVER] = False
    said = {
        "id": wish.id,
        "label": wish.label,
        "store": True,
        "capabilities": _capabilities(token, kind, wish),
        "mechanism": getattr(library.Mechanism, kind.makes),
        "private_template": private,
        "public_template": public,
    }
    family = getattr(library.KeyType, kind.family)
    if kind.family == "RSA":
        made = token.session.generate_keypair(family, kind.bits, **said)
    else:
        curve = {attribute.EC_PARAMS: kind.parameters}
        made = token.session.create_domain_parameters(family, curve, local=True).generate_keypair(**said)
    return Pair(wish.id, wish.label, private=made[1], public=made[0])


def _secret(token: OpenToken, kind: Kind, wish: Wish) -> Pair:
    library = pkcs11()
    made = token.session.generate_key(
        library.KeyType.AES,
        kind.bits,
        id=wish.id,
        label=wish.label,
        store=True,
        capabilities=_capabilities(token, kind, wish),
        mechanism=getattr(library.Mechanism, kind.makes),
        template={library.Attribute.EXTRACTABLE: wish.extractable, library.Attribute.SENSITIVE: True},
    )
    return Pair(wish.id, wish.label, secret=made)


def _capabilities(token: OpenToken, kind: Kind, wish: Wish) -> t.Any:
    """Return the capabilities of a key; where they cannot be restricted, those that the token insists on."""
    flag = pkcs11().MechanismFlag
    use = wish.use or (("sign",) if kind.signs else ("encrypt",))
    if kind.signs and token.module.manufacturer_id in CANNOT_RESTRICT:
        use = ("sign", "encrypt")
    found = flag(0)
    for name in use:
        for one in _USES[name]:
            found |= getattr(flag, one)
    return found
