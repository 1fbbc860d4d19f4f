"""What was made for one request and serves the next, kept up to a number of bytes."""

from __future__ import annotations

import sys
import threading
from collections import OrderedDict
from collections.abc import Callable, Collection, Hashable, Mapping
from dataclasses import fields, is_dataclass
from itertools import islice
from typing import Any, Final

from geodata.snapshots.later import Later

ENTRY_BYTES = 512  # what a key and its place cost beside the bytes themselves
_MISSING: Final = object()
_DEEPEST = 4  # levels of answers within answers that are measured
_SOME = 16  # parts of a long list that stand for all


class ByteCache:
    """
    A least-recently-used cache, safe to share between threads.

    A key names everything the answer depends on. None is kept as well; what is larger than the
    whole budget is not kept. `measure` gives the bytes of an answer.
    """

    def __init__(self, *, limit_bytes: int, measure: Callable[[Any], int]) -> None:
        self.limit_bytes = limit_bytes
        self.used_bytes = 0
        self.hits = 0
        self.misses = 0
        self._measure = measure
        self._kept: OrderedDict[Hashable, tuple[Any, int]] = OrderedDict()
        self._begun: dict[Hashable, Later[Any]] = {}
        self._lock = threading.Lock()

    def __len__(self) -> int:
        return len(self._kept)

    def get(self, key: Hashable, make: Callable[[], Any]) -> Any:
        """
        Return the answer of `key`, made now if it is not kept.

        Who asks while it is being made waits for it: the tiles of a page want the same mask, and
        each of them would make its own on the one processor.
        """
        with self._lock:
            found = self._kept.get(key, _MISSING)
            if found is not _MISSING:
                self._kept.move_to_end(key)
                self.hits += 1
                return found[0]  # type: ignore[index]
            self.misses += 1
            begun = self._begun.setdefault(key, Later(lambda: self._measured(make())))
        made: tuple[Any, int] | None = None
        try:
            made = begun.get()
        finally:
            with self._lock:  # in one step: who asks now finds it begun, or kept
                if self._begun.get(key) is begun:
                    del self._begun[key]
                    if made is not None:
                        self._put(key, *made)
        return made[0]

    def _measured(self, answer: Any) -> tuple[Any, int]:
        return answer, ENTRY_BYTES + self._measure(answer)

    def clear(self) -> None:
        """Forget everything."""
        with self._lock:
            self._kept.clear()
            self.used_bytes = 0

    def _put(self, key: Hashable, answer: Any, size: int) -> None:
        if key in self._kept:
            self.used_bytes -= self._kept.pop(key)[1]
        if size > self.limit_bytes:
            return
        self._kept[key] = answer, size
        self.used_bytes += size
        while self.used_bytes > self.limit_bytes:
            _, (_, oldest) = self._kept.popitem(last=False)
            self.used_bytes -= oldest


def measure_answer(answer: Any, depth: int = _DEEPEST) -> int:
    """
    Return about how many bytes an answer takes: its arrays, and those of its parts.

    What tells its own `nbytes` is believed; of long lists and tables the first parts stand for all.
    """
    own = getattr(answer, "nbytes", None)
    if isinstance(own, int):
        return own
    size = sys.getsizeof(answer)
    if not depth or isinstance(answer, str | bytes | int | float):
        return size
    many: Collection[Any] = ()
    if isinstance(answer, Mapping):
        many = answer.items()
    elif isinstance(answer, list | tuple | set | frozenset):
        many = answer
    elif is_dataclass(answer) and not isinstance(answer, type):
        return size + sum(
            measure_answer(getattr(answer, item.name), depth - 1) for item in fields(answer)
        )
    elif hasattr(answer, "__dict__"):
        return size + sum(measure_answer(part, depth - 1) for part in vars(answer).values())
    some = list(islice(many, _SOME))
    measured = sum(measure_answer(part, depth - 1) for part in some)
    return size + measured * len(many) // max(len(some), 1)
