"""Under what every incident was derived: while that stands, single ones may follow."""

from __future__ import annotations

import math

from geodata.city import City
from geodata.events.ground import Ground
from geodata.store.database import Connection, read_ground_revision

_DERIVED_BY = ("timezone", "near_m", "near_line_m", "working_hours", "alarm_window_s")


def note_derived(connection: Connection, city: City, ground: Ground, revision: int) -> None:
    """Note under what every incident was derived: while that stands, single ones may follow."""
    until = 0 if math.isinf(ground.good_until) else int(ground.good_until)
    connection.executemany(
        "INSERT OR REPLACE INTO meta VALUES (?, ?)",
        [
            ("derived_at", str(revision)),
            ("derived_from", str(ground.now)),
            ("derived_until", str(until)),
            ("derived_by", _settings_of(city)),
        ],
    )


def is_standing(connection: Connection, city: City, *, now: int) -> bool:
    """Tell whether what every incident was derived under still holds."""
    facts = dict(
        connection.execute("SELECT name, value FROM meta WHERE name LIKE 'derived_%'").fetchall()
    )
    if facts.get("derived_by") != _settings_of(city):
        return False
    until = int(facts["derived_until"]) or math.inf
    return int(facts["derived_from"]) <= now < until and int(
        facts["derived_at"]
    ) == read_ground_revision(connection)


def _settings_of(city: City) -> str:
    return repr([getattr(city.settings, name) for name in _DERIVED_BY])
