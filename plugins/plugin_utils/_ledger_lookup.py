# SPDX-FileCopyrightText: 2026 Keystead contributors
# SPDX-License-Identifier: GPL-3.0-or-later
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)

"""What the lookups share: their options, from wherever they may be said, and a refusal without a traceback."""

from __future__ import annotations

import typing as t
from abc import abstractmethod

from ansible.errors import AnsibleError, AnsibleLookupError
from ansible.plugins.lookup import LookupBase

from ..module_utils._core.errors import KeysteadError
from ..module_utils._options.lookups import LEDGER
from ..module_utils._options.option import spec
from ._edge import unexpected
from ._validate import plain, validated

if t.TYPE_CHECKING:
    from ..module_utils._options.option import Option

Said = dict[str, t.Any]


class LedgerLookup(LookupBase):  # type: ignore[misc]  # Ansible has no types
    """Validates what it `accepts` beside the ledger, and lets `answer` look; `who` speaks."""

    who: t.ClassVar[str]
    accepts: t.ClassVar[t.Mapping[str, Option]]

    @abstractmethod
    def answer(self, names: list[str], given: Said, here: str) -> list[t.Any]:
        """Return an entry for each name; `here` is the host that the template is for. Raises KeysteadError."""

    def run(self, terms: list[t.Any], variables: Said | None = None, **kwargs: t.Any) -> list[t.Any]:
        """Return what was asked for."""
        try:
            given = validated(kwargs, spec(self.accepts, LEDGER), module=self.who)
            self._variables = variables or {}
            here = str(self._variables.get("inventory_hostname", "localhost"))
            return self.answer(list(map(str, plain(self._flatten(terms)))), given, here)
        except KeysteadError as error:
            message = str(error)
        except AnsibleError:
            raise
        except Exception as error:  # noqa: BLE001 - its text could hold anything
            message = unexpected(self.who, error)
        raise AnsibleLookupError(message)

    def ledger_options(self, given: Said) -> Said:
        """Return `ledger` and its password: as given, else of variables, else of environment or configuration."""
        of_variables = validated(self._templated(self._variables), spec(LEDGER), module=self.who)
        direct = {name: value for one in (of_variables, given) for name, value in one.items() if value is not None}
        self.set_options(direct=direct)
        return {name: plain(self.get_option(name)) for name in LEDGER}

    def _templated(self, variables: Said) -> Said:
        """Return the options that are variables: here a refusal shows no password, and 2.18 does not template them."""
        ours = [(option, name) for option in LEDGER if (name := f"keystead_{option}") in variables]
        return {option: self._templar.template(variables[name]) for option, name in ours}
