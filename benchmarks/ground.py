# SPDX-FileCopyrightText: 2026 Keystead contributors
# SPDX-License-Identifier: GPL-3.0-or-later
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)

"""Directories to measure in: inventories of any size, and authorities that are made once and copied for every run."""

from __future__ import annotations

import datetime as dt
import json
import shutil
import sys
import tempfile
import typing as t
from collections import Counter
from pathlib import Path

from cryptography import x509
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.hazmat.primitives.serialization import Encoding, NoEncryption, PrivateFormat

from .runner import Run, play

if t.TYPE_CHECKING:
    from .scenarios import Fleet, Work

Environment = t.Mapping[str, str] | None


class Ground:
    """One directory, empty at first; `ours` and the rivals each work in directories of their own below it.

    Nothing is deleted while there is something to measure: for minutes, ext4 looks at every inode that was freed and
    passes over it when it makes a file (`recently_deleted` in its ialloc.c), so that thousands make each one dear.
    """

    def __init__(self, place: Path, variables: t.Mapping[str, t.Any] | None = None) -> None:
        """Begin anew in `place`; the variables stand in every inventory."""
        self.place, self._variables = unused(place), variables or {}
        self._begun: Counter[str] = Counter()
        self.fresh = self.place / "fresh"
        self.fresh.mkdir(mode=0o700)
        (self.fresh / "authorities").mkdir(mode=0o700)
        play("authority", self.write("controller", {"localhost": {}}), changes=True, work=str(self.fresh))
        make_rival_authority(self.fresh)

    def ping(self, fleet: Fleet, environment: Environment = None) -> Run:
        """Run the unit of all measures."""
        return play("ping", self.inventory(fleet), changes=False, environment=environment)

    def run(self, name: str, fleet: Fleet, work: Work, *, where: str, environment: Environment = None) -> Run:
        """Run a playbook in directory `where`: a first issue makes it anew, for the others it must have been made."""
        if work == "issue":
            self._begun[where] += 1
            shutil.copytree(self.fresh, self.directory(where))
        directory = str(self.directory(where))
        return play(name, self.inventory(fleet), changes=work == "issue", environment=environment, work=directory)

    def check(self, name: str, fleet: Fleet, *, where: str) -> Run:
        """Ask a playbook in check mode what it would do; every host must have something to do."""
        directory = str(self.directory(where))
        return play(name, self.inventory(fleet), changes=True, options=["--check"], work=directory)

    def inventory(self, fleet: Fleet) -> Path:
        """Return an inventory whose hosts are this machine, with names of their own."""
        return self.write(
            f"{fleet.hosts}x{fleet.identities}",
            {f"host{n}": {"identities": list(_identities(f"host{n}", fleet.identities))} for n in range(fleet.hosts)},
        )

    def write(self, name: str, hosts: dict[str, t.Any]) -> Path:
        """Write an inventory of local hosts, once."""
        path = self.place / f"{name}.json"
        if not path.exists():
            common = {
                "ansible_connection": "local",
                "ansible_python_interpreter": sys.executable,
                **self._variables,
            }
            path.write_text(json.dumps({"fleet": {"hosts": hosts, "vars": common}}), encoding="utf-8")
        return path

    def swap_key(self, host: str, name: str, where: str) -> None:
        """Put another key where an identity's key is, as valid as the right one."""
        path = self.directory(where) / host / "identities" / name / "current" / "private_key.pem"
        path.write_bytes(_pem(ec.generate_private_key(ec.SECP256R1())))

    def directory(self, where: str) -> Path:
        """Return where a playbook last ran that was told to run in `where`."""
        return self.place / f"{where}-{self._begun[where]}"


def unused(place: Path) -> Path:
    """Return a directory below `place` that nobody used before; tools/bench removes them all at its end."""
    place.mkdir(parents=True, exist_ok=True)
    return Path(tempfile.mkdtemp(dir=place))


def _identities(host: str, count: int) -> t.Iterator[dict[str, t.Any]]:
    """Yield what one host shall have, as a task says it."""
    for n in range(count):
        yield {"name": f"id{n}", "dns_names": [f"id{n}.{host}.example.org"], "key": {"type": "ecdsa-p256"}}


def _pem(key: ec.EllipticCurvePrivateKey) -> bytes:
    return key.private_bytes(Encoding.PEM, PrivateFormat.PKCS8, NoEncryption())


def make_rival_authority(place: Path) -> None:
    """Write the self-signed authority that community.crypto signs with."""
    key = ec.generate_private_key(ec.SECP256R1())
    name = x509.Name([x509.NameAttribute(x509.NameOID.COMMON_NAME, "Rival")])
    now = dt.datetime.now(dt.UTC)
    builder = x509.CertificateBuilder().subject_name(name).issuer_name(name).public_key(key.public_key())
    builder = builder.serial_number(x509.random_serial_number()).not_valid_before(now - dt.timedelta(hours=1))
    builder = builder.not_valid_after(now + dt.timedelta(days=365))
    builder = builder.add_extension(x509.BasicConstraints(ca=True, path_length=None), critical=True)
    (place / "ca.crt").write_bytes(builder.sign(key, hashes.SHA256()).public_bytes(Encoding.PEM))
    (place / "ca.key").write_bytes(_pem(key))
