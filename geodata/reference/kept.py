"""What follows from a city's tables, made once for as long as none of them changes."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Generic, TypeVar

from geodata.store.database import Connection, read_ground_revision
from geodata.store.drawings import read_next_change

Made = TypeVar("Made")


@dataclass(frozen=True, slots=True, kw_only=True)
class _Held(Generic[Made]):
    made: Made
    ground: int
    since: int
    until: float


class KeptWithTables(Generic[Made]):
    """One thing made of a city's tables and drawings; the newest is kept."""

    def __init__(self) -> None:
        self._held: _Held[Made] | None = None

    def find(self, connection: Connection, make: Callable[[], Made], *, now: int) -> Made:
        """
        Return what `make` made of the tables as they stand at a moment (UTC s).

        It is made anew when a table or a drawing has changed, or a dated row has taken over.
        """
        ground, held = read_ground_revision(connection), self._held
        if held is None or held.ground != ground or not held.since <= now < held.until:
            until = read_next_change(connection, now)
            held = _Held(made=make(), ground=ground, since=now, until=until)
            self._held = held
        return held.made
