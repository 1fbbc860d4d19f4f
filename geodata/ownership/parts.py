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
from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import Future, ThreadPoolExecutor
from dataclasses import asdict, dataclass, field
from functools import lru_cache
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq
import pyproj
from numpy.typing import NDArray

from geodata.coordinates import to_metric
from geodata.errors import BadSetting, Fault
from geodata.ownership import RULES, OwnerIndex, to_millimetres
from geodata.ownership.grid_files import GridFiles, read_grids
from geodata.ownership.part_files import Part
from geodata.ownership.result_files import OWNER_COLUMNS, free_names

NOTES = "_getu"  # the folder beside the parts with what was counted in each
_FORMAT = 1  # of the notes; another number is done again


@dataclass(frozen=True, slots=True, kw_only=True)
class PartJob:
    """One part to be done; plain values only, so that it can be sent anywhere. Lengths in m."""

    part: str
    out: str | None  # None: only counted, without rule and distance
    grids: GridFiles
    crs: str | None = None
    mapping: tuple[tuple[str, str], ...] = ()
    near_m: float = 0.0
    near_line_m: float = 15.0


@dataclass(frozen=True, slots=True, kw_only=True)
class PartCount:
    """What was counted in one part; `by_grid` in code order, the last for nobody."""

    part: str
    rows: int
    by_rule: tuple[int, ...]
    near_line: int
    by_grid: tuple[int, ...]
    dropped: tuple[str, ...] = ()
    renamed: dict[str, str] = field(default_factory=dict)


@dataclass(frozen=True, slots=True, kw_only=True)
class Drawing:
    """The grids of some files, ready to own."""

    index: OwnerIndex
    codes: NDArray[np.str_]
    metric: pyproj.CRS


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
    tally = _Tally(job, drawing, part)
    if job.out is None:
        for table in _each_table(part, tally.count, threads, columns=list(part.places.columns)):
            tally.add(table)
        return tally.total()
    out = Path(job.out)
    aside = out.with_name(f".{out.stem}.{os.getpid()}{out.suffix}")
    try:
        with pq.ParquetWriter(aside, tally.schema, compression="zstd") as writer:
            for table in _each_table(part, tally.own, threads, columns=None):
                tally.add(table)
                assert table.owned is not None
                writer.write_table(table.owned, row_group_size=max(1, len(table.owned)))
        with aside.open("rb") as written:
            os.fsync(written.fileno())
        aside.replace(out)
    finally:
        aside.unlink(missing_ok=True)
    total = tally.total()
    _write_note(job, total)
    return total


@dataclass(frozen=True, slots=True, kw_only=True)
class _Owned:
    owned: pa.Table | None
    by_rule: NDArray[np.int64]
    near_line: int
    by_grid: NDArray[np.int64]


class _Tally:
    """Owners of the tables of one part, and what they come to."""

    def __init__(self, job: PartJob, drawing: Drawing, part: Part) -> None:
        self.job, self.drawing, self.part = job, drawing, part
        self.renamed = free_names(part.kept, Path(job.part))
        if part.places.columns[0] in self.renamed and len(part.places.columns) == 1:
            del self.renamed[part.places.columns[0]]  # the places keep their column
        self._sum = np.zeros(len(RULES), np.int64), np.zeros(len(drawing.codes) + 1, np.int64)
        self._near_line = 0

    @property
    def schema(self) -> pa.Schema:
        """The columns of the result: the input's, and the owner's."""
        kept = [self.part.schema.field(name) for name in self.part.kept]
        fields = [one.with_name(self.renamed.get(one.name, one.name)) for one in kept]
        text = pa.dictionary(pa.int32(), pa.string())
        kinds = (text, text, pa.float32(), pa.bool_())
        fields += [pa.field(name, kind) for name, kind in zip(OWNER_COLUMNS, kinds, strict=True)]
        return pa.schema(fields, metadata=self.part.schema.metadata)

    def count(self, table: pa.Table) -> _Owned:
        """Return who owns how many rows, without rules and distances."""
        owner = self.drawing.index.find(*self._place(table))
        return _Owned(
            owned=None,
            by_rule=np.zeros(len(RULES), np.int64),
            near_line=0,
            by_grid=self._by_grid(owner),
        )

    def own(self, table: pa.Table) -> _Owned:
        """Return the rows with their owners."""
        found = self.drawing.index.own(
            *self._place(table), near_m=self.job.near_m, near_line_m=self.job.near_line_m
        )
        codes = pa.DictionaryArray.from_arrays(
            pa.array(found.owner, mask=found.owner < 0), pa.array(self.drawing.codes.tolist())
        )
        rules = pa.DictionaryArray.from_arrays(
            pa.array(found.rule.astype(np.int32)), pa.array(RULES)
        )
        distance = pa.array(np.round(found.distance_m, 3), from_pandas=True)
        columns = [*table.columns, codes, rules, distance, pa.array(found.near_line)]
        return _Owned(
            owned=pa.Table.from_arrays(columns, schema=self.schema),
            by_rule=np.bincount(found.rule, minlength=len(RULES)),
            near_line=int(found.near_line.sum()),
            by_grid=self._by_grid(found.owner),
        )

    def add(self, table: _Owned) -> None:
        """Add what one table comes to."""
        self._sum[0][:] += table.by_rule
        self._sum[1][:] += table.by_grid
        self._near_line += table.near_line

    def total(self) -> PartCount:
        """Return what all tables come to."""
        by_rule, by_grid = self._sum
        return PartCount(
            part=Path(self.job.part).name,
            rows=int(by_grid.sum()),
            by_rule=tuple(by_rule.tolist()),
            near_line=self._near_line,
            by_grid=tuple(by_grid.tolist()),
            dropped=self.part.dropped,
            renamed=self.renamed,
        )

    def _place(self, table: pa.Table) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
        x, y = self.part.locate(table)
        x_m, y_m = to_metric(x, y, self.part.places.source, self.drawing.metric)
        return to_millimetres(x_m), to_millimetres(y_m)

    def _by_grid(self, owner: NDArray[np.int32]) -> NDArray[np.int64]:
        n = len(self.drawing.codes)
        return np.roll(np.bincount(owner + 1, minlength=n + 1), -1)


def _each_table(
    part: Part, work: Callable[[pa.Table], _Owned], threads: int, *, columns: list[str] | None
) -> Iterator[_Owned]:
    """Yield what `work` makes of the tables of a part, in their order, a few at a time."""
    if part.is_coarse or threads <= 1:
        tables = (
            part.read_batches(columns=columns)
            if part.is_coarse
            else (part.read_group(group, columns=columns) for group in range(len(part.sizes)))
        )
        yield from map(work, tables)
        return
    waiting: deque[Future[_Owned]] = deque()
    with ThreadPoolExecutor(threads) as pool:
        for group in range(len(part.sizes)):
            waiting.append(
                pool.submit(lambda one: work(part.read_group(one, columns=columns)), group)
            )
            if len(waiting) > threads:
                yield waiting.popleft().result()
        while waiting:
            yield waiting.popleft().result()


def open_drawing(grids: GridFiles) -> Drawing:
    """Return the index over the grids of these files; a process keeps the last two."""
    return _open_drawing(grids, _stamp(grids.files))


@lru_cache(maxsize=2)  # a process that does many parts builds its index once
def _open_drawing(grids: GridFiles, _: str) -> Drawing:
    found, metric, _unused = read_grids(grids)
    special = (found["kind"] == "special").to_numpy()
    index = OwnerIndex.of_metres(found.geometry.to_numpy(), special=special)
    return Drawing(index=index, codes=found["code"].to_numpy(str), metric=metric)


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
    wish = asdict(job) | {"part": _stamp((job.part,)), "out": Path(str(job.out)).name}
    wish["grids"] = asdict(job.grids) | {"files": _stamp(job.grids.files), "format": _FORMAT}
    return hashlib.sha256(json.dumps(wish, sort_keys=True).encode()).hexdigest()


def _stamp(files: Sequence[str]) -> str:
    """Return names, sizes and times of change of files."""
    parts = []
    for name in files:
        stat = Path(name).stat()
        parts.append(f"{Path(name).name}:{stat.st_size}:{stat.st_mtime_ns}")
    return "|".join(parts)


def check_folder(out: Path, names: Sequence[str]) -> None:
    """Make the folder for the parts; raises BadSetting where it holds parts of something else."""
    out.mkdir(exist_ok=True)
    foreign = sorted({path.name for path in out.glob("*.parquet")} - set(names))
    if foreign:
        raise BadSetting(Fault(key="parts_foreign", values={"name": foreign[0]}), file=str(out))
