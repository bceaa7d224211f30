# SPDX-FileCopyrightText: 2026 Keystead contributors
# SPDX-License-Identifier: GPL-3.0-or-later
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)

"""Tells rulebooks what happens to machine identities."""

from __future__ import annotations

import sys
import types
import typing as t
from pathlib import Path

if t.TYPE_CHECKING:
    import asyncio

NAME = "keystead_identity_plugins"
if NAME not in sys.modules:  # a rule engine loads this file alone: the rest of us is a package beside it
    package = types.ModuleType(NAME)
    package.__path__ = [str(Path(__file__).resolve().parents[4] / "plugins")]
    sys.modules[NAME] = package

from keystead_identity_plugins.plugin_utils._events.source import run  # noqa: E402

DOCUMENTATION = r"""
---
short_description: Tells what happens to machine identities
description:
  - Looks at the ledger of C(keystead.identity) again and again, and tells what there is to act on.
  - An event has a C(type), which is one of those of O(events), an C(id), which follows from what it is about, a
    C(severity) (critical, warning or notice), a C(message), a C(code) that says more to programs, and, as far as they
    are known, C(host), C(store), C(identity), C(generation), C(kind), C(contact), C(service), C(issuer_id),
    C(serial_number), C(fingerprint_sha256), C(spki_sha256), C(not_before) and C(not_after). It holds no secret, and no
    text in it is a template.
  - Each event is told once, also after a restart. A process that was killed leaves at most one in doubt, which is told
    again with the same C(id), and with C(redelivered) true.
options:
  cursor:
    description:
      - The absolute path of a file that keeps what was told. It is made where it is not there, and has to outlive this
        process. It belongs to one ledger, and one event source at a time has it.
    type: path
    required: true
  ledger:
    description:
      - Where the ledger is, C(sqlite:////absolute/path) or C(postgresql://host/database). The default is what
        C(KEYSTEAD_LEDGER) says, else the SQLite file under the state directory of the user.
    type: str
  ledger_password_file:
    description:
      - A file whose first line opens a ledger in PostgreSQL. The rights of an auditor are enough.
    type: path
  policy:
    description:
      - The policy that what is in use is judged by. The default is what C(KEYSTEAD_POLICY) says, else the policy that
        comes with the collection.
    type: path
  events:
    description:
      - Which events are told. The default is all of them.
      - C(expiring) says that a credential in use has passed a threshold of O(expiring), which is its C(code);
        C(expired) that it has ended.
      - C(revoked) says that a credential that has not ended was revoked; C(code) is the reason, and C(severity) is
        critical where it is in use.
      - C(drifted) says that a run found a host that was not as declared, and put it right, or could not.
      - C(duplicate_key) says that a key, or a certificate, is in use in several places, one event for each of them.
      - C(finding) is anything else that is wrong with what is in use, as a breach of the policy (C(code) is C(policy))
        or a C(weak_key). A factor that keys share, and a weak authority above, are not looked for.
      - C(not_in_inventory) says that a certificate was issued which no host, and none of O(records), is known to hold.
        C(code) is C(listed) where its issuer told of it, and C(orphaned) where a run gave it up.
      - C(ledger_tampered) says that the record of the ledger was altered.
    type: list
    elements: str
    choices: [expiring, expired, revoked, drifted, duplicate_key, finding, not_in_inventory, ledger_tampered]
  expiring:
    description:
      - When an end is near, as shares of the life that are left (C(33%)) or as times before the end (C(14d)). Each is
        told when it is passed.
    type: list
    elements: str
    default: ["33%", "10%"]
  interval:
    description:
      - How long to wait between two looks.
    type: str
    default: 5m
  audit:
    description:
      - How often all of the record is verified. What was seen of it before must still be there, so the file of
        O(cursor) vouches for it.
    type: str
    default: 1h
  remind:
    description:
      - After what time something that is still the case is told again, as C(1d). The event has another C(id) then, and
        C(reminder) counts. It is not told again without this.
    type: str
  records:
    description:
      - Files with records of other systems, as O(keystead.identity.identity_ledger_info#module:records) takes them,
        that are looked at as well.
    type: list
    elements: path
  public_keys:
    description:
      - Who may have signed the checkpoints of the ledger, as O(keystead.identity.identity_audit#module:public_keys).
    type: list
    elements: str
  feedback:
    description:
      - An option of ansible-rulebook itself. With V(true) and C(--persistence-id), an event counts as told when the
        rule engine has kept it in its database; without, when the rule engine has taken it.
    type: bool
    default: false
"""

EXAMPLES = r"""
- name: What ends is renewed
  keystead.identity.identity_events:
    ledger: sqlite:////srv/keystead/ledger.db
    cursor: /var/lib/keystead/events.cursor
    events: [expiring, expired]
    remind: 1d
"""


async def main(queue: asyncio.Queue[dict[str, t.Any]], args: dict[str, t.Any]) -> None:
    """Put events on the queue until the rule engine ends."""
    await run(queue, args)
