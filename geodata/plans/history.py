"""The history of the drawings: which was in force when, and what each changed."""

from __future__ import annotations

from dataclasses import dataclass, fields
from typing import Any

import orjson

from geodata.city import City
from geodata.store.drawings import IN_FORCE, load_drawings, measure_drawing
from geodata.store.takeover import SCHEDULED, count_transfers


@dataclass(frozen=True, slots=True, kw_only=True)
class DrawingRow:
    """One drawing of the city: in force in [valid_from, valid_to) (UTC s), None without end."""

    drawing: int
    system: str
    state: str
    valid_from: int | None
    valid_to: int | None
    grids: int
    transfers: int
    plan: int | None

    def as_json(self) -> dict[str, Any]:
        """Return plain values."""
        return {one.name: getattr(self, one.name) for one in fields(self)}


def list_drawings(city: City) -> list[DrawingRow]:
    """Return every drawing that is, was or will be in force, the newest first."""
    with city.database.read() as connection:
        rows = [row for row in load_drawings(connection) if row["state"] in (IN_FORCE, SCHEDULED)]
        return [
            DrawingRow(
                drawing=row["drawing"],
                system=row["system"],
                state=row["state"],
                valid_from=row["valid_from"],
                valid_to=row["valid_to"],
                grids=measure_drawing(connection, row["drawing"])[0],
                transfers=count_transfers(connection, row["drawing"]),
                plan=orjson.loads(row["note"]).get("plan"),
            )
            for row in reversed(rows)
        ]
