"""Chinese letters for screens that have none: a small font cut from a large one."""

from __future__ import annotations

import os
from collections.abc import Iterable
from importlib.metadata import distribution
from pathlib import Path

import pylopdf_fonts_zh_cn
from fontTools import subset
from fontTools.ttLib import TTFont

from geodata.words import LANGS, load_words

SOURCE = "pylopdf-fonts-zh-cn"
ASCII = frozenset(map(chr, range(0x20, 0x7F)))
# What numbers, dates and units bring along, whichever sentence they stand in.
SIGNS = frozenset("°²³µ·×÷–—‘’“”…‰′″←↑→↓≈≠≤≥■□▲△▼▽○●★☆、。《》「」【】〈〉！（），：；？％～")
UNREADABLE = frozenset("\ufffd")  # no font has it; every browser draws it by itself
LICENSE_NAME_IDS = [0, 1, 2, 3, 4, 5, 6, 13, 14]  # the licence stays inside every cut font


def interface_characters() -> frozenset[str]:
    """Return every character of the interface's sentences, in all languages."""
    sentences = (text for lang in LANGS for text in load_words(lang).values())
    return (frozenset().union(*map(frozenset, sentences)) | ASCII | SIGNS) - UNREADABLE


def cut_font(characters: Iterable[str], out: Path) -> frozenset[str]:
    """
    Write a WOFF2 font of a space and these characters; return those the source lacks.

    `characters` may be strings of any length, such as all names of a city. The source is Noto Sans
    SC Regular (SIL Open Font License). About 200 bytes a Chinese character; 0.2 s and 1 s more for
    600 characters. The same characters always give the same bytes. The file appears at once or not
    at all, so a page that is being served never reads half a font.
    """
    asked = (character for text in (" ", *characters) for character in text)
    wanted = {ord(character) for character in asked if character.isprintable()}
    options = subset.Options()
    options.hinting = False  # a screen of today does not hint CJK outlines
    options.name_IDs = LICENSE_NAME_IDS
    options.notdef_outline = True
    options.recalc_timestamp = False
    with TTFont(pylopdf_fonts_zh_cn.sans_path(), lazy=True, recalcTimestamp=False) as font:
        known = set(font.getBestCmap())
        cutter = subset.Subsetter(options)
        cutter.populate(unicodes=wanted & known)
        cutter.subset(font)
        font.flavor = "woff2"
        out.parent.mkdir(parents=True, exist_ok=True)
        draft = out.with_name(f".{out.name}.{os.getpid()}")
        font.save(draft)
    draft.replace(out)
    return frozenset(map(chr, wanted - known))


def read_license() -> str:
    """Return the licence that has to lie beside every font cut here."""
    return distribution(SOURCE).read_text("licenses/LICENSE") or ""
