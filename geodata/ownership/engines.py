"""Engines: who does the parts of a folder, this process or the workers of Dask."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Sequence
from contextlib import contextmanager, nullcontext
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq

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
# Sending a task costs what a hundred thousand points cost: small parts go together, as long as
# every worker still gets so many tasks that all end at about the same time.
_TASK_BYTES, _TASKS_EACH = 64 * 1024 * 1024, 4
Done = Callable[[PartCount], None]


def is_streamed(request: OwnRequest, *, engine: str) -> bool:
    """
    Tell whether the points are parts.

    That is a folder, Dask's, and a Parquet file that is too large to hold or has its places in
    columns of numbers.
    """
    if engine not in ENGINES:
        known = ", ".join(ENGINES)
        raise BadSetting(Fault(key="engine_unknown", values={"name": engine, "known": known}))
    if len(request.points) != 1:
        return engine != "local"
    (points,) = request.points
    if engine != "local" or (points.is_dir() and any(points.glob(f"*{SUFFIX}"))):
        return True
    if not points.is_file() or not points.suffix.lower() == request.out.suffix.lower() == SUFFIX:
        return False
    return points.stat().st_size >= STREAM_FROM_BYTES or _has_no_shapes(points)


def _has_no_shapes(points: Path) -> bool:
    """Tell whether a Parquet file is sound and says nothing of shapes."""
    try:
        return b"geo" not in (pq.read_metadata(points).metadata or {})
    except (OSError, pa.ArrowException):
        return False


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
        from distributed import Client  # noqa: PLC0415
    except ImportError as error:
        raise BadSetting(Fault(key="engine_missing")) from error
    with (
        start_workers(workers) if scheduler is None else nullcontext(scheduler) as cluster,
        Client(cluster) as client,
    ):
        send_parts(client, jobs, done=done)


@contextmanager
def start_workers(workers: int) -> Iterator[Any]:
    """Keep `workers` processes of Dask on this machine, which nobody reaches from elsewhere."""
    from dask import config  # noqa: PLC0415
    from distributed import LocalCluster  # noqa: PLC0415

    # Nobody looks at Dask's own profile of its workers, which takes its time from the work.
    with (
        config.set({"distributed.worker.profile.enabled": False}),
        LocalCluster(
            n_workers=workers, threads_per_worker=1, host="127.0.0.1", dashboard_address=None
        ) as cluster,
    ):
        yield cluster


def send_parts(client: Any, jobs: Sequence[PartJob], *, done: Done) -> None:
    """Let the workers behind a client of Dask do the parts; small parts go together."""
    from distributed import as_completed  # noqa: PLC0415

    workers = max(1, len(client.scheduler_info(n_workers=-1)["workers"]))
    tasks = _bundle(jobs, most=max(1, len(jobs) // (_TASKS_EACH * workers)))
    futures = client.map(_own_each, tasks, pure=False, retries=_LOST_WORKERS)
    for future in as_completed(futures):
        for count in future.result():
            done(count)
        future.release()


def _bundle(jobs: Sequence[PartJob], *, most: int) -> list[list[PartJob]]:
    """Return the jobs in their order, those of small parts together, at most `most`."""
    tasks: list[list[PartJob]] = []
    held = 0
    for job in jobs:
        size = Path(job.part).stat().st_size
        if not tasks or held + size > _TASK_BYTES or len(tasks[-1]) >= most:
            tasks.append([])
            held = 0
        tasks[-1].append(job)
        held += size
    return tasks


def _own_each(jobs: Sequence[PartJob]) -> list[PartCount]:
    return [own_part(job) for job in jobs]


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
