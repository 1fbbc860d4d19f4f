"""The C library's allocator, told to give back what a server that runs for months has let go."""

from __future__ import annotations

import ctypes

# glibc's names and numbers, malloc.h; each is fixed from here on instead of growing by itself.
_TRIM_THRESHOLD, _MMAP_THRESHOLD, _ARENA_MAX = -1, -3, -8
_SMALL_BYTES, _ARENAS = 128 * 1024, 2


def settle_allocator() -> bool:
    """
    Give back large blocks as soon as they are freed; tell whether this C library can.

    By itself glibc learns from each freed block to keep the next ones of its size, up to 32 MB, and
    has eight arenas a core for that. Facts that follow a feed free columns of every size, and a
    server grew by 2 kB an event: measured, and none with this.
    """
    tune = getattr(ctypes.CDLL(None), "mallopt", None)
    if tune is None:
        return False
    wanted = (
        (_MMAP_THRESHOLD, _SMALL_BYTES), (_TRIM_THRESHOLD, _SMALL_BYTES), (_ARENA_MAX, _ARENAS),
    )  # fmt: skip
    done = [tune(name, value) for name, value in wanted]  # each of them, whatever the others say
    return all(done)
