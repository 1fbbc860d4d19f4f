"""What printed things are read with in tests: sights of a city, texts of a PDF, a sheet's marks."""

from __future__ import annotations

import re
import zlib
from dataclasses import dataclass
from pathlib import Path
from typing import Any
from xml.etree import ElementTree

import orjson

from dashboard.pictures import Pictures
from geodata.access.scope import ROWS, Scope
from geodata.access.sight import Sight
from geodata.city import City
from geodata.snapshots.facts import FactsKeeper
from geodata.snapshots.snapshot import Filter
from layers.print.margin import Imprint
from layers.print.page import find_page
from layers.print.sheet import Sheet, draw_sheet
from layers.print.view import PrintView
from layers.tile_cache import TileCache
from tests.hostile_city import IMAGE, SCRIPT, TYPST, make_hostile_city

EVERYTHING = Scope.whole_city("tester", ("read", ROWS, "export"))
SVG = "{http://www.w3.org/2000/svg}"


def see(city: City, now: int, scope: Scope = EVERYTHING) -> Sight:
    """Return what a scope sees of a city, with the class breaks of the screens."""
    keeper = FactsKeeper(city)
    pictures = Pictures(keeper=keeper, cache=TileCache(limit_bytes=0), now=lambda: now)
    return pictures.facts(scope)


def draw(sight: Sight, now: int, *, page: str = "A4", lang: str = "zh", **view: Any) -> Sheet:
    """Draw a sheet of all there is, or of the view whose parts are given."""
    empty = view.pop("empty", False)
    imprint = view.pop("imprint", Imprint(head="7:0123456789abcdef"))
    return draw_sheet(
        sight, PrintView(**{"filter": Filter(), **view}), page=find_page(page), lang=lang,
        now=now, imprint=imprint, empty=empty,
    )  # fmt: skip


@dataclass(frozen=True)
class Written:
    """One text of an SVG: what, where its letters stand (mm), how large, how anchored."""

    text: str
    x: float
    y: float
    size: float
    anchor: str
    turned: bool


def texts_of(svg: bytes) -> list[Written]:
    """Return every text of a sheet."""
    root = ElementTree.fromstring(svg)
    return [
        Written(
            text=item.text or "",
            x=float(item.get("x", 0)),
            y=float(item.get("y", 0)),
            size=float(item.get("font-size", 0)),
            anchor=item.get("text-anchor", "start"),
            turned=item.get("transform") is not None,
        )
        for item in root.iter(SVG + "text")
    ]


def texts_on(sheet: Sheet) -> list[Written]:
    """Return every text of a sheet, without cutting a font for it."""
    return texts_of(sheet.scene.svg(with_font=False).encode())


def read_pdf_text(body: bytes) -> str:
    """Return the text of a PDF as a reader selects it: glyphs by their ToUnicode table."""
    streams = []
    for found in re.finditer(rb"stream\r?\n(.*?)\r?\nendstream", body, re.DOTALL):
        try:
            streams.append(zlib.decompress(found[1]))
        except zlib.error:
            continue
    letters: dict[int, str] = {}
    for stream in streams:
        for block in re.findall(rb"beginbfchar(.*?)endbfchar", stream, re.DOTALL):
            for code, text in re.findall(rb"<(\w+)> <(\w+)>", block):
                letters[int(code, 16)] = bytes.fromhex(text.decode()).decode("utf-16-be")
    shown = [decode(raw, letters) for one in streams if b"BT" in one for raw in strings_of(one)]
    return "".join(shown)


STRING = rb"<\w*>|\((?:\\.|[^\\)])*\)"
SHOWN = re.compile(
    rb"(" + STRING + rb")\s*Tj|\[((?:" + STRING + rb"|[-\d.\s]+)*)\]\s*TJ", re.DOTALL
)


def strings_of(stream: bytes) -> list[bytes]:
    """Return the strings shown by a content stream, both forms undone (PDF 32000, 7.3.4)."""
    return [
        bytes.fromhex(raw[1:-1].decode())
        if raw[:1] == b"<"
        else re.sub(rb"\\([0-7]{1,3}|.)", unescape, raw[1:-1], flags=re.DOTALL)
        for shown in SHOWN.finditer(stream)
        for raw in re.findall(STRING, shown[1] or shown[2] or b"", re.DOTALL)
    ]


def unescape(found: re.Match[bytes]) -> bytes:
    sign = found[1]
    if sign[:1].isdigit():
        return bytes([int(sign, 8)])
    return {b"n": b"\n", b"r": b"\r", b"t": b"\t", b"b": b"\b", b"f": b"\f"}.get(sign, sign)


def decode(plain: bytes, letters: dict[int, str]) -> str:
    codes = [int.from_bytes(plain[at : at + 2], "big") for at in range(0, len(plain), 2)]
    return "".join(letters.get(code, "") for code in codes)


def make_printed_attacks(folder: Path) -> City:
    """Make a tiny city whose every name is an attack on HTML, SVG, Typst or a template."""
    attacks = (IMAGE, SCRIPT, TYPST)
    return make_hostile_city(folder, attacks, zh=f"{SCRIPT}{TYPST}", en=f"{IMAGE}{TYPST}")


def read_portable(page: bytes) -> dict[str, Any]:
    """Return the data inside a stand-alone map."""
    begin = page.index(b'id="data">') + len(b'id="data">')
    found: dict[str, Any] = orjson.loads(page[begin : page.index(b"</script>", begin)])
    return found
