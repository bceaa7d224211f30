# SPDX-FileCopyrightText: 2026 Keystead contributors
# SPDX-License-Identifier: GPL-3.0-or-later
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)

"""Which database a URL names, and how it is reached."""

from __future__ import annotations

import pytest
from ansible_collections.keystead.identity.plugins.module_utils._core.errors import Misconfigured
from ansible_collections.keystead.identity.plugins.plugin_utils._ledger.target import target_of

pytestmark = pytest.mark.one_core


@pytest.mark.parametrize(
    ("url", "said", "place"),
    [
        (
            "postgresql://ledger.example.org/keystead",
            {"host": "ledger.example.org", "dbname": "keystead", "sslmode": "verify-full"},
            "PostgreSQL database keystead on ledger.example.org",
        ),
        (
            "postgres://ops@ledger.example.org:6432/keystead?sslmode=verify-ca&sslrootcert=/etc/ca.pem",
            {"user": "ops", "port": "6432", "sslmode": "verify-ca", "sslrootcert": "/etc/ca.pem"},
            "PostgreSQL database keystead on ledger.example.org:6432",
        ),
        ("PostgreSQL://%75ser@[::1]/k", {"user": "user", "host": "::1", "sslmode": "prefer"}, "database k on ::1"),
        ("postgresql:///keystead", {"dbname": "keystead", "sslmode": "prefer"}, "database keystead on this machine"),
        ("postgresql://%2Frun%2Fpg/k", {"host": "/run/pg", "sslmode": "prefer"}, "database k on /run/pg"),
        ("postgresql://127.0.0.2/k", {"sslmode": "prefer"}, "on 127.0.0.2"),
        ("postgresql://localhost/k?ssl=true", {"sslmode": "require"}, "on localhost"),
        ("postgresql://localhost/k?sslmode=require", {"sslmode": "require"}, "on localhost"),
        (
            "postgresql://a.example.org:1,b.example.org:2/k?target_session_attrs=read-write",
            {"host": "a.example.org,b.example.org", "port": "1,2", "sslmode": "verify-full"},
            "on a.example.org,b.example.org:1,2",
        ),
        ("postgresql://localhost,b.example.org/k", {"sslmode": "verify-full"}, "on localhost,b.example.org"),
    ],
)
def test_a_url_is_read_as_libpq_reads_it_and_tls_to_another_machine_is_verified(
    url: str, said: dict[str, str], place: str
) -> None:
    target = target_of(url)
    assert said.items() <= dict(target.parameters).items()
    assert "password" not in target.parameters
    assert target.place.endswith(place)


@pytest.mark.parametrize(
    ("url", "words"),
    [
        ("postgresql://host", "names no database"),
        ("postgresql://host/", "names no database"),
        ("postgresql:keystead", "is not a URL of PostgreSQL"),
        ("postgresql://host/k?sslmode=maybe", "unknown sslmode; write one of disable"),
        ("postgresql://host/k?passfile=/x", "the parameter 'passfile'"),
        ("postgresql://host/k?options=-c%20x", "the parameter 'options'"),
        ("postgresql://host/k?nonsense=1", "the parameter 'nonsense', which is none of channel_binding,"),
        ("postgresql://host/k?sslmode=require&foo", "the parameter 'foo', which is none of"),
        ("postgresql://host/k?connect_timeout=abc", "a connect_timeout that is no number; write whole seconds"),
        ("postgresql://host:port/k", "a port that is no number"),
        ("postgresql://[::1/k", "cannot be read as a URL"),
    ],
)
def test_what_cannot_be_reached_is_refused_with_the_form(url: str, words: str) -> None:
    with pytest.raises(Misconfigured, match=r"^ledger: option ledger ") as refused:
        target_of(url)
    assert words in str(refused.value)
