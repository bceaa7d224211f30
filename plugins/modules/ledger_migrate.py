# SPDX-FileCopyrightText: 2026 Keystead contributors
# SPDX-License-Identifier: GPL-3.0-or-later
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)

DOCUMENTATION = r"""
module: ledger_migrate
short_description: Make the schema of a ledger, or bring it to this release
version_added: 0.1.0
description:
  - Makes the tables of a ledger in an empty database of PostgreSQL, or applies the migrations that this release has and
    the ledger has not. It is run as the role that owns the schema. Runs that use a ledger never change a schema there.
  - Gives roles exactly the rights that their duty needs on the tables of the ledger. What they were granted beyond that
    is taken back. Roles that are not named keep what they have.
  - The release before can go on using the ledger afterwards, so run it before controllers are upgraded. A ledger that a
    later release has migrated is left as it is where this one can use it, and nothing is taken back from its roles.
  - An SQLite file needs no such task, since every run migrates it. It may be named all the same.
  - It runs on the controller whatever host a play is about, so use C(run_once) when a play has many hosts.
  - There is no way back. Take a backup before an upgrade.
author:
  - Keystead contributors (@keystead)
requirements:
  - psycopg >= 3.2 on the controller, for PostgreSQL
extends_documentation_fragment:
  - keystead.identity.ledger
  - keystead.identity.common
  - keystead.identity.attributes
  - keystead.identity.attributes.actiongroup_identity
seealso:
  - module: keystead.identity.ledger_rebuild
"""

EXAMPLES = r"""
- name: There is a ledger, and its users have their rights
  keystead.identity.ledger_migrate:
    ledger: postgresql://keystead_migrator@ledger.example.org/keystead
    ledger_password_file: /etc/keystead/migrator.password
    convergers:
      - keystead
    auditors:
      - keystead_auditor
  run_once: true
"""

RETURN = r"""
schema:
  description: The number of the last migration, before and after. 0 where there was no ledger.
  type: dict
  returned: always
  contains:
    before:
      description: What the ledger had.
      type: int
      returned: always
      sample: 0
    after:
      description: What it has then, which is what this release knows, or more where a later one was there before.
      type: int
      returned: always
      sample: 1
grants:
  description: The statements that gave rights or took them back. Empty when all roles had theirs.
  type: list
  elements: str
  returned: always
  sample:
    - GRANT INSERT, SELECT ON events TO keystead
"""
