# SPDX-FileCopyrightText: 2026 Keystead contributors
# SPDX-License-Identifier: BSD-2-Clause
# Simplified BSD License (see LICENSES/BSD-2-Clause.txt or https://opensource.org/licenses/BSD-2-Clause)

"""Who else renews a pair: certbot, certmonger and acme.sh leave files that name what they own."""

from __future__ import annotations

import os
import typing as t

from .._core.errors import KeysteadError
from .._core.model import Finding
from .directories import find_directory
from .pem_files import opened

if t.TYPE_CHECKING:
    from .._core.model import Adopt

CERTBOT = "/etc/letsencrypt/renewal"
CERTMONGER = "/var/lib/certmonger/requests"
ACME_SH = "~/.acme.sh"
MOST_FILES, LARGEST_FILE = 2000, 1 << 16


def owners(adopt: Adopt, real: t.Sequence[str], certmonger: str = CERTMONGER) -> list[Finding]:
    """Return a finding for each configuration that names one of the pair's files; `real` is where they really are.

    Its code is the renewer, `about` the configuration, `detail` what the renewer calls the pair.
    """
    paths = {path for path in (*adopt[:3], *real) if path}
    renewing = (path for path in _naming(_certbot_of(paths), paths) if path.endswith(".conf"))  # it reads no others
    found = [Finding("certbot", path, _stem(path)) for path in renewing if _value(path, "autorenew") != "False"]
    tracking, acting = _naming([certmonger], paths), _naming(_acme_of(paths), paths)
    found += [Finding("certmonger", path, _value(path, "id") or _stem(path)) for path in tracking]
    return found + [Finding("acme_sh", path, _value(path, "Le_Domain") or _stem(path)) for path in acting]


def _certbot_of(paths: t.Iterable[str]) -> list[str]:
    """Return where certbot keeps what it renews: the usual place, and that beside `live/NAME/`."""
    beside = {"/".join((*path.split("/")[:-3], "renewal")) for path in paths if path.split("/")[-3:-2] == ["live"]}
    return sorted({CERTBOT} | beside)


def _acme_of(paths: t.Iterable[str]) -> list[str]:
    """Return the directories of acme.sh: one for each domain, and the pair's own, if it was never installed."""
    home = os.path.expanduser(ACME_SH)
    below = [os.path.join(home, entry) for entry in _entries(home)]
    return sorted({*below, *(os.path.dirname(path) for path in paths if "acme.sh" in path)})


def _naming(directories: t.Sequence[str], paths: t.Collection[str]) -> t.Iterator[str]:
    """Yield the configurations in these directories that have one of the paths as a value."""
    for directory in directories:
        for entry in _entries(directory):
            path = os.path.join(directory, entry)
            own = entry.endswith(".conf") and any(os.path.dirname(one) == directory for one in paths)
            values = {value for name, value in _settings(path) if not own or name == "Le_Domain"}
            if values & set(paths) or (own and values):
                yield path


def _value(path: str, name: str) -> str:
    return next((value for key, value in _settings(path) if key == name), "")


def _settings(path: str) -> t.Iterator[tuple[str, str]]:
    """Yield the names and values of a configuration, line by line; nothing of what cannot be read."""
    directory, name = os.path.split(path)
    for line in _text(directory, name).splitlines():
        key, equals, value = line.partition("=")
        if equals:
            yield key.strip(), value.strip().strip("'\"")


def _text(directory: str, name: str) -> str:
    try:
        above = find_directory(directory)
    except KeysteadError:
        return ""
    if above is None:
        return ""
    try:
        descriptor = opened(name, above)
        if descriptor is None:
            return ""
        with open(descriptor, "rb") as file:
            content = file.read(LARGEST_FILE + 1)
        return content.decode("utf-8", "replace") if len(content) <= LARGEST_FILE else ""
    except OSError:  # a link, or not for us: no configuration
        return ""
    finally:
        os.close(above)


def _entries(directory: str) -> list[str]:
    try:
        return sorted(os.listdir(directory))[:MOST_FILES]
    except OSError:
        return []


def _stem(path: str) -> str:
    return os.path.splitext(os.path.basename(path))[0]
