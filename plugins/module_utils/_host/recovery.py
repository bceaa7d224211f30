# SPDX-FileCopyrightText: 2026 Keystead contributors
# SPDX-License-Identifier: BSD-2-Clause
# Simplified BSD License (see LICENSES/BSD-2-Clause.txt or https://opensource.org/licenses/BSD-2-Clause)

"""What a killed run left behind, brought back to a state from which the next one goes on."""

from __future__ import annotations

import os

from .layout import ADOPTING, CURRENT, ENROLLING, MANIFEST, NEXT
from .place import Place, Unproved
from .safe_files import remove, remove_tree, rename


def recover(place: Place) -> None:
    """Turn a generation that was written and never published into a staged one again, so that its key is used.

    What remains of one that was being destroyed, adopted or enrolled goes.
    """
    for entry in (ADOPTING, ENROLLING):
        if place.has(entry):
            remove_tree(place.fd, entry)
    _restage(place)
    current = place.current()
    for number in place.numbers():
        if number != current and not place.is_complete(number):
            remove_tree(place.fd, str(number))


def _restage(place: Place) -> None:
    unproved, current = place.unproved(), place.current()
    if unproved is None or not unproved.fresh or unproved.generation == current:
        return
    number = str(unproved.generation)
    if place.has(number) and not place.has(NEXT):
        rename(place.fd, number, NEXT)
    remove_tree(place.fd, number)
    if current is None:
        place.completed()
    else:
        place.note(Unproved(current, fresh=False))  # its consumer may have been told to load the other one


def discard_unfinished(place: Place) -> None:
    """Destroy what was staged or written and never published, and the remains of what was being destroyed."""
    recover(place)
    remove_tree(place.fd, NEXT)


def destroy_generation(place: Place, number: int) -> None:
    """Destroy a generation: its manifest first, so that what a killed run leaves is never taken for complete."""
    directory = place.open_generation(str(number))
    if directory is not None:
        try:
            remove(directory, MANIFEST)
        finally:
            os.close(directory)
    remove_tree(place.fd, str(number))


def destroy_identity(place: Place) -> None:
    """Destroy every generation of an identity; the lease and the directory go last, with the caller."""
    remove(place.fd, CURRENT)
    for number in place.numbers():
        destroy_generation(place, number)
    remove_tree(place.fd, NEXT)
    remove_tree(place.fd, ADOPTING)
    remove_tree(place.fd, ENROLLING)
    place.completed()
