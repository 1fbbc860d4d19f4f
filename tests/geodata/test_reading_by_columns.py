"""Promise: a large layer of points is read by columns to the same text, places and faults."""

from __future__ import annotations

from types import SimpleNamespace

import geopandas as gpd
import numpy as np
import pandas as pd
import pyarrow as pa
import pytest
import shapely
from hypothesis import given
from hypothesis import strategies as st

from geodata.errors import BadFile
from geodata.reading import Reading, read_geometries, read_points
from geodata.reading._child import _MANY_BYTES, load_columns, unpack_layer
from geodata.reading.arrow_cells import array_to_text, columns_to_text
from geodata.reading.cells import column_to_text
from tests.geodata.office_files import BOTH, edit

ROWS = 30_000
CELLS = st.one_of(
    st.lists(st.none() | st.text(max_size=6), min_size=1),
    st.lists(st.none() | st.integers(-(2**63), 2**63 - 1), min_size=1),
    st.lists(st.none() | st.floats(), min_size=1),
    st.lists(st.none() | st.booleans(), min_size=1),
)


@given(cells=CELLS)
def test_an_array_becomes_the_text_that_its_cells_become(cells):
    values = pa.array(cells)
    found = array_to_text(values if values.type != pa.null() else values.cast(pa.string()))
    expected = column_to_text(cells)
    assert found.cells.to_pylist() == expected.cells
    assert (found.long_numbers, found.nested) == (expected.long_numbers, expected.nested)


@given(cells=CELLS, times=st.integers(4, 9))
def test_values_that_come_often_become_the_same_text(cells, times):
    """Fractions that repeat are written once each; a column comes in chunks of any length."""
    values = pa.array(cells * times)
    values = values if values.type != pa.null() else values.cast(pa.string())
    chunks = [values.slice(0, 3), values.slice(3, 0), values.slice(3)]
    found, again = columns_to_text([pa.chunked_array(chunks), pa.chunked_array([values])])
    expected = column_to_text(cells * times)
    for one in (found, again):
        assert one.cells.to_pylist() == expected.cells
        assert (one.long_numbers, one.nested) == (expected.long_numbers, expected.nested)


def test_white_space_of_every_kind_is_cut_off_and_its_likes_are_kept():
    """Columns without white space at an end are not copied: none may be missed, 、 is no space."""
    signs = [chr(code) for code in range(0x3100) if not 0xD800 <= code < 0xE000]
    for sign in (sign for sign in signs if sign.isspace() or sign in "、é"):
        for cell in (f"{sign}井盖", f"井盖{sign}", sign, f"A{sign}B"):
            found = array_to_text(pa.array(["路灯", cell, None])).cells.to_pylist()
            assert found == ["路灯", cell.strip(), ""], hex(ord(sign))


def make_points(rows: int = ROWS) -> gpd.GeoDataFrame:
    rng = np.random.default_rng(3)
    at = rng.uniform((119.4, 32.3), (119.9, 32.7), (rows, 2))
    frame = gpd.GeoDataFrame(
        {
            "case_no": [f"A{n:09d}" for n in range(rows)],
            "kind": np.array(["暴露垃圾", " 占道经营 ", None], object)[rng.integers(0, 3, rows)],
            "level": rng.integers(1, 5, rows),
            "score": np.where(rng.random(rows) < 0.1, np.nan, rng.random(rows).round(3)),
            "urgent": rng.random(rows) < 0.5,
        },
        geometry=shapely.points(at),
        crs=4490,
    )
    frame.loc[7, "level"] = 3_210_120_010_010_010
    frame.loc[11, "geometry"] = shapely.Point(0, 0)
    return frame


@pytest.fixture(scope="module")
def large(tmp_path_factory):
    path = tmp_path_factory.mktemp("large") / "cases.gpkg"
    make_points().to_file(path, layer="cases", engine="pyogrio")
    assert path.stat().st_size > _MANY_BYTES
    return path


def by_rows(path) -> Reading:
    """Read it the long way, an object a row."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr("geodata.reading._child._MANY_BYTES", 1 << 40)
        return read_geometries(path)


@BOTH
def test_columns_and_rows_read_the_same(large, isolated):
    found, expected = read_points(large, isolated=isolated), by_rows(large)
    assert found.frame.equals(pd.DataFrame(expected.frame.drop(columns="geometry")))
    shapes = expected.frame.geometry.to_numpy()
    np.testing.assert_array_equal(found.x, shapely.get_x(shapes))
    np.testing.assert_array_equal(found.y, shapely.get_y(shapes))
    told = [(fault.key, fault.row) for fault in found.faults]
    assert told == [("number_too_long", 8), ("place_zero", 12)]
    assert told == [(fault.key, fault.row) for fault in expected.faults]
    assert (found.crs, found.encoding) == (expected.crs, expected.encoding)


@BOTH
def test_what_is_not_plain_is_read_row_by_row(tmp_path, isolated):
    """Dates, missing shapes and text that is no UTF-8 are for the reader that has evidence."""
    path = tmp_path / "dated.gpkg"
    frame = make_points()
    frame["at"] = pd.Timestamp("2026-03-05 08:00")
    frame.loc[3, "geometry"] = None
    frame.to_file(path, layer="cases", engine="pyogrio")
    found = read_points(path, isolated=isolated)
    assert found.frame["at"].iloc[0].startswith("2026-03-05")
    assert ("shape_missing", 4) in [(fault.key, fault.row) for fault in found.faults]
    assert np.isnan(found.x[3])


def test_text_in_gbk_is_not_taken_for_utf_8(tmp_path):
    path = tmp_path / "gbk.gpkg"
    frame = make_points().drop(columns="kind").assign(road="文昌路")
    frame.to_file(path, layer="cases", engine="pyogrio")
    text = "暴露垃圾".encode("gb18030").hex()
    edit(path, f"UPDATE cases SET road = CAST(x'{text}' AS TEXT)")
    reading = read_points(path)
    assert reading.encoding == "gb18030"
    assert reading.frame["road"].unique().tolist() == ["暴露垃圾"]


@BOTH
def test_a_damaged_page_is_refused_and_costs_no_row(large, tmp_path, isolated):
    path = tmp_path / "damaged.gpkg"
    raw = bytearray(large.read_bytes())
    at = raw.index(b"A000015000")
    raw[at - 4096 : at + 4096] = bytes(8192)
    path.write_bytes(raw)
    with pytest.raises(BadFile) as refused:
        read_points(path, isolated=isolated)
    assert refused.value.faults[0].key in {"geopackage_damaged", "file_unreadable"}


def test_an_answer_of_columns_that_is_cut_short_is_never_believed(large):
    columns = load_columns()
    checked = []
    layer = columns.read_points(str(large), layer="cases", meanwhile=lambda: checked.append(1))
    assert checked == [1]
    with (large.parent / "answer").open("wb") as out:
        columns.write_points(SimpleNamespace(**layer, driver="GPKG"), out)
    whole = (large.parent / "answer").read_bytes()
    assert unpack_layer(whole).points == layer["points"]
    for size in (7, 300, len(whole) // 2, len(whole) - 16, len(whole) - 1):
        with pytest.raises(ValueError, match=r"\S"):
            unpack_layer(whole[:size])


@pytest.mark.parametrize("suffix", ["geojson", "shp", "fgb"])
def test_any_file_of_shapes_is_a_table_with_a_place_a_row(tmp_path, suffix):
    frame = make_points(20)[["case_no", "geometry"]]
    frame.loc[0, "geometry"] = shapely.box(119.5, 32.4, 119.51, 32.41)
    if suffix == "shp":
        frame = frame.iloc[1:]
    path = tmp_path / f"cases.{suffix}"
    options = {"SPATIAL_INDEX": "NO"} if suffix == "fgb" else {}  # else its rows are sorted
    frame.to_file(path, engine="pyogrio", **options)
    reading = read_points(path)
    assert reading.frame["case_no"].tolist() == frame["case_no"].tolist()
    assert np.isfinite(reading.x).sum() == len(frame) - 1  # the one at 0, 0 has no place
    if suffix != "shp":
        assert (reading.x[0], reading.y[0]) == pytest.approx((119.505, 32.405))
