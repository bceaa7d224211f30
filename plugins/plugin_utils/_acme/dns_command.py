# SPDX-FileCopyrightText: 2026 Keystead contributors
# SPDX-License-Identifier: GPL-3.0-or-later
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)

"""dns-01 by a command of the user: `argv... present|cleanup NAME VALUE`, without a shell."""

from __future__ import annotations

import shutil
import subprocess
import typing as t

from ...module_utils._core.errors import Denied, Misconfigured, Unavailable, printable
from .address import WHO
from .side_by_side import Part, by_name, each

if t.TYPE_CHECKING:
    from collections.abc import Sequence

    from .dns import Record
    from .side_by_side import Failed

LONGEST = 120.0  # seconds
_SHOWN = 200


class Command:
    """Runs it once for each record and direction."""

    def __init__(self, argv: Sequence[str], option: str) -> None:
        """Keep the command, which was checked."""
        self._argv, self._option = [str(one) for one in argv], option

    def present(self, records: Sequence[Record]) -> Failed:
        """Put records there, those of one name one after the other."""
        return self._each("present", records)

    def cleanup(self, records: Sequence[Record]) -> Failed:
        """Take records away, in the same way."""
        return self._each("cleanup", records)

    def look(self) -> str:
        """Say that the program is there. Raises Misconfigured."""
        if shutil.which(self._argv[0]) is None:
            raise Misconfigured(f"{self._option}: {self._argv[0]} is no program that can be run; write the path of one")
        return f"{self._argv[0]} is a program"

    def _each(self, verb: str, records: Sequence[Record]) -> Failed:
        def work(part: Part) -> Failed:
            self._run(verb, *part.records)
            return {}

        return each([[Part((one,)) for one in same] for same in by_name(records).values()], work)

    def _run(self, verb: str, record: Record) -> None:
        name = self._argv[0]
        try:
            done = subprocess.run(  # noqa: S603 - the task's own command, as a list, without a shell
                [*self._argv, verb, record.name, record.value],
                stdin=subprocess.DEVNULL, capture_output=True, timeout=LONGEST, check=False,
            )  # fmt: skip
        except OSError as error:
            raise Misconfigured(
                f"{self._option}: {name} cannot be run ({error.strerror}); write the path of a program"
            ) from None
        except subprocess.TimeoutExpired:
            told = f"{name} {verb} {record.name} took more than {LONGEST:g} s"
            raise Unavailable(f"{WHO}: {told}; run it by hand") from None
        if done.returncode:
            lines = done.stderr.decode(errors="replace").strip().splitlines()
            said = f" ({printable(lines[-1][:_SHOWN])})" if lines else ""
            raise Denied(f"{WHO}: {name} {verb} {record.name} ended with {done.returncode}{said}; run it by hand")
