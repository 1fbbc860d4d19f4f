"""The tile cache keeps what is used, forgets the rest and never grows past its limit."""

from __future__ import annotations

import threading

from hypothesis import given
from hypothesis import strategies as st

from geodata.snapshots.byte_cache import ENTRY_BYTES
from layers.tile_cache import TileCache


def test_a_picture_is_drawn_once_even_an_empty_one():
    cache = TileCache(limit_bytes=10_000)
    drawn = []
    for key, body in (("a", b"x"), ("empty", None), ("a", b"y"), ("empty", b"z")):
        cache.get(key, lambda key=key, body=body: (drawn.append(key), body)[1])
    assert drawn == ["a", "empty"]
    assert (cache.hits, cache.misses) == (2, 2)


@given(st.lists(st.tuples(st.integers(0, 9), st.integers(0, 3_000)), max_size=60))
def test_the_bytes_in_use_never_pass_the_limit(asked):
    cache = TileCache(limit_bytes=6_000)
    for key, size in asked:
        assert cache.get((key, size), lambda size=size: b"." * size) == b"." * size
        assert cache.used_bytes <= cache.limit_bytes
    kept = [size for (_, size), body in cache._kept.items() if len(body[0]) == size]
    assert cache.used_bytes == sum(kept) + ENTRY_BYTES * len(cache)


def test_what_was_used_last_stays_longest():
    cache = TileCache(limit_bytes=3 * (ENTRY_BYTES + 100))
    for key in "abcab":
        cache.get(key, lambda: b"." * 100)
    cache.get("d", lambda: b"." * 100)
    assert [key for key in "abcd" if key in cache._kept] == ["a", "b", "d"]


def test_a_picture_larger_than_the_cache_is_drawn_and_not_kept():
    cache = TileCache(limit_bytes=1_000)
    assert cache.get("big", lambda: b"." * 2_000) == b"." * 2_000
    assert (len(cache), cache.used_bytes) == (0, 0)


def test_threads_that_ask_at_once_all_get_the_picture():
    cache = TileCache(limit_bytes=100_000)
    answers = []

    def ask():
        for key in range(50):
            answers.append(cache.get(key, lambda key=key: bytes([key])) == bytes([key]))

    threads = [threading.Thread(target=ask) for _ in range(6)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert all(answers)
    assert cache.used_bytes == 50 * (ENTRY_BYTES + 1)
    cache.clear()
    assert (len(cache), cache.used_bytes) == (0, 0)
