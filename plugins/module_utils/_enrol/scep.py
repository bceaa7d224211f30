# SPDX-FileCopyrightText: 2026 Keystead contributors
# SPDX-License-Identifier: BSD-2-Clause
# Simplified BSD License (see LICENSES/BSD-2-Clause.txt or https://opensource.org/licenses/BSD-2-Clause)

"""A host enrols itself at a SCEP server (RFC 8894) by micromdm's `scepclient`, which it has for that.

Enveloped messages are more than the cryptography of old hosts can make, so that program makes them, and nothing else:
it is shown its keys by links into memory, has no environment, and speaks to a relay of ours alone (scep_relay). What
the server answers is the controller's to judge.
"""

from __future__ import annotations

import base64
import contextlib
import time
import typing as t
from pathlib import Path

with contextlib.suppress(ImportError):
    from cryptography import x509
    from cryptography.hazmat.primitives.asymmetric.rsa import RSAPrivateKey
    from cryptography.hazmat.primitives.serialization import Encoding, NoEncryption, PrivateFormat

from .._core.errors import Misconfigured, Unavailable, Unreached
from .._core.keys import from_pem, signing_hash, spki_sha256
from .._core.pki import first_in, pem_certificate
from .deadline import within
from .https import Answer, Connection, Server, packed
from .scep_program import Ended, Files, find, run
from .scep_relay import Relay
from .unreachable import Silent

if t.TYPE_CHECKING:
    from .https import Within
    from .means import Means, Own

WHO = "scep"
CHALLENGE_PASSWORD = "1.2.840.113549.1.9.7"  # noqa: S105 - an OID (RFC 2985, 5.4.1)
LARGEST_CAPABILITIES = 4096  # bytes; RFC 8894, 3.5.2 knows fewer than 200
LARGEST_NAMED = 64 * 1024  # bytes of the certificates of a server
LONGEST_SAID = 4096  # bytes of an answer that is none: nobody reads more of them


def enrol(said: t.Mapping[str, t.Any], means: Means) -> dict[str, t.Any]:
    """Return what came of it: `named` (GetCACert), and if it came so far `ended`, `certificate` and `answer`.

    `said` has `host`, `port`, `path`, `tls`, `authorities`, `timeout`, `fingerprint`, the checked request `csr` in
    base64, and `renews`: whether the pair of the host may sign. The means' secret is the challenge. Raises
    KeysteadError; Unreached as long as nothing was asked for.
    """
    program = find()
    until = time.monotonic() + said["timeout"]
    server = Server(
        WHO, said["host"], said["port"], said["timeout"], said.get("authorities"), None, "", said.get("tls", True)
    )
    connection = Connection(server, _before(until))
    try:
        named, capable = _introduced(connection, said["path"])
        if named.status != 200:
            return {"named": _cut(named)}
        files = _files(said, means, capable)
        relay = Relay(connection, said["path"], {"GetCACert": named, "GetCACaps": capable})
        with relay.listening() as url, means.workshop() as directory:
            argv = [program, "-server-url", url, "-private-key", "key.pem", "-certificate", "client.pem",
                    "-ca-fingerprint", said["fingerprint"]]  # fmt: skip
            ended = run(argv, directory, files, until)
    finally:
        connection.close()
    return _told(named, relay, ended, said["timeout"], means.secret)


def _before(until: float) -> Within:
    """Return what does something before one moment, that of the whole call."""
    return lambda seconds, work: within(min(seconds, until - time.monotonic()), work)


def _introduced(connection: Connection, path: str) -> tuple[Answer, Answer]:
    """Return what GetCACert and GetCACaps answer (RFC 8894, 4.2 and 3.5). Raises KeysteadError: nothing was signed."""
    try:
        named = connection.ask("GET", f"{path}?operation=GetCACert", {})
        if named.status != 200:
            return named, named
        capable = connection.ask("GET", f"{path}?operation=GetCACaps", {})
    except Unavailable as error:
        raise Unreached(str(error)) from None
    finally:
        connection.close()  # a server may end an idle one just when a request goes out
    if len(named.body) > LARGEST_NAMED:
        raise Unreached(f"{WHO}: its certificates (GetCACert) have more than {LARGEST_NAMED} bytes; look at url")
    can = capable.body[:LARGEST_CAPABILITIES] if capable.status == 200 else b""
    return named, Answer(200, {"content-type": "text/plain"}, can)


def _files(said: t.Mapping[str, t.Any], means: Means, capable: Answer) -> Files:
    """Return what the program reads: the request, the key that signs the message, and for a renewal its certificate."""
    key, csr = means.staged(), x509.load_der_x509_csr(base64.b64decode(said["csr"]))
    if key is None or spki_sha256(key.public_key()) != spki_sha256(csr.public_key()):
        raise Misconfigured(f"host: {WHO}: the key that was staged for this request is gone; run again")
    request = _with_challenge(csr, key, means.secret).public_bytes(Encoding.PEM)
    old = _old_pair(means.own) if said.get("renews") and b"renewal" in capable.body.lower().split() else None
    if old is None:
        return Files({"csr.pem": request, "key.pem": _traditional(key)}, {})
    signer, certificate = old
    return Files({"csr.pem": request, "key.pem": _traditional(signer)}, {"client.pem": certificate})


def _with_challenge(csr: t.Any, key: t.Any, challenge: str | None) -> t.Any:
    """Return the request as it was checked, but for the challenge in it, and so signed anew."""
    if challenge is None:
        return csr
    builder = x509.CertificateSigningRequestBuilder().subject_name(csr.subject)
    for extension in csr.extensions:
        builder = builder.add_extension(extension.value, critical=extension.critical)
    builder = builder.add_attribute(x509.ObjectIdentifier(CHALLENGE_PASSWORD), challenge.encode())
    return builder.sign(key, signing_hash(key))


def _old_pair(own: Own | None) -> tuple[t.Any, bytes] | None:
    """Return the key and the certificate (PEM) that the host has; None where they cannot sign such a message."""
    if own is None:
        return None
    try:
        key, der = from_pem(Path(own.private_key).read_bytes()), first_in(Path(own.certificate).read_bytes())
        if der is None or not isinstance(key, RSAPrivateKey):
            return None
        return key, pem_certificate(der)
    except (OSError, ValueError):
        return None


def _traditional(key: t.Any) -> bytes:
    """Return a key in the one form that the program reads: PKCS #1."""
    pem: bytes = key.private_bytes(Encoding.PEM, PrivateFormat.TraditionalOpenSSL, NoEncryption())
    return pem


def _cut(answer: Answer) -> dict[str, t.Any]:
    """Return an answer that is none as it goes up: the beginning of it."""
    return packed(answer._replace(body=answer.body[:LONGEST_SAID]))


def _told(named: Answer, relay: Relay, ended: Ended, timeout: float, secret: str | None) -> dict[str, t.Any]:
    """Return what the controller is to know of it. Raises KeysteadError for what did not come so far."""
    if relay.error is not None:
        raise relay.error
    if ended.late and relay.asked:
        raise Silent(f"{WHO}: no answer within {timeout:g}s (option timeout); run again later")
    if ended.late:
        late = f"scepclient did not come to its question within {timeout:g}s (option timeout)"
        raise Unreached(f"{WHO}: {late}; look at the load of this host, and run again")
    told: dict[str, t.Any] = {"named": packed(named), "asked": relay.asked, "ended": ended.how, "info": ended.info}
    if relay.failed is not None:
        told["answer"] = _cut(relay.failed)
    elif ended.how == "failed":
        told["words"] = "" if secret and secret in ended.words else ended.words
    if ended.certificate is not None:
        told["certificate"] = base64.b64encode(ended.certificate).decode()
    return told
