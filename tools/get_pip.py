# SPDX-FileCopyrightText: 2026 Keystead contributors
# SPDX-License-Identifier: GPL-3.0-or-later

"""What `ansible-test` runs in place of PyPA's get-pip.py, which it would fetch from outside the package index.

Pip comes from the wheel that the interpreter carries; the rest of the command line is installed with it.
"""

from __future__ import annotations

import ensurepip
import os
import subprocess
import sys
from pathlib import Path

BUNDLES = ("/etc/ssl/certs/ca-certificates.crt", "/etc/pki/tls/certs/ca-bundle.crt")
NOT_FOR_PIP = {"--no-setuptools", "--no-wheel"}

ensurepip.bootstrap(default_pip=True)
if bundle := next((path for path in BUNDLES if Path(path).exists()), None):
    os.environ.setdefault("PIP_CERT", bundle)
wanted = [argument for argument in sys.argv[1:] if argument not in NOT_FOR_PIP]
sys.exit(subprocess.call([sys.executable, "-m", "pip", "install", *wanted]))  # noqa: S603
