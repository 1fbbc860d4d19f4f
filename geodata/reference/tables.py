"""The reference tables as a page shows them: which there are, their columns and their rows."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import UTC, date, datetime, time
from typing import Any
from zoneinfo import ZoneInfo

import numpy as np

from geodata.city import City
from geodata.coordinates import to_lonlat
from geodata.errors import BadSetting, Fault, NotFound
from geodata.loading.contracts import RECORD_KINDS, Contract
from geodata.store.records import ALWAYS
from geodata.store.reference_rows import ReferenceRow

# In the order of a page: what cases are judged by first, things on the ground after them.
TABLES = (
    "bodies", "kinds", "matrix", "calendar", "counts", "kind_aliases", "body_aliases",
    "cameras", "places", "devices", "components", "lines", "blocks", "addresses",
)  # fmt: skip
PLACE = ("lon", "lat")
VALID_FROM = "valid_from"
SHAPE = "shape"  # the line or area of a record, as the store keeps it: no cell of a table
_DECIMALS = 7  # of a degree: 1 cm


@dataclass(frozen=True, slots=True, kw_only=True)
class TableRow:
    """One row as texts: its id, its cells by column, and the moment from which it holds (UTC s)."""

    id: str
    cells: dict[str, str]
    valid_from: int
    version: int  # the load or change that brought it


def find_contract(table: str) -> Contract:
    """Return what a table holds; raises NotFound for one that the city does not have."""
    if table not in TABLES or table not in RECORD_KINDS:
        raise NotFound(Fault(key="table_unknown"))
    return RECORD_KINDS[table]


def list_tables() -> tuple[str, ...]:
    """Return the tables that can be listed."""
    return tuple(name for name in TABLES if name in RECORD_KINDS)


def is_placed(table: str) -> bool:
    """Tell whether the rows of a table lie or hold somewhere: not every account sees them all."""
    return find_contract(table).placed or table == "counts"


def list_columns(table: str) -> tuple[str, ...]:
    """Return the columns of a table: its key, then the others, then its place."""
    contract = find_contract(table)
    named = [name for name in contract.names if name != contract.key]
    key = () if contract.key_of is not None else (contract.key,)
    return (*key, *named, *(PLACE if contract.placed else ()))


def describe_rows(city: City, table: str, rows: Sequence[ReferenceRow]) -> list[TableRow]:
    """Return rows of the store as texts, their places in degrees."""
    contract = find_contract(table)
    placed = [row for row in rows if row.x is not None and row.y is not None]
    degrees: dict[tuple[str, int, int], tuple[str, ...]] = {}
    if placed and contract.placed:
        x, y = (np.array([getattr(row, name) for row in placed], float) for name in ("x", "y"))
        lon, lat = to_lonlat(x / 1000, y / 1000, city.crs)
        for row, east, north in zip(placed, lon.tolist(), lat.tolist(), strict=True):
            texts = (f"{east:.{_DECIMALS}f}", f"{north:.{_DECIMALS}f}")
            degrees[row.id, row.valid_from, row.batch] = texts
    out = []
    for row in rows:
        cells = {contract.key: row.id} | {
            name: _as_text(value) for name, value in (row.data or {}).items() if name != SHAPE
        }
        place = degrees.get((row.id, row.valid_from, row.batch))
        cells |= dict(zip(PLACE, place, strict=True)) if place else {}
        out.append(TableRow(id=row.id, cells=cells, valid_from=row.valid_from, version=row.batch))
    return out


def list_extra_columns(table: str, rows: Sequence[TableRow]) -> tuple[str, ...]:
    """Return the further columns that departments sent along, in the order they are met."""
    known = {*list_columns(table), find_contract(table).key}
    return tuple(dict.fromkeys(name for row in rows for name in row.cells if name not in known))


def print_day(moment: int, zone: ZoneInfo) -> str:
    """Return the local day from which a row holds; empty where it reaches back without end."""
    if moment == ALWAYS:
        return ""
    return datetime.fromtimestamp(moment, UTC).astimezone(zone).date().isoformat()


def read_day(text: str, zone: ZoneInfo) -> int:
    """
    Return the first second (UTC) of a local day; an empty text reaches back without end.

    Raises BadSetting for a text that is no day.
    """
    if not text.strip():
        return ALWAYS
    try:
        day = date.fromisoformat(text.strip())
        return int(datetime.combine(day, time(), zone).timestamp())
    except (ValueError, OverflowError) as error:
        raise BadSetting(Fault(key="valid_from")) from error


def _as_text(value: Any) -> str:
    if isinstance(value, bool):
        return "1" if value else "0"
    return f"{value:g}" if isinstance(value, float) else str(value)
