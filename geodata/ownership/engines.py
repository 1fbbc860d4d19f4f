"""Engines: who does the parts of a folder, this process or the workers of Dask."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from pathlib import Path
from typing import Any

import numpy as np

from geodata.errors import BadSetting, Fault
from geodata.loading.request import Progress
from geodata.notes import Note
from geodata.ownership import RULES
from geodata.ownership.assignment import OwnReport, OwnRequest, check_metres
from geodata.ownership.grid_files import GridFiles, read_grids
from geodata.ownership.part_files import SUFFIX, Part, list_parts
from geodata.ownership.parts import check_folder, clear_asides, own_part, read_note
from geodata.ownership.tally import PartCount, PartJob

ENGINES = ("local", "dask")
STREAM_FROM_BYTES = 64 * 1024 * 1024  # a Parquet file of this size is never read whole
_LOST_WORKERS = 10  # times that a part is begun again when its worker has died
Done = Callable[[PartCount], None]


def is_streamed(request: OwnRequest, *, engine: str) -> bool:
    """Tell whether the points are parts: a folder, a Parquet file too large to hold, Dask's."""
    if engine not in ENGINES:
        known = ", ".join(ENGINES)
        raise BadSetting(Fault(key="engine_unknown", values={"name": engine, "known": known}))
    if len(request.points) != 1:
        return engine != "local"
    (points,) = request.points
    if engine != "local" or (points.is_dir() and any(points.glob(f"*{SUFFIX}"))):
        return True
    large = points.is_file() and points.stat().st_size >= STREAM_FROM_BYTES
    return large and points.suffix.lower() == request.out.suffix.lower() == SUFFIX


def own_parts(
    request: OwnRequest,
    *,
    engine: str = "local",
    workers: int = 2,
    scheduler: str | None = None,
    progress: Progress,
) -> OwnReport:
    """
    Give every row of every part to the grid that owns it; return what all parts come to.

    The result is a folder of files with the parts' names, or one file for one file; parts that
    were done before are not done again. Raises BadFile or BadSetting before any work where grids
    or parts cannot be read.
    """
    check_metres(request)
    if request.recorded is not None or len(request.points) != 1:
        raise BadSetting(Fault(key="parts_one_folder"))
    (points,) = request.points
    parts = list_parts(points) if points.is_dir() else [points]
    grids = GridFiles(
        files=tuple(str(path.resolve()) for path in request.grids),
        crs=request.grids_crs,
        encoding=request.encoding,
        layer=request.layer,
        grid_code=request.grid_code,
    )
    progress("progress.read", 0.0)
    table, _, found = read_grids(grids)
    jobs = [_make_job(part, request, grids) for part in parts]
    rows = {job.part: Part(Path(job.part), crs=request.crs, mapping=request.mapping).rows
            for job in jobs}  # fmt: skip
    if points.is_dir():
        if request.out.resolve() == points.resolve():
            raise BadSetting(Fault(key="out_is_input"), file=str(request.out))
        check_folder(request.out, [part.name for part in parts])
    progress("progress.read", 1.0)
    counts, done, whole = {}, 0, max(1, sum(rows.values()))
    known = {Path(job.part).name for job in jobs if read_note(job) is not None}

    def note(count: PartCount) -> None:
        nonlocal done
        counts[count.part] = count  # a part that comes twice counts once
        done = sum(one.rows for one in counts.values())
        progress("progress.own", done / whole)

    progress("progress.own", 0.0)
    _ENGINES[engine](jobs, workers=workers, scheduler=scheduler, done=note)
    clear_asides(jobs)
    progress("progress.own", 1.0)
    ordered = [counts[part.name] for part in parts]
    return _report(request, ordered, grids=len(table), found=found, known=len(known))


def _make_job(part: Path, request: OwnRequest, grids: GridFiles) -> PartJob:
    out = request.out / part.name if request.points[0].is_dir() else request.out
    return PartJob(
        part=str(part.resolve()),
        out=str(out.resolve()),
        grids=grids,
        crs=request.crs,
        mapping=tuple(sorted(request.mapping.items())),
        near_m=request.near_m,
        near_line_m=request.near_line_m,
    )


def run_here(
    jobs: Iterable[PartJob], *, workers: int, scheduler: str | None = None, done: Done
) -> None:
    """Do one part after another, each by `workers` threads."""
    del scheduler
    for job in jobs:
        done(own_part(job, threads=workers))


def run_on_dask(
    jobs: Sequence[PartJob], *, workers: int, scheduler: str | None = None, done: Done
) -> None:
    """
    Let Dask's workers do the parts, by default `workers` processes of this machine.

    `scheduler` names a cluster that is there already; its workers must see the same files under
    the same names and have this program installed. Raises BadSetting where Dask is not installed.
    """
    try:
        from distributed import Client, LocalCluster, as_completed  # noqa: PLC0415
    except ImportError as error:
        raise BadSetting(Fault(key="engine_missing")) from error
    cluster: Any = None
    if scheduler is None:
        cluster = LocalCluster(
            n_workers=workers, threads_per_worker=1, host="127.0.0.1", dashboard_address=None
        )
    try:
        with Client(cluster or scheduler) as client:
            futures = client.map(own_part, list(jobs), pure=False, retries=_LOST_WORKERS)
            for future in as_completed(futures):
                done(future.result())
                future.release()
    finally:
        if cluster is not None:
            cluster.close()


_ENGINES: dict[str, Callable[..., None]] = {"local": run_here, "dask": run_on_dask}


def _report(
    request: OwnRequest,
    counts: Sequence[PartCount],
    *,
    grids: int,
    found: tuple[list[Fault], list[Note]],
    known: int,
) -> OwnReport:
    by_rule = np.sum([count.by_rule for count in counts], axis=0)
    faults, notes = found
    renamed = {old: new for count in counts for old, new in count.renamed.items()}
    said = [Note(key="own.renamed", values={"old": old, "new": renamed[old]}) for old in renamed]
    if known:
        said.append(Note(key="engine.parts_known", values={"n": known, "of": len(counts)}))
    name = ", ".join(path.name for path in request.grids)
    return OwnReport(
        out=str(request.out),
        files=len(counts),
        points=sum(count.rows for count in counts),
        grids=grids,
        by_rule={name: int(by_rule[code]) for code, name in enumerate(RULES) if by_rule[code]},
        near_line=sum(count.near_line for count in counts),
        near_line_m=request.near_line_m,
        recorded=None,
        dropped_columns=tuple(dict.fromkeys(c for count in counts for c in count.dropped)),
        faults=tuple((name, fault) for fault in faults),
        notes=(*notes, *said),
    )
