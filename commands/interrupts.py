"""Ends asked for from outside: Ctrl-C and the signal to end, taken alike."""

from __future__ import annotations

import signal
from collections.abc import Iterator
from contextlib import contextmanager
from types import FrameType

STOPPED = 130  # as shells say it of a command that was interrupted


@contextmanager
def ending_by_interrupt() -> Iterator[None]:
    """Take SIGTERM as Ctrl-C is taken: KeyboardInterrupt, for what is half done to be undone."""

    def interrupt(_number: int, _frame: FrameType | None) -> None:
        raise KeyboardInterrupt

    before = signal.signal(signal.SIGTERM, interrupt)
    try:
        yield
    finally:
        signal.signal(signal.SIGTERM, before)
