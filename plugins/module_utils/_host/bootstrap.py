# SPDX-FileCopyrightText: 2026 Keystead contributors
# SPDX-License-Identifier: BSD-2-Clause
# Simplified BSD License (see LICENSES/BSD-2-Clause.txt or https://opensource.org/licenses/BSD-2-Clause)

"""The program that goes down a connection's pipe (plugin_utils/_pipe.py): runs a phase with the modules that it brings.

It is read as text and never imported. Nothing of it touches the disk. There are no annotations, so that a Python which
is too old for us can read it and say so.
"""

# mypy: ignore-errors
# ruff: noqa: ANN001, ANN202, ANN204, E402

import sys

sys.path[:] = [entry for entry in sys.path if entry]  # the directory that we happen to start in has no say

import gc

gc.disable()  # the process ends with its answer

import json
import os
import zlib
from binascii import a2b_base64


class Shipped:
    """Finds and loads what was brought: source texts by the names of their modules, packages among them.

    The finder and loader protocols are those of the standard library's importlib.
    """

    def __init__(self, sources):
        """Keep the sources."""
        self.sources = sources

    def find_spec(self, name, path=None, target=None):  # noqa: ARG002 - the protocol's
        """Return how a module is loaded, if it is one of these."""
        if name not in self.sources:
            return None
        from importlib.machinery import ModuleSpec

        return ModuleSpec(name, self, is_package=any(other.startswith(name + ".") for other in self.sources))

    def create_module(self, spec):
        """Leave that to Python."""

    def exec_module(self, module):
        """Compile a module when it is needed, and run it."""
        name = module.__name__
        code = compile(self.sources[name], name.replace(".", "/") + ".py", "exec", dont_inherit=True)
        exec(code, module.__dict__)  # noqa: S102 - what an import does


def unpacked(text):
    """Return what was packed: JSON, compressed, in base64."""
    return json.loads(zlib.decompress(a2b_base64(text)))


def main(sources, arguments, mark):
    """Run a phase with the controller's arguments, and print the answer as one line that begins with `mark`."""
    if sys.version_info < (3, 8):  # noqa: UP036 - it may be
        version = ".".join(map(str, sys.version_info[:3]))
        said = "host: {} is Python {}, at least 3.8 is needed; set ansible_python_interpreter to another"
        answer = {"failed": True, "msg": said.format(sys.executable, version)}
    else:
        sys.meta_path.insert(0, Shipped(unpacked(sources)))
        from keystead.module_utils._host.answering import answered

        answer = answered(**unpacked(arguments))
    sys.stdout.write("\n" + mark + json.dumps(answer) + "\n")
    sys.stdout.flush()
    os._exit(0)  # nothing is left to do: for Python to take itself apart would take 15 ms of the host's processor
