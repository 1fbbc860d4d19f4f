"""A value made at its first use: a start does not wait for what nobody has asked for yet."""

from __future__ import annotations

import threading
from collections.abc import Callable
from typing import Generic, TypeVar

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
