"""Work on a large upload in a process of its own: its memory and its time are not the server's."""

from __future__ import annotations

import _thread
import contextlib
import multiprocessing
import threading
from collections.abc import Callable
from multiprocessing.connection import Connection
from typing import Any

from geodata.allocator import settle_allocator
from geodata.errors import BadFile, Fault, GetuError
from geodata.loading.request import Progress

_LOOK_S = 0.2  # so often the server's side asks whether a person has stopped the work
_STOP = "stop"


class Cancelled(GetuError):
    """The clerk has stopped the load: its batch is dropped like that of any load that fails."""


def stop() -> Cancelled:
    """Return the error by which a stopped load ends."""
    return Cancelled(Fault(key="intake_cancelled"))


def run_apart(
    work: Callable[..., Any],
    *args: Any,
    progress: Progress,
    stopped: Callable[[], bool] = lambda: False,
) -> Any:
    """
    Do `work(*args, progress=...)` in a process of its own; return what it returns.

    Raises the GetuError that it raises, Cancelled when `stopped` says so before it is done, and
    BadFile when its process has died. When this process dies, the other stops as if told to.
    """
    context = multiprocessing.get_context("spawn")  # a fork would copy the locks of our threads
    here, there = context.Pipe()
    process = context.Process(target=_work, args=(there, work, args), name="intake")
    process.start()
    there.close()
    told = False
    try:
        while True:
            if not told and stopped():
                here.send(_STOP)
                told = True
            if not here.poll(_LOOK_S):
                continue
            sort, value = here.recv()
            if sort == "done":
                return value
            if sort == "refused":
                raise value
            progress(*value)
    except (EOFError, ConnectionError):
        process.join()
        values = {"code": process.exitcode}
        raise BadFile(Fault(key="intake_lost", values=values)) from None
    finally:
        here.close()
        process.join()


def _work(there: Connection, work: Callable[..., Any], args: tuple[Any, ...]) -> None:
    """Be the other process: work, tell how far it is, stop when told or left alone."""
    settle_allocator()  # what a step has let go does not stand beside the next one's
    told, reading = threading.Event(), threading.Event()
    reading.set()

    def listen() -> None:
        with contextlib.suppress(EOFError, OSError):  # whoever asked has gone: stop likewise
            there.recv()
        told.set()
        if reading.is_set():
            _thread.interrupt_main()

    def progress(step: str, share: float) -> None:
        if step != "progress.read" or share >= 1:
            reading.clear()
        # A step that is complete may have made the batch visible: too late to stop it.
        if told.is_set() and share < 1:
            raise stop()
        there.send(("progress", (step, share)))

    threading.Thread(target=listen, daemon=True).start()
    answer: tuple[str, Any]
    try:
        answer = ("done", work(*args, progress=progress))
    except KeyboardInterrupt:
        answer = ("refused", stop())
    except GetuError as error:
        answer = ("refused", error)
    reading.clear()  # it is over: whoever hangs up now interrupts nothing
    with contextlib.suppress(OSError):  # nobody is left to be told
        there.send(answer)
