# SPDX-FileCopyrightText: 2026 Keystead contributors
# SPDX-License-Identifier: GPL-3.0-or-later
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)

"""Which issuers the suites run over, and one that speaks to its server by way of a faulty proxy."""

from __future__ import annotations

import time
import typing as t

import pytest
from ansible_collections.keystead.identity.plugins.plugin_utils._issuers.facts import FACTS
from ansible_collections.keystead.identity.plugins.plugin_utils._issuers.registry import ISSUERS, SIGN_FOR_SSH
from ansible_collections.keystead.identity.tests.harness.issuers import (
    Made,
    ServerBackend,
    adapter,
    check_sentence,
    refusal,
)

if t.TYPE_CHECKING:
    from ansible_collections.keystead.identity.plugins.module_utils._core.errors import KeysteadError
    from ansible_collections.keystead.identity.tests.harness.faulty_proxy import FaultyProxy

TIMEOUT, MARGIN = 2.0, 8.0  # what `through` gives a call, and what a busy machine may add, in seconds


def every_issuer(*, servers: bool = False) -> list[t.Any]:
    """Return a parameter for each issuer, or each that speaks to a server, with what it needs of the machine."""
    names = [name for name in sorted(set(ISSUERS) - set(SIGN_FOR_SSH)) if FACTS[name].speaks_to_server or not servers]
    return [pytest.param(name, marks=pytest.mark.needs(*adapter(name).needs)) for name in names]


class Front(t.NamedTuple):
    """A backend with a faulty proxy before it."""

    made: Made
    proxy: FaultyProxy

    @property
    def backend(self) -> ServerBackend:
        """The backend, which is a server."""
        return t.cast("ServerBackend", self.made.backend)

    def options(self, **said: t.Any) -> dict[str, t.Any]:
        """Return the option `issuer` of a task that goes through the proxy."""
        return {self.made.name: self.backend.through(self.proxy.url, **said)}

    def reached(self) -> dict[str, t.Any]:
        """Return what of these options leads through the proxy."""
        own, through = self.backend.options(), self.options()[self.made.name]
        return {name: value for name, value in through.items() if own.get(name) != value}

    def issuer(self) -> t.Any:
        """Make an issuer that goes through the proxy; it has every power."""
        return self.made.issuer(self.options()[self.made.name])

    def refused(self) -> tuple[KeysteadError, str]:
        """Ask for certificates, and return how that failed, in time and in a sentence."""
        issuer, begun = self.issuer(), time.monotonic()
        error = refusal(issuer, self.made.request(), self.made.request(number=1))
        assert time.monotonic() - begun < TIMEOUT + MARGIN, error
        return error, check_sentence(error, self.made.name, self.backend.secrets)
