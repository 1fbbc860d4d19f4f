"""Promise: on real data the owners found are those recorded, as each SOURCE.md measured them."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import geopandas
import pandas as pd
import pytest

import app

WEST_YORKSHIRE = "west_yorkshire_police"
# month: rows, located, recorded owner among the grids, agreement in percent, differ, no owner
TRUTH = {
    "2016-07": (27_176, 25_829, 25_758, 96.323, 947, 73),
    "2017-07": (28_537, 26_996, 26_987, 96.120, 1_047, 12),
    "2018-07": (31_635, 30_752, 30_739, 96.399, 1_107, 15),
}
FORMATS = {"2016-07": ".csv", "2017-07": ".parquet", "2018-07": ".gpkg"}


def own(capsys: pytest.CaptureFixture[str], *argv: object) -> dict[str, Any]:
    code = app.main(["own", "--json", "--lang", "en", *map(str, argv)])
    said = capsys.readouterr()
    assert code == 0, said
    return json.loads(said.out)


def read(path: Path) -> pd.DataFrame:
    if path.suffix == ".csv":
        return pd.read_csv(path, dtype=str, keep_default_na=False)
    if path.suffix == ".parquet":
        return geopandas.read_parquet(path)
    return geopandas.read_file(path)


@pytest.mark.parametrize("month", TRUTH)
def test_west_yorkshire_agrees_with_the_police(shared_data, tmp_path, capsys, month):
    folder = shared_data / WEST_YORKSHIRE
    points = folder / f"{month}-west-yorkshire-street.csv.gz"
    out = tmp_path / f"owned{FORMATS[month]}"
    report = own(
        capsys, "--grids", *sorted(folder.glob("lsoa_*.geojson")), "--points", points,
        "--out", out, "--recorded", "LSOA code", "--near", 0,
    )  # fmt: skip
    rows, located, among, percent, differ, no_owner = TRUTH[month]
    rules, recorded = report["by_rule"], report["recorded"]
    assert (report["points"], report["grids"]) == (rows, 1_388)
    assert rules["none"] == no_owner
    assert rules["no_place"] == rows - located
    assert sum(rules.values()) == rows
    assert recorded["known"] == among
    assert abs(100 * recorded["agree"] / among - percent) <= 0.1
    assert abs(recorded["differ"] - differ) <= 2
    assert recorded["within_20_m"] == recorded["differ"]  # a snapped point on a generalised line
    assert recorded["better"] is None
    # Every row is there, in its order, with its columns and the owner's.
    written, given = read(out), pd.read_csv(points, dtype=str, keep_default_na=False)
    assert len(written) == rows
    for name in ("Crime ID", "LSOA code", "Longitude", "Crime type"):
        assert (written[name].fillna("") == given[name]).all(), name
    assert (written["grid_code"].fillna("") != "").sum() == located - no_owner
    agrees = written["grid_code"].fillna("") == given["LSOA code"]
    assert (agrees & (given["Longitude"] != "")).sum() == recorded["agree"]


SHANGHAI = {"amap": (32, 0), "tianditu": (677, 115)}


def shanghai(shared_data: Path, source: str) -> list[object]:
    boundary = shared_data / "china_districts" / f"districts_{source}_wgs84.geojson"
    points = sorted((shared_data / "shanghai_poi" / "poi").glob("shanghai_*.csv"))
    return [
        "--grids", boundary, "--grid-code", "district_name", "--points", *points,
        "--recorded", "adname", "--near", 0,
    ]  # fmt: skip


@pytest.mark.parametrize("source", SHANGHAI)
def test_shanghai_agrees_with_each_boundary_set(shared_data, tmp_path, capsys, source):
    out = tmp_path / "owned.geojson"
    report = own(capsys, *shanghai(shared_data, source), "--out", out)
    differ, unowned = SHANGHAI[source]
    assert report["points"] == 41_959
    assert abs(report["recorded"]["differ"] - differ) <= 2
    assert abs(report["unowned"] - unowned) <= 2
    assert report["recorded"]["better"] is None
    assert len(report["codes_only_in_grids"]) == 40  # the districts of the four other cities
    assert report["codes_only_in_points"] == []
    if source == "amap":
        features = json.loads(out.read_text("utf-8"))["features"]
        assert len(features) == 41_959
        assert set(features[0]["properties"]) == {
            "name", "address", "adname", "pname", "type", "lat", "lon",
            "grid_code", "rule", "distance_m", "near_line",
        }  # fmt: skip


def test_points_wrongly_declared_gcj02_are_warned_of_with_the_distances(
    shared_data, tmp_path, capsys
):
    argv = [*shanghai(shared_data, "amap"), "--crs", "GCJ-02", "--out", tmp_path / "owned.parquet"]
    report = own(capsys, *argv)
    recorded = report["recorded"]
    assert recorded["better"] == "WGS 84"
    assert recorded["declared"] == "GCJ-02"
    evidence = recorded["evidence"]
    assert evidence["as_is_m"] < 5
    assert 100 < evidence["gcj02_m"] < evidence["bd09_m"]
    assert recorded["agree"] / recorded["known"] > 0.95  # agreement alone would not have told
