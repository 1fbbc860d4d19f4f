"""The history of the drawings: which was in force when, what each changed, and figures by each."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, fields
from datetime import datetime
from typing import Any

import numpy as np
import orjson

from geodata.access.scope import ROWS, Scope
from geodata.city import City
from geodata.coordinates import lonlat_crs, to_metric
from geodata.csv_sheet import write_csv
from geodata.drawings import NOBODY, own_point
from geodata.errors import BadSetting, Fault, NotFound
from geodata.plans.plan import need, need_all
from geodata.plans.workshop import read_drawn
from geodata.store.database import Connection
from geodata.store.drawings import IN_FORCE, load_drawings, measure_drawing
from geodata.store.takeover import (
    SCHEDULED,
    count_transfers,
    read_codes,
    read_lineage,
    read_owned_cases,
    read_transfers,
)
from geodata.words import Lang, say


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


@dataclass(frozen=True, slots=True, kw_only=True)
class Holder:
    """Who answered for a place in [valid_from, valid_to) (UTC s), by which rule; "" is nobody."""

    drawing: int
    valid_from: int | None
    valid_to: int | None
    code: str
    name: str
    rule: str

    def as_json(self) -> dict[str, Any]:
        """Return plain values."""
        return {one.name: getattr(self, one.name) for one in fields(self)}


def list_holders(city: City, lon: float, lat: float) -> list[Holder]:
    """
    Return who answered for a place (degrees) by each drawing that was in force, the newest first.

    Raises BadSetting for what is no place on earth.
    """
    with city.database.read() as connection:
        timeline = city.drawings.timeline(connection)
    x_m, y_m = to_metric([lon], [lat], lonlat_crs(), city.crs)
    found = []
    for drawn in reversed(timeline):
        owner = own_point(city, drawn, float(x_m[0]) * 1000, float(y_m[0]) * 1000)
        if owner is None:
            raise BadSetting(Fault(key="plan_place", field="at"))
        found.append(
            Holder(
                drawing=drawn.system.drawing,
                valid_from=drawn.system.valid_from,
                valid_to=drawn.system.valid_to,
                code=owner.code,
                name=owner.name,
                rule=owner.rule,
            )
        )
    return found


@dataclass(frozen=True, slots=True, kw_only=True)
class Kin:
    """One old grid's share in one new grid, by codes; `kind` as in `plans.lineage`."""

    old: str
    new: str
    kind: str
    reason: str
    area_share: float
    load_share: float
    cases: int
    open_cases: int

    def as_json(self) -> dict[str, Any]:
        """Return plain values."""
        return {one.name: getattr(self, one.name) for one in fields(self)}


def list_lineage(city: City, drawing: int) -> list[Kin]:
    """Return what became of each grid when a drawing took effect; none for a city's first."""
    with city.database.read() as connection:
        before, after = _codes_around(connection, drawing)
        rows = read_lineage(connection, drawing)
    names = [one.name for one in fields(Kin)][2:]
    return [
        Kin(old=before[old], new=after[new], **dict(zip(names, rest, strict=True)))
        for old, new, *rest in rows
    ]


@dataclass(frozen=True, slots=True, kw_only=True)
class Transfer:
    """One open case that a drawing moved from a grid to another at a moment; "" is nobody."""

    source: str
    incident_id: str
    at: int
    old: str
    new: str


def list_transfers(city: City, scope: Scope, drawing: int) -> list[Transfer]:
    """Return the open cases that a drawing moved, by grids. Raises NotAllowed but for a whole city.

    Single cases take the permission to see them.
    """
    need_all(scope)
    need(scope, ROWS)
    with city.database.read() as connection:
        before, after = _codes_around(connection, drawing)
        rows = read_transfers(connection, drawing)
    return [
        Transfer(
            source=source, incident_id=name, at=at, old=before.get(old, ""), new=after.get(new, "")
        )
        for source, name, at, old, new in rows
    ]


def lineage_csv(rows: Sequence[Kin], lang: Lang) -> bytes:
    """Return a lineage as CSV."""
    names = ("old", "new", "kind", "reason", "share", "load_share", "cases", "open_cases")
    cells = [
        [row.old, row.new, row.kind, say(f"plan.reason_{row.reason}", lang) if row.reason else "",
         f"{row.area_share:.6f}", f"{row.load_share:.6f}", row.cases, row.open_cases]
        for row in rows
    ]  # fmt: skip
    return write_csv([[say(f"plan.column_{name}", lang) for name in names], *cells])


def transfers_csv(rows: Sequence[Transfer], city: City, lang: Lang) -> bytes:
    """Return moved cases as CSV, each with its moment in the city's time."""
    names = ("source", "case", "moved_at", "from", "to")
    cells = [
        [row.source, row.incident_id,
         datetime.fromtimestamp(row.at, city.settings.zone).isoformat(" ", "minutes"),
         row.old, row.new]
        for row in rows
    ]  # fmt: skip
    return write_csv([[say(f"plan.column_{name}", lang) for name in names], *cells])


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


def count_cases_by(city: City, scope: Scope, by: str, *, since: int, until: int) -> CasesBy:
    """
    Count the cases reported in [since, until) (UTC s) by the grid that owned or would own them.

    `by` is "event" (as it was on the day of each), "today" (by the drawing in force), or the number
    of a drawing: then the place alone decides. Raises BadSetting, NotFound, and NotAllowed for an
    account that does not see the whole city.
    """
    need_all(scope)
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


def _codes_around(connection: Connection, drawing: int) -> tuple[dict[int, str], dict[int, str]]:
    """Return the codes of the grids before a drawing and in it, by uid. Raises NotFound."""
    row = next((one for one in load_drawings(connection) if one["drawing"] == drawing), None)
    if row is None or row["state"] not in (IN_FORCE, SCHEDULED):
        raise NotFound(Fault(key="drawing_unknown", values={"drawing": drawing}))
    base = orjson.loads(row["note"]).get("base", 0)
    return read_codes(connection, base), read_codes(connection, drawing)
