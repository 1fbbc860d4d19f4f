"""Benchmark E: a GeoPackage of points read to a checked table, beside geopandas."""

from __future__ import annotations

import tempfile
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path
from typing import Any

import geopandas
import numpy as np
import shapely

from bench.contest import Bar, Contest, Row
from bench.made_up import make_grids, make_points
from geodata.reading import Reading, read_points
from geodata.reading._child import RawLayer, read_layer
from geodata.reading.archives import OWNER_LIMITS

CRS = "EPSG:4549"
HERE, CHILD = "read and checked, in process", "read and checked, through the child"
GEOPANDAS, ARROW = "geopandas.read_file", "geopandas.read_file(use_arrow)"
COLUMNS = "columns alone, unchecked cells"
_PATIENCE_S = 600
BARS = (
    Bar(ours=HERE, peer=GEOPANDAS, ratio=8),
    Bar(ours=HERE, peer=ARROW),
    Bar(ours=COLUMNS, peer=GEOPANDAS),
    Bar(ours=CHILD, peer=GEOPANDAS, ratio=2.5),
)


def run(*, points: int, rounds: int) -> Iterator[Row]:
    """Measure a GeoPackage of `points` points and six columns with Chinese text."""
    with tempfile.TemporaryDirectory(prefix="getu-bench-") as folder:
        yield from run_loading(Path(folder), points=points, rounds=rounds)


def run_loading(folder: Path, *, points: int, rounds: int) -> list[Row]:
    """Measure the reader in this process and through its child against geopandas."""
    path = write_points(folder, points)
    contest = Contest(work="E", case="GeoPackage of points", n=points, rounds=rounds)
    contest.enter(HERE, lambda: read_points(path), answer=_places_of)
    # A million points are more than may be uploaded: the child gets an owner's limits.
    limits = replace(OWNER_LIMITS, cpu_s=_PATIENCE_S, wall_s=_PATIENCE_S)
    contest.enter(CHILD, lambda: read_points(path, isolated=True, limits=limits), answer=_places_of)
    contest.enter(COLUMNS, lambda: read_layer(str(path), layer=None), answer=_places_of_layer)
    contest.enter(GEOPANDAS, lambda: geopandas.read_file(path), answer=_places)
    contest.enter(ARROW, lambda: geopandas.read_file(path, use_arrow=True), answer=_places)
    contest.run()
    return contest.rows(BARS)


def write_points(folder: Path, points: int) -> Path:
    """Write the GeoPackage; return its path."""
    x, y = make_points(points, make_grids(100))
    rng = np.random.default_rng(0)
    kinds = np.array(["暴露垃圾", "占道经营", "井盖破损", "路灯不亮"], object)
    frame = geopandas.GeoDataFrame(
        {
            "case_no": [f"A{i:09d}" for i in range(points)],
            "kind": kinds[rng.integers(0, len(kinds), points)],
            "road": np.array(["文昌路", "龙川路"], object)[rng.integers(0, 2, points)],
            "hour": rng.integers(0, 24, points),
            "level": rng.integers(1, 5, points),
            "score": rng.random(points).round(3),
        },
        geometry=shapely.points(np.rint(x) / 1000, np.rint(y) / 1000),
        crs=CRS,
    )
    path = folder / "points.gpkg"
    frame.to_file(path, driver="GPKG")
    return path


def _places_of(reading: Reading) -> tuple[Any, Any]:
    return reading.x, reading.y


def _places_of_layer(layer: RawLayer) -> tuple[Any, Any]:
    if layer.points is None:  # a file too small to be worth it comes row by row
        return _places(geopandas.GeoDataFrame(geometry=shapely.from_wkb(np.array(layer.wkb))))
    x, y = np.frombuffer(layer.points, "<f8").reshape(2, -1)
    return x, y


def _places(frame: Any) -> tuple[Any, Any]:
    shapes = frame.geometry.to_numpy()
    return shapely.get_x(shapes), shapely.get_y(shapes)
