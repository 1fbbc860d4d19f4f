"""Parts with places that are none, and runs that are killed, lose and double nothing."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
from dataclasses import replace
from pathlib import Path

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from bench.streams import DEGREES, PLAIN, SPLIT, USUAL, WKB, write_parts
from geodata.ownership import part_files
from geodata.ownership.assignment import OwnRequest
from geodata.ownership.engines import own_parts
from geodata.ownership.parts import NOTES, own_part
from tests.city import say_nothing
from tests.geodata.test_own_in_parts import bytes_of

ROOT = Path(__file__).resolve().parents[2]
KILLED = """
import os, signal, sys
from pathlib import Path
from geodata.ownership import part_files, tally
from geodata.ownership.assignment import OwnRequest
from geodata.ownership.engines import own_parts
part_files.BATCH = 1_000
own, done = tally.Tally.own, []
def own_or_die(self, table):
    done.append(1)
    if len(done) == 5:
        os.kill(os.getpid(), signal.SIGKILL)
    return own(self, table)
tally.Tally.own = own_or_die
grids, points, out = map(Path, sys.argv[1:])
request = OwnRequest(grids=(grids,), points=(points,), out=out, crs="EPSG:4549")
own_parts(request, workers=1, progress=lambda key, share: None)
"""


def write_places(folder: Path, *, rows: int, form: str = PLAIN, parts: int = 1) -> list[object]:
    jobs = write_parts(folder, points=rows, grids=30, parts=parts, form=form)
    assert len(jobs) == parts
    return jobs


@pytest.mark.parametrize("form", [PLAIN, SPLIT, USUAL, WKB, DEGREES])
def test_counting_finds_the_owners_that_writing_finds(tmp_path, form):
    (job,) = write_places(tmp_path, rows=6_000, form=form)
    counted = own_part(job, threads=2)
    out = tmp_path / "owned.parquet"
    written = own_part(replace(job, out=str(out)))
    assert counted.by_grid == written.by_grid
    assert sum(counted.by_grid) == counted.rows == 6_000 == sum(written.by_rule)
    codes = pq.read_table(out, columns=["grid_code"])["grid_code"].to_pylist()
    assert codes.count(None) == counted.by_grid[-1] > 0
    assert len(set(codes) - {None}) == sum(n > 0 for n in counted.by_grid[:-1]) > 20


NOWHERE = [
    (np.nan, 3_590_000.0), (504_000.0, np.nan), (np.inf, 3_590_000.0), (504_000.0, -np.inf),
    (None, 3_590_000.0), (504_000.0, None), (None, None), (0.0, 0.0), (-0.0, 1e-12), (1e306, 1e306),
]  # fmt: skip
FAR = [(1e9, 1e9), (-504_000.0, -3_590_000.0), (0.0, 3_590_000.0)]
NOWHERE_DEGREES = [(np.nan, 32.0), (120.0, np.inf), (None, 32.0), (0.0, 0.0)]
FAR_DEGREES = [
    (500.0, 32.0),
    (-60.0, -32.0),
    (300.0, -32.0),
    (0.0, 32.0),
]  # the other end of the world


@pytest.mark.parametrize(
    ("names", "none", "far", "crs"),
    [
        (("x", "y"), NOWHERE, FAR, "EPSG:4549"),
        (("lon", "lat"), NOWHERE_DEGREES, FAR_DEGREES, None),
    ],
)
def test_places_that_are_none_and_places_astray_are_counted_as_nobodys(
    tmp_path, names, none, far, crs
):
    (job,) = write_places(tmp_path, rows=10)
    x, y = zip(*none, *far, strict=True)
    path = tmp_path / "odd.parquet"
    kind = pa.float64()
    pq.write_table(pa.table([pa.array(x, kind), pa.array(y, kind)], names=list(names)), path)
    job = replace(job, part=str(path), crs=crs)
    assert own_part(job).by_grid[-1] == len(x) == sum(own_part(job).by_grid)
    written = own_part(replace(job, out=str(tmp_path / "out.parquet"), near_m=5.0))
    rules = pq.read_table(tmp_path / "out.parquet", columns=["rule"])["rule"].to_pylist()
    assert rules[: len(none)] == ["no_place"] * len(none)
    assert set(rules[len(none) :]) <= {"none", "no_place"}
    assert sum(written.by_rule) == len(x)


def test_a_part_without_rows_and_one_of_many_small_groups_are_counted(tmp_path, monkeypatch):
    (job,) = write_places(tmp_path, rows=5_000)
    table = pq.read_table(job.part)
    expected = own_part(job)
    empty, small = tmp_path / "empty.parquet", tmp_path / "small.parquet"
    pq.write_table(table.slice(0, 0), empty)
    pq.write_table(table, small, row_group_size=70)
    assert own_part(replace(job, part=str(empty))).rows == 0
    assert own_part(replace(job, part=str(empty), out=str(tmp_path / "o.parquet"))).rows == 0
    for threads in (1, 2):
        assert own_part(replace(job, part=str(small)), threads=threads).by_grid == expected.by_grid
    monkeypatch.setattr(part_files, "_LARGEST_GROUP", 1_000)
    monkeypatch.setattr(part_files, "BATCH", 300)
    for threads in (1, 2):
        assert own_part(job, threads=threads).by_grid == expected.by_grid


@pytest.mark.skipif(not hasattr(signal, "SIGKILL"), reason="kills as Unix does")
def test_a_run_killed_inside_a_part_is_taken_up_and_counts_every_row_once(tmp_path, monkeypatch):
    jobs = write_places(tmp_path, rows=6_000, parts=3)
    points, grids = Path(jobs[0].part).parent, Path(jobs[0].grids.files[0])
    for job in jobs:  # several row groups, so that the second part is half written when it dies
        pq.write_table(pq.read_table(job.part), job.part, row_group_size=600)
    out = tmp_path / "out"
    command = [sys.executable, "-c", KILLED, str(grids), str(points), str(out)]
    ended = subprocess.run(command, cwd=ROOT, env=os.environ | {"LANG": "C.UTF-8"}, check=False)
    assert ended.returncode == -signal.SIGKILL
    assert [path.name for path in out.glob("*.parquet")] == ["part-0.parquet"]
    assert len(list(out.glob(".*"))) == 1  # what it had begun
    monkeypatch.setattr(part_files, "BATCH", 1_000)  # as the killed run had it
    request = OwnRequest(grids=(grids,), points=(points,), out=out, crs="EPSG:4549")
    report = own_parts(request, progress=say_nothing)
    assert [note.values for note in report.notes] == [{"n": 1, "of": 3}]
    assert report.points == sum(report.by_rule.values()) == 6_000
    assert not list(out.glob(".*"))
    assert len(list((out / NOTES).iterdir())) == 3
    whole = own_parts(replace(request, out=tmp_path / "fresh"), progress=say_nothing)
    assert whole.by_rule == report.by_rule
    assert bytes_of(out) == bytes_of(tmp_path / "fresh")
