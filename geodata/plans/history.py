"""The history of the drawings: which was in force when, what each changed, and figures by each."""

from __future__ import annotations

from dataclasses import dataclass, fields
from typing import Any

import numpy as np
import orjson

from geodata.city import City
from geodata.drawings import NOBODY
from geodata.errors import BadSetting, Fault
from geodata.plans.workshop import read_drawn
from geodata.store.drawings import IN_FORCE, load_drawings, measure_drawing
from geodata.store.takeover import SCHEDULED, count_transfers, read_owned_cases


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


AS_IT_WAS, TODAY = "event", "today"


@dataclass(frozen=True, slots=True, kw_only=True)
class CasesBy:
    """Cases of each grid by one way of owning them: `by` says which; "" is nobody's."""

    by: str
    rows: tuple[tuple[str, int, int], ...]  # code, cases, open cases

    def as_json(self) -> dict[str, Any]:
        """Return plain values."""
        return {
            "by": self.by,
            "grids": [{"code": code, "cases": n, "open": opened} for code, n, opened in self.rows],
        }


def count_cases_by(city: City, by: str, *, since: int, until: int) -> CasesBy:
    """
    Count the cases reported in [since, until) (UTC s) by the grid that owned or would own them.

    `by` is "event" (as it was on the day of each), "today" (by the drawing in force), or the number
    of a drawing: then the place alone decides. Raises BadSetting, NotFound.
    """
    with city.database.read() as connection:
        found = read_owned_cases(connection, since=since, until=until)
        timeline = city.drawings.timeline(connection)
        codes: dict[int, str] = {}
        for drawn in timeline:  # a grid's newest code stands for it
            finest = drawn.system.finest()
            codes.update(zip(finest["uid"].tolist(), finest["code"].tolist(), strict=True))
        if by == AS_IT_WAS:
            owner = found["owner_at_event"]
        elif by == TODAY:
            owner = found["owner"]
        elif by.isascii() and by.isdigit() and len(by) < 10:
            chosen = read_drawn(connection, city, int(by))
            owned = chosen.index.own(
                found["x"], found["y"], near_m=city.settings.near_m, near_line_m=0.0
            )
            owner = np.append(chosen.uids, NOBODY)[owned.owner]
            finest = chosen.system.finest()
            codes.update(zip(finest["uid"].tolist(), finest["code"].tolist(), strict=True))
        else:
            raise BadSetting(Fault(key="plan_by", field="by"))
    uids, at = np.unique(owner, return_inverse=True)
    every = np.bincount(at.ravel(), minlength=len(uids))
    opened = np.bincount(at.ravel(), found["open"], minlength=len(uids))
    rows = [
        (codes.get(int(uid), ""), int(n), int(still))
        for uid, n, still in zip(uids, every, opened, strict=True)
    ]
    return CasesBy(by=by, rows=tuple(sorted(rows)))
