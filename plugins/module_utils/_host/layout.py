# SPDX-FileCopyrightText: 2026 Keystead contributors
# SPDX-License-Identifier: BSD-2-Clause
# Simplified BSD License (see LICENSES/BSD-2-Clause.txt or https://opensource.org/licenses/BSD-2-Clause)

"""Where things stand in a store: `<store>/<identity>/{<n>/, current, next/, pending, lease.json}`."""

from __future__ import annotations

import functools

CURRENT = "current"
NEXT = "next"
ADOPTING = "adopting"  # where a pair that was there before becomes a generation: its key is never the next one
ENROLLING = "enrolling"  # where a program works that speaks to an issuer; nothing in it is secret
PENDING = "pending"
CHALLENGES = ".challenges"  # in the store: what is shown for whom, until when
MANIFEST = "generation.json"
FORMAT = 1

FILE_OF = {
    "private_key": "private_key.pem",
    "certificate": "certificate.pem",
    "chain": "chain.pem",
    "fullchain": "fullchain.pem",
    "combined": "combined.pem",
    "nginx_tls": "nginx_tls.conf",
    "roots": "roots.pem",
    "key_uri": "key_uri.txt",
}
FILES_OF = {  # by kind
    "x509": FILE_OF,
    "ssh_host": {
        "private_key": FILE_OF["private_key"],
        "public_key": "public_key.pub",
        "certificate": "certificate.pub",
    },
}
PART_OF = {name: part for files in FILES_OF.values() for part, name in files.items()}
OF_A_KEY_FILE = ("private_key", "combined", "nginx_tls")
OF_A_KEY_ELSEWHERE = ("key_uri",)
SECRET_FILES = (FILE_OF["private_key"], FILE_OF["combined"])
PUBLIC_MODE = 0o644
DIRECTORY_MODE = 0o755
STAGING_MODE = 0o700


@functools.lru_cache(maxsize=8)
def expected_files(custody: str, kind: str) -> tuple[str, ...]:
    """Return the files that every generation has whose key lives there; a token's has an include for nginx besides."""
    without = OF_A_KEY_ELSEWHERE if custody == "file" else OF_A_KEY_FILE
    return tuple(name for part, name in FILES_OF[kind].items() if part not in without)


def current_path(store: str, name: str, part: str, kind: str = "x509") -> str:
    """Return the path by which a consumer reads a part of whatever generation is current."""
    return "/".join((store, name, CURRENT, FILES_OF[kind][part]))
