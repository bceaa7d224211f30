# SPDX-FileCopyrightText: 2026 Keystead contributors
# SPDX-License-Identifier: GPL-3.0-or-later
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)

"""Consumers are told to load a new generation; what could not be done is said with a remedy."""

from __future__ import annotations

import typing as t

import pytest
from ansible_collections.keystead.identity.plugins.module_utils._core.model import Activation
from ansible_collections.keystead.identity.plugins.module_utils._host.activation import activate

if t.TYPE_CHECKING:
    from pathlib import Path

# A stateful fake, since no systemd runs here: one file a unit holds its state, as `systemctl` words it.
FAKE_SYSTEMCTL = """#!/bin/sh
units={units}
verb=$1; shift
[ "$1" = --property=LoadState ] && shift
[ "$1" = -- ] && shift
echo "$verb $1" >> {units}/calls
state=$(cat "$units/$1" 2>/dev/null) || state=
case $verb in
is-active)
  [ -n "$state" ] && echo "$state" || echo inactive
  [ "$state" = active ] && exit 0; [ -n "$state" ] && exit 3; exit 4 ;;
show) [ -n "$state" ] && echo LoadState=loaded || echo LoadState=not-found ;;
reload-or-restart)
  [ ! -e "$units/$1.broken" ] && exit 0
  echo "Job for $1 failed because the control process exited with error code." >&2; exit 1 ;;
esac
"""


@pytest.fixture
def units(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """Return the state of the fake systemd."""
    directory = tmp_path / "units"
    directory.mkdir()
    _systemctl(tmp_path / "bin", FAKE_SYSTEMCTL.format(units=directory), monkeypatch)
    return directory


def _systemctl(bin_directory: Path, script: str, monkeypatch: pytest.MonkeyPatch) -> None:
    bin_directory.mkdir()
    (bin_directory / "systemctl").write_text(script)
    (bin_directory / "systemctl").chmod(0o755)
    monkeypatch.setenv("PATH", f"{bin_directory}:/usr/bin:/bin")


def _calls(units: Path) -> list[str]:
    return (units / "calls").read_text().splitlines()


@pytest.mark.parametrize("state", ["active", "reloading", "activating"])
def test_a_running_unit_is_reloaded(units: Path, state: str) -> None:
    (units / "nginx.service").write_text(state)
    done = activate(Activation(unit="nginx.service"), 5)
    assert (done.outcome, done.message) == ("ok", "unit nginx.service was reloaded")
    assert _calls(units) == ["is-active nginx.service", "reload-or-restart nginx.service"]
    assert 0 < done.seconds < 5


@pytest.mark.parametrize("state", ["inactive", "failed"])
def test_a_stopped_unit_is_skipped_and_said(units: Path, state: str) -> None:
    (units / "nginx.service").write_text(state)
    done = activate(Activation(unit="nginx.service"), 5)
    assert (done.outcome, done.message) == (
        "skipped",
        "unit nginx.service is not running, so it was not reloaded",
    )
    assert "reload-or-restart nginx.service" not in _calls(units)


@pytest.mark.usefixtures("units")
def test_an_unknown_unit_fails() -> None:
    done = activate(Activation(unit="ngnix.service"), 5)
    assert done.outcome == "failed"
    assert done.message.startswith("unit ngnix.service does not exist on this host; ")


def test_a_unit_that_cannot_reload_fails_with_what_systemctl_says(units: Path) -> None:
    (units / "nginx.service").write_text("active")
    (units / "nginx.service.broken").touch()
    done = activate(Activation(unit="nginx.service"), 5)
    assert done.outcome == "failed"
    assert done.message == (
        "unit nginx.service could not be reloaded: systemctl exited with 1: "
        "Job for nginx.service failed because the control process exited with error code."
    )


@pytest.mark.parametrize(
    ("script", "said"),
    [
        ("echo 'System has not been booted with systemd as init system (PID 1).' >&2; exit 1", "PID 1"),
        ("echo \"Running in chroot, ignoring command 'is-active'\" >&2", "ignoring command"),
    ],
)
def test_a_systemctl_that_cannot_act_fails_with_the_remedy(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, script: str, said: str
) -> None:
    _systemctl(tmp_path / "bin", f"#!/bin/sh\n{script}\n", monkeypatch)
    done = activate(Activation(unit="nginx.service"), 5)
    assert done.outcome == "failed"
    assert said in done.message
    assert "use activate.command" in done.message


def test_a_hanging_systemctl_fails_in_time(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    _systemctl(tmp_path / "bin", "#!/bin/sh\nsleep 60\n", monkeypatch)
    done = activate(Activation(unit="nginx.service"), 0.3)
    assert done.outcome == "failed"
    assert "did not end within 0.3 s" in done.message
    assert done.seconds < 30


def test_a_command_that_succeeds_is_said_by_its_program_alone(tmp_path: Path) -> None:
    done = activate(Activation(command=("touch", str(tmp_path / "touched"))), 5)
    assert (done.outcome, done.message) == ("ok", "command touch succeeded")
    assert (tmp_path / "touched").exists()


def test_a_command_that_fails_is_said_with_its_last_line() -> None:
    done = activate(Activation(command=("sh", "-c", "echo 'bad directive' >&2; exit 1")), 5)
    assert (done.outcome, done.message) == ("failed", "activate.command: sh exited with 1: bad directive")


def test_a_condition_that_is_not_met_skips_the_command(tmp_path: Path) -> None:
    touched = tmp_path / "touched"
    done = activate(Activation(command=("touch", str(touched)), only_if=("false",)), 5)
    assert (done.outcome, done.message) == (
        "skipped",
        "activate.only_if: false exited with 1, so nothing was activated",
    )
    assert not touched.exists()


def test_a_condition_that_is_met_lets_the_command_run(tmp_path: Path) -> None:
    touched = tmp_path / "touched"
    assert activate(Activation(command=("touch", str(touched)), only_if=("true",)), 5).outcome == "ok"
    assert touched.exists()


def test_a_condition_that_cannot_be_asked_fails() -> None:
    done = activate(Activation(command=("true",), only_if=("/no/such/program",)), 5)
    assert (done.outcome, done.message) == ("failed", "activate.only_if: /no/such/program does not exist")
