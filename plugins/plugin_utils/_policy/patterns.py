# SPDX-FileCopyrightText: 2026 Keystead contributors
# SPDX-License-Identifier: GPL-3.0-or-later
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)

"""Patterns as regular expressions. One that could never match is refused: who wrote it believes that it protects."""

from __future__ import annotations

import ipaddress
import re

MOST_DEEP = 3
_WILD = {"**": ".*", "*": r"[^./:]*"}


def glob(pattern: str) -> str:
    """Return the regular expression of a pattern: `*` is anything but a dot, a slash or a colon, `**` anything.

    Raises ValueError for spaces at an end, and for so many `**` that a name takes long to be compared.
    """
    if pattern != pattern.strip():
        raise ValueError(f"{pattern!r} begins or ends with white space")
    if pattern.count("**") > MOST_DEEP:
        raise ValueError(f"{pattern!r} has more than {MOST_DEEP} **")
    if any(part.replace("**", "").count("*") > MOST_DEEP for part in re.split("[./:]", pattern)):
        raise ValueError(f"{pattern!r} has more than {MOST_DEEP} * without a dot between them")
    return "".join(_WILD.get(part, re.escape(part)) for part in re.split(r"(\*\*|\*)", pattern))


def texts(patterns: list[str]) -> list[str]:
    """Return the regular expressions of patterns of texts."""
    return [glob(pattern) for pattern in patterns]


def globs(patterns: list[str]) -> list[str]:
    """Return those of patterns of names. Raises ValueError for the signs that stand for something in a shell alone."""
    for pattern in patterns:
        _refuse_shell(pattern)
    return texts(patterns)


def dns_names(patterns: list[str]) -> list[str]:
    """Return those of patterns of DNS names, as names stand in a certificate: lower case and A-labels (RFC 5890)."""
    return [glob(_checked_host(_a_labels(pattern.lower()))) for pattern in patterns]


def mailboxes(patterns: list[str]) -> list[str]:
    """Return those of patterns of mailboxes (RFC 5280, 4.2.1.6), the domain as that of a DNS name."""
    split = [pattern.rpartition("@") for pattern in patterns]
    return [glob(local + at + _a_labels(domain.lower())) for local, at, domain in split]


def covered(patterns: list[str]) -> list[str]:
    """Return regular expressions of all that has one of the patterns, or is a wildcard that stands for such a name.

    They are to be compared with lower case. Raises ValueError for patterns that can match no name.
    """
    return [expression for pattern in patterns for expression in _covered(pattern.lower())]


def _covered(pattern: str) -> list[str]:
    if ":" in pattern or "/" in pattern:
        return [glob(_canonical(pattern))]
    if " " in pattern.strip():  # a common name that is none of a host
        return [glob(pattern)]
    local, at, domain = pattern.rpartition("@")
    name = local + at + _checked_host(_a_labels(domain))
    return list(dict.fromkeys([glob(name), glob(pattern), *([] if at else _wildcards(name))]))


def _wildcards(name: str) -> list[str]:
    """Return expressions of the wildcards that stand for a name: their first label is any, the rest is that of it.

    The first label of a name that has the pattern ends at the pattern's first dot, or within a `**` before that.
    """
    first, dot, rest = name.partition(".")
    ends = [rf"\*\.{glob(rest)}"] if dot else []
    deep = [rf"\*\..*{glob(name[found.end() :])}" for found in re.finditer(r"\*\*", first)]
    return [*ends, *deep]


def _checked_host(name: str) -> str:
    _refuse_shell(name)
    if name.endswith("."):
        raise ValueError(f"{name!r} ends with a dot, which no name in a certificate does")
    if name.startswith(".") or ".." in name:
        raise ValueError(f"{name!r} has an empty label, which no name has; *.example.org are those below example.org")
    return name


def _refuse_shell(pattern: str) -> None:
    if found := re.search(r"[?\[\]]", pattern):
        raise ValueError(f"{pattern!r} has {found[0]}, which stands for itself alone; * is anything but a dot")


def _a_labels(name: str) -> str:
    return name if name.isascii() else ".".join(map(_a_label, name.split(".")))


def _a_label(label: str) -> str:
    if label.isascii():
        return label
    import idna

    try:
        return idna.encode(label, uts46=True).decode("ascii")
    except idna.IDNAError:
        raise ValueError(f"{label!r} has no A-label; write the label as it stands in a certificate") from None


def _canonical(pattern: str) -> str:
    """Return an IPv6 address in its canonical form (RFC 5952), and any other pattern as it is; a network is refused."""
    try:
        network = ipaddress.ip_network(pattern, strict=False)
    except ValueError:
        return pattern
    if "/" in pattern:
        raise ValueError(f"{pattern!r} is a network; write the addresses with *, or permit others by ip_addresses")
    return str(network.network_address)
