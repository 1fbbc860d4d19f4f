"""Pinyin: how Chinese names sound, from a dictionary that is read when the first one is spelt."""

from __future__ import annotations

from collections.abc import Callable
from functools import cache
from importlib import import_module
from typing import Any, Literal, cast

Spelling = Literal["NORMAL", "FIRST_LETTER", "TONE3"]  # styles of pypinyin


def spell_name(name: str, style: Spelling = "NORMAL") -> list[str]:
    """Return the syllables of a name, their first letters, or with tones as numbers behind."""
    styles, spell = _open_dictionary()
    return spell(name, style=styles[style])


@cache
def _open_dictionary() -> tuple[Any, Callable[..., list[str]]]:
    """Return the styles and the speller: its 0.3 s are no part of a server's start."""
    pypinyin = import_module("pypinyin")
    return pypinyin.Style, cast("Callable[..., list[str]]", pypinyin.lazy_pinyin)
