"""The snapshot: every column the screens need, in memory, in the order tiles ask for."""

from __future__ import annotations

import hashlib
import os
import re
import zlib
from collections.abc import Callable, Mapping
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, fields
from pathlib import Path
from typing import Any, Literal

import numpy as np
import pyarrow as pa
import pyarrow.ipc
from numba import njit
from numpy.typing import NDArray

from geodata.compiled import compile_kernel
from geodata.events.clock import RED
from geodata.snapshots.packed_rows import PackedRows
from geodata.snapshots.row_mask import RowTest, choose_rows
from geodata.store.room import make_private

State = Literal["all", "open", "overdue", "closed"]
WORLD = 2.0**32  # a tile position is the web-mercator world from 0 to 1 times this
_FACTS = ("revision", "drawing", "placed")  # what is no column
_THREADS = 2
_MAX_LATITUDE = 85.05112877980659
_MOST_TIMES = 255
CLOSED = 4  # the place of the closing among the steps


@dataclass(frozen=True, slots=True, kw_only=True)
class Snapshot:
    """
    Incidents as columns, those with a place first and in Morton order; all of length n.

    `owner` is the row of the owning grid among the drawing's finest grids, -1 unowned. Times are
    UTC seconds, 0 for never. `steps` holds the six steps' times. Arrays are read-only.
    """

    revision: int
    drawing: int
    placed: int  # the first `placed` rows have a place
    incident: NDArray[np.int64]
    tile_x: NDArray[np.uint32]
    tile_y: NDArray[np.uint32]
    morton: NDArray[np.uint64]
    owner: NDArray[np.int32]
    kind: NDArray[np.int32]
    category: NDArray[np.int32]
    body: NDArray[np.int32]
    source: NDArray[np.int32]
    stage: NDArray[np.uint8]
    open: NDArray[np.bool_]
    steps: NDArray[np.int64]  # (n, 6)
    due_at: NDArray[np.int64]
    clock_from: NDArray[np.int64]
    suspended_since: NDArray[np.int64]
    rule: NDArray[np.uint8]
    near_line: NDArray[np.bool_]
    flags: NDArray[np.uint8]
    returned: NDArray[np.uint8]  # how often it was sent back by its handler, 255 for more
    reopened: NDArray[np.uint8]

    @property
    def n(self) -> int:
        """Return how many incidents there are."""
        return len(self.incident)

    @property
    def reported_at(self) -> NDArray[np.int64]:
        """Return the time of each report."""
        return self.steps[:, 0]

    @property
    def closed_at(self) -> NDArray[np.int64]:
        """Return the time of each closing, 0 for not closed."""
        return self.steps[:, CLOSED]


# Each column and what its values are, as the class above says.
_KINDS = {
    item.name: np.dtype(found[0].rstrip("_"))
    for item in fields(Snapshot)
    if (found := re.findall(r"NDArray\[np\.(\w+)\]", str(item.type)))
}


@dataclass(frozen=True, slots=True, kw_only=True)
class Filter:
    """
    Which incidents count: reported in [since, until), of these categories, in this state.

    None means no limit. `overdue` = open and past the deadline (contracts.md 6). Kinds, sources,
    bodies and stages are codes of the snapshot; by these nothing is told of what is outside a
    scope.
    """

    since: int | None = None
    until: int | None = None
    categories: tuple[int, ...] | None = None
    state: State = "all"
    kinds: tuple[int, ...] | None = None
    sources: tuple[int, ...] | None = None
    bodies: tuple[int, ...] | None = None
    stages: tuple[int, ...] | None = None

    @property
    def is_plain(self) -> bool:
        """Tell whether it narrows by no more than period, category and state."""
        return all(codes is None for codes in (self.kinds, self.sources, self.bodies, self.stages))

    def list_tests(
        self,
        snapshot: Snapshot,
        *,
        states: Callable[[], NDArray[np.uint8]],
        packed: PackedRows | None = None,
    ) -> list[RowTest]:
        """
        Return what the columns must say for a row to count.

        `states` gives what `clock.clock_state` does, where it is asked for; `packed` says the same
        in fewer bytes.
        """
        tests: list[RowTest] = []
        if self.since is not None or self.until is not None:
            exact = RowTest.period(snapshot.reported_at, self.since, self.until)
            tests.append(exact if packed is None else packed.shorten(exact))
        if self.categories is not None:
            column = snapshot.category if packed is None else packed.category
            tests.append(RowTest.among(column, self.categories))
        if self.state != "all":
            tests.append(RowTest.among(snapshot.open, [self.state != "closed"]))
        if self.state == "overdue":
            tests.append(RowTest.among(states(), [RED]))
        tests += [
            RowTest.among(column, codes)
            for codes, column in (
                (self.kinds, snapshot.kind),
                (self.sources, snapshot.source),
                (self.bodies, snapshot.body),
                (self.stages, snapshot.stage),
            )
            if codes is not None
        ]
        return tests

    def mask(
        self, snapshot: Snapshot, *, states: Callable[[], NDArray[np.uint8]]
    ) -> NDArray[np.bool_]:
        """Return which rows of the snapshot count, by the tests of `list_tests`."""
        return choose_rows(snapshot.n, self.list_tests(snapshot, states=states), threads=_THREADS)


def build_snapshot(
    columns: Mapping[str, NDArray[Any]],
    *,
    revision: int,
    drawing: int,
    lon: NDArray[np.float64],
    lat: NDArray[np.float64],
    owner_row: NDArray[np.int32],
    category: NDArray[np.int32],
) -> Snapshot:
    """Return the snapshot of the derived incidents; lon and lat are NaN for no place."""
    tile_x, tile_y = tile_position(lon, lat)
    morton = interleave(tile_x, tile_y)
    nowhere = ~np.isfinite(lon)
    order = np.argsort(morton, kind="stable")
    order = np.concatenate([order[~nowhere[order]], order[nowhere[order]]])
    steps = np.stack(
        [columns[f"{name}_at"] for name in
         ("reported", "registered", "dispatched", "handled", "closed", "evaluated")], axis=1
    )  # fmt: skip
    found = {
        **columns,
        "incident": columns["inc"],
        "tile_x": tile_x,
        "tile_y": tile_y,
        "morton": morton,
        "owner": owner_row,
        "category": category,
        "steps": steps,
        "returned": np.minimum(columns["returned"], _MOST_TIMES),
        "reopened": np.minimum(columns["reopened"], _MOST_TIMES),
    }

    def take(name: str) -> NDArray[Any]:
        taken = np.take(found[name].astype(_KINDS[name], copy=False), order, axis=0)
        taken.flags.writeable = False
        return taken

    with ThreadPoolExecutor(_THREADS) as pool:  # taking lets other threads run
        taken = dict(zip(_KINDS, pool.map(take, _KINDS), strict=True))
    placed = len(nowhere) - int(nowhere.sum())
    return Snapshot(revision=revision, drawing=drawing, placed=placed, **taken)


def tile_position(
    lon: NDArray[np.float64], lat: NDArray[np.float64]
) -> tuple[NDArray[np.uint32], NDArray[np.uint32]]:
    """Return web-mercator world positions times 2**32, x east, y south; NaN becomes 0."""
    limited = np.clip(np.nan_to_num(lat), -_MAX_LATITUDE, _MAX_LATITUDE)
    sine = np.sin(np.radians(limited))
    x = np.nan_to_num(lon) / 360.0 + 0.5
    y = 0.5 - np.log((1 + sine) / (1 - sine)) / (4 * np.pi)
    top = WORLD - 1
    return (
        np.clip(x * WORLD, 0, top).astype(np.uint32),
        np.clip(y * WORLD, 0, top).astype(np.uint32),
    )


@njit(cache=True)
def _spread(value):  # type: ignore[no-untyped-def]
    v = np.uint64(value)
    v = (v | (v << np.uint64(16))) & np.uint64(0x0000FFFF0000FFFF)
    v = (v | (v << np.uint64(8))) & np.uint64(0x00FF00FF00FF00FF)
    v = (v | (v << np.uint64(4))) & np.uint64(0x0F0F0F0F0F0F0F0F)
    v = (v | (v << np.uint64(2))) & np.uint64(0x3333333333333333)
    return (v | (v << np.uint64(1))) & np.uint64(0x5555555555555555)


@njit(cache=True)
def _interleave(x, y, out):  # type: ignore[no-untyped-def]
    for i in range(len(x)):
        out[i] = _spread(x[i]) | (_spread(y[i]) << np.uint64(1))


def interleave(x: NDArray[np.uint32], y: NDArray[np.uint32]) -> NDArray[np.uint64]:
    """Return Morton codes: every tile at every zoom is one slice of the sorted codes."""
    out = np.empty(len(x), np.uint64)
    _interleave(np.ascontiguousarray(x), np.ascontiguousarray(y), out)
    return out


def save_snapshot(snapshot: Snapshot, folder: Path) -> Path:
    """
    Write the snapshot as an Arrow file named by its revision: new, then renamed.

    It is not synced, which would cost a start more than all else here: what a power cut leaves of
    it shows by its checksum, and the next start reads the store.
    """
    folder.mkdir(exist_ok=True)
    arrays: dict[str, Any] = {}
    for name, kind in _KINDS.items():
        value = getattr(snapshot, name)
        # As it lies in memory: a start maps the file and copies nothing.
        plain = pa.array(value.reshape(-1).view(_lying(kind)))
        wide = value.ndim > 1
        arrays[name] = pa.FixedSizeListArray.from_arrays(plain, value.shape[1]) if wide else plain
    facts = {name: str(getattr(snapshot, name)) for name in _FACTS}
    facts["checksum"] = str(_checksum(snapshot))
    table = pa.table(arrays).replace_schema_metadata(facts)
    path = snapshot_file(folder, snapshot.revision)
    part = path.with_suffix(f".{os.getpid()}.part")
    try:
        make_private(part)
        with part.open("wb") as sink, pa.ipc.new_file(sink, table.schema) as writer:
            writer.write_table(table)
        part.replace(path)
    finally:
        part.unlink(missing_ok=True)
    for old in folder.glob("snapshot-*"):  # of other revisions, and parts of killed processes
        if old != path:
            old.unlink(missing_ok=True)
    return path


def open_snapshot(folder: Path, revision: int) -> Snapshot | None:
    """Return the saved snapshot of this revision, or None when there is none or it is damaged."""
    path = snapshot_file(folder, revision)
    try:
        with pa.memory_map(str(path)) as source:
            table = pa.ipc.open_file(source).read_all()
        marks = {key.decode(): int(value) for key, value in (table.schema.metadata or {}).items()}
        values: dict[str, Any] = {name: marks[name] for name in _FACTS}
        values |= {name: _lie_as(kind, table[name]) for name, kind in _KINDS.items()}
        snapshot = Snapshot(**values)
        sound = marks["checksum"] == _checksum(snapshot) and snapshot.revision == revision
    except (OSError, pa.ArrowException, KeyError, ValueError):
        return None
    return snapshot if sound else None


def _lying(kind: np.dtype[Any]) -> np.dtype[Any]:
    """Return as what a column lies in the file: Arrow would pack truths into bits."""
    return np.dtype(np.uint8) if kind == np.bool_ else kind


def _lie_as(wanted: np.dtype[Any], column: pa.ChunkedArray) -> NDArray[Any]:
    """Return a column of the file as it lies there; ValueError where it is of another kind."""
    array = column.chunk(0) if column.num_chunks == 1 else column.combine_chunks()
    wide = pa.types.is_fixed_size_list(array.type)
    values = (array.flatten() if wide else array).to_numpy(zero_copy_only=True)
    if values.dtype != _lying(wanted):
        raise ValueError(wanted)
    shaped: NDArray[Any] = values.view(wanted)
    if wide:
        shaped = shaped.reshape(len(array), array.type.list_size)
    shaped.flags.writeable = False
    return shaped


def open_newest(folder: Path, *, since: int, until: int) -> Snapshot | None:
    """Return the saved snapshot of the newest revision between two, both included, or None."""
    names = (path.stem.removeprefix("snapshot-") for path in folder.glob("snapshot-*.arrow"))
    revisions = sorted((int(name) for name in names if name.isdecimal()), reverse=True)
    for revision in revisions:
        if since <= revision <= until:
            snapshot = open_snapshot(folder, revision)
            if snapshot is not None:
                return snapshot
    return None


def _checksum(snapshot: Snapshot) -> int:
    """Return one number over every value: Arrow itself does not notice a changed byte."""
    columns = [getattr(snapshot, name) for name in _KINDS]
    largest = sorted(range(len(columns)), key=lambda place: -columns[place].nbytes)
    with ThreadPoolExecutor(_THREADS) as pool:
        sums = dict(zip(largest, pool.map(_sum, [columns[i] for i in largest]), strict=True))
    facts = [str(getattr(snapshot, name)) for name in _FACTS]
    told = " ".join([*facts, *(str(sums[place]) for place in range(len(columns)))])
    return int.from_bytes(hashlib.blake2b(told.encode(), digest_size=8).digest(), "big")


def _sum(column: NDArray[Any]) -> tuple[int, int]:
    plain = np.ascontiguousarray(column).reshape(-1).view(np.uint8)
    whole = len(plain) - len(plain) % _LANES_BYTES
    found = int(_mix(plain[:whole].view(np.uint64), np.uint64(len(plain))))
    return found, zlib.crc32(plain[whole:].tobytes())


_LANES_BYTES = 32


@compile_kernel
def _mix(words: NDArray[np.uint64], seed: np.uint64) -> np.uint64:
    """
    Return a number that any changed word changes, four words at a time: as fast as memory.

    Each lane is FNV-1a: what goes in can be undone, so that no single change is lost.
    """
    prime = np.uint64(0x100000001B3)
    a = b = c = d = np.uint64(seed) ^ np.uint64(0xCBF29CE484222325)
    for i in range(0, len(words), 4):
        a = (a ^ words[i]) * prime
        b = (b ^ words[i + 1]) * prime
        c = (c ^ words[i + 2]) * prime
        d = (d ^ words[i + 3]) * prime
    for other in (b, c, d):
        a = (a ^ (other >> np.uint64(29)) ^ other) * prime
    return a


def snapshot_file(folder: Path, revision: int) -> Path:
    """Return where the snapshot of a revision is kept."""
    return folder / f"snapshot-{revision}.arrow"
