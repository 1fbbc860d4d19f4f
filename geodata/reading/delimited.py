"""Delimited text as a table of text cells: separators, headers, ragged rows, repeated headers."""

from __future__ import annotations

import csv
import io
import re
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
from pyarrow import csv as arrow_csv

from geodata.errors import BadFile, Fault
from geodata.notes import Note
from geodata.reading.heard import Heard, HeardBytes, hear_nothing
from geodata.reading.sheet_layout import HEAD_ROWS, count_titles, is_foot, is_total

_SEPARATORS = (",", "\t", ";", "|")
# Excel writes this line to say which separator follows.
_SEPARATOR_LINE = re.compile(rb"\A\s*sep=(.)\r?\n", re.IGNORECASE)
_HEADER_BYTES = 1 << 20
_MOST_COLUMNS = 2000
_HEAD_BYTES = 4096
# White space as Arrow trims it, at either end of a cell.
_EDGE = r"^[\s\pZ\x0b\x1c-\x1f\x85]|[\s\pZ\x0b\x1c-\x1f\x85]$"
# What no header says: a coordinate, a day, a mobile. A year or a month may well head a column.
_DATA_CELL = re.compile(r"\d{1,8}\.\d{3,}|\d{4}[-/.年]\d{1,2}[-/.月]\d{1,2}.*|\d+°.*")
_MOBILE = re.compile(r"1[3-9]\d{9}")
_FEWEST_DATA = 2
# A week's counts a column have days for headers, beside one that says whose they are.
_DAY_CELL = re.compile(r"\d{4}[-/.年]\d{1,2}[-/.月]\d{1,2}[日号]?")
_NAME_CELL = re.compile(
    r"网格|社区|街道|乡镇|单位|部门|.{0,6}(编号|编码|代码|名称|经度|纬度|类别|类型|单位名|部门名)"
    r"|[a-z_]*(id|code|name|lon|lat|type|kind)",
    re.IGNORECASE,
)
_BLANK = b"\xef\xbb\xbf \t\r\n"
# A row may not be longer: one that is has an open quote.
_LONGEST_ROW_BYTES = 1 << 25
_NOT_TEXT = {
    b"PK\x03\x04": "file_workbook",
    b"\xd0\xcf\x11\xe0": "file_workbook",
    b"SQLite format 3": "format_not_table",
    b"\x00\x00\x27\x0a": "format_not_table",
    b"%PDF": "format_paper",
    b"\x89PNG": "format_picture",
    b"\xff\xd8\xff": "format_picture",
    b"GIF8": "format_picture",
    b"PAR1": "format_not_table",
}


@dataclass(slots=True, kw_only=True)
class TextTable:
    """All rows of a delimited file; cells are stripped text, ragged rows are left empty."""

    table: pa.Table
    separator: str
    faults: list[Fault]
    notes: list[Note]


def check_is_text(raw: bytes, file: str | None) -> None:
    """Raise BadFile when the content is no delimited text, saying what it is instead."""
    if not raw[:_HEAD_BYTES].strip(_BLANK) and not raw.strip(_BLANK):
        raise BadFile(Fault(key="file_empty"), file=file)
    for magic, key in _NOT_TEXT.items():
        if raw.startswith(magic):
            raise BadFile(Fault(key=key), file=file)
    start = raw[:_HEAD_BYTES].lstrip(_BLANK)
    if start.startswith((b"{", b"<")):
        raise BadFile(Fault(key="format_not_table"), file=file)


def parse_delimited(
    text: bytes, *, file: str | None = None, heard: Heard = hear_nothing
) -> TextTable:
    """
    Parse delimited UTF-8 text: comma, tab, semicolon or bar, by what the first row uses most.

    Every cell stays text, stripped of white space around it, "" where there is nothing. Rows with
    too few or too many cells are faults and empty; repeated column names get a number. Titles above
    the header, and totals and signatures below the last row, are skipped and noted. `heard` is told
    the share of the bytes that has been parsed. Raises BadFile when there is no header, no row, a
    NUL byte or an open quote.
    """
    if b"\0" in text:
        raise BadFile(Fault(key="format_not_table"), file=file)
    given = _SEPARATOR_LINE.match(text)
    if given:
        text = text[given.end() :]
    separator = given[1].decode("latin-1") if given else _find_separator(text)
    text, titles = _cut_titles(text, separator)
    parsed, faults = _parse(text, separator, file, heard)
    if parsed.num_rows < 2:
        raise BadFile(faults or Fault(key="file_no_rows"), file=file)
    _check_last_quote(text, parsed, file)
    header = [column[0].as_py() for column in parsed.columns]
    check_header(header, file)
    names, notes = name_columns(header)
    body = _insert_ragged(parsed.slice(1), [fault.row or 0 for fault in faults])
    table = pa.table(dict(zip(names, map(_trim, body.columns), strict=True)))
    least = max((fault.row or 0 for fault in faults), default=0)
    table = _drop_empty_edges(table, least=least)
    rows = table.num_rows
    while rows > least and _ends_table([column[rows - 1].as_py() for column in table.columns]):
        rows -= 1
    if rows < table.num_rows:
        feet = {"count": table.num_rows - rows}
        notes.append(Note(key="reading.sheet_feet", values=feet))
        table = table.slice(0, rows)
    if titles:
        values = {"rows": titles, "header": titles + 1}
        notes.insert(0, Note(key="reading.sheet_titles", values=values))
    if table.num_rows == 0:
        raise BadFile(Fault(key="file_no_rows"), file=file)
    return TextTable(table=table, separator=separator, faults=faults, notes=notes)


def _trim(column: pa.ChunkedArray) -> pa.ChunkedArray:
    """Return a column without white space around its cells; a clean one needs no second copy."""
    edges = pc.match_substring_regex(column, _EDGE)
    return pc.utf8_trim_whitespace(column) if pc.any(edges).as_py() else column


def name_columns(header: Sequence[str]) -> tuple[list[str], list[Note]]:
    """Return usable column names: none empty, none twice; each change is noted."""
    names: list[str] = []
    notes: list[Note] = []
    for place, given in enumerate(header, start=1):
        plain = " ".join(given.split())
        name = plain or f"column_{place}"
        number = 1
        while name in names:
            number += 1
            name = f"{plain}_{number}"
        if plain and name != plain:
            notes.append(Note(key="reading.column_twice", field=plain, values={"name": name}))
        names.append(name)
    return names, notes


def check_header(header: Sequence[str], file: str | None) -> None:
    """Raise BadFile where the row that stands for a header holds places, days or telephones."""
    cells = [cell.strip() for cell in header]
    data = [cell for cell in cells if _DATA_CELL.fullmatch(cell)]
    if all(map(_DAY_CELL.fullmatch, data)) and any(map(_NAME_CELL.fullmatch, cells)):
        data = []
    if len(data) >= _FEWEST_DATA or any(map(_MOBILE.fullmatch, cells)):
        raise BadFile(Fault(key="header_missing"), file=file)


def _find_separator(text: bytes) -> str:
    head = text[:_HEADER_BYTES].lstrip(b"\r\n").decode("utf-8", "replace")
    rows = {sign: [len(row) for row, _ in _read_head(head, sign)] for sign in _SEPARATORS}
    # A title above the table has no separator: the first row that has one decides.
    for place in range(max(map(len, rows.values()))):
        widths = {sign: row[place] if place < len(row) else 0 for sign, row in rows.items()}
        if max(widths.values()) > 1:
            return max(_SEPARATORS, key=widths.__getitem__)
    return _SEPARATORS[0]


def _read_head(head: str, separator: str) -> list[tuple[list[str], int]]:
    """Return the first rows that hold anything, each with the number of the line it ends on."""
    reader = csv.reader(io.StringIO(head, newline=""), delimiter=separator)
    rows: list[tuple[list[str], int]] = []
    try:
        while len(rows) < HEAD_ROWS:
            row = [cell.strip() for cell in next(reader)]
            if any(row):
                rows.append((row, reader.line_num))
    except (csv.Error, StopIteration):
        pass
    return rows


def _cut_titles(text: bytes, separator: str) -> tuple[bytes, int]:
    """Return the text from its header on, and how many rows of titles stood above it."""
    head = text[:_HEADER_BYTES].decode("utf-8", "replace")
    rows = _read_head(head, separator)
    titles = count_titles([row for row, _ in rows])
    if not titles:
        return text, 0
    above = list(io.StringIO(head, newline=""))[: rows[titles - 1][1]]
    return text[len("".join(above).encode()) :], titles


def _ends_table(row: Sequence[str]) -> bool:
    return not any(row) or is_total(row) or is_foot(row)


def _parse(
    text: bytes, separator: str, file: str | None, heard: Heard
) -> tuple[pa.Table, list[Fault]]:
    ragged: list[Fault] = []

    def note_ragged(row: arrow_csv.InvalidRow) -> str:
        # Row 1 is the header here, so the first data row is number 2.
        values = {"expected": row.expected_columns, "found": row.actual_columns}
        open_quote = "\n" in row.text and row.text.count('"') % 2 == 1
        key = "quote_open" if open_quote else "row_ragged"
        ragged.append(Fault(key=key, row=row.number - 1, values=values))
        return "skip"

    try:
        table = arrow_csv.read_csv(
            HeardBytes(text, heard),
            # One thread: only then are the numbers of ragged rows known.
            read_options=arrow_csv.ReadOptions(
                use_threads=False,
                block_size=min(len(text) + 1, _LONGEST_ROW_BYTES),
                autogenerate_column_names=True,
            ),
            parse_options=arrow_csv.ParseOptions(
                delimiter=separator, newlines_in_values=True, invalid_row_handler=note_ragged
            ),
            convert_options=arrow_csv.ConvertOptions(
                column_types={f"f{place}": pa.string() for place in range(_MOST_COLUMNS)},
                strings_can_be_null=False,
                check_utf8=False,
            ),
        )
    except pa.ArrowInvalid as error:
        key = "quote_open" if "straddling" in str(error) else "file_no_rows"
        raise BadFile(Fault(key=key), file=file) from None
    if table.num_columns > _MOST_COLUMNS:
        raise BadFile(Fault(key="columns_many", values={"limit": _MOST_COLUMNS}), file=file)
    return table, ragged


def _check_last_quote(text: bytes, parsed: pa.Table, file: str | None) -> None:
    # A quote that never closes swallows the rest of the file into one cell of the last row.
    if text.count(b'"') % 2 == 0:
        return
    last = [column[parsed.num_rows - 1].as_py() for column in parsed.columns]
    if any("\n" in cell for cell in last):
        raise BadFile(Fault(key="quote_open", row=parsed.num_rows - 1), file=file)


def _insert_ragged(body: pa.Table, rows: list[int]) -> pa.Table:
    if not rows:
        return body
    total = body.num_rows + len(rows)
    refused = np.zeros(total, dtype=bool)
    refused[np.array(rows) - 1] = True
    source = np.cumsum(~refused) - 1
    indices = pa.array(source, mask=refused)
    columns = [pc.fill_null(column.take(indices), "") for column in body.columns]
    return pa.table(columns, names=body.column_names)


def _drop_empty_edges(table: pa.Table, *, least: int) -> pa.Table:
    # Spreadsheets leave empty columns to the right and empty rows below what was written.
    kept = [
        name
        for place, name in enumerate(table.column_names, start=1)
        if name != f"column_{place}" or pc.any(pc.not_equal(table[name], "")).as_py()
    ]
    table = table.select(kept)
    rows = table.num_rows
    while rows > least and all(column[rows - 1].as_py() == "" for column in table.columns):
        rows -= 1
    return table.slice(0, rows)
