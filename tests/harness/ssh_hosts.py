# SPDX-FileCopyrightText: 2026 Keystead contributors
# SPDX-License-Identifier: GPL-3.0-or-later
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)

"""Hosts with a real sshd and sudo, each in network, mount, process and UTS namespaces of its own, on one bridge.

A host has its own addresses, users, sudo rights, host key, /run and /var/lib, which stay when it is stopped and started
again; /tmp, the programs and the Python are those of this machine. Nothing of the machine is changed, no address is
reachable from outside, and a host dies with the process that started it. While a fleet is up, the calling thread and
what it starts are in the bridge's network: that is the controller. Needs root.
"""

from __future__ import annotations

import contextlib
import ctypes
import os
import shutil
import socket
import subprocess
import tempfile
import time
import typing as t
from dataclasses import dataclass, field
from pathlib import Path

USER = "deploy"  # may log in and use sudo; lives on the hosts only, as do these groups
GROUPS = {USER: 64123, "shop": 64124}
NAMES = ("web1", "web2", "web3")
SUBNET = "10.213.7"
SSHD = """
AuthorizedKeysFile /etc/ssh/authorized_keys
HostKey /etc/ssh/host_key
PasswordAuthentication no
PidFile none
Subsystem sftp internal-sftp
UseDNS no
"""
# What a host does before it is one. It waits for its end of the wire; --mount-proc gave it a /proc of its own.
BOOT = """
for file in passwd group shadow hosts ssh sudoers.d; do mount --bind "$1/etc/$file" "/etc/$file"; done
mount --bind "$1/lib" /var/lib
mount -t tmpfs tmpfs /run
mkdir /run/sshd
hostname "$2"
echo unshared
read -r _
ip link set lo up
ip address add "$3/24" dev eth0
ip link set eth0 up
exec "$4" -D -e -f /etc/ssh/sshd_config 2> "$1/sshd.log"
"""
LISTENS = "Server listening on 0.0.0.0"
_CLONE_NEWNET = 0x40000000
_LIBC = ctypes.CDLL(None, use_errno=True)


@dataclass
class Host:
    """One host. `directory` holds what is its own, and outlives its being stopped."""

    name: str
    address: str
    directory: Path
    _process: subprocess.Popen[bytes] | None = None

    def start(self) -> None:
        """Boot it, wire it to the bridge, and wait for its sshd."""
        boot = ["sh", "-euc", BOOT, "sh", str(self.directory), self.name, self.address, str(shutil.which("sshd"))]
        self._process = unshared("--net", "--mount", "--uts", "--pid", "--fork", "--kill-child", "--mount-proc", *boot)
        far = ("name", "eth0", "address", self.mac, "netns", str(self._process.pid))
        _ip("link", "add", self.name, "type", "veth", "peer", *far)
        _ip("link", "set", self.name, "master", "bridge", "up")
        assert self._process.stdin
        self._process.stdin.write(b"wired\n")
        self._process.stdin.flush()
        self._await_sshd()

    def stop(self) -> None:
        """Switch it off, with everything that runs on it."""
        if self._process:
            end(self._process)
            self._process = None
            (self.directory / "sshd.log").unlink()
            with contextlib.suppress(subprocess.CalledProcessError):  # it goes with its other end
                _ip("link", "delete", self.name)

    def run(self, *argv: str, check: bool = True) -> str:
        """Run a command on it as root, by a side door that is not SSH; return what it says."""
        assert self._process
        door = ("nsenter", f"--target={self._process.pid}", "--mount", "--net", "--uts")
        return subprocess.run([*door, *argv], check=check, capture_output=True, text=True, timeout=30).stdout

    @property
    def mac(self) -> str:
        """Return the hardware address, which others remember while it is down."""
        return "02:00:" + ":".join(f"{int(octet):02x}" for octet in self.address.split("."))

    def _await_sshd(self, timeout: float = 10.0) -> None:
        deadline = time.monotonic() + timeout
        log = self.directory / "sshd.log"
        while not log.exists() or LISTENS not in log.read_text(encoding="utf-8"):
            if time.monotonic() > deadline:
                message = f"the sshd of {self.name} does not listen"
                raise RuntimeError(message)
            time.sleep(0.005)
        self._await_route(deadline)

    def _await_route(self, deadline: float) -> None:
        """Wait until it is reached from here: who looked for it while it was down may not have been told yet."""
        while True:
            try:
                socket.create_connection((self.address, 22), 1).close()
            except OSError:
                if time.monotonic() > deadline:
                    raise
                time.sleep(0.02)
            else:
                return

    def wipe(self) -> None:
        """Empty its /var/lib."""
        for entry in (self.directory / "lib").iterdir():
            shutil.rmtree(entry)


@dataclass
class Fleet:
    """The hosts, and how a controller reaches them."""

    directory: Path
    hosts: dict[str, Host] = field(default_factory=dict)

    def variables(self, name: str, **more: t.Any) -> dict[str, t.Any]:
        """Return what the inventory says of a host: an ordinary user who becomes root, and only its own host key."""
        known = f"-o UserKnownHostsFile={self.directory}/known_hosts"
        patience = ("-o ConnectTimeout=3", "-o ServerAliveInterval=1", "-o ServerAliveCountMax=2")
        return {
            "ansible_connection": "ssh",
            "ansible_host": self.hosts[name].address,
            "ansible_user": USER,
            "ansible_ssh_private_key_file": str(self.directory / "user_key"),
            "ansible_ssh_common_args": " ".join(("-F none", known, *patience)),
            "ansible_become": True,
            "ansible_remote_tmp": "~/.ansible/tmp",  # the default follows ANSIBLE_HOME, which is the controller's
            **more,
        }

    @property
    def inventory(self) -> dict[str, dict[str, t.Any]]:
        """Return all hosts with their variables."""
        return {name: self.variables(name) for name in self.hosts}

    @contextlib.contextmanager
    def connections(self) -> t.Iterator[dict[str, str]]:
        """Yield the environment of runs that share their connections; end these afterwards."""
        with tempfile.TemporaryDirectory(prefix="ks-cp-", dir="/tmp") as directory:  # a socket's path has 107 bytes
            yield {
                "ANSIBLE_SSH_ARGS": "-o ControlMaster=auto -o ControlPersist=60s",
                "ANSIBLE_SSH_CONTROL_PATH_DIR": directory,
                "ANSIBLE_SSH_CONTROL_PATH": "%(directory)s/%%C",
            }
            for control in Path(directory).iterdir():
                subprocess.run(
                    ["ssh", "-O", "exit", "-o", f"ControlPath={control}", "any"], check=False, capture_output=True
                )


@contextlib.contextmanager
def fleet(names: t.Sequence[str] = NAMES) -> t.Iterator[Fleet]:
    """Yield running hosts, with the calling thread in their network; stop them and come home afterwards."""
    with tempfile.TemporaryDirectory(prefix="ks-hosts-", dir="/tmp") as directory, _bridge():
        made = _furnished(Path(directory), names)
        try:
            for host in made.hosts.values():
                host.start()
            yield made
        finally:
            for host in made.hosts.values():
                host.stop()


@contextlib.contextmanager
def _bridge() -> t.Iterator[None]:
    """Bring the calling thread into a network that has nothing but a bridge with an address."""
    holder = unshared("--net", "sh", "-c", "echo unshared; read -r _")
    home = os.open("/proc/thread-self/ns/net", os.O_RDONLY)
    try:
        enter(f"/proc/{holder.pid}/ns/net")
        _ip("link", "set", "lo", "up")
        _ip("link", "add", "bridge", "type", "bridge")
        _ip("address", "add", f"{SUBNET}.1/24", "dev", "bridge")
        _ip("link", "set", "bridge", "up")
        yield
    finally:
        enter(f"/proc/self/fd/{home}")
        os.close(home)
        end(holder)


def enter(network: str) -> None:
    """Bring the calling thread into a network."""
    with Path(network).open("rb") as namespace:
        if _LIBC.setns(namespace.fileno(), _CLONE_NEWNET):
            raise OSError(ctypes.get_errno(), f"cannot enter {network}")


def unshared(*arguments: str) -> subprocess.Popen[bytes]:
    """Start a process in namespaces of its own, which dies with this one; return when it is in them."""
    command = ["setpriv", "--pdeathsig", "KILL", "unshare", *arguments]
    process = subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE)
    assert process.stdout
    if process.stdout.readline() != b"unshared\n":
        end(process)
        message = f"cannot start {command}"
        raise RuntimeError(message)
    return process


def end(process: subprocess.Popen[bytes]) -> None:
    """Kill a process, and wait for its end."""
    with process:
        process.kill()


def _ip(*arguments: str) -> None:
    subprocess.run(["ip", *arguments], check=True, capture_output=True)


def _furnished(directory: Path, names: t.Sequence[str]) -> Fleet:
    directory.chmod(0o755)
    keygen(directory / "user_key")
    made = Fleet(directory)
    for number, name in enumerate(names, start=11):
        made.hosts[name] = Host(name, f"{SUBNET}.{number}", directory / name)
    told = "".join(f"{host.address} {host.name}\n" for host in made.hosts.values())
    known = [_furnish(host, "127.0.0.1 localhost\n" + told, directory / "user_key.pub") for host in made.hosts.values()]
    (directory / "known_hosts").write_text("".join(known), encoding="utf-8")
    return made


def _furnish(host: Host, hosts_file: str, user_key: Path) -> str:
    """Make what is a host's own; return its line of known_hosts."""
    etc, home = host.directory / "etc", host.directory / "home"
    for directory in (etc / "ssh", etc / "sudoers.d", home, host.directory / "lib"):
        directory.mkdir(parents=True)
    os.chown(home, GROUPS[USER], GROUPS[USER])
    (etc / "hosts").write_text(hosts_file, encoding="utf-8")
    _extend(etc / "passwd", f"{USER}:x:{GROUPS[USER]}:{GROUPS[USER]}::{home}:/bin/sh\n")
    _extend(etc / "group", "".join(f"{name}:x:{gid}:\n" for name, gid in GROUPS.items()))
    _extend(etc / "shadow", f"{USER}:*:19000:0:99999:7:::\n")
    (etc / "sudoers.d" / USER).write_text(f"{USER} ALL=(ALL:ALL) NOPASSWD: ALL\n", encoding="utf-8")
    (etc / "ssh" / "sshd_config").write_text(SSHD, encoding="utf-8")
    shutil.copy(user_key, etc / "ssh" / "authorized_keys")
    keygen(etc / "ssh" / "host_key")
    return f"{host.address} {(etc / 'ssh' / 'host_key.pub').read_text(encoding='ascii')}"


def _extend(file: Path, lines: str) -> None:
    """Copy a file of this machine's /etc and add lines to it."""
    original = Path("/etc") / file.name
    shutil.copy(original, file)
    with file.open("a", encoding="utf-8") as handle:
        handle.write(lines)


def keygen(path: Path) -> None:
    """Make an Ed25519 key for SSH, and `.pub` beside it."""
    subprocess.run(["ssh-keygen", "-q", "-t", "ed25519", "-N", "", "-C", "", "-f", str(path)], check=True)
