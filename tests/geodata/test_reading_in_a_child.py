"""Promise: the process that reads a file has limits, and what it answers is exact."""

import io
import time

import geopandas as gpd
import numpy as np
import pytest
import shapely

from geodata.reading import read_geometries
from geodata.reading._child import RawLayer, unpack_layer, write_layer
from geodata.reading.archives import Limits
from tests.geodata.office_files import (
    TABLES,
    edit,
    grids,
    refuse,
    write_shapefile,
)


@pytest.fixture(scope="module")
def big_shapefile(tmp_path_factory):
    points = 400_000
    frame = gpd.GeoDataFrame(
        {"code": np.arange(points)}, geometry=shapely.points(np.full((points, 2), 30.0)), crs=4490
    )
    return write_shapefile(tmp_path_factory.mktemp("big"), frame)


@pytest.mark.parametrize(
    ("limits", "key"),
    [
        (Limits(memory_bytes=230 << 20), "child_memory"),
        (Limits(result_bytes=1 << 20), "file_too_large"),
        (Limits(wall_s=0), "child_slow"),
        (Limits(file_bytes=1 << 20), "file_too_large"),
    ],
)
def test_a_child_that_needs_too_much_is_stopped(big_shapefile, limits, key):
    start = time.perf_counter()
    assert refuse(big_shapefile, isolated=True, limits=limits).key == key
    assert time.perf_counter() - start < 30


def test_a_query_without_end_is_stopped(tmp_path):
    path = tmp_path / "grid.gpkg"
    grids().to_file(path, layer="g", engine="pyogrio")
    endless = "WITH RECURSIVE c(x) AS (SELECT 1 UNION ALL SELECT x + 1 FROM c)"
    edit(
        path,
        f"CREATE VIEW v AS {endless} SELECT x AS fid, '' AS code, NULL AS geom FROM c WHERE x < 0",
        *(f"UPDATE {table} SET table_name = 'v'" for table in TABLES),
    )
    assert refuse(path, isolated=True, limits=Limits(cpu_s=2)).key == "child_slow"


def test_an_answer_that_is_cut_short_is_never_believed():
    layer = RawLayer(
        driver="GPKG",
        crs_text=None,
        names=["a"],
        columns=[["x", None]],
        dropped=[],
        wkb=[b"1", None],
    )
    out = io.BytesIO()
    write_layer(layer, out)
    whole = out.getvalue()
    assert unpack_layer(whole) == layer
    for size in range(len(whole)):
        with pytest.raises((ValueError, KeyError)):
            unpack_layer(whole[:size])


def test_what_both_ways_read_is_the_same(tmp_path):
    path = write_shapefile(tmp_path, grids(n=[1.5, None, 7]), encoding="GB18030")
    here, child = (read_geometries(path, isolated=isolated) for isolated in (False, True))
    assert here.frame.equals(child.frame)
    assert (here.encoding, here.crs, here.notes) == (child.encoding, child.crs, child.notes)
