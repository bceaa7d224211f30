# SPDX-FileCopyrightText: 2026 Keystead contributors
# SPDX-License-Identifier: GPL-3.0-or-later
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)

"""A host with a package manager of its own: this machine, where that keeps what it knows and what it installs.

Its packages come from a repository of what is installed here, so no network is needed. All of it is in the memory of a
mount namespace, and dies with the process that started it. Needs root.
"""

from __future__ import annotations

import contextlib
import hashlib
import subprocess
import typing as t
from pathlib import Path

if t.TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

COPIED = ("/etc/apt", "/usr/lib/python3", "/usr/share/doc", "/usr/share/python3", "/var/lib/dpkg")
EMPTY = ("/srv", "/var/cache/apt", "/var/lib/apt", "/var/log")
BOOT = """
set -e
top=$1
shift
mount -t tmpfs tmpfs "$top"
while [ "$1" != -- ]; do
    mkdir -p "$top$1"
    cp -a "$1/." "$top$1/"
    mount --bind "$top$1" "$1"
    shift
done
shift
for one; do mount -t tmpfs tmpfs "$one"; done
mkdir -p /var/cache/apt/archives/partial /var/lib/apt/lists/partial /var/log/apt
echo mounted
exec cat
"""
REPOSITORY = Path("/srv/repository")
_KEPT = ("Package", "Version", "Architecture", "Maintainer", "Depends", "Description")


class Distribution:
    """The host. `interpreter` is its Python, as ansible_python_interpreter is told."""

    def __init__(self, process: int, interpreter: Path) -> None:
        """Take the process that has the mounts; the interpreter is written."""
        self._enter = ["nsenter", f"--target={process}", "--mount"]
        self.interpreter = interpreter
        words = " ".join(self._enter)
        interpreter.write_text(f'#!/bin/sh\nexec {words} /usr/bin/python3 "$@"\n', encoding="ascii")
        interpreter.chmod(0o755)

    def run(self, *argv: str, check: bool = True, said: str | None = None) -> subprocess.CompletedProcess[str]:
        """Run a command there."""
        return subprocess.run(
            [*self._enter, *argv], check=check, input=said, capture_output=True, text=True, timeout=120
        )

    def lacks(self, package: str) -> None:
        """Remove a package, whoever needs it, and have it in the repository instead, and nothing else."""
        control = self.run("dpkg-query", "--status", package).stdout
        files = [one for one in self.run("dpkg-query", "--listfiles", package).stdout.split() if one != "/."]
        self._pack(package, control, files)
        self.run("dpkg", "--force-depends", "--purge", package)
        self.run("rm", "-rf", "/etc/apt/sources.list.d")
        self._write("/etc/apt/sources.list", f"deb [trusted=yes] file:{REPOSITORY} ./\n")

    def _pack(self, package: str, control: str, files: Sequence[str]) -> None:
        """Make a package of what is installed (deb(5)), and an index of it."""
        tree, packed = f"/srv/{package}", REPOSITORY / f"{package}.deb"
        told = "".join(f"{line}\n" for line in _fields(control))
        self.run("mkdir", "-p", f"{tree}/DEBIAN", str(REPOSITORY))
        listed = "".join(f"{one}\n" for one in files)
        self.run("tar", "--no-recursion", "-P", "-cf", f"{tree}.tar", "-T", "-", said=listed)
        self.run("tar", "-C", tree, "-xf", f"{tree}.tar")
        self._write(f"{tree}/DEBIAN/control", told)
        self.run("dpkg-deb", "--build", "-Znone", tree, str(packed))
        content = subprocess.run([*self._enter, "cat", str(packed)], check=True, capture_output=True).stdout
        digest = hashlib.sha256(content).hexdigest()
        index = f"{told}Filename: ./{packed.name}\nSize: {len(content)}\nSHA256: {digest}\n"
        self._write(str(REPOSITORY / "Packages"), index)

    def _write(self, path: str, text: str) -> None:
        self.run("tee", path, said=text)


def _fields(control: str) -> Iterator[str]:
    """Yield the fields of a package, of a line each, that say what it is."""
    for line in control.splitlines():
        if line.partition(":")[0] in _KEPT:
            yield line


@contextlib.contextmanager
def distribution(directory: Path) -> Iterator[Distribution]:
    """Start a host below a directory."""
    place = directory / "distribution"
    place.mkdir()
    argv = ["unshare", "--mount", "--propagation=private", "sh", "-c", BOOT, "sh", str(place), *COPIED, "--", *EMPTY]
    with subprocess.Popen(argv, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True) as process:
        try:
            assert process.stdout is not None
            assert process.stdout.readline() == "mounted\n"
            yield Distribution(process.pid, directory / "python3")
        finally:
            process.communicate("", timeout=30)
