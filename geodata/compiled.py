"""Compiled kernels: the one way a function becomes machine code, and threads share its work."""

from __future__ import annotations

from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from typing import TypeVar, cast

import numba

Kernel = TypeVar("Kernel", bound=Callable[..., object])


def compile_kernel(function: Kernel) -> Kernel:
    """
    Return `function` compiled on first call, its machine code kept on disk beside the source.

    The kernel runs without the interpreter's lock, so plain threads share its work; there is no
    second, `parallel` version of any kernel (the disk cache would mix the two up under one name,
    and the thread pools behind them forbid calls from several threads).

    The disk cache notices a change of the kernel's own file only: a kernel may call kernels of
    its own module, never those of another (a test holds this).
    """
    compiled = numba.njit(cache=True, nogil=True, error_model="numpy")(function)
    return cast("Kernel", compiled)


def share_out(work: Callable[[slice], object], n: int, *, threads: int, chunk: int) -> None:
    """Do `work` on all of 0..n, by chunks that the threads take one after another."""
    if threads <= 1 or n <= chunk:
        work(slice(0, n))
        return
    chunks = iter(range(0, n, chunk))

    def take() -> None:
        for low in chunks:
            work(slice(low, min(n, low + chunk)))

    with ThreadPoolExecutor(threads) as pool:
        for done in [pool.submit(take) for _ in range(threads)]:
            done.result()
