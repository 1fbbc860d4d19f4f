"""The corpus: every hand-made hostile file as data, and what must become of it."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

REFUSED, READ, EITHER = "refused", "read", "refused or read"


@dataclass(frozen=True, slots=True, kw_only=True)
class Attack:
    """One file: its name and bytes, the `load` it is handed to, and what must become of it."""

    name: str
    file: str
    kind: str  # grids, incidents, events, ...
    content: bytes | Callable[[], bytes]
    expect: str = EITHER
    options: tuple[str, ...] = ()

    def bytes(self) -> bytes:
        """Return the file; made only when it is wanted, for some are large."""
        return self.content() if callable(self.content) else self.content
