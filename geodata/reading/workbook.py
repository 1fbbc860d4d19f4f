"""Excel workbooks as they come: the sheet, its header, its rows as exact text."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from datetime import date, datetime, time, timedelta
from itertools import chain, islice
from pathlib import Path
from typing import Any

import pyarrow as pa
import python_calamine as calamine

from geodata.errors import BadFile, BadSetting, Fault
from geodata.notes import Note
from geodata.reading.archives import ZIP_MAGIC, Limits, check_parsed, check_workbook
from geodata.reading.cells import MOST_DIGITS, value_to_text
from geodata.reading.delimited import TextTable, check_header, name_columns
from geodata.reading.heard import Heard, hear_nothing
from geodata.reading.sheet_layout import (
    HEAD_ROWS,
    Layout,
    find_layout,
    is_foot,
    is_total,
    repeats_header,
)

OLE_MAGIC = b"\xd0\xcf\x11\xe0"  # .xls, and encrypted workbooks of any age
_CHUNK_ROWS = 20_000  # turned into columns at a time: a sheet may hold a million rows
_MOST_COLUMNS = 2000


def is_workbook(path: Path) -> bool:
    """Tell whether a file begins as a workbook does."""
    return _read_magic(path) in (ZIP_MAGIC, OLE_MAGIC)


def parse_workbook(
    path: Path, *, sheet: str | None = None, limits: Limits, heard: Heard = hear_nothing
) -> TextTable:
    """
    Read one sheet of an .xlsx or .xls file: every cell as text, "" where there is nothing.

    Titles above the header and signatures below the last row are skipped and noted; totals, empty
    rows and headers that come again are row faults and stay in their places, so that rows keep
    their numbers. Numbers of more than 15 digits are row faults: Excel has rounded them. Raises
    BadFile for what is no workbook, damaged, locked or empty, BadSetting when several sheets hold
    a table and `sheet` names none of them.
    """
    check_parsed(path.stat().st_size, limits, path.name)
    if _read_magic(path) == ZIP_MAGIC:
        check_workbook(path, limits)
    try:
        with calamine.load_workbook(path) as book:
            return _read_sheet(_choose_sheet(book, sheet, path.name), path.name, heard)
    except calamine.PasswordError:
        raise BadFile(Fault(key="archive_locked"), file=path.name) from None
    except (calamine.CalamineError, calamine.XmlError, calamine.ZipError):
        raise BadFile(Fault(key="file_damaged"), file=path.name) from None


def _read_magic(path: Path) -> bytes:
    with path.open("rb") as file:
        return file.read(len(OLE_MAGIC))


def _choose_sheet(book: Any, name: str | None, file: str) -> Any:
    if name is not None and name in book.sheet_names:
        return book.get_sheet_by_name(name)
    visible = [
        one.name
        for one in book.sheets_metadata
        if one.visible == calamine.SheetVisibleEnum.Visible
        and one.typ == calamine.SheetTypeEnum.WorkSheet
    ]
    if name is not None:
        values = {"layer": name, "layers": ", ".join(visible)}
        raise BadSetting(Fault(key="layer_none", values=values), file=file)
    sheets = [book.get_sheet_by_name(one) for one in visible]
    tables = [one for one in sheets if one.height > 1 and one.width > 1]
    tables = tables or [one for one in sheets if one.height > 1]
    if not tables:
        raise BadFile(Fault(key="file_no_rows"), file=file)
    if len(tables) > 1:
        names = ", ".join(one.name for one in tables)
        raise BadSetting(Fault(key="layer_unclear", values={"layers": names}), file=file)
    return tables[0]


def _read_sheet(sheet: Any, file: str, heard: Heard) -> TextTable:
    rows = iter(sheet.iter_rows())
    head = [list(row) for row in islice(rows, HEAD_ROWS)]
    layout = find_layout([[_to_text(cell) or "" for cell in row] for row in head])
    if layout is None:
        raise BadFile(Fault(key="file_empty"), file=file)
    if len(layout.names) > _MOST_COLUMNS:
        raise BadFile(Fault(key="columns_many", values={"limit": _MOST_COLUMNS}), file=file)
    check_header(layout.names, file)
    names, notes = name_columns(layout.names)
    if layout.titles or layout.header_rows > 1:
        values = {"rows": layout.titles, "header": layout.titles + 1}
        notes.insert(0, Note(key="reading.sheet_titles", values=values))
    height = max(int(sheet.height), 1)
    body, long_ones = _read_body(
        chain(head[layout.first :], rows), names, lambda done: heard(min(done / height, 1.0))
    )
    faults, last = _judge_rows(body, layout, long_ones)
    feet = body.num_rows - last
    if feet:
        notes.append(Note(key="reading.sheet_feet", values={"count": feet}))
    if not last:
        raise BadFile(Fault(key="file_no_rows"), file=file)
    faults = [fault for fault in faults if (fault.row or 0) <= last]
    return TextTable(
        table=_drop_nameless(body.slice(0, last)), separator="", faults=faults, notes=notes
    )


def _read_body(
    rows: Iterator[Sequence[Any]], names: Sequence[str], seen: Callable[[int], None]
) -> tuple[pa.Table, list[tuple[int, str]]]:
    """Return the rows as columns of text, and row and column of each number that is too long."""
    parts: list[pa.Table] = []
    long_ones: list[tuple[int, str]] = []
    done = 0
    while chunk := list(islice(rows, _CHUNK_ROWS)):
        columns: list[list[str]] = [[] for _ in names]
        for number, row in enumerate(chunk, start=done + 1):
            for place, name in enumerate(names):
                text = _to_text(row[place]) if place < len(row) else ""
                if text is None:
                    long_ones.append((number, name))
                columns[place].append(text or "")
        parts.append(pa.table([pa.array(column, pa.string()) for column in columns], list(names)))
        done += len(chunk)
        seen(done)
    schema = pa.schema([(name, pa.string()) for name in names])
    return pa.concat_tables(parts) if parts else schema.empty_table(), long_ones


def _judge_rows(
    body: pa.Table, layout: Layout, long_ones: Sequence[tuple[int, str]]
) -> tuple[list[Fault], int]:
    """Return the faults of rows (from 1), and how many rows there are above the table's foot."""
    faults = [
        Fault(key="number_too_long", row=row, field=name, value_kind=f">{MOST_DIGITS}")
        for row, name in long_ones
    ]
    last = 0
    number = 0
    written = [" ".join(name.split()) for name in layout.names]
    for part in body.to_batches():
        for row in zip(*(column.to_pylist() for column in part.columns), strict=True):
            number += 1
            key = _name_fault(row, written)
            if key:
                faults.append(Fault(key=key, row=number))
            # Feet, totals and empty rows at the end are no rows of the table.
            if key in ("", "row_header") and not is_foot(row):
                last = number
    faults.sort(key=lambda fault: fault.row or 0)
    return faults, last


def _name_fault(row: Sequence[str], names: Sequence[str]) -> str:
    if not any(row):
        return "row_empty"
    if is_total(row):
        return "row_total"
    return "row_header" if repeats_header(row, names) else ""


def _drop_nameless(table: pa.Table) -> pa.Table:
    kept = [
        name
        for place, name in enumerate(table.column_names, start=1)
        if name != f"column_{place}" or any(table[name].to_pylist())
    ]
    return table.select(kept)


def _to_text(value: Any) -> str | None:
    """Return a cell as exact text; None for a number with more digits than Excel keeps."""
    if isinstance(value, datetime):
        # A day without an hour is stored as its midnight.
        text = value.isoformat(sep=" ", timespec="seconds")
        return text.removesuffix(" 00:00:00")
    if isinstance(value, date):
        return value.isoformat()
    if isinstance(value, time):
        return value.isoformat(timespec="seconds")
    if isinstance(value, timedelta):
        return str(value)
    return value_to_text(value)
