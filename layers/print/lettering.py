"""Lettering: the one font of everything printed, how wide a text is, where its lines break."""

from __future__ import annotations

import base64
import tempfile
from collections.abc import Iterable
from functools import lru_cache
from pathlib import Path
from typing import Final

import pylopdf_fonts_zh_cn
from fontTools.ttLib import TTFont

from geodata.errors import Fault, NotFound
from geodata.fonts import cut_font

FAMILY: Final = "Noto Sans SC"
NO_GLYPH: Final = "〓"  # what Chinese printers set for a character they have no type of
_NEVER_FIRST: Final = frozenset("，。、；：！？）》」』】％’”,.;:!?)]%…")
_WORD_SIGNS: Final = frozenset("'-_./:%+#&@")


def font_folder() -> Path:
    """Return the folder of the font; raises NotFound where it is not installed."""
    path = Path(pylopdf_fonts_zh_cn.sans_path())
    if not path.exists():
        raise NotFound(Fault(key="font_missing", values={"font": FAMILY}))
    return path.parent


@lru_cache(maxsize=1)
def _advances() -> dict[int, float]:
    """Return the width of each character in shares of the letter height."""
    font_folder()
    with TTFont(pylopdf_fonts_zh_cn.sans_path(), lazy=True) as font:
        widths, em = font["hmtx"].metrics, font["head"].unitsPerEm
        return {code: widths[name][0] / em for code, name in font.getBestCmap().items()}


def print_text(text: object) -> str:
    """Return a text as it can be set: on one line, what the font lacks replaced by a mark."""
    known = _advances()
    plain = " ".join(str(text).split())
    return "".join(c if ord(c) in known else NO_GLYPH for c in plain if c.isprintable())


def measure_text(text: str, size: float) -> float:
    """Return the width of a line in the unit of `size`."""
    known = _advances()
    return size * sum(known.get(ord(c), 1.0) for c in text)


def break_lines(text: str, size: float, width: float) -> list[str]:
    """
    Return the lines of a text in a column.

    Chinese breaks anywhere but before a closing sign; words of Latin letters and numbers stay
    whole unless one alone is wider than the column.
    """
    lines = [""]
    for piece in _pieces(text):
        grown = lines[-1] + piece
        fits = measure_text(grown.rstrip(), size) <= width
        if fits or not lines[-1]:
            lines[-1] = grown
        else:
            lines.append(piece.lstrip())
        while measure_text(lines[-1].rstrip(), size) > width and len(lines[-1].rstrip()) > 2:
            cut = _cut_at(lines[-1], size, width)
            lines[-1:] = [lines[-1][:cut], lines[-1][cut:]]
    return [line.rstrip() for line in lines]


def cut_text(text: str, size: float, width: float) -> str:
    """Return a text cut with an ellipsis where it is wider than its place."""
    if measure_text(text, size) <= width:
        return text
    while text and measure_text(text + "…", size) > width:
        text = text[:-1]
    return text + "…"


def embed_font(texts: Iterable[str]) -> str:
    """Return a CSS rule that carries the font of these texts; the same texts, the same bytes."""
    return _embed("".join(sorted(frozenset().union(*texts))))


@lru_cache(maxsize=8)
def _embed(characters: str) -> str:
    with tempfile.TemporaryDirectory() as folder:
        file = Path(folder) / "font.woff2"
        cut_font(characters, file)
        body = base64.b64encode(file.read_bytes()).decode()
    return (
        f'@font-face{{font-family:"{FAMILY}";src:url(data:font/woff2;base64,{body}) '
        'format("woff2")}'
    )


def _pieces(text: str) -> list[str]:
    pieces: list[str] = []
    for sign in text:
        latin = sign.isascii() and (sign.isalnum() or sign in _WORD_SIGNS or sign == ",")
        last = pieces[-1][-1] if pieces else " "
        joins = sign in _NEVER_FIRST or (latin and last.isascii())
        if joins and last != " ":
            pieces[-1] += sign
        else:
            pieces.append(sign)
    return pieces


def _cut_at(text: str, size: float, width: float) -> int:
    for end in range(len(text), 1, -1):
        if measure_text(text[:end], size) <= width and text[end : end + 1] not in _NEVER_FIRST:
            return end
    return 1
