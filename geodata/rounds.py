"""Rounds: what a server looks after by itself, every few seconds, until it is stopped."""

from __future__ import annotations

import logging
import threading
from collections.abc import Callable

from geodata.errors import GetuError, explain_system

_LOG = logging.getLogger(__name__)


class Rounds:
    """
    One look after the other, on one thread of its own.

    What a look is refused (another load, a full disk) is logged and tried again in the next round;
    a defect ends the rounds, and the log says so.
    """

    def __init__(self, name: str, look: Callable[[], None], *, every_s: float) -> None:
        self._name, self._look, self._every_s = name, look, every_s
        self._stop = threading.Event()
        self._thread = threading.Thread(target=self._run, name=name, daemon=True)

    def start(self) -> None:
        """Begin to look."""
        self._thread.start()

    def stop(self) -> None:
        """Look no more; what a look is at is finished first."""
        self._stop.set()
        self._thread.join()

    def _run(self) -> None:
        ended = False
        try:
            while not self._stop.wait(self._every_s):
                try:
                    self._look()
                except GetuError as error:
                    _LOG.warning("%s: %s", self._name, error.sentence("en"))
                except OSError as error:
                    _LOG.warning("%s: %s", self._name, explain_system(error).sentence("en"))
            ended = True
        finally:
            if not ended:
                _LOG.error("%s has ended; restart the server", self._name)
