"""Changes of a reference table made by hand: one row, from a day on, as a batch of its own."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import date

import numpy as np
import pandas as pd

from geodata.access.scope import Scope
from geodata.audit.log import write_entry
from geodata.city import City, writing
from geodata.coordinates import parse_crs, to_metric
from geodata.errors import BadSetting, Fault, NotFound, Overtaken
from geodata.events.derive import derive_incidents
from geodata.loading.aliases import number_aliases
from geodata.loading.contracts import Contract, check_cells
from geodata.loading.fixtures import DERIVED_FROM
from geodata.reading.personal import find_personal
from geodata.reference.tables import PLACE, SHAPE, find_contract, is_placed, list_columns
from geodata.store.database import Connection, raise_revision
from geodata.store.event_log import filling, mark_batch
from geodata.store.records import read_records
from geodata.store.reference_rows import ReferenceRow, find_row, list_versions, put_row

LONGEST_CELL = 200
_YES, _NO = frozenset({"yes", "1", "true", "是"}), frozenset({"no", "0", "false", "否"})
# Which column of a table names a row of another one.
REFERS = {"kind": "kinds", "body": "bodies"}
_REFERRING = frozenset({"matrix", "kind_aliases", "body_aliases"})


@dataclass(frozen=True, slots=True, kw_only=True)
class RowChange:
    """
    A change of one row that was found sound, not yet written.

    `data` is None for a row that ends; `seen` the version that the post had before its eyes.
    """

    table: str
    id: str
    data: dict[str, object] | None
    place: tuple[int, int] | None
    valid_from: int
    seen: int
    scope: Scope
    now: int


def plan_row(
    city: City,
    table: str,
    id: str | None,
    values: Mapping[str, str],
    *,
    valid_from: int,
    seen: int,
    scope: Scope,
    now: int,
) -> RowChange:
    """
    Return the change that makes a row hold these cells from a moment (UTC s) on.

    `id` is None for a new row; `seen` is 0 where none was seen. Raises BadSetting with every fault
    at once.
    """
    contract = find_contract(table)
    cells = _clean(table, contract, values)
    name = id if id is not None else _make_id(contract, cells)
    with city.database.read() as connection:
        old = find_row(connection, table, name, at=max(now, valid_from)) if name else None
        held = {} if old is None else {key: str(value) for key, value in (old.data or {}).items()}
        known = {key: text for key, text in held.items() if key in list_columns(table)}
        faults = _find_faults(connection, city, table, {**known, **cells}, now=now)
        if id is None and name and list_versions(connection, table, name):
            faults.append(Fault(key="row_exists", field=contract.key))
    if not name:
        faults.append(Fault(key="id_missing", field=contract.key, value_kind="empty"))
    if faults:
        raise BadSetting(faults)
    return RowChange(
        table=table,
        id=name,
        data=_merge(old, cells),
        place=_find_place(city, contract, old, cells),
        valid_from=valid_from,
        seen=seen,
        scope=scope,
        now=now,
    )


def plan_end(
    city: City, table: str, id: str, *, valid_from: int, seen: int, scope: Scope, now: int
) -> RowChange:
    """
    Return the change that lets a row hold no more from a moment (UTC s) on; what was before stays.

    Raises NotFound where there is none.
    """
    find_contract(table)
    with city.database.read() as connection:
        if not list_versions(connection, table, id):
            raise NotFound(Fault(key="row_gone"))
    return RowChange(
        table=table,
        id=id,
        data=None,
        place=None,
        valid_from=valid_from,
        seen=seen,
        scope=scope,
        now=now,
    )


def write_change(
    city: City, change: RowChange, *, progress: Callable[[float], object] = lambda _share: None
) -> None:
    """
    Write a change as a batch of its own.

    What hangs on the table (deadlines, kinds as they are meant, places of alarms) changes in the
    same moment: of a large city that takes seconds, and `progress` hears the share. Raises
    Overtaken where another change came in between, Busy while a load is at work.
    """
    table, id, data, now = change.table, change.id, change.data, change.now
    target = f"{table}/{id}"

    def log(connection: Connection) -> None:
        newest = list_versions(connection, table, id)
        if max((row.batch for row in newest if row.batch != batch), default=0) != change.seen:
            raise Overtaken(Fault(key="row_overtaken"))
        detail = {"valid_from": change.valid_from, "batch": batch, "fields": sorted(data or ())}
        act = "table.set" if data is not None else "table.end"
        write_entry(connection, account=change.scope, act=act, target=target, at=now, detail=detail)

    with writing(city), filling(city.database, table, file=target, at=now) as batch:
        if data is not None:
            cells = {name: [str(value)] for name, value in data.items()}
            number_aliases(city, table, [id], cells)
        with city.database.transaction() as connection:
            put_row(
                connection,
                table,
                id,
                valid_from=change.valid_from,
                batch=batch,
                place=change.place,
                data=data,
            )
        facts = {"file": target}
        if table in DERIVED_FROM:
            derive_incidents(
                city, now=now, batch=batch, rows=1, report=facts, also=log, progress=progress
            )
        else:
            with city.database.transaction() as connection:
                log(connection)
                mark_batch(connection, batch, rows=1, report=facts)
                raise_revision(connection)


def _clean(table: str, contract: Contract, values: Mapping[str, str]) -> dict[str, str]:
    """Return the cells of the table's own columns in our words; what is no column is left out."""
    known = list_columns(table)
    cells = {name: " ".join(values[name].split()) for name in known if name in values}
    for name, ours in contract.words.items():
        if name in cells:
            cells[name] = ours.get(cells[name], cells[name])
    if table == "calendar" and "working" in cells:
        said = cells["working"].lower()
        cells["working"] = "yes" if said in _YES else "no" if said in _NO else said
    return cells


def _make_id(contract: Contract, cells: Mapping[str, str]) -> str:
    if contract.key_of is None:
        return cells.get(contract.key, "")
    frame = pd.DataFrame([cells])
    return str(contract.key_of(frame).iloc[0]) if all(cells.get(n) for n in contract.needed) else ""


def _find_faults(
    connection: Connection, city: City, table: str, cells: Mapping[str, str], *, now: int
) -> list[Fault]:
    """Return everything that is wrong with the cells of one row."""
    contract = find_contract(table)
    faults = [
        Fault(key="cell_empty", field=name, value_kind="empty")
        for name in contract.needed
        if not cells.get(name)
    ]
    faults += [
        Fault(key="cell_text", field=name, values={"limit": LONGEST_CELL})
        for name, text in cells.items()
        if len(text) > LONGEST_CELL or not text.isprintable()
    ]
    frame = pd.DataFrame([dict(cells)], index=[1])
    found, doubtful = find_personal(frame.astype("string"), keep=list(cells))
    faults += [Fault(key="cell_personal", field=one.column) for one in (*found, *doubtful)]
    faults += [
        Fault(key=fault.key, field=fault.field, value_kind="text", values=fault.values)
        for fault in check_cells(frame, contract, {name: name for name in cells})
    ]
    if table == "calendar":
        faults += _find_day_faults(cells)
    if table in _REFERRING:
        faults += _find_reference_faults(connection, cells, now=now)
    if is_placed(table):
        faults += _find_ground_faults(city, contract, cells, now=now)
    return faults


def _find_day_faults(cells: Mapping[str, str]) -> list[Fault]:
    faults = []
    try:
        date.fromisoformat(cells.get("date", ""))
    except ValueError:
        faults.append(Fault(key="moment_unreadable", field="date", value_kind="text"))
    if cells.get("working") and cells["working"] not in ("yes", "no"):
        values = {"known": ("yes", "no")}
        faults.append(Fault(key="choice_unknown", field="working", values=values))
    return faults


def _find_reference_faults(
    connection: Connection, cells: Mapping[str, str], *, now: int
) -> list[Fault]:
    """Return a fault for each kind or body that the city's own table, if it has one, lacks."""
    faults = []
    for name, other in REFERS.items():
        if cells.get(name):
            known = set(read_records(connection, other, at=now)["id"])
            if known and cells[name] not in known:
                faults.append(Fault(key=f"{name}_unlisted", field=name))
    return faults


def _find_ground_faults(
    city: City, contract: Contract, cells: Mapping[str, str], *, now: int
) -> list[Fault]:
    """Return what is wrong with where a row lies, or with the grid that it counts for."""
    if not contract.placed:
        system = city.grids_in_force(now)
        code = cells.get(contract.key, "")
        known = system is not None and bool((system.grids["code"] == code).any())
        return [] if known or not code else [Fault(key="grid_unlisted", field=contract.key)]
    given = [cells.get(name, "") for name in PLACE]
    if not any(given):
        return []
    try:
        lon, lat = (float(text) for text in given)
    except ValueError:
        return [Fault(key="place_not_number", field=PLACE[0], value_kind="text")]
    if not (-180 <= lon <= 180 and -90 <= lat <= 90):
        return [Fault(key="place_impossible", field=PLACE[0], value_kind="number")]
    return []


def _find_place(
    city: City, contract: Contract, old: ReferenceRow | None, cells: Mapping[str, str]
) -> tuple[int, int] | None:
    """Return where a row lies in mm: as given in degrees, else where it lay."""
    if contract.placed and cells.get(PLACE[0]) and cells.get(PLACE[1]):
        lon, lat = (np.array([float(cells[name])]) for name in PLACE)
        x, y = to_metric(lon, lat, parse_crs("EPSG:4326"), city.crs)
        return round(float(x[0]) * 1000), round(float(y[0]) * 1000)
    if old is not None and old.x is not None and old.y is not None:
        return old.x, old.y
    return None


def _merge(old: ReferenceRow | None, cells: Mapping[str, str]) -> dict[str, object]:
    """Return the row's cells with those that were not on the page, such as further columns."""
    kept = dict(old.data or {}) if old is not None else {}
    for name, text in cells.items():
        if name in (*PLACE, SHAPE):
            continue
        kept[name] = text
    return {name: value for name, value in kept.items() if value != "" and value is not None}
