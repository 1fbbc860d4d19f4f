"""Every sentence a person reads, in Chinese and English, by key."""

from __future__ import annotations

import tomllib
from functools import cache
from pathlib import Path
from typing import Any, Literal

Lang = Literal["zh", "en"]
LANGS: tuple[Lang, ...] = ("zh", "en")
_FOLDER = Path(__file__).parent / "text"


@cache
def load_words(lang: Lang) -> dict[str, str]:
    """Return all sentences of one language, keys joined by dots."""
    with (_FOLDER / f"{lang}.toml").open("rb") as file:
        return dict(_flatten(tomllib.load(file)))


def say(key: str, lang: Lang = "zh", **values: object) -> str:
    """
    Return the sentence for `key` in `lang`, its {placeholders} filled from `values`.

    Raises KeyError for an unknown key: a missing sentence is a defect, and a test finds it first.
    """
    return load_words(lang)[key].format(**values)


def has_words(key: str) -> bool:
    """Tell whether a sentence exists for `key`."""
    return key in load_words("zh")


def parse_lang(text: str | None, default: Lang = "zh") -> Lang:
    """Return the language that a locale or header such as `en_GB.UTF-8` asks for."""
    start = (text or "").lower()[:2]
    return start if start in LANGS else default


def _flatten(tree: dict[str, Any], prefix: str = "") -> list[tuple[str, str]]:
    rows: list[tuple[str, str]] = []
    for name, value in tree.items():
        key = f"{prefix}{name}"
        rows += _flatten(value, f"{key}.") if isinstance(value, dict) else [(key, str(value))]
    return rows
