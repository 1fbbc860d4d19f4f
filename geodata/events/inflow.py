"""The inflow: how many posts may wait at once, and how much one source may send."""

from __future__ import annotations

import math
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass

from geodata.errors import Busy, Fault, TooMany
from geodata.settings import Settings

FULL_S = 1  # a post that found every place taken may try again after this
_BURSTS = 2  # a source that was silent may send this many full posts at once


@dataclass(slots=True)
class _Source:
    posts: float
    events: float
    at: float
    waiting: int = 0


class Inflow:
    """
    Keeps the posts of sources from holding the threads that screens need.

    A post waits for its commit, and holds a thread while it waits: of `api_waiting` places one
    source has half at most. What a source sends beyond its rate is refused at once, so that a flood
    delays nobody else. In memory only; `clock` gives seconds that never go back.
    """

    def __init__(self, settings: Settings, *, clock: Callable[[], float]) -> None:
        self._settings = settings
        self._clock = clock
        self._lock = threading.Lock()
        self._sources: dict[str, _Source] = {}  # as many as there are tokens
        self._waiting = 0

    @contextmanager
    def waiting(self, source: str) -> Iterator[None]:
        """
        Hold one of the places for posts that wait.

        Raises Busy where all are taken, TooMany where the source has its share of them or sends
        more posts than it may; a fault says in how many `seconds` to come again.
        """
        most = self._settings.api_waiting
        with self._lock:
            one = self._filled(source)
            if one.posts < 1:
                raise TooMany(self._slower(1 - one.posts, self._settings.api_posts_per_s))
            if one.waiting >= max(1, most // 2):
                raise TooMany(Fault(key="inflow_share", values={"seconds": FULL_S}))
            if self._waiting >= most:
                raise Busy(Fault(key="inflow_full", values={"seconds": FULL_S}))
            one.posts -= 1
            one.waiting += 1
            self._waiting += 1
        try:
            yield
        finally:
            with self._lock:
                one.waiting -= 1
                self._waiting -= 1

    def take(self, source: str, events: int) -> None:
        """Take events from what a source may send. Raises TooMany, and takes nothing then."""
        with self._lock:
            one = self._filled(source)
            if events > one.events:
                raise TooMany(self._slower(events - one.events, self._settings.api_events_per_s))
            one.events -= events

    def _filled(self, source: str) -> _Source:
        settings, now = self._settings, self._clock()
        most_posts = _BURSTS * settings.api_posts_per_s
        most_events = max(_BURSTS * settings.api_events, settings.api_events_per_s)
        one = self._sources.get(source)
        if one is None:
            one = self._sources[source] = _Source(posts=most_posts, events=most_events, at=now)
        passed = max(now - one.at, 0.0)
        one.at = now
        one.posts = min(most_posts, one.posts + passed * settings.api_posts_per_s)
        one.events = min(most_events, one.events + passed * settings.api_events_per_s)
        return one

    @staticmethod
    def _slower(missing: float, per_s: float) -> Fault:
        return Fault(key="inflow_rate", values={"seconds": math.ceil(missing / per_s)})
