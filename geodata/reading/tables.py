"""Tables of other people in: every cell as exact text, the columns of places recognised."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import pandas as pd
import pyarrow as pa
from numpy.typing import NDArray

from geodata.coordinates import SourceCrs, lonlat_crs, parse_crs
from geodata.errors import Fault
from geodata.notes import Note
from geodata.reading.archives import OWNER_LIMITS, Limits, check_size, unpack_gzip
from geodata.reading.delimited import TextTable, check_is_text, parse_delimited
from geodata.reading.encodings import to_utf8
from geodata.reading.files import Reading, check_exists, tell_accuracy
from geodata.reading.heard import Heard, hear_nothing
from geodata.reading.layer_files import GZIP_MAGIC
from geodata.reading.personal import drop_personal
from geodata.reading.place_cells import find_system_column, read_pairs, unite_systems
from geodata.reading.places import (
    PlaceColumns,
    assume_lonlat,
    check_places,
    datum_by_name,
    find_place_columns,
    is_north_first,
    parse_numbers,
)
from geodata.reading.workbook import is_workbook, parse_workbook

Floats = NDArray[np.float64]

# What is read as a table, not as a map, where a kind can be either.
TABLE_SUFFIXES = (".csv", ".tsv", ".txt", ".gz", ".xlsx", ".xlsm", ".xls", ".et")

_FILE_SHARE = 0.5
_PARSED, _PLACED = 0.6, 0.75  # of the time that reading takes: its text, its places; then persons
# Rows that are looked at to tell a second header from a first row without coordinates.
_HEADER_ROWS = 50
_LOST = "\ufffd".encode()


def read_table(
    path: str | Path,
    *,
    crs: str | None = None,
    encoding: str | None = None,
    mapping: Mapping[str, str] | None = None,
    sheet: str | None = None,
    limits: Limits | None = None,
    swapped: bool = False,
    heard: Heard = hear_nothing,
) -> Reading:
    """
    Read a table (.csv, .tsv, either as .gz, .xlsx, .xls): every cell as text, places recognised.

    `mapping` gives columns by field; only "lon" and "lat", or "x" and "y", matter here, but every
    column it names must exist and is not dropped for its name alone. Rows without a usable place
    are faults and keep their row. `swapped` takes the first number of each place for the second.
    `heard` is told how far the reading is. Raises BadFile when nothing can be loaded, BadSetting
    for a wrong `crs`, `encoding` or `mapping`.
    """
    path = Path(path)
    limits = limits or OWNER_LIMITS

    def parsing(share: float) -> None:
        heard(share * _PARSED)

    given = None if crs is None else parse_crs(crs)
    check_exists(path)
    check_size(path, limits)
    book = is_workbook(path)
    if book:
        parsed, found = parse_workbook(path, sheet=sheet, limits=limits, heard=parsing), None
    else:
        parsed, found = _parse_text(path, encoding, limits, parsing)
    notes = parsed.notes
    frame = _text_frame(parsed.table)
    places = _find_places(
        frame, given, mapping or {}, parsed.faults, notes, file=path.name, swapped=swapped
    )
    heard(_PLACED)
    frame, dropped, remarks = drop_personal(places.frame, keep=set((mapping or {}).values()))
    return Reading(
        frame=frame,
        crs=places.source,
        encoding=found,
        faults=sorted(places.faults, key=lambda fault: fault.row or 0),
        notes=notes + remarks,
        dropped_columns=dropped,
        repaired=0,
        rows=len(frame),
        driver="Excel" if book else "CSV",
        file=path.name,
        x=places.x,
        y=places.y,
        place_columns=places.columns,
    )


def _parse_text(
    path: Path, encoding: str | None, limits: Limits, heard: Heard
) -> tuple[TextTable, str]:
    raw = path.read_bytes()
    if raw.startswith(GZIP_MAGIC):
        raw = unpack_gzip(raw, limits=limits, file=path.name)
    check_is_text(raw, path.name)
    text, found = to_utf8(raw, encoding=encoding, file=path.name)
    check_is_text(text, path.name)
    parsed = parse_delimited(text, file=path.name, heard=heard)
    parsed.notes += _lost_text(text)
    return parsed, found


@dataclass(frozen=True, slots=True, kw_only=True)
class _Places:
    """The rows of a table with their places; `columns` are those that hold nothing else."""

    frame: pd.DataFrame
    faults: list[Fault]
    source: SourceCrs | None
    x: Floats | None = None
    y: Floats | None = None
    columns: tuple[str, str] | None = None


def _find_places(
    frame: pd.DataFrame,
    given: SourceCrs | None,
    mapping: Mapping[str, str],
    faults: list[Fault],
    notes: list[Note],
    *,
    file: str,
    swapped: bool,
) -> _Places:
    names = find_place_columns(
        list(frame.columns),
        mapping=mapping,
        metres_first=given is not None and not given.is_lonlat,
        file=file,
    )
    if names is None:
        pairs = read_pairs(frame, column=mapping.get("lonlat"))
        if pairs is None:
            return _Places(frame=frame, faults=faults, source=given)
        names = PlaceColumns(x=pairs.column, y=pairs.column, metres=False)
        notes.append(Note(key="reading.place_pairs", field=pairs.column))
        x, y, other = pairs.lon, pairs.lat, pairs.other
    else:
        frame, faults = _drop_second_header(frame, names, faults, notes)
        x, other_x = parse_numbers(frame[names.x])
        y, other_y = parse_numbers(frame[names.y])
        other = other_x | other_y
    if swapped:
        x, y = y, x
        names = PlaceColumns(x=names.y, y=names.x, metres=names.metres, datum=names.datum)
        notes.append(Note(key="reading.axes_swapped"))
    systems = None if given else find_system_column(list(frame.columns), mapping)
    columns: tuple[str, str] | None = (names.x, names.y)
    if systems is not None:
        default = datum_by_name(names)
        x, y, unknown, met = unite_systems(x, y, frame[systems], field=systems, default=default)
        notes.append(Note(key="reading.crs_by_row", field=systems, values={"crs": ", ".join(met)}))
        faults = [*faults, *unknown]
        source, columns = lonlat_crs(), None  # what the file says stays beside what we made of it
    else:
        source = given or _assume_crs(x, y, names, notes, file)
        if "x" not in mapping and not swapped and is_north_first(x, y, source):
            # Surveys call north X. Taken so only where the columns were found by their names.
            x, y, names = y, x, PlaceColumns(x=names.y, y=names.x, metres=True)
            columns = (names.x, names.y)
            values = {"x": names.x, "y": names.y}
            notes.append(Note(key="reading.north_first", values=values))
    notes += tell_accuracy(source)
    told = {fault.row for fault in faults}
    placeless = check_places(x, y, other, names=names, source=source, file=file)
    faults = [*faults, *(fault for fault in placeless if fault.row not in told)]
    return _Places(frame=frame, faults=faults, source=source, x=x, y=y, columns=columns)


def _text_frame(table: pa.Table) -> pd.DataFrame:
    frame: pd.DataFrame = table.to_pandas()
    frame.index = pd.RangeIndex(1, len(frame) + 1, name="row")
    return frame


def _lost_text(text: bytes) -> list[Note]:
    count = text.count(_LOST)
    return [Note(key="reading.text_lost", values={"count": count})] if count else []


def _drop_second_header(
    frame: pd.DataFrame, names: PlaceColumns, faults: Sequence[Fault], notes: list[Note]
) -> tuple[pd.DataFrame, list[Fault]]:
    # Some authorities write the header once in English and once in Chinese.
    top = frame.iloc[: _HEADER_ROWS + 1]
    x, other_x = parse_numbers(top[names.x])
    y, other_y = parse_numbers(top[names.y])
    follows = np.isfinite(x[1:]) & np.isfinite(y[1:])
    if not (other_x[0] and other_y[0] and follows.size and follows.mean() > _FILE_SHARE):
        return frame, list(faults)
    notes.append(Note(key="reading.header_repeated"))
    body = frame.iloc[1:]
    body.index = pd.RangeIndex(1, len(body) + 1, name="row")
    moved = [
        Fault(key=fault.key, row=(fault.row or 1) - 1, field=fault.field, values=fault.values)
        for fault in faults
    ]
    return body, moved


def _assume_crs(
    x: Floats, y: Floats, names: PlaceColumns, notes: list[Note], file: str
) -> SourceCrs:
    declared = datum_by_name(names)
    if declared is not None:
        values = {"crs": declared.label}
        notes.append(Note(key="reading.crs_by_header", values=values))
        return declared
    notes.append(Note(key="reading.assumed_lonlat"))
    return assume_lonlat(x, y, file=file)
