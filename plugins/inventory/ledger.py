# SPDX-FileCopyrightText: 2026 Keystead contributors
# SPDX-License-Identifier: GPL-3.0-or-later
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)

from __future__ import annotations

DOCUMENTATION = r"""
name: ledger
short_description: The hosts that the ledger knows, grouped by what their certificates need
version_added: 0.1.0
description:
  - Makes an inventory of the hosts that have identities in use, as the ledger on the controller knows them.
  - The file that configures it is called C(keystead.yml), or ends in C(.keystead.yml), or in C(yaml) for C(yml).
  - A host is in the groups of all its identities - C(expired), C(expires_within_7d) and the like, C(revoked), and
    C(algorithm_), C(custody_), C(issuer_) and C(service_) with what the ledger has, as C(algorithm_rsa_2048). What
    cannot be in the name of a group becomes an underscore, and a name of which more than separators is lost ends with a
    part of its digest. The key of a local authority is no part of its group.
  - Its variables are C(keystead_identities), a list of what M(keystead.identity.identity_ledger_info) returns of each,
    but for findings and deliveries; C(keystead_expires_at), the soonest end; C(keystead_services) and
    C(keystead_contacts). What the ledger says is never a template.
  - Says nothing of how hosts are reached, so use it beside another inventory. Changes nothing; the ledger is opened
    read-only, and must be there.
author:
  - Keystead contributors (@keystead)
requirements:
  - cryptography >= 50 on the controller
options:
  plugin:
    description: The name of this plugin.
    type: str
    required: true
    choices:
      - keystead.identity.ledger
extends_documentation_fragment:
  - keystead.identity.ledger_info.inventory
  - keystead.identity.common.plugin
  - constructed
  - inventory_cache
notes:
  - Of O(ledger), variables are those of the command line (C(-e)) alone, since an inventory comes before all others.
  - A cache keeps what the ledger said; into which groups that leads is asked anew each time.
  - A host whose name could not be written in a pattern (with spaces, braces or brackets) is left out with a warning.
seealso:
  - module: keystead.identity.identity_ledger_info
"""

EXAMPLES = r"""
# identities.keystead.yml: all that the user's own ledger, or that of KEYSTEAD_LEDGER, has
plugin: keystead.identity.ledger

---
# shop.keystead.yml: one service, with groups and variables of one's own
plugin: keystead.identity.ledger
select:
  service: shop
  expires_within: 90d
expiry_groups:
  - 48h
  - 7d
groups:
  several: keystead_identities | length > 1
compose:
  paths_of_certificates: keystead_identities | map(attribute='paths') | flatten
keyed_groups:
  - key: keystead_contacts
    prefix: contact
cache: true
cache_plugin: ansible.builtin.jsonfile
cache_connection: ~/.cache/keystead/inventory
"""

import typing as t
from datetime import UTC, datetime

from ansible.errors import AnsibleError, AnsibleParserError
from ansible.plugins.inventory import BaseInventoryPlugin, Cacheable, Constructable
from ansible.utils.unsafe_proxy import wrap_var

from ..module_utils._core.errors import KeysteadError, printable
from ..module_utils._options.ledger_info import INVENTORY
from ..module_utils._options.lookups import LEDGER
from ..module_utils._options.option import spec
from ..plugin_utils._edge import unexpected
from ..plugin_utils._ledger_inventory import WHO, Hosts, groups, hosts, is_a_name, safe, variables, windows
from ..plugin_utils._validate import validated

FILES = ("keystead.yml", "keystead.yaml")


class InventoryModule(BaseInventoryPlugin, Constructable, Cacheable):
    """Asks the ledger, and nobody else."""

    NAME = "keystead.identity.ledger"
    _sanitize_group_name = staticmethod(safe)

    def verify_file(self, path: str) -> bool:
        """Tell whether a file is ours, by its name."""
        name = path.rpartition("/")[2]
        return bool(super().verify_file(path)) and (name in FILES or name.endswith(tuple(f".{one}" for one in FILES)))

    def parse(self, inventory: t.Any, loader: t.Any, path: str, cache: bool = True) -> None:  # noqa: FBT001, FBT002
        """Put hosts, groups and variables into an inventory."""
        super().parse(inventory, loader, path, cache)
        try:
            self._read_config_data(path)
            self._populate(path, may_use_cache=cache)
        except KeysteadError as error:
            raise AnsibleParserError(str(error)) from None
        except AnsibleError:
            raise
        except Exception as error:  # noqa: BLE001 - its text could hold anything
            raise AnsibleParserError(unexpected(WHO, error)) from None

    def _populate(self, path: str, *, may_use_cache: bool) -> None:
        now = datetime.now(UTC)
        given = {name: self.get_option(name) for name in (*LEDGER, *INVENTORY)}
        said = validated(given, spec(LEDGER, INVENTORY), module=WHO)
        within = windows(said["expiry_groups"])
        for host, identities in self._hosts(path, said, now, may_use_cache=may_use_cache).items():
            mine = groups(identities, within, now)
            if not is_a_name(host) or host in self.inventory.groups or host in mine:  # Ansible would take the group
                self.display.warning(f"{WHO}: a host is left out, its name is {printable(host[:80])!r}")
                continue
            self.inventory.add_host(host)
            for group in mine:
                self.inventory.add_child(self.inventory.add_group(group), host)
            self._construct(host, wrap_var(variables(identities)))

    def _construct(self, host: str, known: dict[str, t.Any]) -> None:
        for name, value in known.items():
            self.inventory.set_variable(host, name, value)
        strict = self.get_option("strict")
        self._set_composite_vars(self.get_option("compose"), known, host, strict=strict)
        self._add_host_to_composed_groups(self.get_option("groups"), known, host, strict=strict)
        self._add_host_to_keyed_groups(self.get_option("keyed_groups"), known, host, strict=strict)

    def _hosts(self, path: str, said: dict[str, t.Any], now: datetime, *, may_use_cache: bool) -> Hosts:
        """Return what the ledger says, or said when it was asked the same before."""
        if not self.get_option("cache"):
            return hosts(said, now)
        key, asked = self.get_cache_key(path), repr((said["ledger"], said["select"]))
        kept = self._cache.get(key) if may_use_cache else None
        if not isinstance(kept, dict) or kept.get("asked") != asked:
            kept = {"asked": asked, "hosts": hosts(said, now)}
            self._cache[key] = kept
        return t.cast("Hosts", kept["hosts"])
