"""
Owners of places in many parts: folders of Parquet files, one part after another or side by side.

Each part becomes one file of the same name with its owners, written aside and renamed, and then a
note of what was counted in it. So a run can be stopped anywhere and taken up again, a part done
twice counts once, and every engine writes the same bytes.
"""

from __future__ import annotations

import hashlib
import json
import os
from collections import deque
from collections.abc import Callable, Iterable, Iterator, Sequence
from concurrent.futures import Future, ThreadPoolExecutor
from dataclasses import asdict
from glob import escape
from pathlib import Path
from typing import Any

import pyarrow as pa
import pyarrow.parquet as pq

from geodata.errors import BadSetting, Fault
from geodata.ownership.grid_files import open_drawing, stamp_files
from geodata.ownership.part_files import BATCH, SUFFIX, Part
from geodata.ownership.tally import Owned, PartCount, PartJob, Tally

NOTES = "_getu"  # the folder beside the parts with what was counted in each
_FORMAT = 1  # of the notes; another number is done again


def own_part(job: PartJob, *, threads: int = 1) -> PartCount:
    """
    Give every row of a part to the grid that owns it; write them with their owner; count them.

    A part that was done before with the same grids, options and content is only counted again from
    its note. Raises BadFile for a part that cannot be read.
    """
    known = read_note(job)
    if known is not None:
        return known
    part = Part(Path(job.part), crs=job.crs, mapping=dict(job.mapping))
    drawing = open_drawing(job.grids)
    tally = Tally(job, drawing, part)
    if job.out is None:
        threads = threads if part.rows >= 2 * BATCH else 1  # counting ends before others begin
        for owned in _each_table(part, tally.count, threads, columns=list(part.places.columns)):
            tally.add(owned)
        return tally.total()
    out = Path(job.out)
    aside = out.with_name(_aside_name(out, os.getpid()))
    try:
        with pq.ParquetWriter(aside, tally.schema, compression="zstd") as writer:
            for owned in _each_table(part, tally.own, threads, columns=part.kept):
                tally.add(owned)
                assert owned.rows is not None
                writer.write_table(owned.rows, row_group_size=max(1, len(owned.rows)))
        with aside.open("rb") as written:
            os.fsync(written.fileno())
        aside.replace(out)
    finally:
        aside.unlink(missing_ok=True)
    total = tally.total()
    _write_note(job, total)
    return total


def _each_table(
    part: Part, work: Callable[[pa.Table], Owned], threads: int, *, columns: list[str]
) -> Iterator[Owned]:
    """
    Yield what `work` makes of the tables of a part, in their order, a few at a time.

    Each thread reads its own row groups; of row groups too large to be held, batches are read here
    while the threads work on those before.
    """
    reads: Iterator[Callable[[], pa.Table]] = (
        part.each_batch(columns) if part.is_coarse else part.each_span(columns)
    )
    if threads <= 1:
        yield from (_do(work, read) for read in reads)
        return
    waiting: deque[Future[Owned]] = deque()
    with ThreadPoolExecutor(threads) as pool:
        for read in reads:
            waiting.append(pool.submit(_do, work, read))
            if len(waiting) > threads:
                yield waiting.popleft().result()
        while waiting:
            yield waiting.popleft().result()


def _do(work: Callable[[pa.Table], Owned], read: Callable[[], pa.Table]) -> Owned:
    return work(read())


# --- what is done already -------------------------------------------------------------------------


def read_note(job: PartJob) -> PartCount | None:
    """Return what was counted in a part that is done, None where it must be done."""
    if job.out is None:
        return None
    try:
        note = json.loads(_note_of(job).read_text("utf-8"))
        size = Path(job.out).stat().st_size
        counted = {name: _freeze(value) for name, value in note["counted"].items()}
        if note["of"] != _fingerprint(job) or note["bytes"] != size:
            return None
        return PartCount(**counted)
    except (OSError, ValueError, KeyError, TypeError):
        return None


def _freeze(value: Any) -> Any:
    return tuple(value) if isinstance(value, list) else value


def _write_note(job: PartJob, total: PartCount) -> None:
    assert job.out is not None
    path = _note_of(job)
    path.parent.mkdir(exist_ok=True)
    note = {
        "of": _fingerprint(job),
        "bytes": Path(job.out).stat().st_size,
        "counted": asdict(total),
    }
    aside = path.with_name(f".{path.name}.{os.getpid()}")
    aside.write_text(json.dumps(note, ensure_ascii=False), "utf-8")
    aside.replace(path)


def _note_of(job: PartJob) -> Path:
    assert job.out is not None
    out = Path(job.out)
    return out.parent / NOTES / f"{out.name}.json"


def _fingerprint(job: PartJob) -> str:
    """Return what a result depends on: the part, the grids, the options, the form."""
    wish = asdict(job) | {"part": stamp_files((job.part,)), "out": Path(str(job.out)).name}
    wish["grids"] = asdict(job.grids) | {"files": stamp_files(job.grids.files), "format": _FORMAT}
    return hashlib.sha256(json.dumps(wish, sort_keys=True).encode()).hexdigest()


def check_folder(out: Path, names: Sequence[str]) -> None:
    """Make the folder for the parts; raises BadSetting where it holds parts of something else."""
    out.mkdir(exist_ok=True)
    found = {path.name for path in out.glob(f"*{SUFFIX}") if not path.name.startswith(".")}
    foreign = sorted(found - set(names))
    if foreign:
        raise BadSetting(Fault(key="parts_foreign", values={"name": foreign[0]}), file=str(out))


def clear_asides(jobs: Iterable[PartJob]) -> None:
    """Remove what killed workers had begun to write, once every part is there."""
    for job in jobs:
        if job.out is not None:
            out = Path(job.out)
            for left in out.parent.glob(_aside_name(out, "*")):
                left.unlink(missing_ok=True)


def _aside_name(out: Path, worker: int | str) -> str:
    stem = out.stem if isinstance(worker, int) else escape(out.stem)
    return f".{stem}.{worker}.begun"
