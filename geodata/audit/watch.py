"""The watch over the log: a server checks it piece by piece, and begins anew every hour."""

from __future__ import annotations

import threading
from dataclasses import dataclass

from geodata.audit.check import Checked, check_rows
from geodata.city import City
from geodata.store.audit import NO_HASH, Head, list_seals, read_head

AGAIN_S = 3_600  # what was good an hour ago is looked at again
A_GLANCE = 20_000  # rows that a page checks on its way: a tenth of a second
A_LOOK = 400_000  # rows that a press on the button checks: two seconds
_NOTHING = Head(entry=0, hash=NO_HASH, at=0)


@dataclass(frozen=True, slots=True, kw_only=True)
class LogState:
    """How the log stands: `checked` so far, its `head`, the seals, when the check began (UTC s)."""

    checked: Checked
    head: Head
    seals: tuple[Head, ...]
    began_at: int

    @property
    def complete(self) -> bool:
        """Tell whether every row was looked at."""
        return self.checked.whole and self.checked.head.entry == self.head.entry


class LogWatch:
    """Checks the log of a city from where it stopped; any thread may look."""

    def __init__(self, city: City) -> None:
        self._city = city
        self._lock = threading.Lock()
        self._good = _NOTHING
        self._began_at = 0
        self._complete = False

    def look(self, *, now: int, most: int = A_GLANCE, anew: bool = False) -> LogState:
        """
        Check on, `most` rows at once, and return how the log stands.

        From its first row with `anew`, and an hour after a complete check began.
        """
        with self._lock, self._city.database.read() as connection:
            if anew or (self._complete and not 0 <= now - self._began_at < AGAIN_S):
                self._good = _NOTHING
            if self._good is _NOTHING:
                self._began_at = now
            checked = check_rows(connection, after=self._good, most=most)
            head = read_head(connection)
            seals = tuple(list_seals(connection))
            if checked.whole:
                self._good = checked.head
            self._complete = checked.whole and checked.head.entry == head.entry
        return LogState(checked=checked, head=head, seals=seals, began_at=self._began_at)
