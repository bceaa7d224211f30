# SPDX-FileCopyrightText: 2026 Keystead contributors
# SPDX-License-Identifier: BSD-2-Clause
# Simplified BSD License (see LICENSES/BSD-2-Clause.txt or https://opensource.org/licenses/BSD-2-Clause)

"""What can go wrong, named by what its reader does next. Rendered once, at the edge."""

from __future__ import annotations


def printable(text: str) -> str:
    """Return a text that others may have written as a terminal may show it: on one line, no control characters."""
    if text.isprintable():
        return text
    return "".join(one if one.isprintable() else "?" for one in text.replace("\n", " "))


class KeysteadError(Exception):
    """Base of every error that a user may see; its text begins with who speaks, in lower case, and is printable."""

    def __init__(self, message: str) -> None:
        """Take the one sentence."""
        super().__init__(printable(message))


class Misconfigured(KeysteadError):
    """The task, a file or a server is set up wrongly: change it and run again."""


class NotYet(Misconfigured):
    """Something is not there that an earlier task of the same play may make: check mode goes on without it."""


class Denied(KeysteadError):
    """A backend understood the request and refused it: ask for something else or for the right.

    `refused` says which PIN it was, and of which token, where it was one.
    """

    refused: str | None = None


class Ended(Denied):
    """What was begun in an earlier run is over and was never signed: something else may be begun in its place."""


class Lost(Ended):
    """It is over, and nobody can say any more whether it was signed."""


class Unasked(Denied):
    """It was not asked: what it says of itself, or the task of it, is wrong for every request."""


class Unavailable(KeysteadError):
    """Something did not answer in time: run again later."""


class Unreached(Unavailable):
    """It was not asked, or said that it does nothing now: whatever it was to do was not done."""


class Pending(KeysteadError):
    """Not yet: run again after `retry_after` seconds."""

    def __init__(self, message: str, retry_after: float = 0.0) -> None:
        """Keep when another try makes sense, in seconds from now."""
        super().__init__(message)
        self.retry_after = retry_after


class NotConverged(KeysteadError):
    """Everything was done, and still something would be left to do."""


KINDS = {kind.__name__: kind for kind in (Misconfigured, Denied, Unavailable, Pending, NotConverged)}


def first_line(error: BaseException) -> str:
    """Return what an error of somebody else's library says, on one line."""
    text = " ".join(str(error).split())
    return text or type(error).__name__
