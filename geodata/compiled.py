"""Compiled kernels: the one way a function becomes machine code."""

from __future__ import annotations

from collections.abc import Callable
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
