# SPDX-FileCopyrightText: 2026 Keystead contributors
# SPDX-License-Identifier: GPL-3.0-or-later
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)

"""A call has one deadline, whatever it hangs in."""

from __future__ import annotations

import os
import threading
import time

import pytest
from ansible_collections.keystead.identity.plugins.plugin_utils._deadline import Worker

pytestmark = pytest.mark.one_core


def test_what_is_done_in_time_is_returned_in_one_thread() -> None:
    worker = Worker()
    threads = {worker.within(10, threading.get_ident) for _ in range(3)}
    assert len(threads) == 1
    assert threading.get_ident() not in threads
    worker.close()


def test_what_goes_wrong_is_raised() -> None:
    with pytest.raises(ZeroDivisionError):
        Worker().within(10, lambda: 1 / 0)


def test_what_hangs_is_given_up_and_the_next_call_is_made() -> None:
    worker, release = Worker(), threading.Event()
    begun = time.monotonic()
    with pytest.raises(TimeoutError):
        worker.within(0.05, release.wait)
    assert time.monotonic() - begun < 30
    assert worker.within(10, lambda: "the next one") == "the next one"
    release.set()


def test_no_time_left_is_too_late() -> None:
    with pytest.raises(TimeoutError):
        Worker().within(-1.0, threading.Event().wait)


def test_an_idle_worker_has_no_thread() -> None:
    before = threading.active_count()
    worker = Worker()
    assert threading.active_count() == before
    worker.close()


def test_a_process_that_was_forked_makes_a_thread_of_its_own() -> None:
    worker = Worker()
    worker.within(10, threading.get_ident)
    pid = os.fork()
    if not pid:  # the child: it must not go on as a second pytest
        try:
            worker.within(10, threading.get_ident)
        except TimeoutError:
            os._exit(1)
        os._exit(0)
    assert os.waitpid(pid, 0)[1] == 0
    worker.close()
