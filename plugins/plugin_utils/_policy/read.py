# SPDX-FileCopyrightText: 2026 Keystead contributors
# SPDX-License-Identifier: GPL-3.0-or-later
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)

"""A policy's YAML, read with the line of every value. Days stay text; what a reader could take amiss is refused."""

from __future__ import annotations

import re
import typing as t

from ...module_utils._core.errors import Misconfigured, first_line

if t.TYPE_CHECKING:
    from collections.abc import Mapping

Path = tuple[str | int, ...]
Lines = dict[Path, int]
_NUMBER = re.compile("0|[1-9][0-9]{0,17}")  # anything else stays text: to YAML 010 is eight
_WORDS: Mapping[str, t.Callable[[str], t.Any]] = {
    "tag:yaml.org,2002:int": lambda text: int(text) if _NUMBER.fullmatch(text) else text,
    "tag:yaml.org,2002:null": lambda _text: None,
    "tag:yaml.org,2002:bool": lambda text: text.lower() in ("true", "yes", "on"),
}


def read(text: str, source: str) -> tuple[t.Any, Lines]:
    """Return what a policy says, and the line of every value by its path. Raises Misconfigured with file and line."""
    import yaml

    try:
        node = yaml.compose(text, Loader=yaml.SafeLoader)
        reader = _Reader(source)
        return reader.value(node, ()) if node is not None else None, reader.lines
    except yaml.MarkedYAMLError as error:
        line = error.problem_mark.line + 1 if error.problem_mark else 1
        raise Misconfigured(f"policy: {source} line {line}: it is not YAML: {error.problem or 'unreadable'}") from None
    except (yaml.YAMLError, RecursionError) as error:
        raise Misconfigured(f"policy: {source}: it is not YAML: {first_line(error)[:200]}") from None


class _Reader:
    """Walks over the nodes of one document."""

    def __init__(self, source: str) -> None:
        self.source = source
        self.lines: Lines = {(): 1}
        self._seen: set[int] = set()

    def value(self, node: t.Any, path: Path) -> t.Any:
        """Return the value of a node, and remember where it and all below it stand."""
        self.lines.setdefault(path, node.start_mark.line + 1)
        if id(node) in self._seen:
            raise self._refusal(path, "it is an alias of a value that stands elsewhere; write it out")
        self._seen.add(id(node))
        if node.id == "sequence":
            return [self.value(one, (*path, number)) for number, one in enumerate(node.value)]
        if node.id == "mapping":
            return dict(self._member(key, one, path) for key, one in node.value)
        return _WORDS.get(node.tag, str)(node.value)

    def _member(self, key: t.Any, node: t.Any, path: Path) -> tuple[str, t.Any]:
        if key.id != "scalar":
            self.lines[path] = key.start_mark.line + 1
            raise self._refusal(
                path, "a name is no plain text; a policy is no template, so write what shall hold itself"
            )
        below = (*path, str(key.value))
        if below in self.lines:
            self.lines[below] = key.start_mark.line + 1
            raise self._refusal(below, "it stands there twice; write each name once")
        self.lines[below] = key.start_mark.line + 1
        return str(key.value), self.value(node, below)

    def _refusal(self, path: Path, why: str) -> Misconfigured:
        where = ".".join(str(part)[:60] for part in path if not isinstance(part, int)) or "it"
        return Misconfigured(f"policy: {self.source} line {self.lines[path]}: {where}: {why}")
