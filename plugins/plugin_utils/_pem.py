# SPDX-FileCopyrightText: 2026 Keystead contributors
# SPDX-License-Identifier: GPL-3.0-or-later
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)

"""PEM text (RFC 7468) as facts, and the edge of the filters that read it. What is refused is never repeated."""

from __future__ import annotations

import contextlib
import typing as t

from ansible.errors import AnsibleFilterError
from jinja2 import Undefined

with contextlib.suppress(ImportError):
    from cryptography import x509
    from cryptography.hazmat.primitives.serialization import load_pem_public_key

from ..module_utils._core import pki
from ..module_utils._core.errors import KeysteadError, Misconfigured
from ..module_utils._core.keys import spki_sha256
from ._edge import unexpected
from ._report import certificate

if t.TYPE_CHECKING:
    from collections.abc import Callable

Facts = dict[str, t.Any]
T = t.TypeVar("T")

_REMEDY = "give the text of one, as lookup('file', PATH) or b64decode of a slurped content returns it"


def filtered(who: str, value: t.Any, work: Callable[[str], T]) -> T:
    """Do the work on a text; what is wrong with it is an AnsibleFilterError of one sentence, without its content."""
    if isinstance(value, Undefined):
        str(value)  # raises what an undefined variable raises everywhere
    try:
        return work(_text(value))
    except KeysteadError as error:
        message = f"{who}: {error}"
    except NameError:
        message = f"{who}: the controller's Python has no cryptography; install requirements.txt of this collection"
    except Exception as error:  # noqa: BLE001 - its text could hold anything
        message = unexpected(who, error)
    raise AnsibleFilterError(message)


def _text(value: t.Any) -> str:
    """Return a text without the tags that ansible-core 2.19 and later put on it."""
    if isinstance(value, str):
        return str.__str__(value)
    raise Misconfigured(f"the input is of type {type(value).__name__}, not text; {_REMEDY}")


def _refuse_private_key(text: str) -> None:
    if "PRIVATE KEY" in text:
        raise Misconfigured(
            "the input holds a private key, which is refused and not shown; give the certificate, the request or the "
            "public key, and keep private keys out of variables"
        )


def certificates(text: str) -> list[Facts]:
    """Return the facts of each certificate in PEM, in their order.

    Raises Misconfigured where one cannot be read, and for any text with a private key in it.
    """
    _refuse_private_key(text)
    try:
        ders = pki.der_certificates(_encoded(text))
    except ValueError:
        raise Misconfigured(f"the input holds no certificate in PEM that can be read; {_REMEDY}") from None
    return [_facts(der, number) for number, der in enumerate(ders, start=1)]


def _facts(der: bytes, number: int) -> Facts:
    try:
        return certificate(pki.credential(der))
    except ValueError:
        raise Misconfigured(f"certificate {number} of the input cannot be understood; leave it out") from None


def spki(text: str) -> str:
    """Return the SHA-256 of the SPKI of the first certificate, request or public key in PEM, in lower-case hex.

    Raises Misconfigured for anything else, and for any text with a private key in it.
    """
    _refuse_private_key(text)
    label = text.partition("-----BEGIN ")[2].partition("-----")[0]
    load = _LOADERS.get(label)
    try:
        if load is not None:
            return spki_sha256(load(_encoded(text)))
    except pki.UNREADABLE:
        raise Misconfigured(f"the {label.lower()} in the input cannot be read; {_REMEDY}") from None
    raise Misconfigured(f"the input holds no certificate, request or public key in PEM; {_REMEDY}")


def _encoded(text: str) -> bytes:
    return text.encode("utf-8", "replace")


def _of_certificate(pem: bytes) -> t.Any:
    return x509.load_der_x509_certificate(pki.der_certificates(pem)[0]).public_key()


def _of_request(pem: bytes) -> t.Any:
    return x509.load_pem_x509_csr(pem).public_key()


def _of_public_key(pem: bytes) -> t.Any:
    return load_pem_public_key(pem)


_LOADERS: dict[str, Callable[[bytes], t.Any]] = {
    "CERTIFICATE": _of_certificate,
    "CERTIFICATE REQUEST": _of_request,
    "NEW CERTIFICATE REQUEST": _of_request,
    "PUBLIC KEY": _of_public_key,
    "RSA PUBLIC KEY": _of_public_key,
}
