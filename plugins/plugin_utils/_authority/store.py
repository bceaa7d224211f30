# SPDX-FileCopyrightText: 2026 Keystead contributors
# SPDX-License-Identifier: GPL-3.0-or-later
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)


"""An authority on the controller's disk: one directory that is published whole by one rename."""

from __future__ import annotations

import contextlib
import os
import shutil
import typing as t
from dataclasses import dataclass

with contextlib.suppress(ImportError):
    from cryptography import x509
    from cryptography.hazmat.primitives.serialization import (
        Encoding,
        load_pem_private_key,
    )

from ...module_utils._core.errors import Misconfigured
from ...module_utils._core.keys import spki_sha256
from ...module_utils._core.pki import MALFORMED
from .about import ABOUT, About, about, damaged, find_about, recorded
from .files import PRIVATE, locked, put, read, read_if_there, refuse_shared, speaking, sync
from .publication import Publication, kept

if t.TYPE_CHECKING:
    from pathlib import Path

    from .opening import Opening


@dataclass(frozen=True)
class Authority:
    """A certificate authority: what it says of itself, its certificate, those above it (none for a root).

    And what it publishes, which alone may change.
    """

    about: About
    certificate: x509.Certificate
    issuers: tuple[x509.Certificate, ...]
    publication: Publication

    @property
    def path(self) -> Path:
        """Where it is."""
        return self.about.path

    @property
    def name(self) -> str:
        """What the tasks call it."""
        return self.about.name

    @property
    def id(self) -> str:
        """Who signs."""
        return self.about.id

    @property
    def encrypted(self) -> bool:
        """Whether its key has a passphrase."""
        return self.about.encrypted

    @property
    def root(self) -> x509.Certificate:
        """Its trust anchor."""
        return (self.certificate, *self.issuers)[-1]

    @property
    def intermediates(self) -> tuple[x509.Certificate, ...]:
        """What a server sends after its own certificate: all of the chain but the root."""
        return (self.certificate, *self.issuers)[:-1]

    @property
    def issued(self) -> Path:
        """The directory with one file for each certificate that it has signed."""
        return self.path / "issued"

    @property
    def revoked(self) -> Path:
        """The directory with one record for each certificate that it has taken back."""
        return self.path / "revoked"

    @property
    def crl_path(self) -> Path:
        """Its complete revocation list (RFC 5280, 5), PEM."""
        return self.path / "crl.pem"

    @property
    def crl_der_path(self) -> Path:
        """The same in DER, as it is published (RFC 5280, 4.2.1.13)."""
        return self.path / "crl.der"

    @property
    def crl_number_path(self) -> Path:
        """The highest number that a list ever had."""
        return self.path / "crl_number"

    @property
    def certificate_der_path(self) -> Path:
        """Its certificate in DER, as it is published (RFC 5280, 4.2.2.1)."""
        return self.path / "certificate.der"

    @property
    def lock(self) -> Path:
        """What serialises revocations."""
        return self.path / ".lock"

    def open(self, opening: Opening) -> t.Any:
        """Return the private key (10 to 40 ms when it is encrypted); raises KeysteadError."""
        self.about.check_fits(opening)
        if opening.custody is None:
            return self._from_file(opening.passphrase)
        from .custody import opened

        return opened(self.about, self.certificate, opening.custody)

    def _from_file(self, passphrase: bytes | None) -> t.Any:
        path = self.path / "private_key.pem"
        try:
            key = load_pem_private_key(read(path), passphrase, unsafe_skip_rsa_key_validation=True)
        except MALFORMED:
            reason = "the passphrase does not open it, or it is damaged" if self.encrypted else "it is damaged"
            remedy = "set its own, or restore the file" if self.encrypted else "restore it"
            raise Misconfigured(
                f"local: cannot open {path} of authority {self.name}: {reason}; {remedy} from a backup"
            ) from None
        if spki_sha256(key.public_key()) != spki_sha256(self.certificate.public_key()):
            raise Misconfigured(
                f"local: {path} is not the key of certificate.pem beside it; restore both from one backup"
            )
        return key


def load(directory: str | Path, name: str) -> Authority:
    """Read an authority; raises Misconfigured where there is none or it cannot be understood."""
    return _read(about(directory, name))


def find(directory: str | Path, name: str) -> Authority | None:
    """Read an authority without its key; None where there is none."""
    found = find_about(directory, name)
    return None if found is None else _read(found)


def _read(found: About) -> Authority:
    try:
        certificate = x509.load_pem_x509_certificate(read(found.path / "certificate.pem"))
        chain = read(found.path / "chain.pem")
        issuers = tuple(x509.load_pem_x509_certificates(chain)) if chain else ()
        public_id = spki_sha256(certificate.public_key())
        for one in (certificate, *issuers):
            _check_is_understood(one)
    except MALFORMED:
        raise damaged(found.path) from None
    if public_id != found.public_id:
        raise Misconfigured(
            f"local: {found.path / ABOUT} is not about certificate.pem beside it; restore both from one backup"
        )
    return Authority(found, certificate, issuers, kept(found.path))


def _check_is_understood(certificate: x509.Certificate) -> None:
    """Raise one of MALFORMED for a certificate that lacks, or garbles, what is asked of every authority."""
    certificate.public_key()
    certificate.subject.rfc4514_string()
    try:
        for kind in (x509.BasicConstraints, x509.SubjectKeyIdentifier):
            certificate.extensions.get_extension_for_class(kind)
    except x509.ExtensionNotFound as error:
        raise ValueError("not a certificate of an authority") from error


@contextlib.contextmanager
def maintained(directory: Path, name: str) -> t.Iterator[None]:
    """Let one process at a time create or destroy an authority."""
    refuse_shared(directory)
    with speaking("create", directory):
        directory.mkdir(mode=0o755, parents=True, exist_ok=True)
    with locked(directory / f".{name}.lock"):
        yield


def begin(directory: Path, name: str, note: bytes | None) -> None:
    """Make the place beside its own where an authority is put together; a note tells of a key that is made elsewhere.

    So whatever happens next, no key is in a custody that nothing here tells of.
    """
    staged = staging_place(directory, name)
    with speaking("create", staged):
        for place in (staged, staged / "issued", staged / "revoked"):
            place.mkdir()
            place.chmod(0o755)
    if note is not None:
        put(staged / ABOUT, note)
        sync(staged)
        sync(directory)


def stage(
    directory: Path, name: str, chain: t.Sequence[x509.Certificate], about: bytes, private_key: bytes | None
) -> None:
    """Write everything that an authority needs beside its place; `chain` is its certificate and those above it.

    `private_key` is PEM, None where the key is elsewhere.
    """
    staged = staging_place(directory, name)
    if private_key is not None:
        put(staged / "private_key.pem", private_key, PRIVATE)
    put(staged / "chain.pem", b"".join(above.public_bytes(Encoding.PEM) for above in chain[1:]))
    put(staged / ABOUT, about)
    put(staged / "certificate.pem", chain[0].public_bytes(Encoding.PEM))
    sync(staged)


def publish(directory: Path, name: str) -> None:
    """Make the staged authority the authority, by one rename."""
    with speaking("publish", directory / name):
        staging_place(directory, name).rename(directory / name)
    sync(directory)


def bury(directory: Path, name: str) -> None:
    """Take an authority away by one rename. What it said of itself stays until `clear`."""
    with speaking("remove", directory / name):
        (directory / name).rename(_grave(directory, name))
    sync(directory)


def left_behind(directory: Path, name: str) -> bool:
    """Say whether a killed run left something that was never published or is half removed."""
    return any(map(os.path.lexists, (staging_place(directory, name), _grave(directory, name))))


def buried(directory: Path, name: str) -> About | None:
    """Return what an authority said of itself that a killed run took away and did not clear."""
    return recorded(directory / name, _grave(directory, name))


def begun(directory: Path, name: str) -> About | None:
    """Return what an authority that a killed run never published says of itself; without a key_uri it has no key."""
    return recorded(directory / name, staging_place(directory, name))


def staged_certificate(directory: Path, name: str) -> x509.Certificate | None:
    """Return the certificate of an authority that a killed run never published."""
    path = staging_place(directory, name) / "certificate.pem"
    with contextlib.suppress(*MALFORMED):
        content = read_if_there(path)
        return x509.load_pem_x509_certificate(content) if content is not None else None
    return None


def clear(directory: Path, name: str) -> None:
    """Delete what `left_behind` found."""
    for place in (staging_place(directory, name), _grave(directory, name)):
        if os.path.lexists(place):
            with speaking("remove", place):
                shutil.rmtree(place)


def staging_place(directory: Path, name: str) -> Path:
    """Return where an authority is put together."""
    return directory / f".{name}.new"


def _grave(directory: Path, name: str) -> Path:
    return directory / f".{name}.old"
