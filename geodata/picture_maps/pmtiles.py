"""PMTiles version 3: the tiles of one file, found through its directories (the public spec)."""

from __future__ import annotations

import gzip
import io
from bisect import bisect_right
from dataclasses import dataclass
from functools import lru_cache
from pathlib import Path

from geodata.errors import BadFile, Fault

_MAGIC = b"PMTiles\x03"
_HEADER_BYTES = 127
_NONE, _GZIP = 1, 2
_MOST_BYTES = 16_000_000  # of a directory; a lying header shall not fill the memory
_DEEPEST = 4


@dataclass(frozen=True, slots=True, kw_only=True)
class _Directory:
    """Entries in the order of their ids: first id, run (0 leads to a leaf), length, offset."""

    ids: tuple[int, ...]
    runs: tuple[int, ...]
    lengths: tuple[int, ...]
    offsets: tuple[int, ...]


def read_pmtiles(path: Path, z: int, x: int, y: int) -> bytes | None:
    """
    Return one tile of a file, None where it has none.

    Raises BadFile for what is no PMTiles of version 3, or is damaged.
    """
    try:
        with path.open("rb") as file:
            head = file.read(_HEADER_BYTES)
            if len(head) < _HEADER_BYTES or head[:8] != _MAGIC or head[97] not in (_NONE, _GZIP):
                raise BadFile(Fault(key="picture_map_file"), file=path.name)
            numbers = [int.from_bytes(head[at : at + 8], "little") for at in range(8, 72, 8)]
            root, root_bytes, _, _, leaves, _, data, _ = numbers
            stamp = path.stat().st_mtime_ns
            wanted, at, size = tile_id(z, x, y), root, root_bytes
            for _ in range(_DEEPEST):
                found = _find(_read_directory(path, stamp, at, size, head[97]), wanted)
                if found is None:
                    return None
                run, offset, length = found
                if run:
                    if not 0 < length <= _MOST_BYTES:
                        raise BadFile(Fault(key="picture_map_file"), file=path.name)
                    file.seek(data + offset)
                    return file.read(length)
                at, size = leaves + offset, length
    except (ValueError, EOFError, IndexError, OSError) as error:
        raise BadFile(Fault(key="picture_map_file"), file=path.name) from error
    return None


def tile_id(z: int, x: int, y: int) -> int:
    """Return the number of a tile: those of all lower zooms, then its place on a Hilbert curve."""
    number = ((1 << (2 * z)) - 1) // 3
    side = 1 << z
    half = side // 2
    while half:
        right, low = int(bool(x & half)), int(bool(y & half))
        number += half * half * ((3 * right) ^ low)
        if not low:
            if right:
                x, y = side - 1 - x, side - 1 - y
            x, y = y, x
        half //= 2
    return number


def _find(directory: _Directory, wanted: int) -> tuple[int, int, int] | None:
    """Return run, offset and length of the entry that holds a tile, None where there is none."""
    row = bisect_right(directory.ids, wanted) - 1
    if row < 0:
        return None
    run = directory.runs[row]
    if run and wanted >= directory.ids[row] + run:
        return None
    return run, directory.offsets[row], directory.lengths[row]


@lru_cache(maxsize=64)
def _read_directory(path: Path, stamp: int, at: int, size: int, packing: int) -> _Directory:
    """Return a directory; `stamp` is when the file last changed."""
    del stamp
    if not 0 < size <= _MOST_BYTES:
        raise ValueError(size)
    with path.open("rb") as file:
        file.seek(at)
        packed = file.read(size)
    if packing == _GZIP:
        with gzip.GzipFile(fileobj=io.BytesIO(packed)) as plain:
            text = plain.read(_MOST_BYTES + 1)
        if len(text) > _MOST_BYTES:
            raise ValueError(len(text))
    else:
        text = packed
    numbers = _Varints(text)
    count = numbers.next()
    if count > len(text):
        raise ValueError(count)
    ids, last = [], 0
    for _ in range(count):
        last += numbers.next()
        ids.append(last)
    runs, lengths = ([numbers.next() for _ in range(count)] for _ in range(2))
    offsets: list[int] = []
    for row in range(count):
        given = numbers.next()
        follows = given == 0 and row > 0
        offsets.append(offsets[-1] + lengths[row - 1] if follows else given - 1)
    return _Directory(
        ids=tuple(ids), runs=tuple(runs), lengths=tuple(lengths), offsets=tuple(offsets)
    )


class _Varints:
    """Whole numbers of 7 bits a byte, one after another."""

    def __init__(self, text: bytes) -> None:
        self._text = text
        self._at = 0

    def next(self) -> int:
        """Return the next number; raises IndexError at the end."""
        value = shift = 0
        while True:
            byte = self._text[self._at]
            self._at += 1
            value |= (byte & 0x7F) << shift
            if byte < 0x80:
                return value
            shift += 7
            if shift > 63:
                raise ValueError(shift)
