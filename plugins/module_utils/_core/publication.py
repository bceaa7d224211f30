# SPDX-FileCopyrightText: 2026 Keystead contributors
# SPDX-License-Identifier: BSD-2-Clause
# Simplified BSD License (see LICENSES/BSD-2-Clause.txt or https://opensource.org/licenses/BSD-2-Clause)

"""Copies of a generation in other places: what is declared of them, how they are found, and what is to be done."""

from __future__ import annotations

import typing as t

from .model import Step

if t.TYPE_CHECKING:
    from .model import Identity, Observed

FILE_PUBLISHERS = {
    "pkcs12": ("private_key", "certificate", "chain"),
    "pem_bundle": ("private_key", "certificate", "chain", "fullchain"),
}
"""What runs on a host, and the parts that a file of it may hold."""

REMOTE_PUBLISHERS = ("openbao_kv", "aws_secrets_manager", "aws_acm")
"""What runs on the controller; the first word of where such a copy is."""

REMOTE_PARTS = ("private_key", "certificate", "chain", "fullchain")
DEFAULT_PARTS = ("private_key", "certificate", "chain")
_PUBLIC_BY_DEFAULT = ("openbao_kv", "aws_secrets_manager")
ENCRYPTIONS = ("modern", "legacy")
_OF_METADATA = ("ok", "same", "mode", "owner", "tags")  # what a consumer reads there stays what it was
_SENTENCES = {
    "ok": "{where} gets {why}",
    "missing": "{where} is not there yet",
    "certificate": "{where} holds another certificate",
    "key": "{where} holds another key",
    "parts": "{where} holds other parts than declared, or in another order",
    "order": "{where} holds its parts in another order",
    "password": "{where} does not open with the declared password",
    "encryption": "the encryption of {where} is not {detail}",
    "unreadable": "{where} cannot be read as {publisher}",
    "mode": "the mode of {where} is {detail}",
    "owner": "the owner of {where} is {detail}",
    "same": "{where} holds the same already, and is managed from now on",
    "file": "{where} holds something else, which {publisher} replaces, as replace_files says",
    "unread": "{where} could not be read, and is written where that is possible now",
    "taken": "{where} was a copy of {detail}, which no longer declares it",
    "link": "{where} is a link, in whose place a file comes",
    "tags": "{where} lacks the tag {detail}",
}
COPY_STATES = tuple(_SENTENCES)


def default_parts(publisher: str) -> tuple[str, ...]:
    """Return the parts that go to a publisher where a task names none."""
    return DEFAULT_PARTS[1:] if publisher in _PUBLIC_BY_DEFAULT else DEFAULT_PARTS


class Publication(t.NamedTuple):
    """A file of the host that gets a copy of some parts, in this order. `mode` is octal.

    `password` is a secret. The controller never sets it: it joins the rest only on the host, where `password_file` is.
    """

    path: str
    publisher: str
    parts: tuple[str, ...] = DEFAULT_PARTS
    owner: str | None = None
    group: str | None = None
    mode: str = "0600"
    encryption: str = "modern"
    password: str | None = None
    password_file: str | None = None


class CopyState(t.NamedTuple):
    """How a copy differs from the current generation: one of COPY_STATES, and what is found instead."""

    where: str
    publisher: str
    state: str
    detail: str = ""


def is_copy(step: Step) -> bool:
    """Tell whether a step is about a copy: `publish` with a number, or with nothing, is about a generation."""
    return step.action == "publish" and not (step.about == "" or step.about.isdigit())


def told(copy: CopyState) -> str:
    """Say how a copy differs."""
    return _SENTENCES[copy.state].format(**copy._asdict())


def copy_steps(found: Observed, renewed: str | None = None) -> tuple[Step, ...]:
    """Return what brings the copies to the current generation; with `renewed`, to the one that it says comes."""
    return tuple(
        Step("publish", _SENTENCES["ok" if renewed else copy.state].format(why=renewed, **copy._asdict()), copy.where)
        for copy in found.copies
        if renewed or copy.state != "ok"
    )


def changes_a_copy(found: Observed) -> bool:
    """Tell whether a consumer on the host will find something else in a copy."""
    return any(copy.state not in _OF_METADATA and copy.publisher in FILE_PUBLISHERS for copy in found.copies)


def is_remote(step: Step) -> bool:
    """Tell whether a step is about a copy that only the controller reaches."""
    return step.action in ("publish", "withdraw") and step.about.partition(" ")[0] in REMOTE_PUBLISHERS


def withdraw_steps(wanted: Identity, found: Observed) -> tuple[Step, ...]:
    """Return what takes away the copies that nobody declares any more."""
    why = "is no longer declared" if wanted.state == "present" else "is of an identity declared absent"
    stays = "; others changed it since, so it stays"
    return tuple(
        Step("withdraw", f"{path} {why}{stays if path in found.kept_copies else ''}", path)
        for path in found.stale_copies
    )
