"""A value made at its first use: a start does not wait for what nobody has asked for yet."""

from __future__ import annotations

import threading
from collections.abc import Callable, MutableMapping
from typing import Any, Generic, TypeVar

Value = TypeVar("Value")


class Later(Generic[Value]):
    """A value made when it is first asked for, once, however many threads ask."""

    __slots__ = ("_lock", "_made", "_make")

    def __init__(self, make: Callable[[], Value]) -> None:
        self._make: Callable[[], Value] | None = make
        self._made: list[Value] = []
        self._lock = threading.Lock()

    @classmethod
    def of(cls, value: Value) -> Later[Value]:
        """Return a value that is there already: what it was made from is not held."""
        later = cls(lambda: value)
        later.get()
        return later

    @property
    def is_made(self) -> bool:
        """Tell whether somebody has asked for it."""
        return bool(self._made)

    def get(self) -> Value:
        """Return the value; what makes it, and all that holds on to, is let go afterwards."""
        if not self._made:
            with self._lock:
                if self._make is not None:
                    self._made.append(self._make())
                    self._make = None
        return self._made[0]


def make_once(kept: MutableMapping[Any, Any], key: Any, make: Callable[[], Value]) -> Value:
    """
    Return what is kept under a key, made at the first call.

    Who asks at the same time waits: the first tiles of a page want the same thing, and each of them
    would make it for itself on the one processor.
    """
    later: Later[Value] = kept.setdefault(key, Later(make))
    return later.get()
