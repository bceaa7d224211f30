# SPDX-FileCopyrightText: 2026 Keystead contributors
# SPDX-License-Identifier: BSD-2-Clause
# Simplified BSD License (see LICENSES/BSD-2-Clause.txt or https://opensource.org/licenses/BSD-2-Clause)

"""What a host has to enrol itself with, whatever the protocol is."""

from __future__ import annotations

import typing as t

if t.TYPE_CHECKING:
    from pathlib import Path


class Own(t.NamedTuple):
    """The paths of the certificate, with its chain, and of the key that the identity has now."""

    certificate: str
    private_key: str


class Means(t.NamedTuple):
    """`own` is the pair of now, None where there is none; `secret` came down the pipe for this enrolment.

    `staged` returns the key that waits for its credential, None where none does. `workshop` gives a directory for this
    one enrolment that nobody else may enter, and that is gone after it.
    """

    own: Own | None
    secret: str | None
    staged: t.Callable[[], t.Any]
    workshop: t.Callable[[], t.ContextManager[Path]]
