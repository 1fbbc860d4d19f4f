"""Decisions handed back to their source: what was decided on its incidents, since a revision."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any

from geodata.access.scope import Scope
from geodata.city import City
from geodata.coordinates import to_lonlat
from geodata.csv_sheet import write_csv
from geodata.drawings import Drawn, own_point
from geodata.errors import Fault, NotAllowed
from geodata.store.database import Connection, read_revision
from geodata.store.decisions import Decision, read_decisions_since

COLUMNS = (
    "incident_id", "what", "owner", "lon", "lat", "reason", "post", "at", "revision",
)  # fmt: skip
MOST_ROWS = 1_000  # of one answer; the rest follows with the revision it names
_PLACE_DIGITS = 7


@dataclass(frozen=True, slots=True, kw_only=True)
class DecisionList:
    """
    Decisions on one source's incidents in the order they were made.

    Who asks again since `revision` gets what follows, each decision once. `more` tells whether some
    of it is there already.
    """

    rows: list[dict[str, Any]]
    revision: int
    more: bool = False

    def as_json(self) -> dict[str, Any]:
        """Return the object that the API answers and `--json` prints."""
        return {"decisions": self.rows, "revision": self.revision, "more": self.more}

    def as_csv(self) -> bytes:
        """Return a table with COLUMNS, safe to open in a spreadsheet."""
        return write_csv([COLUMNS, *([row[name] for name in COLUMNS] for row in self.rows)])


def list_decisions(
    connection: Connection,
    city: City,
    scope: Scope,
    source: str,
    *,
    since: int,
    most: int | None = None,
) -> DecisionList:
    """
    Return the decisions on a source's incidents after a revision.

    For the source itself, or for who may see the whole city; raises NotAllowed for anyone else.

    `owner` is the code of the grid given, proposed or decided for, by the newest drawing that has
    it, or of the one that a pin falls into. With `most` the list ends with a whole revision once it
    is so long.
    """
    if not (scope.everything or scope.account == source):
        raise NotAllowed(Fault(key="decisions_of_others"))
    made = read_decisions_since(connection, since, source=source)
    revision, more = read_revision(connection), False
    if most is not None and len(made) > most:
        revision = made[most - 1][1].rev
        kept = [one for one in made if one[1].rev <= revision]
        more, made = len(kept) < len(made), kept
    timeline = city.drawings.timeline(connection)
    codes = _name_grids(timeline)
    rows = [
        _describe(incident_id, one, city, _code_of(one, city, timeline, codes))
        for incident_id, one in made
    ]
    return DecisionList(rows=rows, revision=revision, more=more)


def _name_grids(timeline: tuple[Drawn, ...]) -> dict[int, str]:
    """Return each grid's code by its uid, the newest drawing's where several have it."""
    codes: dict[int, str] = {}
    for drawn in timeline:
        finest = drawn.system.finest()
        codes |= dict(zip(finest["uid"].tolist(), finest["code"].astype(str), strict=True))
    return codes


def _code_of(
    one: Decision, city: City, timeline: tuple[Drawn, ...], codes: dict[int, str]
) -> str | None:
    if one.grid is not None:
        return codes.get(one.grid)
    if one.x is None or one.y is None or not timeline:
        return None
    found = own_point(city, timeline[-1], one.x, one.y)
    return found.code or None if found else None


def _describe(incident_id: str, one: Decision, city: City, owner: str | None) -> dict[str, Any]:
    lon = lat = None
    if one.x is not None and one.y is not None:
        east, north = to_lonlat([one.x / 1000], [one.y / 1000], city.crs)
        lon, lat = round(float(east[0]), _PLACE_DIGITS), round(float(north[0]), _PLACE_DIGITS)
    return {
        "incident_id": incident_id,
        "what": one.what,
        "owner": owner,
        "lon": lon,
        "lat": lat,
        "reason": one.reason,
        "post": one.post,
        "at": datetime.fromtimestamp(one.at, UTC).astimezone(city.settings.zone).isoformat(),
        "revision": one.rev,
    }
