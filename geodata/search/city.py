"""Search a city as an account sees it: areas and places from memory, cases and doors asked for."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

import numpy as np

from geodata.access.sight import Sight
from geodata.coordinates import to_lonlat
from geodata.desk.trays import find_seen
from geodata.search.names import Named, NameIndex, fold_text
from geodata.snapshots.byte_cache import ByteCache, measure_answer
from geodata.snapshots.later import make_once
from geodata.store.address_rows import find_addresses
from geodata.store.database import Connection
from geodata.store.desk_rows import list_sources

FoundKind = Literal["area", "place", "camera", "address", "case"]
MOST = 12
LONGEST = 80
_SHORTEST_ADDRESS = 3
NAMES_BYTES = 256_000_000  # of the names of all scopes; a hundred thousand take 80 million


@dataclass(frozen=True, slots=True, kw_only=True)
class Found:
    """
    One hit: an area by `uid`, a case by `source` and `code`, anything else by its degrees.

    `code` is the grid's code, the case's number in its source, or empty.
    """

    kind: FoundKind
    name: str
    code: str = ""
    uid: int | None = None
    source: str = ""
    lon: float | None = None
    lat: float | None = None


def search_city(sight: Sight, connection: Connection, text: str) -> list[Found]:
    """
    Return the best hits for a text, cases first where it is the number of one.

    A case is found only by its whole number and only in the account's own grids, so that a list of
    guesses tells nothing of others. Areas are no secret; cameras and places are the scope's.
    """
    text = text.strip()[:LONGEST]
    if not text:
        return []
    found = [*_find_cases(sight, connection, text), *_find_names(sight, text)]
    if len(found) < MOST and len(fold_text(text)) >= _SHORTEST_ADDRESS:
        found += _find_addresses(sight, connection, text, most=MOST - len(found))
    return found[:MOST]


def _find_cases(sight: Sight, connection: Connection, text: str) -> list[Found]:
    if not sight.rows:
        return []
    return [
        Found(kind="case", name=text, code=text, source=source)
        for source in list_sources(connection)
        if find_seen(connection, sight.scope, source, text) is not None
    ]


def _find_names(sight: Sight, text: str) -> list[Found]:
    hits = index_names(sight).find(text, most=MOST)
    found = []
    for one in hits:
        if one.kind == "area":
            found.append(Found(kind="area", name=one.name, code=one.code, uid=one.key))
        else:
            table = sight.places if one.kind == "place" else sight.cameras
            point = table.geometry.iloc[one.key]
            kind: FoundKind = "place" if one.kind == "place" else "camera"
            found.append(Found(kind=kind, name=one.name, code=one.code, lon=point.x, lat=point.y))
    return found


def index_names(sight: Sight) -> NameIndex:
    """
    Return the names that this sight holds; made at the first search.

    They stay as long as the drawing and the tables do, whatever happens to incidents.
    """
    indexes = make_once(
        sight.kept,
        ("drawing", "names found"),
        lambda: ByteCache(limit_bytes=NAMES_BYTES, measure=measure_answer),
    )
    index: NameIndex = indexes.get(sight.version, lambda: _make_index(sight))
    return index


def _make_index(sight: Sight) -> NameIndex:
    grids = sight.grids.grids
    levels = {level: rank for rank, level in enumerate(sight.grids.levels)}
    areas = zip(grids["uid"], grids["code"], grids["name"], grids["level"], strict=True)
    items = [
        Named(
            kind="area",
            key=int(uid),
            code=str(code),
            name=str(name),
            rank=levels[level],
            within=sight.grids.path_names(int(uid))[:-1],
        )
        for uid, code, name, level in areas
    ]
    for kind, table, code in (
        ("place", sight.places, "id"),
        ("camera", sight.cameras, "id"),
    ):
        if "name" in table:
            rows = zip(table[code], table["name"], strict=True)
            items += [
                Named(kind=kind, key=row, code=str(number), name=str(name), rank=len(levels))
                for row, (number, name) in enumerate(rows)
                if isinstance(name, str)
            ]
    return NameIndex(items)


def _find_addresses(sight: Sight, connection: Connection, text: str, *, most: int) -> list[Found]:
    """Return standard addresses that hold the text, with their places."""
    rows = find_addresses(connection, text, most=most)
    if not rows:
        return []
    names, x_mm, y_mm = zip(*rows, strict=True)
    x_m, y_m = (np.array(part, np.float64) / 1000 for part in (x_mm, y_mm))
    lon, lat = to_lonlat(x_m, y_m, sight.grids.crs)
    return [
        Found(kind="address", name=name, lon=float(lon[place]), lat=float(lat[place]))
        for place, name in enumerate(names)
        if np.isfinite(lon[place])
    ]
