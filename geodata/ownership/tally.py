"""Tallies: who owns the rows of one part, table after table, and what they come to."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path

import numpy as np
import pyarrow as pa
from numpy.typing import NDArray

from geodata.compiled import compile_kernel
from geodata.coordinates import to_metric
from geodata.ownership.grid_files import Drawing, GridFiles
from geodata.ownership.millimetres import round_places, to_millimetres
from geodata.ownership.part_files import Part
from geodata.ownership.raster_rows import Floats, Ints
from geodata.ownership.raster_search import RULES
from geodata.ownership.result_files import OWNER_COLUMNS, free_names
from geodata.reading.places import NOWHERE

_CHUNK = 1 << 16  # rows whose places are still in the cache when their owners are counted


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
class Owned:
    """What the rows of one table come to, and the rows with their owners where asked for."""

    by_grid: NDArray[np.int64]
    by_rule: NDArray[np.int64]
    near_line: int = 0
    rows: pa.Table | None = None


class Tally:
    """
    Owners of the tables of one part, and what they come to.

    `count` and `own` may be called by any number of threads, `add` by one.
    """

    def __init__(self, job: PartJob, drawing: Drawing, part: Part) -> None:
        self._job, self._drawing, self._part = job, drawing, part
        self._renamed = free_names(part.kept, Path(job.part))
        if part.places.columns[0] in self._renamed and len(part.places.columns) == 1:
            del self._renamed[part.places.columns[0]]  # the places keep their column
        source = part.places.source
        self._as_drawn = source.kind == "crs" and bool(
            source.crs.equals(drawing.metric, ignore_axis_order=True)
        )
        self._by_rule = np.zeros(len(RULES), np.int64)
        self._by_grid = np.zeros(len(drawing.codes) + 1, np.int64)
        self._near_line = 0

    @property
    def schema(self) -> pa.Schema:
        """The columns of the result: the input's, and the owner's."""
        kept = [self._part.schema.field(name) for name in self._part.kept]
        fields = [one.with_name(self._renamed.get(one.name, one.name)) for one in kept]
        text = pa.dictionary(pa.int32(), pa.string())
        kinds = (text, text, pa.float32(), pa.bool_())
        fields += [pa.field(name, kind) for name, kind in zip(OWNER_COLUMNS, kinds, strict=True)]
        return pa.schema(fields, metadata=self._part.schema.metadata)

    def count(self, table: pa.Table) -> Owned:
        """Return who owns how many rows, without rules and distances."""
        by_grid = np.zeros(len(self._by_grid), np.int64)
        for x, y in self._places(table):
            _count_owners(self._drawing.index.find(x, y), by_grid)
        return Owned(by_grid=by_grid, by_rule=np.zeros(len(RULES), np.int64))

    def own(self, table: pa.Table) -> Owned:
        """Return the rows with their owners, and what they come to."""
        places = [np.empty((2, 0)), *map(np.stack, self._places(table))]
        x, y = np.concatenate(places, axis=1)
        found = self._drawing.index.own(
            x, y, near_m=self._job.near_m, near_line_m=self._job.near_line_m
        )
        codes = pa.DictionaryArray.from_arrays(
            pa.array(found.owner, mask=found.owner < 0), pa.array(self._drawing.codes.tolist())
        )
        rules = pa.DictionaryArray.from_arrays(
            pa.array(found.rule.astype(np.int32)), pa.array(RULES)
        )
        distance = pa.array(np.round(found.distance_m, 3), from_pandas=True)
        columns = [*table.columns, codes, rules, distance, pa.array(found.near_line)]
        by_grid = np.zeros(len(self._by_grid), np.int64)
        _count_owners(found.owner, by_grid)
        return Owned(
            by_grid=by_grid,
            by_rule=np.bincount(found.rule, minlength=len(RULES)),
            near_line=int(found.near_line.sum()),
            rows=pa.Table.from_arrays(columns, schema=self.schema),
        )

    def add(self, owned: Owned) -> None:
        """Add what one table comes to."""
        self._by_rule += owned.by_rule
        self._by_grid += owned.by_grid
        self._near_line += owned.near_line

    def total(self) -> PartCount:
        """Return what all tables come to."""
        return PartCount(
            part=Path(self._job.part).name,
            rows=int(self._by_grid.sum()),
            by_rule=tuple(self._by_rule.tolist()),
            near_line=self._near_line,
            by_grid=tuple(self._by_grid.tolist()),
            dropped=self._part.dropped,
            renamed=self._renamed,
        )

    def _places(self, table: pa.Table) -> Iterator[tuple[Floats, Floats]]:
        """Yield x and y in millimetres, some rows at a time."""
        for x, y in self._part.locate(table):
            if not self._as_drawn:  # the step between systems is chosen by all rows together
                nowhere = (np.abs(x) < NOWHERE) & (np.abs(y) < NOWHERE)
                x_m, y_m = to_metric(
                    np.where(nowhere, np.nan, x),
                    np.where(nowhere, np.nan, y),
                    self._part.places.source,
                    self._drawing.metric,
                )
                yield to_millimetres(x_m), to_millimetres(y_m)
                continue
            for low in range(0, len(x), _CHUNK):
                yield round_places(x[low : low + _CHUNK], y[low : low + _CHUNK])


def warm() -> None:
    """Compile what counts, for set-up."""
    _count_owners(np.array([-1, 0], np.int32), np.zeros(2, np.int64))


@compile_kernel
def _count_owners(owner: Ints, by_grid: NDArray[np.int64]) -> None:
    """Add how many rows each grid owns, nobody at the end."""
    nobody = len(by_grid) - 1
    for i in range(len(owner)):
        grid = owner[i]
        by_grid[np.uint64(grid if grid >= 0 else nobody)] += 1
