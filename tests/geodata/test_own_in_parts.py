"""Parts of any size and number get the owners that one file would get, once each, on any engine."""

from __future__ import annotations

import json
import os
import signal
from dataclasses import replace
from pathlib import Path

import geopandas
import numpy as np
import pandas as pd
import pyarrow as pa
import pyarrow.parquet as pq
import pytest
import shapely

from bench.made_up import make_grids, make_points
from geodata.errors import BadFile, BadSetting
from geodata.ownership import engines, part_files, parts
from geodata.ownership.arrow_batches import OWNER_DDL, make_mapper
from geodata.ownership.assignment import OwnRequest, own_files
from geodata.ownership.engines import is_streamed, own_parts
from geodata.ownership.grid_files import GridFiles
from geodata.ownership.parts import own_part, read_note
from geodata.ownership.tally import PartJob

CRS = "EPSG:4549"


def quiet(key, share):
    pass


def write_parts(folder, *, rows=3_000, parts_=3, form="xy"):
    """Grids and a folder of parts; returns their paths and the points in metres."""
    grids = make_grids(40)
    codes = [f"32{i:013d}" for i in range(40)]
    metres = shapely.transform(grids, lambda c: c / 1000)
    frame = geopandas.GeoDataFrame({"code": codes}, geometry=metres, crs=CRS)
    frame.to_file(folder / "grids.gpkg", driver="GPKG")
    points = folder / "points"
    points.mkdir()
    every = []
    for i in range(parts_):
        x, y = make_points(rows, grids, seed=i)
        x, y = np.rint(x) / 1000, np.rint(y) / 1000
        x[3] = np.nan
        table = pd.DataFrame(
            {"x": x, "y": y, "rule": np.arange(rows), "note": "路灯不亮", "手机号": "13812345678"}
        )
        path = points / f"part-{i}.parquet"
        if form == "xy":
            pq.write_table(pa.Table.from_pandas(table), path, row_group_size=700)
        else:
            shapes = np.where(np.isfinite(x), shapely.points(x, y), None)
            geo = geopandas.GeoDataFrame(table.drop(columns=["x", "y"]), geometry=shapes, crs=CRS)
            geo.to_parquet(path, geometry_encoding=form)
        every.append((x, y))
    xy = [np.concatenate(axis) for axis in zip(*every, strict=True)]
    return folder / "grids.gpkg", points, xy


def ask(grids, points, out, **options):
    crs = options.pop("crs", CRS)
    return OwnRequest(grids=(grids,), points=(points,), out=out, crs=crs, **options)


def read_all(folder):
    return pd.concat(
        [pq.read_table(path).to_pandas() for path in sorted(folder.glob("*.parquet"))],
        ignore_index=True,
    )


@pytest.mark.parametrize("form", ["xy", "WKB", "geoarrow"])
def test_parts_get_the_owners_that_one_file_would_get(tmp_path, form):
    grids, points, (x, y) = write_parts(tmp_path, form=form)
    crs = CRS if form == "xy" else None
    report = own_parts(ask(grids, points, tmp_path / "out", crs=crs, near_m=5), progress=quiet)
    found = read_all(tmp_path / "out")
    table = tmp_path / "all.csv"
    pd.DataFrame({"x": x, "y": y}).to_csv(table, index=False)
    whole = own_files(ask(grids, table, tmp_path / "one.parquet", near_m=5), progress=quiet)
    one = pd.read_parquet(tmp_path / "one.parquet")
    assert found["grid_code"].astype(object).fillna("").tolist() == one["grid_code"].tolist()
    assert found["rule"].astype(str).tolist() == one["rule"].tolist()
    assert found["near_line"].tolist() == one["near_line"].tolist()
    np.testing.assert_allclose(found["distance_m"], one["distance_m"], atol=0.002)
    assert report.by_rule == whole.by_rule
    assert report.near_line == whole.near_line
    assert report.points == len(x) == sum(report.by_rule.values())
    assert "手机号" not in found
    assert report.dropped_columns == ("手机号",)
    assert found["input_rule"].tolist() == [*range(3_000)] * 3
    if form == "WKB":
        again = geopandas.read_parquet(tmp_path / "out" / "part-0.parquet")
        assert again.crs == CRS
        assert again.geometry.x.iloc[5] == x[5]


def bytes_of(folder):
    return {path.name: path.read_bytes() for path in folder.glob("*.parquet")}


def test_threads_and_coarse_row_groups_write_the_same(tmp_path, monkeypatch):
    grids, points, _ = write_parts(tmp_path)
    for name, workers in (("one", 1), ("two", 2)):
        own_parts(ask(grids, points, tmp_path / name), workers=workers, progress=quiet)
    assert bytes_of(tmp_path / "one") == bytes_of(tmp_path / "two")
    monkeypatch.setattr(part_files, "_LARGEST_GROUP", 500)
    monkeypatch.setattr(part_files, "BATCH", 300)
    own_parts(ask(grids, points, tmp_path / "coarse"), progress=quiet)
    pd.testing.assert_frame_equal(read_all(tmp_path / "coarse"), read_all(tmp_path / "one"))


def test_a_stopped_run_is_taken_up_where_it_was(tmp_path, monkeypatch):
    grids, points, _ = write_parts(tmp_path)
    request = ask(grids, points, tmp_path / "out")
    done = []

    def stop_after_two(job, *, threads=1):
        if len(done) == 2:
            raise KeyboardInterrupt
        done.append(job.part)
        return own_part(job, threads=threads)

    monkeypatch.setattr(engines, "own_part", stop_after_two)
    with pytest.raises(KeyboardInterrupt):
        own_parts(request, progress=quiet)
    first = {p.name: p.stat().st_mtime_ns for p in (tmp_path / "out").glob("*.parquet")}
    assert len(first) == 2
    monkeypatch.setattr(engines, "own_part", own_part)
    report = own_parts(request, progress=quiet)
    assert [note.values for note in report.notes if note.key == "engine.parts_known"] == [
        {"n": 2, "of": 3}
    ]
    for name, moment in first.items():
        assert (tmp_path / "out" / name).stat().st_mtime_ns == moment
    whole = own_parts(replace(request, out=tmp_path / "fresh"), progress=quiet)
    assert report.by_rule == whole.by_rule
    assert bytes_of(tmp_path / "out") == bytes_of(tmp_path / "fresh")


def test_a_changed_part_grid_or_option_or_a_damaged_result_is_done_again(tmp_path):
    grids, points, _ = write_parts(tmp_path, parts_=1)
    request = ask(grids, points, tmp_path / "out")
    own_parts(request, progress=quiet)
    job = engines._make_job(
        points / "part-0.parquet", request, GridFiles(files=(str(grids.resolve()),))
    )
    assert read_note(job) is not None
    assert read_note(replace(job, near_m=3.0)) is None
    out = Path(job.out)
    out.write_bytes(out.read_bytes()[:-1])
    assert read_note(job) is None
    own_parts(request, progress=quiet)
    os.utime(points / "part-0.parquet", ns=(1, 1))
    assert read_note(job) is None
    note = next((tmp_path / "out" / parts.NOTES).iterdir())
    note.write_text("{}", "utf-8")
    assert read_note(job) is None


def test_only_counts_are_the_same_counts(tmp_path):
    grids, points, _ = write_parts(tmp_path, parts_=1)
    request = ask(grids, points, tmp_path / "out")
    own_parts(request, progress=quiet)
    files = GridFiles(files=(str(grids.resolve()),))
    job = engines._make_job(points / "part-0.parquet", request, files)
    counted = own_part(replace(job, out=None), threads=2)
    assert counted.by_grid == read_note(job).by_grid
    assert counted.rows == 3_000


def test_what_cannot_be_done_in_parts_is_refused_before_any_work(tmp_path):
    grids, points, _ = write_parts(tmp_path, parts_=1)
    out = tmp_path / "out"
    refusals = [
        (ask(grids, points, out, recorded="rule"), BadSetting, "parts_one_folder"),
        (ask(grids, points, points), BadSetting, "out_is_input"),
        (ask(grids, points, out, crs=None), BadFile, "crs_missing"),
        (ask(grids, tmp_path, out), BadFile, "parts_none"),
    ]
    for request, kind, key in refusals:
        with pytest.raises(kind) as refused:
            own_parts(request, progress=quiet)
        assert [fault.key for fault in refused.value.faults] == [key]
        assert not out.exists()
    out.mkdir()
    (out / "other.parquet").write_bytes(b"")
    with pytest.raises(BadSetting) as refused:
        own_parts(ask(grids, points, out), progress=quiet)
    assert refused.value.faults[0].key == "parts_foreign"
    (points / "bad.parquet").write_bytes(b"PAR1 nothing")
    with pytest.raises(BadFile) as refused:
        own_parts(ask(grids, points, tmp_path / "else"), progress=quiet)
    assert refused.value.faults[0].key == "file_unreadable"


def test_large_parquet_files_columns_folders_and_dask_are_streamed_and_nothing_else(
    tmp_path, monkeypatch
):
    grids, points, _ = write_parts(tmp_path, parts_=1)
    (tmp_path / "single").mkdir()
    part = tmp_path / "single" / "shapes.parquet"
    shapes = geopandas.GeoDataFrame(geometry=[shapely.Point(0, 0)], crs=CRS)
    shapes.to_parquet(part)
    assert is_streamed(ask(grids, points, tmp_path / "o"), engine="local")
    columns = points / "part-0.parquet"  # x and y: no reader of shapes can take it
    assert is_streamed(ask(grids, columns, tmp_path / "o.parquet"), engine="local")
    assert not is_streamed(ask(grids, columns, tmp_path / "o.csv"), engine="local")
    bad = tmp_path / "single" / "bad.parquet"
    bad.write_bytes(b"PAR1 nothing")
    assert not is_streamed(ask(grids, bad, tmp_path / "o.parquet"), engine="local")
    assert not is_streamed(ask(grids, part, tmp_path / "o.parquet"), engine="local")
    assert not is_streamed(ask(grids, tmp_path, tmp_path / "o.parquet"), engine="local")
    assert is_streamed(ask(grids, part, tmp_path / "o.parquet"), engine="dask")
    monkeypatch.setattr(engines, "STREAM_FROM_BYTES", 1)
    assert is_streamed(ask(grids, part, tmp_path / "o.parquet"), engine="local")
    assert not is_streamed(ask(grids, part, tmp_path / "o.csv"), engine="local")
    with pytest.raises(BadSetting) as refused:
        is_streamed(ask(grids, part, tmp_path / "o"), engine="cloud")
    assert refused.value.faults[0].key == "engine_unknown"


def test_a_stream_of_batches_gets_the_same_owners(tmp_path):
    grids, points, _ = write_parts(tmp_path, parts_=1)
    own_parts(ask(grids, points, tmp_path / "out"), progress=quiet)
    expected = read_all(tmp_path / "out")
    files = GridFiles(files=(str(grids.resolve()),))
    mapper = make_mapper(files, x="x", y="y", crs=CRS)
    table = pq.read_table(points / "part-0.parquet", columns=["x", "y"])
    found = pa.Table.from_batches(mapper(table.to_batches(max_chunksize=900))).to_pandas()
    assert list(found.columns) == ["x", "y", "grid_code", "rule", "distance_m", "near_line"]
    assert OWNER_DDL.count(",") == 3
    for name in ("grid_code", "rule"):
        assert found[name].fillna("").tolist() == expected[name].astype(object).fillna("").tolist()
    assert found["near_line"].tolist() == expected["near_line"].tolist()


def kill_once(job):
    """Stand-in for a part during whose work the worker dies, once."""
    mark = Path(job.out).with_suffix(".killed")
    if job.part.endswith("part-1.parquet") and not mark.exists():
        mark.write_text("")
        os.kill(os.getpid(), signal.SIGKILL)
    return own_part(job)


def test_small_parts_are_sent_together_and_each_is_sent_once(tmp_path):
    jobs = []
    for number, size in enumerate([1, 1, 1, 70_000_000, 1, 40_000_000, 40_000_000]):
        part = tmp_path / f"part-{number}.parquet"
        with part.open("wb") as opened:
            opened.truncate(size)
        jobs.append(PartJob(part=str(part), out=None, grids=GridFiles(files=())))
    sent = engines._bundle(jobs, most=2)
    assert [job for task in sent for job in task] == jobs
    assert [len(task) for task in sent] == [2, 1, 1, 2, 1]
    assert [len(task) for task in engines._bundle(jobs, most=1)] == [1] * 7


@pytest.mark.filterwarnings("default")
def test_dask_writes_the_same_bytes_and_a_killed_worker_loses_and_doubles_nothing(
    tmp_path, monkeypatch
):
    pytest.importorskip("distributed")
    grids, points, _ = write_parts(tmp_path)
    here = own_parts(ask(grids, points, tmp_path / "here"), progress=quiet)
    monkeypatch.setattr(engines, "_own_each", lambda jobs: [kill_once(job) for job in jobs])
    there = own_parts(ask(grids, points, tmp_path / "dask"), engine="dask", progress=quiet)
    assert (tmp_path / "dask" / "part-1.killed").exists()
    assert there.by_rule == here.by_rule
    assert there.points == here.points == 9_000
    assert bytes_of(tmp_path / "dask") == bytes_of(tmp_path / "here")
    notes = [json.loads(path.read_text()) for path in (tmp_path / "dask" / parts.NOTES).iterdir()]
    assert sum(note["counted"]["rows"] for note in notes) == 9_000
