"""Promise: what nobody has asked for costs nothing, and is made once however many ask."""

from __future__ import annotations

import gc
import threading
import weakref
from functools import partial

import pytest

from geodata.snapshots.later import Later


class Large:
    """Something that must not be kept."""


def test_a_value_is_made_once_for_all_threads():
    made = []
    begin = threading.Barrier(8)

    def make() -> int:
        made.append(threading.get_ident())
        return 7

    later = Later(make)
    assert not later.is_made
    found = []

    def ask() -> None:
        begin.wait()
        found.append(later.get())

    threads = [threading.Thread(target=ask) for _ in range(8)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert found == [7] * 8
    assert len(made) == 1
    assert later.is_made


def test_what_it_was_made_from_is_let_go():
    large = Large()
    watched = weakref.ref(large)
    later = Later(partial(isinstance, large, Large))
    del large
    assert watched() is not None
    assert later.get() is True
    gc.collect()
    assert watched() is None


def test_a_failure_is_tried_again():
    tries = []

    def fail_first() -> str:
        tries.append(1)
        if len(tries) == 1:
            raise OSError(5, "not now")
        return "made"

    later = Later(fail_first)
    with pytest.raises(OSError, match="not now"):
        later.get()
    assert later.get() == "made"


def test_a_value_there_already_needs_no_making():
    assert Later.of(3).is_made
    assert Later.of(3).get() == 3
