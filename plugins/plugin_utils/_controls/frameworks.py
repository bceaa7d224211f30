# SPDX-FileCopyrightText: 2026 Keystead contributors
# SPDX-License-Identifier: GPL-3.0-or-later
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)

"""Which controls of which framework what we know is evidence for: data, and no code.

A control names the queries that look (`queries.py`), and the kinds of rules of a policy that belong to it. Within one
framework, each query and each kind of rule stands in one control, so that one breach turns one control. Titles are
ours, not those of the source.
"""

from __future__ import annotations

import typing as t


class Control(t.NamedTuple):
    """One control, by its number in the framework. With `public`, it is about publicly trusted certificates alone.

    `checked` is `primary` where it was read in the source itself, else `secondary`.
    """

    number: str
    title: str
    queries: tuple[str, ...]
    rules: tuple[str, ...] = ()
    public: bool = False
    checked: str = "secondary"


class Framework(t.NamedTuple):
    """One framework: what it is called, in which version, and its controls."""

    title: str
    source: str
    controls: tuple[Control, ...]


_KEYS, _NAMES, _LIFE = ("key_type", "key_size"), ("names", "profile"), ("lifetime",)

FRAMEWORKS: t.Mapping[str, Framework] = {
    "pci_dss": Framework(
        "PCI DSS",
        "PCI DSS 4.0.1",
        (
            Control("4.2.1", "certificates in use have neither ended nor been revoked", ("in_time", "not_revoked")),
            Control("4.2.1.1", "an inventory of keys and certificates, with issuers and ends", ("complete",)),
            Control("10.3.4", "the record cannot be changed unseen", ("recorded",)),
            Control("12.3.3", "algorithms in use are known and viable", ("strong_keys",), _KEYS),
        ),
    ),
    "soc2": Framework(
        "SOC 2",
        "AICPA Trust Services Criteria 2017, points of focus of 2022",
        (
            Control("CC1.5", "somebody answers for each identity", ("answered_for",), ("contact",)),
            Control("CC2.1", "what is known of each identity is complete", ("complete",)),
            Control("CC6.1", "keys are protected, and each is in one place", ("one_place",), ("custody",)),
            Control("CC6.7", "what protects data in transit is strong", ("strong_keys",), _KEYS),
            Control("CC7.1", "what is good for more than it needs to be is found", ("narrow",), _NAMES),
            Control("CC7.2", "the record cannot be changed unseen", ("recorded",)),
            Control("A1.2", "no service stops because a certificate ended or was revoked", ("in_time", "not_revoked")),
        ),
    ),
    "iso_27001": Framework(
        "ISO/IEC 27001",
        "ISO/IEC 27001:2022, Annex A",
        (
            Control("5.9", "an inventory with owners", ("complete", "answered_for"), ("contact",)),
            Control("5.14", "what protects transfers is in force", ("in_time", "not_revoked")),
            Control("5.17", "secrets are held by one alone", ("one_place",), ("custody",)),
            Control("8.9", "certificates are configured as narrowly as they are needed", ("narrow",), _NAMES),
            Control("8.15", "the record is protected", ("recorded",)),
            Control("8.24", "rules for the use of cryptography are kept", ("strong_keys",), (*_KEYS, *_LIFE)),
        ),
    ),
    "nis2": Framework(
        "NIS2",
        "Commission Implementing Regulation (EU) 2024/2690, annex",
        (
            Control("9.2(b)", "algorithms and strengths are those approved", ("strong_keys",), _KEYS),
            Control("9.2(c)(iii)", "keys are with those that they are meant for", ("one_place",), ("custody",)),
            Control("9.2(c)(vii)", "what is revoked is not used", ("not_revoked",)),
            Control("9.2(c)(xi)", "what is done with keys is logged, and can be audited", ("recorded",)),
            Control("9.2(c)(xii)", "keys are used within their time alone", ("in_time",), _LIFE),
            Control("12.4", "an inventory that is complete", ("complete",)),
        ),
    ),
    "cnsa_2_0": Framework(
        "CNSA 2.0",
        "CNSA 2.0 (new acquisitions)",
        (
            Control("signatures", "what is issued from 2027 on has keys of ML-DSA-87", ("cnsa_signatures",)),
            Control("inventory", "it is known which algorithms are where", ("complete",)),
        ),
    ),
    "baseline_requirements": Framework(
        "Baseline Requirements",
        "CA/Browser Forum Baseline Requirements 2.2.6, as far as a subscriber can show",
        (
            Control("4.9.1.1", "what was revoked is replaced", ("not_revoked",), public=True, checked="primary"),
            Control("6.1.1.3", "keys are neither weak nor known to others", ("strong_keys",), _KEYS, public=True),
            Control(
                "6.3.2",
                "none lives longer than was permitted when it was issued",
                ("public_life",),
                public=True,
                checked="primary",
            ),
            Control("7.1.2.7", "names and usages are those of TLS servers", ("narrow",), _NAMES, public=True),
        ),
    ),
}
