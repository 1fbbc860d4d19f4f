"""The shelf of findings: what was found a moment ago is shown again, not searched for again."""

from __future__ import annotations

import threading
from dataclasses import dataclass

from geodata.access.scope import Scope
from geodata.audit.irregularities import Finding, find_irregularities
from geodata.city import City

FRESH_S = 60
MOST_KEPT = 8
Place = tuple[frozenset[int] | None, str, int, int]


@dataclass(frozen=True, slots=True, kw_only=True)
class _Kept:
    at: int
    findings: tuple[Finding, ...]


class FindingsShelf:
    """Findings by scope and period; one search at a time, for it reads much of the store."""

    def __init__(self, city: City) -> None:
        self._city = city
        self._lock = threading.Lock()
        self._kept: dict[Place, _Kept] = {}

    def find(self, scope: Scope, from_at: int, to_at: int, *, now: int) -> tuple[Finding, ...]:
        """Return what every rule finds, at most a minute old."""
        place = (scope.grids, "" if scope.everything else scope.account, from_at, to_at)
        with self._lock:
            kept = self._kept.pop(place, None)
            if kept is None or not 0 <= now - kept.at < FRESH_S:
                found = find_irregularities(
                    self._city, scope, from_at=from_at, to_at=to_at, now=now
                )
                kept = _Kept(at=now, findings=found)
            self._kept[place] = kept  # the newest last
            while len(self._kept) > MOST_KEPT:
                del self._kept[next(iter(self._kept))]
        return kept.findings
