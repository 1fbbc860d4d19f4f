"""Two cities that differ only in what a post of the first community must not see."""

from __future__ import annotations

from dataclasses import dataclass, fields, replace
from datetime import datetime
from pathlib import Path
from typing import Any

import numpy as np

from geodata.access.outside import Outside, sort_into_cells, tell_outside
from geodata.access.sight import find_rest_category
from geodata.city import City
from geodata.snapshots.facts import Facts, load_facts
from geodata.snapshots.snapshot import Snapshot
from tests.city import (
    INCIDENT_COLUMNS,
    NOW,
    SIDE_M,
    ZONE,
    incident_rows,
    load_one,
    local_text,
    lonlat,
    make_tiny_city,
    write_table,
)

ROWS_EACH = 300
MINUTES = 11
LON, LAT = INCIDENT_COLUMNS.index("lon"), INCIDENT_COLUMNS.index("lat")
TIMES = [place for place, name in enumerate(INCIDENT_COLUMNS) if name.endswith("_at")]


@dataclass(frozen=True)
class Twins:
    """A city, its twin, and what only the first has where the post must not look."""

    city: City
    twin: City
    own: frozenset[int]  # uids of the first community's grids
    hidden_ids: frozenset[str]
    own_ids: frozenset[str]
    hidden_places: frozenset[str]  # longitudes and latitudes as pictures write them


def make_twins(folder: Path) -> Twins:
    """
    Make the two cities.

    In the twin each incident outside the first community has another id, another place in its grid
    and other minutes, and there is one more of them, such that no bound changes.
    """
    rows = [[f"C{row[0]}", *row[1:]] for row in incident_rows(ROWS_EACH, seed=9)]
    city = make_city(folder / "city", rows)
    facts = load_facts(city, now=NOW)
    assert facts
    system = facts.grids
    first = int(system.level("community")["uid"].iloc[0])
    own = frozenset(int(uid) for uid in system.subtree_uids(first) if uid != first)
    north = lonlat(0, SIDE_M)[1]
    hidden = [row for row in rows if is_hidden(row, north)]
    changed = [change(row) if is_hidden(row, north) else row for row in rows]
    for row in hidden:
        if adds_nothing(facts, own, moment(str(row[1]))):
            extra = ["X1", *change(row)[1:]]
            twin = make_city(folder / f"twin-{row[0]}", [*changed, extra])
            if not same_records(facts, load_facts(twin, now=NOW)):
                continue
            share_breaks(city, twin, drawing=system.drawing)
            ids = frozenset(str(row[0]) for row in hidden)
            seen = frozenset(str(row[0]) for row in rows) - ids
            places = {f"{row[axis]:.6f}" for row in hidden for axis in (LON, LAT)}
            return Twins(
                city=city, twin=twin, own=own, hidden_ids=ids, own_ids=seen,
                hidden_places=frozenset(places),
            )  # fmt: skip
    raise AssertionError("no incident can be doubled without moving a bound: change the seed")


def same_records(facts: Facts, other: Facts | None) -> bool:
    """Tell whether each grid's weighted record is in the same band in both."""
    assert other
    assert facts.risk
    assert other.risk
    bands = (
        risk.weighted // facts.city.settings.suppress_below for risk in (facts.risk, other.risk)
    )
    return bool(np.array_equal(*bands) and np.array_equal(facts.risk.thin, other.risk.thin))


def share_breaks(*cities: City, drawing: int) -> None:
    """Give both the same classes: they are measured over all grids, once for each drawing."""
    for city in cities:
        city.database.set_meta(f"breaks:grid-risk:{drawing}", "[4,8,9,10]")


def make_city(folder: Path, rows: list[list[Any]]) -> City:
    city = make_tiny_city(folder)
    load_one(city, "incidents", write_table(folder / "more.csv", INCIDENT_COLUMNS, rows))
    return city


def is_hidden(row: list[Any], north: float) -> bool:
    """Tell whether a row lies outside the first community: the southern row of grids."""
    east = lonlat(3 * SIDE_M, 0)[0]
    return row[LAT] > north or row[LON] > east


def moment(text: str) -> int:
    return int(datetime.fromisoformat(text).replace(tzinfo=ZONE).timestamp())


def change(row: list[Any]) -> list[Any]:
    """
    Return a row with another id, a metre beside its place, and earlier by some minutes.

    The new id stands where the old one stood in their order: numbers are given by it.
    """
    out = [f"{row[0]}Y", *row[1:]]
    corner, far = lonlat(0, 0), lonlat(SIDE_M, SIDE_M)
    for axis, start, end in zip((LON, LAT), corner, far, strict=True):
        inner = ((row[axis] - start) / (end - start)) % 1 < 0.5  # to the middle of its grid
        out[axis] = row[axis] + (1e-5 if inner else -1e-5)
    at = moment(str(row[1]))
    step = -MINUTES * 60 if (at + 8 * 3600) % 3600 >= MINUTES * 60 else 60
    for place in TIMES:
        if row[place]:
            out[place] = local_text(moment(str(row[place])) + step)
    return out


def adds_nothing(facts: Facts, own: frozenset[int], reported_at: int) -> bool:
    """Tell whether one more incident like the one reported then moves no bound and no class."""
    (rows,) = np.nonzero(facts.snapshot.reported_at == reported_at)
    if len(rows) != 1 or facts.snapshot.owner[rows[0]] < 0:
        return False
    more = with_row(facts.snapshot, int(rows[0]))
    for grids in (own, frozenset()):
        inside = facts.grids.finest()["uid"].isin(grids).to_numpy()
        tables = [tell(facts, snapshot, inside) for snapshot in (facts.snapshot, more)]
        if not same_bounds(*tables):
            return False
    grid = facts.snapshot.owner[rows[0]]
    assert facts.risk
    weighted = facts.risk.weighted[grid]
    return bool(weighted % 3 < 2 and facts.risk.n[grid] != 2)


def with_row(snapshot: Snapshot, row: int) -> Snapshot:
    """Return a snapshot with one of its incidents twice."""
    columns = {item.name: getattr(snapshot, item.name) for item in fields(Snapshot)}
    doubled = {
        name: np.concatenate([column, column[[row]]])
        for name, column in columns.items()
        if isinstance(column, np.ndarray)
    }
    return replace(snapshot, **doubled)


def tell(facts: Facts, snapshot: Snapshot, own: np.ndarray) -> Outside:
    cells = sort_into_cells(snapshot, now=min(facts.risk_from, NOW), zone=facts.zone)
    return tell_outside(
        snapshot, cells, facts.grids, own=own, categories=len(facts.categories),
        rest_category=find_rest_category(facts), below=3,
    )  # fmt: skip


def same_bounds(one: Outside, other: Outside) -> bool:
    """Tell whether two accounts of what is outside print alike."""
    return all(
        (getattr(getattr(one, table), end) == getattr(getattr(other, table), end)).all()
        for table in ("grids", "categories", "steps")
        for end in ("low", "high")
    )
