"""How far the reading of one file is, told to whoever waits for it."""

from __future__ import annotations

import io
from collections.abc import Callable

Heard = Callable[[float], None]  # the share that has been read, 0 to 1


def hear_nothing(_share: float) -> None:
    """Tell nobody."""


class HeardBytes(io.BytesIO):
    """Bytes that tell which share of them has been read; raises what `heard` raises."""

    def __init__(self, raw: bytes, heard: Heard) -> None:
        super().__init__(raw)
        self._size = max(len(raw), 1)
        self._heard = heard

    def read(self, size: int | None = -1, /) -> bytes:
        """Return the next bytes, and tell how far they reach."""
        part = super().read(size)
        self._heard(self.tell() / self._size)
        return part
