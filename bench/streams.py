"""Benchmarks A and F: places streamed from Parquet parts, by threads here and by Dask's workers."""

from __future__ import annotations

import json
import resource
import tempfile
from collections.abc import Iterator
from dataclasses import replace
from functools import partial
from pathlib import Path
from typing import Any

import geopandas
import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq
import pyproj
import shapely

from bench.contest import Bar, Contest, Row, find_peer
from bench.made_up import Floats, make_grids, make_points
from geodata.coordinates import to_lonlat
from geodata.ownership.engines import send_parts, start_workers
from geodata.ownership.grid_files import GridFiles
from geodata.ownership.parts import own_part
from geodata.ownership.tally import PartCount, PartJob

CRS = "EPSG:4549"
PARTS, GROUP = 8, 1 << 18
_AGAIN = 5  # times that Dask does each part: what it costs to begin a task is not the work
POINTS_PER_S = 40_000_000  # what two threads must reach
MEMORY_BYTES = 2_000_000_000
ONE, TWO, WRITTEN = "counted, 1 thread", "counted, 2 threads", "written with owners, 2 threads"
DASK = "Dask, 2 processes"
_ENOUGH = 20_000_000  # points that tell what a form costs
# How a file may hold its places; the first is what Getu asks for, the others what comes.
PLAIN, SPLIT, USUAL = "x and y, plain", "x and y, zstd and byte stream split", "x and y, as pyarrow"
WKB, DEGREES = "GeoParquet, WKB", "longitude and latitude"
OTHER_FORMS = (SPLIT, USUAL, WKB, DEGREES)
_WRITTEN_AS: dict[str, dict[str, Any]] = {
    PLAIN: {"compression": "none", "use_dictionary": False},
    SPLIT: {"compression": "zstd", "use_dictionary": False, "use_byte_stream_split": True},
}
_GEO = {
    "version": "1.1.0",
    "primary_column": "geometry",
    "columns": {
        "geometry": {
            "encoding": "WKB",
            "geometry_types": ["Point"],
            "crs": {"id": {"authority": "EPSG", "code": int(CRS.removeprefix("EPSG:"))}},
        }
    },
}


def run(*, points: int, rounds: int) -> Iterator[Row]:
    """Measure ten times as many points as `points` in eight parts, and what other forms cost."""
    with tempfile.TemporaryDirectory(prefix="getu-bench-") as folder:
        for form in (PLAIN, SPLIT):
            jobs = write_parts(Path(folder), points=10 * points, form=form)
            yield from run_streams(jobs, points=10 * points, rounds=rounds, form=form)
            if form == PLAIN:
                yield from run_dask(jobs, points=10 * points, rounds=rounds)
        yield from run_forms(Path(folder), points=min(10 * points, _ENOUGH), rounds=rounds)


def write_parts(
    folder: Path, *, points: int, grids: int = 1101, parts: int = PARTS, form: str = PLAIN
) -> list[PartJob]:
    """Write grids and parts of places; return the jobs that only count."""
    shapes = make_grids(grids)
    frame = geopandas.GeoDataFrame(
        {"code": [f"32{i:013d}" for i in range(grids)]},
        geometry=shapely.transform(shapes, lambda c: c / 1000),
        crs=CRS,
    )
    if not (folder / "grids.parquet").exists():
        frame.to_parquet(folder / "grids.parquet")
    into = Path(tempfile.mkdtemp(dir=folder))
    options = _WRITTEN_AS.get(form, {})
    jobs = []
    for i in range(parts):
        path = into / f"part-{i}.parquet"
        left = points * (i + 1) // parts - points * i // parts
        with pq.ParquetWriter(path, _make_table(form, *np.empty((2, 0))).schema, **options) as out:
            for low in range(0, left, GROUP):
                x, y = make_points(min(GROUP, left - low), shapes, seed=1000 * i + low // GROUP)
                out.write_table(_make_table(form, np.rint(x) / 1000, np.rint(y) / 1000))
        files = GridFiles(files=(str(folder / "grids.parquet"),))
        crs = None if form in {WKB, DEGREES} else CRS
        jobs.append(PartJob(part=str(path), out=None, grids=files, crs=crs))
    return jobs


def _make_table(form: str, x_m: Floats, y_m: Floats) -> pa.Table:
    if form == WKB:
        shapes = pa.array(shapely.to_wkb(shapely.points(x_m, y_m)), pa.binary())
        table = pa.table({"geometry": shapes})
        return table.replace_schema_metadata({"geo": json.dumps(_GEO)})
    if form == DEGREES:
        lon, lat = to_lonlat(x_m, y_m, pyproj.CRS(CRS))
        return pa.table({"lon": lon, "lat": lat})
    return pa.table({"x": x_m, "y": y_m})


def add_up(counts: list[PartCount]) -> Any:
    """Return how many points each grid owns, nobody last."""
    return np.sum([count.by_grid for count in counts], axis=0)


def run_forms(folder: Path, *, points: int, rounds: int, grids: int = 1101) -> list[Row]:
    """Measure what other forms of a file cost beside the plain one, by turns."""
    contest = Contest(work="A", case="streamed from Parquet, 2 threads", n=points, rounds=rounds)
    for form in (PLAIN, *OTHER_FORMS):
        jobs = write_parts(folder, points=points, grids=grids, form=form)
        # Degrees are rounded: a place on a line may come back beside it, and is not compared.
        answer = None if form == DEGREES else add_up
        contest.enter(form, partial(_count_all, jobs), answer=answer)
    contest.run()
    return contest.rows([Bar(ours=form, peer=PLAIN) for form in OTHER_FORMS])


def _count_all(jobs: list[PartJob]) -> list[PartCount]:
    return [own_part(job, threads=2) for job in jobs]


def run_streams(jobs: list[PartJob], *, points: int, rounds: int, form: str = PLAIN) -> list[Row]:
    """Measure counting and writing; `equal` says that no point was lost."""
    contest = Contest(work="A", case=f"streamed from Parquet, {form}", n=points, rounds=rounds)
    contest.enter(ONE, lambda: [own_part(job) for job in jobs], answer=add_up)
    contest.enter(TWO, partial(_count_all, jobs), answer=add_up)
    _reset_peak()
    contest.run()
    peak = _peak_bytes()
    whole = all(int(found.sum()) == points for found in contest.found.values())
    contest.note = f"peak {peak / 1e9:.2f} GB" + ("" if whole else ", POINTS LOST")
    rows = contest.rows(
        [
            Bar(ours=TWO, peer="", seconds=points / POINTS_PER_S, bytes=16.0),
            Bar(ours=TWO, peer=ONE, bytes=16.0),
        ]
    )
    if points >= 100_000_000 and peak > MEMORY_BYTES:
        rows[0]["reached"] = False
    written = Contest(work="A", case=contest.case, n=points, rounds=1)
    with tempfile.TemporaryDirectory(prefix="getu-bench-") as folder:

        def write() -> list[PartCount]:
            out = Path(tempfile.mkdtemp(dir=folder))
            return [
                own_part(replace(job, out=str(out / Path(job.part).name)), threads=2)
                for job in jobs
            ]

        written.enter(WRITTEN, write)
        written.run()
    rows += written.rows([Bar(ours=WRITTEN, peer="")])
    return [row | {"equal": whole and row["equal"] is not False} for row in rows]


def run_dask(jobs: list[PartJob], *, points: int, rounds: int) -> list[Row]:
    """Measure two worker processes on this machine against two threads of one process."""
    jobs, points = jobs * _AGAIN, points * _AGAIN
    contest = Contest(work="F", case="streamed from Parquet", n=points, rounds=rounds)
    contest.enter(TWO, partial(_count_all, jobs), answer=add_up)
    bars = [Bar(ours=DASK, peer=TWO, ratio=0.8), Bar(ours=TWO, peer=DASK)]
    distributed = find_peer("distributed")
    if distributed is None:
        contest.enter(DASK, None)
        contest.run()
        return contest.rows(bars[1:])

    def count_by_dask() -> list[PartCount]:
        counts: list[PartCount] = []
        send_parts(client, jobs, done=counts.append)
        return counts

    with start_workers(2) as cluster, distributed.Client(cluster) as client:
        contest.enter(DASK, count_by_dask, answer=add_up)
        contest.run()
    return contest.rows(bars)


def _reset_peak() -> None:
    """Forget the greatest memory so far, where the system can."""
    marks = Path("/proc/self/clear_refs")
    if marks.exists():
        marks.write_text("5")


def _peak_bytes() -> int:
    status = Path("/proc/self/status")
    if status.exists():
        line = next(line for line in status.read_text().splitlines() if line.startswith("VmHWM"))
        return int(line.split()[1]) * 1024
    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss * 1024
