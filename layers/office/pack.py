"""A pack: slides, page, map sheet and tables of one briefing, written all or not at all."""

from __future__ import annotations

import os
import shutil
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Final

from geodata.errors import BadFile, Fault
from geodata.whole_file import write_whole
from layers.office.map_picture import PICTURE_DPI, draw_map_sheet, draw_picture, list_legend
from layers.office.page_docx import set_docx
from layers.office.page_pdf import set_page_pdf
from layers.office.paper import Paper, tell_tables
from layers.office.sealing import zip_files
from layers.office.slides import MAP_MM, set_slides
from layers.office.table_files import write_table
from layers.print.page import Page, find_page

Progress = Callable[[str, float], None]
PARTS = ("slides", "page", "sheet", "tables")
_PAGE_MAP_MM = (156.0, 100.0)
_TABLES: dict[str, tuple[str, ...]] = {"grids": (".xlsx", ".csv", ".gpkg", ".parquet")}
SHEET_PAGE: Final = "A4"


@dataclass(frozen=True, slots=True, kw_only=True)
class Style:
    """How papers are set: the office's templates, the map's page, whether its vector twin goes."""

    docx: bytes | None = None
    pptx: bytes | None = None
    page: Page = field(default_factory=lambda: find_page(SHEET_PAGE))
    vector: bool = False


def make_slides(paper: Paper, style: Style) -> bytes:
    """Return a paper as PPTX."""
    sheet = draw_picture(paper, width_mm=MAP_MM[0], height_mm=MAP_MM[1])
    return set_slides(
        paper,
        picture=sheet.png(PICTURE_DPI),
        legend=list_legend(sheet),
        template=style.pptx,
    )


def make_docx(paper: Paper, style: Style) -> bytes:
    """Return a paper's written page as DOCX."""
    sheet = draw_picture(paper, width_mm=_PAGE_MAP_MM[0], height_mm=_PAGE_MAP_MM[1])
    return set_docx(
        paper,
        picture=sheet.png(PICTURE_DPI),
        legend=list_legend(sheet),
        template=style.docx,
    )


def make_pdf(paper: Paper) -> bytes:
    """Return a paper's written page as PDF."""
    sheet = draw_picture(paper, width_mm=_PAGE_MAP_MM[0], height_mm=_PAGE_MAP_MM[1])
    return set_page_pdf(paper, map_sheet=sheet)


def write_pack(
    paper: Paper,
    folder: Path,
    *,
    stem: str,
    style: Style,
    parts: tuple[str, ...] = PARTS,
    progress: Progress,
) -> list[Path]:
    """
    Write the parts of a paper into a folder; return the files.

    They are made in a folder beside it and put in place when the last one is written: a full disk
    or a killed run leaves none of them. Raises BadFile where `folder` is a file.
    """
    if folder.exists() and not folder.is_dir():
        raise BadFile(Fault(key="system_no_folder"), file=str(folder))
    with _beside(folder) as made:
        for place, part in enumerate(parts):
            progress("briefing.step." + part, place / len(parts))
            _WRITE[part](paper, made / stem, style)
            progress("briefing.step." + part, 1.0)
        return _put_in_place(made, folder)


def zip_pack(paper: Paper, stem: str, style: Style) -> bytes:
    """Return all parts of a paper as one archive: the same paper, the same bytes but GeoPackage."""
    with TemporaryDirectory() as folder:
        files = write_pack(paper, Path(folder, "pack"), stem=stem, style=style, progress=_tell_none)
        return zip_files({path.name: path.read_bytes() for path in files})


def _tell_none(step: str, share: float) -> None:
    del step, share


def name_stem(name: str, period: str) -> str:
    """Return the beginning of the files' names: what a file system of any kind takes."""
    text = f"{name}-{period}" if period else name
    kept = "".join(sign if sign.isalnum() or sign in "-_." else "_" for sign in text)
    return kept.strip("._")[:_LONGEST_STEM] or "briefing"


_LONGEST_STEM = 60


def _write_slides(paper: Paper, stem: Path, style: Style) -> None:
    write_whole(_named(stem, ".pptx"), make_slides(paper, style))


def _write_page(paper: Paper, stem: Path, style: Style) -> None:
    write_whole(_named(stem, ".docx"), make_docx(paper, style))
    write_whole(_named(stem, ".pdf"), make_pdf(paper))


def _write_sheet(paper: Paper, stem: Path, style: Style) -> None:
    sheet = draw_map_sheet(paper, style.page)
    write_whole(_named(stem, "-map.pdf"), sheet.pdf())
    write_whole(_named(stem, "-map.png"), sheet.png())
    if style.vector:
        write_whole(_named(stem, "-map.svg"), sheet.svg())


def _write_tables(paper: Paper, stem: Path, _: Style) -> None:
    for what, told in tell_tables(paper, tuple(_TABLES)).items():
        for suffix in _TABLES[what]:
            write_table(told, _named(stem, f"-{what}{suffix}"))


_WRITE: dict[str, Callable[[Paper, Path, Style], None]] = {
    "slides": _write_slides,
    "page": _write_page,
    "sheet": _write_sheet,
    "tables": _write_tables,
}


def _named(stem: Path, end: str) -> Path:
    return stem.with_name(stem.name + end)


@contextmanager
def _beside(folder: Path) -> Iterator[Path]:
    """Yield a new folder beside another, which is gone afterwards with what is left in it."""
    folder.parent.mkdir(parents=True, exist_ok=True)
    made = folder.with_name(f".{folder.name}.{os.getpid()}.part")
    made.mkdir()
    try:
        yield made
    finally:
        shutil.rmtree(made, ignore_errors=True)


def _put_in_place(made: Path, folder: Path) -> list[Path]:
    names = sorted(path.name for path in made.iterdir())
    if not folder.exists():
        made.rename(folder)
    else:  # files of other names stay; nothing can fail for want of room any more
        for name in names:
            (made / name).replace(folder / name)
    return [folder / name for name in names]
