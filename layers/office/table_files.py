"""Tables as files: CSV, XLSX, GeoPackage, GeoParquet, each saying what it is and by which rule."""

from __future__ import annotations

import datetime
import os
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

import geopandas
import numpy as np
import orjson
import pandas as pd
import pyarrow.parquet
import xlsxwriter
from xlsxwriter.exceptions import XlsxFileError

from geodata.briefing.tables import ExportTable, as_plain
from geodata.errors import BadFile, BadSetting, Fault, StoreFull
from geodata.geopackage import write_layer
from geodata.safe_text import escape_formula, escape_formulas
from geodata.whole_file import write_whole
from geodata.words import Lang, say
from layers.office.sealing import parse_carried, read_carried, seal_office, zip_files

About = Sequence[tuple[str, str]]


@dataclass(frozen=True, slots=True, kw_only=True)
class Told:
    """A table, what it says of itself in words, the figures it carries, and its language."""

    table: ExportTable
    about: About
    carried: Mapping[str, Any]
    lang: Lang


_MOST_ROWS = 1_048_575  # of a sheet, below its heading
_EPOCH = datetime.datetime(2000, 1, 1)
_WIDEST, _WIDE, _NARROW = 60, 24, 14
ABOUT_SUFFIX = ".about.json"


def write_table(told: Told, path: Path) -> list[Path]:
    """
    Write a table as the kind of file that `path` names; return the files written.

    A CSV has its sidecar `NAME.about.json` beside it; the other kinds carry the same inside. Raises
    BadSetting for another kind, BadFile for more rows than a sheet holds. Nothing half is left.
    """
    suffix = path.suffix.lower()
    if suffix not in WRITERS:
        raise BadSetting(
            Fault(key="out_format", values={"suffix": suffix, "known": ", ".join(WRITERS)}),
            file=str(path),
        )
    part = path.with_name(f".{path.stem}.{os.getpid()}{suffix}")
    part.touch()  # a folder that is missing or closed says so in the system's own words
    part.unlink()
    try:
        _write(told, part)
        if suffix == ".csv":
            side = path.with_name(path.name + ABOUT_SUFFIX)
            write_whole(side, about_json(told.about, told.carried))
        part.replace(path)
    finally:
        part.unlink(missing_ok=True)
    return [path, path.with_name(path.name + ABOUT_SUFFIX)] if suffix == ".csv" else [path]


def _write(told: Told, path: Path) -> None:
    """Write the file itself. Raises StoreFull where a library could not finish it."""
    try:
        WRITERS[path.suffix](told, path)
    except XlsxFileError as error:
        raise StoreFull(Fault(key="store_full"), file=path.name) from error


def table_bytes(told: Told, suffix: str) -> bytes:
    """Return a table as the bytes of one kind of file; a CSV and its sidecar as one archive."""
    with TemporaryDirectory() as folder:
        files = write_table(told, Path(folder, f"{told.table.what}{suffix}"))
        if len(files) == 1:
            return files[0].read_bytes()
        return zip_files({file.name: file.read_bytes() for file in files})


def table_ending(suffix: str) -> str:
    """Return how the name of what `table_bytes` gives ends."""
    return f"{suffix}.zip" if suffix == ".csv" else suffix


def read_file_figures(path: Path) -> dict[str, Any]:
    """
    Return the figures that travel with a file: inside it, or in the sidecar of a CSV.

    Raises BadFile where there are none.
    """
    side = path.with_name(path.name + ABOUT_SUFFIX)
    body = (side if side.exists() else path).read_bytes()
    if not body.startswith(_SQLITE):
        return read_carried(body)
    try:
        about = geopandas.read_file(path, layer="about", engine="pyogrio")
        rows = dict(zip(about["name"], about["value"], strict=True))
    except (ValueError, KeyError, RuntimeError) as error:
        raise BadFile(Fault(key="briefing_no_figures"), file=path.name) from error
    return parse_carried(rows.get("getu"))


_SQLITE = b"SQLite format 3\0"


def about_json(about: About, carried: Mapping[str, Any]) -> bytes:
    """Return what a table is, in words and as figures, as JSON."""
    plain = {"getu": carried["getu"], "about": [list(row) for row in about], **carried}
    return orjson.dumps(plain)


def _write_csv(told: Told, path: Path) -> None:
    plain = escape_formulas(_spoken(as_plain(told.table.frame), told.lang))
    plain.columns = pd.Index([escape_formula(_heading(told.table, name)) for name in plain.columns])
    plain.to_csv(path, index=False, encoding="utf-8-sig", lineterminator="\r\n")


def _write_xlsx(told: Told, path: Path) -> None:
    plain = as_plain(told.table.frame)
    if len(plain) > _MOST_ROWS:
        raise BadFile(Fault(key="briefing_too_long", values={"most": f"{_MOST_ROWS:,}"}))
    options = {"strings_to_formulas": False, "strings_to_urls": False, "nan_inf_to_errors": False}
    with xlsxwriter.Workbook(path, options) as book:
        book.set_properties({"created": _EPOCH, "title": dict(told.about).get("title", "")})
        bold = book.add_format({"bold": True, "text_wrap": True, "valign": "top"})
        wrap = book.add_format({"text_wrap": True, "valign": "top"})
        first = book.add_worksheet(say("briefing.sheet.about", told.lang))
        for line, (label, value) in enumerate(told.about):
            first.write_string(line, 0, label, bold)
            first.write_string(line, 1, value, wrap)
        first.set_column(0, 0, _WIDE)
        first.set_column(1, 1, _WIDEST)
        sheet = book.add_worksheet(say(f"briefing.table.{told.table.what}", told.lang))
        for place, name in enumerate(plain.columns):
            sheet.write_string(0, place, _heading(told.table, name), bold)
            for line, cell in enumerate(plain[name].tolist(), start=1):
                _write_cell(sheet, line, place, cell, told.lang)
        sheet.set_column(0, len(plain.columns), _NARROW)
        sheet.freeze_panes(1, 1)
        sheet.autofilter(0, 0, len(plain), len(plain.columns) - 1)
    path.write_bytes(seal_office(path.read_bytes(), told.carried))


def _write_cell(sheet: Any, line: int, place: int, cell: Any, lang: Lang) -> None:
    """Write a cell as what it is: text is never calculated, an id keeps its digits."""
    if cell is None or (isinstance(cell, float) and np.isnan(cell)):
        return
    if isinstance(cell, bool):
        sheet.write_string(line, place, say(f"briefing.{'yes' if cell else 'no'}", lang))
    elif isinstance(cell, int | float):
        sheet.write_number(line, place, cell)
    else:
        sheet.write_string(line, place, str(cell))


def _write_gpkg(told: Told, path: Path) -> None:
    write_layer(told.table.frame, path, layer=told.table.what)
    rows = [
        *told.about,
        *told.table.headings.items(),
        ("getu", orjson.dumps(told.carried).decode()),
    ]
    names, values = zip(*rows, strict=True)
    about = geopandas.GeoDataFrame(
        {"name": names, "value": values}, geometry=[None] * len(rows), crs=4326
    )
    write_layer(about, path, layer="about", append=True)


def _write_parquet(told: Told, path: Path) -> None:
    told.table.frame.to_parquet(path, index=False)
    read = pyarrow.parquet.read_table(path)
    said = {"getu": about_json([*told.about, *told.table.headings.items()], told.carried)}
    held = {key.decode(): value for key, value in (read.schema.metadata or {}).items()}
    pyarrow.parquet.write_table(read.replace_schema_metadata(held | said), path)


WRITERS: dict[str, Callable[[Told, Path], None]] = {
    ".csv": _write_csv,
    ".xlsx": _write_xlsx,
    ".gpkg": _write_gpkg,
    ".parquet": _write_parquet,
}


def _heading(table: ExportTable, name: object) -> str:
    return table.headings.get(str(name), str(name))


def _spoken(plain: pd.DataFrame, lang: Lang) -> pd.DataFrame:
    words = {True: say("briefing.yes", lang), False: say("briefing.no", lang)}
    for name in plain.columns:
        if plain[name].dtype == np.bool_:
            plain[name] = plain[name].map(words)
    return plain
