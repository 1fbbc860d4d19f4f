"""Every sentence a person reads, in Chinese and English, by key."""

from __future__ import annotations

import dataclasses
import locale
import tomllib
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from typing import Any, Literal

Lang = Literal["zh", "en"]
LANGS: tuple[Lang, ...] = ("zh", "en")
_FOLDER = Path(__file__).parent / "text"


@cache
def load_words(lang: Lang) -> dict[str, str]:
    """Return all sentences of one language, keys joined by dots; each subject has its file."""
    files = sorted((_FOLDER / lang).glob("*.toml"))
    return dict(row for file in files for row in _flatten(tomllib.loads(file.read_text("utf-8"))))


@dataclass(frozen=True, slots=True)
class Word:
    """A value of a sentence that is itself spoken by key, in whatever language the sentence is."""

    key: str
    values: dict[str, object] = dataclasses.field(default_factory=dict)


def say(key: str, lang: Lang = "zh", **values: object) -> str:
    """
    Return the sentence for `key` in `lang`, its {placeholders} filled from `values`.

    A value that is a Word is spoken too; a tuple of texts and Words becomes a list.

    Raises KeyError for an unknown key: a missing sentence is a defect, and a test finds it first.
    """
    spoken = {name: _speak(value, lang) for name, value in values.items()}
    return load_words(lang)[key].format(**spoken)


def join(parts: Iterable[str], lang: Lang) -> str:
    """Return texts as one list, parted as the language parts them."""
    return load_words(lang)["list.between"].join(parts)


def has_words(key: str) -> bool:
    """Tell whether a sentence exists for `key`."""
    return key in load_words("zh")


def parse_lang(text: str | None, default: Lang = "zh") -> Lang:
    """Return the language that a locale or header such as `en_GB.UTF-8` asks for."""
    start = (text or "").lower()[:2]
    return start if start in LANGS else default


def find_lang(environ: Mapping[str, str]) -> Lang:
    """
    Return the language an environment asks for, though its locale may not be installed here.

    The names and their order are those of gettext; C and POSIX mean English.
    """
    names = ("LC_ALL", "LC_MESSAGES", "LANG")
    asked = next((environ[name] for name in names if environ.get(name)), None)
    if asked is not None and asked.split(".", maxsplit=1)[0] in ("C", "POSIX"):
        return "en"
    return parse_lang(asked or locale.getlocale()[0])


def _speak(value: object, lang: Lang) -> object:
    if isinstance(value, Word):
        return say(value.key, lang, **value.values)
    if isinstance(value, tuple):
        return join([str(_speak(part, lang)) for part in value], lang)
    return value


def _flatten(tree: dict[str, Any], prefix: str = "") -> list[tuple[str, str]]:
    rows: list[tuple[str, str]] = []
    for name, value in tree.items():
        key = f"{prefix}{name}"
        rows += _flatten(value, f"{key}.") if isinstance(value, dict) else [(key, str(value))]
    return rows
