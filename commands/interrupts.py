"""Ends asked for from outside: Ctrl-C and the signal to end, taken alike."""

from __future__ import annotations

import signal
from collections.abc import Iterator
from contextlib import contextmanager
from types import FrameType

STOPPED = 130  # as shells say it of a command that was interrupted


_ENDS = (signal.SIGINT, signal.SIGTERM)


@contextmanager
def ending_by_interrupt() -> Iterator[None]:
    """Take either as KeyboardInterrupt, for what is half done to be undone, also behind a shell."""

    def interrupt(_number: int, _frame: FrameType | None) -> None:
        raise KeyboardInterrupt

    before = {number: signal.signal(number, interrupt) for number in _ENDS}
    try:
        yield
    finally:
        for number, handler in before.items():
            signal.signal(number, handler)
