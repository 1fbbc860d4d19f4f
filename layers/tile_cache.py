"""Tiles already drawn, kept up to a number of bytes, the least lately used going first."""

from __future__ import annotations

import threading
from collections import OrderedDict
from collections.abc import Callable, Hashable
from typing import Final

ENTRY_BYTES = 512  # what a key and its place cost beside the bytes themselves
_MISSING: Final = object()


class TileCache:
    """
    A least-recently-used cache of drawn pictures, safe to share between threads.

    A key names everything the picture depends on: source, z, x, y, revision or drawing, filter,
    scope, theme, and the minute where deadlines are drawn. None (an empty tile) is kept as well.
    """

    def __init__(self, *, limit_bytes: int) -> None:
        self.limit_bytes = limit_bytes
        self.used_bytes = 0
        self.hits = 0
        self.misses = 0
        self._kept: OrderedDict[Hashable, bytes | None] = OrderedDict()
        self._lock = threading.Lock()

    def __len__(self) -> int:
        return len(self._kept)

    def get(self, key: Hashable, draw: Callable[[], bytes | None]) -> bytes | None:
        """
        Return the picture of `key`, drawn now if it is not kept.

        Two threads may draw the same picture at once: waiting would cost more than it saves.
        """
        with self._lock:
            found = self._kept.get(key, _MISSING)
            if found is not _MISSING:
                self._kept.move_to_end(key)
                self.hits += 1
                return found  # type: ignore[return-value]
            self.misses += 1
        picture = draw()
        with self._lock:
            self._put(key, picture)
        return picture

    def clear(self) -> None:
        """Forget everything."""
        with self._lock:
            self._kept.clear()
            self.used_bytes = 0

    def _put(self, key: Hashable, picture: bytes | None) -> None:
        if key in self._kept:
            self.used_bytes -= _cost(self._kept.pop(key))
        if _cost(picture) > self.limit_bytes:
            return
        self._kept[key] = picture
        self.used_bytes += _cost(picture)
        while self.used_bytes > self.limit_bytes:
            _, oldest = self._kept.popitem(last=False)
            self.used_bytes -= _cost(oldest)


def _cost(picture: bytes | None) -> int:
    return ENTRY_BYTES + len(picture or b"")
