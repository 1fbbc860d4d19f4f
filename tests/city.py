"""A tiny city for tests: 3 x 3 grids of 200 m in 3 communities, and files to load into it."""

from __future__ import annotations

import csv
import json
from collections.abc import Iterable, Mapping, Sequence
from datetime import UTC, datetime
from pathlib import Path
from typing import Any
from zoneinfo import ZoneInfo

import numpy as np
import pyproj
import shapely
from numpy.typing import NDArray

from geodata.city import City, create_city, writing
from geodata.coordinates import to_lonlat
from geodata.errors import GetuError
from geodata.events.incidents import STAGES
from geodata.grids import GridSystem
from geodata.loading import load_files
from geodata.loading.report import LoadReport
from geodata.loading.request import LoadRequest
from geodata.store.dump import canonical_dump

EPSG = 4549
CRS = pyproj.CRS.from_epsg(EPSG)
ZONE = ZoneInfo("Asia/Shanghai")
WEST_M, SOUTH_M, SIDE_M = 500_000.0, 3_600_000.0, 200.0  # some 32.5° north, 120° east
NOW = int(datetime(2026, 6, 1, 12, tzinfo=ZONE).timestamp())
INCIDENT_COLUMNS = (
    "incident_id", "reported_at", "kind", "lon", "lat",
    "registered_at", "dispatched_at", "handled_at", "closed_at", "due_at",
)  # fmt: skip


def grid_code(column: int, row: int) -> str:
    """Return the code of a grid: its community's (321012001001 and on, by row), then its place."""
    return f"{community_code(row)}{column + 1:03d}"


def community_code(row: int) -> str:
    return f"321012001{row + 1:03d}"


def square(column: float, row: float, *, wide: float = 1, high: float = 1) -> shapely.Polygon:
    """Return a rectangle, all in sides of a grid from the south-west corner, in metres."""
    x, y = WEST_M + column * SIDE_M, SOUTH_M + row * SIDE_M
    return shapely.box(x, y, x + wide * SIDE_M, y + high * SIDE_M)


def lonlat(east_m: float, north_m: float) -> tuple[float, float]:
    """Return degrees of a place so many metres from the south-west corner of the city."""
    lon, lat = to_lonlat(np.array([WEST_M + east_m]), np.array([SOUTH_M + north_m]), CRS)
    return round(float(lon[0]), 9), round(float(lat[0]), 9)


def middle(column: int, row: int) -> tuple[float, float]:
    """Return degrees of the middle of a grid."""
    return lonlat((column + 0.5) * SIDE_M, (row + 0.5) * SIDE_M)


# --- files ---------------------------------------------------------------------------------------


def write_shapes(
    path: Path, features: Iterable[tuple[shapely.Geometry, Mapping[str, Any]]]
) -> Path:
    """Write shapes in metres of the city as GeoJSON in degrees."""

    def degrees(xy: np.ndarray) -> np.ndarray:
        return np.round(np.column_stack(to_lonlat(xy[:, 0], xy[:, 1], CRS)), 10)

    items = [
        {
            "type": "Feature",
            "properties": dict(properties),
            "geometry": shapely.geometry.mapping(shapely.transform(shape, degrees)),
        }
        for shape, properties in features
    ]
    text = json.dumps({"type": "FeatureCollection", "features": items}, ensure_ascii=False)
    path.write_text(text, "utf-8")
    return path


def grid_features() -> list[tuple[shapely.Polygon, dict[str, Any]]]:
    return [
        (
            square(column, row),
            {
                "code": grid_code(column, row),
                "name": f"第{row * 3 + column + 1}网格",
                "level": "grid",
                "parent": community_code(row),
                "households": 100 + 10 * column + row,
            },
        )
        for row in range(3)
        for column in range(3)
    ]


def community_features() -> list[tuple[shapely.Polygon, dict[str, Any]]]:
    return [
        (
            square(0, row, wide=3),
            {"code": community_code(row), "name": f"第{row + 1}社区", "level": "community"},
        )
        for row in range(3)
    ]


def write_grids(path: Path) -> Path:
    """Write all twelve grids of both levels to one file, with level and parent columns."""
    return write_shapes(path, [*community_features(), *grid_features()])


def write_table(path: Path, columns: Sequence[str], rows: Iterable[Sequence[Any]]) -> Path:
    with path.open("w", encoding="utf-8", newline="") as file:
        writer = csv.writer(file)
        writer.writerow(columns)
        writer.writerows(rows)
    return path


def local_text(at: int) -> str:
    """Return a moment as people of the city write it."""
    return datetime.fromtimestamp(at, UTC).astimezone(ZONE).strftime("%Y-%m-%d %H:%M:%S")


def incident_rows(n: int = 36, *, seed: int = 1) -> list[list[Any]]:
    """
    Return rows of INCIDENT_COLUMNS over the months before NOW, some in every step, some overdue.

    Places lie inside the city except every ninth, which lies 500 m beyond it.
    """
    rng = np.random.default_rng(seed)
    rows = []
    for number in range(n):
        reported = NOW - int(rng.integers(3_600, 90 * 86_400))
        east, north = rng.uniform(2, 3 * SIDE_M - 2, 2)
        if number % 9 == 8:
            east += 5.5 * SIDE_M
        reached = number % 5  # how many of the later steps it has got to
        steps = [reported + (1 + step) * 600 if step < reached else 0 for step in range(4)]
        due = reported + int(rng.choice([1_800, 40 * 86_400]))
        kind = ("占道经营", "路面破损", "积水")[number % 3]
        rows.append(
            [f"A{number:04d}", local_text(reported), kind, *lonlat(east, north),
             *(local_text(at) if at else "" for at in steps), local_text(due)]
        )  # fmt: skip
    return rows


def event_rows() -> list[list[Any]]:
    """Return rows of (incident_id, stage, at, lon, lat, kind): two stories with every stage."""
    first = [stage for stage in STAGES if stage not in ("not_registered", "duplicate", "void")]
    rows = []
    for number, stages in enumerate(
        (first, ["reported", "not_registered"], ["reported", "duplicate"], ["reported", "void"])
    ):
        for place, stage in enumerate(stages):
            at = NOW - 20 * 86_400 + place * 3_600
            where = (*middle(number % 3, 1), "占道经营") if stage == "reported" else ("", "", "")
            rows.append([f"E{number}", stage, local_text(at), *where])
    return rows


# --- the city ------------------------------------------------------------------------------------


def load(
    city: City, kind: str, *files: Path, now: int = NOW, **options: Any
) -> tuple[list[LoadReport], list[GetuError]]:
    """Load files as `app.py load` does, in this process."""
    with writing(city):
        return load_files(
            city, kind, list(files), LoadRequest(now=now, **options), progress=say_nothing
        )


def load_one(city: City, kind: str, file: Path, **options: Any) -> LoadReport:
    """Load one file; a refusal of the whole file is raised."""
    reports, errors = load(city, kind, file, **options)
    if errors:
        raise errors[0]
    (report,) = reports
    return report


def say_nothing(key: str, share: float) -> None:
    """Take progress and leave it."""


def stored_state(city: City) -> tuple[str, int, list[int]]:
    """Return all that a load changes: the canonical dump, the revision, the rows of its tables."""
    with city.database.read() as connection:
        counted = [
            connection.execute(f"SELECT count(*) FROM {table}").fetchone()[0]
            for table in ("event", "payload", "incident_key", "incident", "batch", "batch_part")
        ]
        return canonical_dump(connection), city.database.revision(), counted


def uids_above(system: GridSystem, level: str) -> NDArray[np.int64]:
    """Return for each leaf the uid of the grid of a level that it lies in, -1 for none."""
    wanted = set(system.level(level)["uid"])
    leaves = system.finest()["uid"].tolist()
    return np.array([next((u for u in system.path(uid) if u in wanted), -1) for uid in leaves])


def make_empty_city(folder: Path) -> City:
    """Make a city without grids, its coordinate system set."""
    return create_city(folder, {"name_zh": "小城", "name_en": "Tiny", "crs": f"EPSG:{EPSG}"})


def make_gridded_city(folder: Path) -> City:
    """Make a city with its nine grids in three communities, and nothing else."""
    city = make_empty_city(folder)
    load_one(city, "grids", write_grids(folder / "grids.geojson"))
    return city


def make_tiny_city(folder: Path) -> City:
    """Make the whole tiny city: grids, kinds, 36 incidents, 4 event stories, cameras, places."""
    city = make_gridded_city(folder)
    kinds = [
        ["占道经营", "占道经营", "市容环境", 2, "working_days"],
        ["路面破损", "路面破损", "市政设施", 48, "working_hours"],
    ]
    columns = ("code", "name_zh", "category", "limit", "limit_unit")
    load_one(city, "kinds", write_table(folder / "kinds.csv", columns, kinds))
    incidents = write_table(folder / "incidents.csv", INCIDENT_COLUMNS, incident_rows())
    load_one(city, "incidents", incidents)
    columns = ("incident_id", "stage", "at", "lon", "lat", "kind")
    load_one(city, "events", write_table(folder / "events.csv", columns, event_rows()))
    cameras = [[f"3210120010{n:010d}", f"路口{n}", *middle(n % 3, n // 3)] for n in range(5)]
    columns = ("camera_id", "name", "lon", "lat")
    load_one(city, "cameras", write_table(folder / "cameras.csv", columns, cameras))
    places = [[f"P{n}", "school", f"第{n}小学", *middle(n, n)] for n in range(3)]
    columns = ("id", "kind", "name", "lon", "lat")
    load_one(city, "places", write_table(folder / "places.csv", columns, places))
    return city
