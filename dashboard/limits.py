"""Limits: how much one account, one address and one sign-in may ask of the server."""

from __future__ import annotations

import math
import threading
from collections import OrderedDict
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Any

from geodata.errors import Fault, TooMany
from geodata.settings import Settings

LIMITS = "getu_limits"  # where a server keeps them
_KEPT = 10_000  # accounts and addresses that are remembered; the oldest are let go
_EXPORT_WAIT_S = 5
_SLOT_WAIT_S = 1
_FORGET = 2  # times the longest wait without a try
_MOST_DOUBLED = 20


@dataclass(slots=True)
class _Bucket:
    tokens: float
    at: float


@dataclass(slots=True)
class _Tries:
    failed: int
    at: float


class Limits:
    """
    What one server allows at once; in its memory only, so a restart forgets it.

    `clock` gives seconds that never go back, such as `time.monotonic`.
    """

    def __init__(self, settings: Settings, *, clock: Callable[[], float]) -> None:
        self._settings = settings
        self._clock = clock
        self._lock = threading.Lock()
        self._buckets: OrderedDict[str, _Bucket] = OrderedDict()
        self._tries: OrderedDict[str, _Tries] = OrderedDict()
        self._running: dict[str, int] = {}
        self._exports = threading.BoundedSemaphore(settings.exports_at_once)
        # One thread stays free for everybody else, whatever the settings say.
        self._at_once = max(1, min(settings.requests_at_once, settings.server_threads - 1))

    def admit(self, who: str) -> None:
        """Take one request from the bucket of an account or address. Raises TooMany."""
        rate, most = self._settings.requests_per_s, self._settings.requests_burst
        now = self._clock()
        with self._lock:
            bucket = self._buckets.pop(who, None) or _Bucket(tokens=most, at=now)
            bucket.tokens = min(most, bucket.tokens + (now - bucket.at) * rate)
            bucket.at = now
            _keep(self._buckets, who, bucket)
            if bucket.tokens < 1:
                raise _too_many("requests_rate", 1)
            bucket.tokens -= 1

    def enter(self, who: str) -> None:
        """Count one more request of an account that is being answered. Raises TooMany."""
        with self._lock:
            running = self._running.get(who, 0)
            if running >= self._at_once:
                raise _too_many("requests_at_once", _SLOT_WAIT_S)
            self._running[who] = running + 1

    def leave(self, who: str) -> None:
        """Count one fewer; every `enter` has one."""
        with self._lock:
            running = self._running.pop(who, 0) - 1
            if running > 0:
                self._running[who] = running

    @contextmanager
    def exporting(self) -> Iterator[None]:
        """Hold one of the places for making an export. Raises TooMany when all are taken."""
        if not self._exports.acquire(timeout=_EXPORT_WAIT_S):
            raise _too_many("exports_at_once", _EXPORT_WAIT_S)
        try:
            yield
        finally:
            self._exports.release()

    def begin_try(self, *, account: str, address: str) -> None:
        """
        Count a sign-in as failed before it is checked, so that many at once count as many.

        Raises TooMany while the account or the address has to wait; such a try is not counted, for
        nobody to keep an account shut by knocking.
        """
        now = self._clock()
        with self._lock:
            keys = self._keys(account, address)
            wait = max(self._wait_s(key, free, now) for key, free in keys)
            if wait > 0:
                raise _too_many("sign_in_wait", math.ceil(wait))
            for key, _ in keys:
                tries = self._tries.pop(key, None) or _Tries(failed=0, at=now)
                _keep(self._tries, key, _Tries(failed=tries.failed + 1, at=now))

    def end_try(self, *, account: str, address: str) -> None:
        """Take back a try that was right; the address keeps what others failed from it."""
        with self._lock:
            self._tries.pop(f"account {account}", None)
            tries = self._tries.get(f"address {address}")
            if tries is not None:
                tries.failed -= 1

    def undo_try(self, *, account: str, address: str) -> None:
        """Take back a try that was not checked at all."""
        with self._lock:
            for key, _ in self._keys(account, address):
                tries = self._tries.get(key)
                if tries is not None:
                    tries.failed -= 1

    def _keys(self, account: str, address: str) -> tuple[tuple[str, int], tuple[str, int]]:
        settings = self._settings
        return (
            (f"account {account}", settings.sign_in_tries),
            (f"address {address}", settings.sign_in_tries_address),
        )

    def _wait_s(self, key: str, free: int, now: float) -> float:
        """Return how long a key has to wait; what failed long ago is forgotten."""
        tries, most = self._tries.get(key), self._settings.sign_in_wait_most_s
        if tries is None or tries.failed < free:
            return 0
        if now - tries.at > _FORGET * most:
            del self._tries[key]
            return 0
        wait = self._settings.sign_in_wait_s * 2 ** min(tries.failed - free, _MOST_DOUBLED)
        return tries.at + min(most, wait) - now


def _keep(held: OrderedDict[str, Any], key: str, value: _Bucket | _Tries) -> None:
    held[key] = value
    while len(held) > _KEPT:
        held.popitem(last=False)


def _too_many(key: str, seconds: int) -> TooMany:
    return TooMany(Fault(key=key, values={"seconds": seconds}))
