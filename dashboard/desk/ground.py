"""What every part of the desk needs to name things: grids, kinds, moments, in one language."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np

from dashboard.parts import numbers
from geodata.city import City
from geodata.coordinates import to_lonlat
from geodata.drawings import Drawn, find_in_force, measure_line
from geodata.store.database import Connection
from geodata.store.desk_rows import Head
from geodata.store.records import read_records
from geodata.words import Lang, say


@dataclass(frozen=True, slots=True, kw_only=True)
class DeskGround:
    """The drawing in force and the names of kinds and bodies, at one moment, in one language."""

    city: City
    lang: Lang
    now: int
    drawn: Drawn | None
    kinds: Mapping[str, str]
    bodies: Mapping[str, str]

    def grid(self, uid: int | None) -> str:
        """Return the name and code of a grid as people read it; nobody's has words of its own."""
        code = "" if uid is None else self.code(uid)
        if not code or self.drawn is None or uid is None:
            return say("desk.nobody", self.lang)
        return say("desk.grid", self.lang, name=self.drawn.system.path_names(uid)[-1], code=code)

    def path(self, uid: int) -> str:
        """Return the names above a grid, the outermost first; empty where there are none."""
        if self.drawn is None or not self.code(uid):
            return ""
        return " › ".join(self.drawn.system.path_names(uid)[:-1])

    def code(self, uid: int) -> str:
        """Return the code of a finest grid, empty for one that the drawing does not have."""
        row = self._row(uid)
        return "" if row is None or self.drawn is None else self._column("code", row)

    def find(self, code: str) -> int | None:
        """Return the uid of the finest grid with this code, None for none."""
        if self.drawn is None or not code:
            return None
        rows = np.flatnonzero(self.drawn.system.finest()["code"].to_numpy() == code)
        return int(self.drawn.uids[rows[0]]) if len(rows) else None

    def kind(self, code: str) -> str:
        """Return the name of a kind; one that no table names is its own name."""
        return self.kinds.get(code, code) or say("desk.no_kind", self.lang)

    def body(self, code: str) -> str:
        """Return the name of a body; one that no table names is its own name."""
        return self.bodies.get(code, code)

    def moment(self, at: int) -> str:
        """Return a moment in the city's own time."""
        return numbers.moment(at, self.city.settings.timezone)

    def age(self, at: int) -> str:
        """Return how long ago a moment was."""
        return numbers.span(max(self.now - at, 0), self.lang)

    def lonlat(self, head: Head) -> tuple[float, float] | None:
        """Return an incident's place in degrees, None for none."""
        if head.x is None or head.y is None:
            return None
        lon, lat = to_lonlat([head.x / 1000], [head.y / 1000], self.city.crs)
        return float(lon[0]), float(lat[0])

    def line_m(self, head: Head) -> float | None:
        """Return the metres from an incident to its owner's line, None without either."""
        row = self._row(head.owner)
        if row is None or self.drawn is None or head.x is None or head.y is None:
            return None
        return measure_line(self.drawn.system.finest().geometry.iloc[row], head.x, head.y)

    def _row(self, uid: int) -> int | None:
        rows = [] if self.drawn is None else np.flatnonzero(self.drawn.uids == uid)
        return int(rows[0]) if len(rows) else None

    def _column(self, name: str, row: int) -> str:
        assert self.drawn is not None
        return str(self.drawn.system.finest()[name].iat[row])


def read_desk_ground(connection: Connection, city: City, *, lang: Lang, now: int) -> DeskGround:
    """Return what the desk names things by, at the moment that a connection shows."""
    timeline = city.drawings.timeline(connection)
    place = int(find_in_force(timeline, np.array([now], np.int64))[0])
    return DeskGround(
        city=city,
        lang=lang,
        now=now,
        drawn=timeline[place] if place >= 0 else None,
        kinds=_read_names(connection, "kinds", lang=lang, now=now),
        bodies=_read_names(connection, "bodies", lang=lang, now=now),
    )


def _read_names(connection: Connection, sort: str, *, lang: Lang, now: int) -> dict[str, str]:
    rows, column = read_records(connection, sort, at=now), f"name_{lang}"
    if column not in rows:
        return {}
    known = rows.dropna(subset=[column])
    return dict(zip(known["id"], known[column], strict=True))
