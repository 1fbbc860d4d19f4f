"""Typesetting: drawn sheets to PDF and PNG by Typst, whose text stays text; no browser, no net."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any

import orjson
import typst

from geodata.words import Lang, say
from layers.print.lettering import FAMILY, font_folder

# Every word comes in as data (`told`), never as source: no title can be read as a command.
_HEAD = """
#let told = json("told.json")
#set document(
  title: told.title,
  author: told.author,
  date: datetime(
    year: told.at.at(0), month: told.at.at(1), day: told.at.at(2),
    hour: told.at.at(3), minute: told.at.at(4), second: 0,
  ),
)
#set text(font: told.font, lang: told.lang, fallback: false)
#set page(margin: 0pt)
"""
_SHEETS = """
#for sheet in told.sheets {
  page(width: sheet.width * 1mm, height: sheet.height * 1mm)[
    #place(hide(heading(level: sheet.level, bookmarked: true, outlined: false, sheet.bookmark)))
    #place(image(sheet.file, width: 100%, height: 100%, alt: sheet.alt))
  ]
}
"""


@dataclass(frozen=True, slots=True, kw_only=True)
class Leaf:
    """One drawn page: its SVG without a font, its size, its bookmark and what it shows in words."""

    svg: str
    width_mm: float
    height_mm: float
    bookmark: str
    alt: str
    level: int = 1


def set_pdf(leaves: Sequence[Leaf], *, title: str, lang: Lang, at: int) -> bytes:
    """Return the pages as PDF; dates in it are `at` (UTC s), so that the same is always equal."""
    return _compile(_HEAD + _SHEETS, _tell(leaves, title=title, lang=lang, at=at), _files(leaves))


def set_png(leaf: Leaf, *, dpi: int) -> bytes:
    """Return one page as PNG."""
    told = _tell([leaf], title=leaf.bookmark, lang="zh", at=0)
    return _compile(_HEAD + _SHEETS, told, _files([leaf]), format="png", ppi=float(dpi))


def compile_pages(source: str, told: dict[str, Any], leaves: Sequence[Leaf]) -> bytes:
    """Return a PDF of own Typst source that finds its words in `told` and the leaves as files."""
    return _compile(source, told, _files(leaves))


def _compile(source: str, told: dict[str, Any], files: dict[str, bytes], **options: Any) -> bytes:
    given = {"main.typ": source.encode(), "told.json": orjson.dumps(told), **files}
    made = typst.compile(
        given, font_paths=[str(font_folder())], ignore_system_fonts=True, timestamp=0, **options
    )
    assert isinstance(made, bytes)
    return made


def _tell(leaves: Sequence[Leaf], *, title: str, lang: Lang, at: int) -> dict[str, Any]:
    return {**tell_document(title=title, lang=lang, at=at), "sheets": list_leaves(leaves)}


def tell_document(*, title: str, lang: Lang, at: int) -> dict[str, Any]:
    """Return what the head of a document is told."""
    moment = datetime.fromtimestamp(at, UTC)
    return {
        "title": title,
        "author": say("product.mark", lang),
        "font": FAMILY,
        "lang": lang,
        "at": [moment.year, moment.month, moment.day, moment.hour, moment.minute],
    }


def list_leaves(leaves: Sequence[Leaf]) -> list[dict[str, Any]]:
    """Return what a document is told of its drawn pages."""
    return [
        {
            "file": f"sheet-{place}.svg",
            "width": leaf.width_mm,
            "height": leaf.height_mm,
            "bookmark": leaf.bookmark,
            "alt": leaf.alt,
            "level": leaf.level,
        }
        for place, leaf in enumerate(leaves)
    ]


def _files(leaves: Sequence[Leaf]) -> dict[str, bytes]:
    return {f"sheet-{place}.svg": leaf.svg.encode() for place, leaf in enumerate(leaves)}
