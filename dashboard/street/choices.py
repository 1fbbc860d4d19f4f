"""What the filters of a street page let one choose from: the kinds, sources, stages there are."""

from __future__ import annotations

from typing import Any

import numpy as np

from dashboard.street.view import StreetView
from geodata.access.sight import Sight
from geodata.events.incidents import STAGES
from geodata.events.sources import name_source
from geodata.snapshots.facts import UNMATCHED
from geodata.words import Lang, say


def category_names(sight: Sight, lang: Lang) -> dict[int, str]:
    """Return the categories by name, those of unknown kinds among them."""
    unmatched = say("filter.unmatched", lang)
    return {
        code: unmatched if name == UNMATCHED else name
        for code, name in sight.category_names(lang).items()
    }


def source_names(sight: Sight, lang: Lang) -> dict[int, str]:
    """Return the sources in words, as far as the program knows them."""
    return {code: name_source(text, lang) for code, text in sight.source_terms.items()}


def list_categories(sight: Sight, lang: Lang) -> list[tuple[Any, str]]:
    """Return the categories that cases of the scope have, by name: number and name."""
    return _list_used(sight, "category", category_names(sight, lang))


def list_kinds(sight: Sight, lang: Lang) -> list[tuple[str, list[tuple[Any, str]]]]:
    """Return the kinds that cases of the scope have, by category: its name, and text and name."""
    column = "category_en" if lang == "en" and "category_en" in sight.kinds else "category"
    named = sight.kinds[column].dropna().to_dict() if column in sight.kinds else {}
    found: dict[str, list[tuple[Any, str]]] = {}
    for text, name in _list_used(sight, "kind", sight.kind_names(lang), sight.kind_terms):
        found.setdefault(named.get(text) or say("filter.unmatched", lang), []).append((text, name))
    return sorted(found.items())


def list_texts(sight: Sight, lang: Lang) -> dict[str, list[tuple[Any, str]]]:
    """Return the sources and stages that cases of the scope have: text and name of each."""
    stages = [(name, say(f"stage.{name}", lang)) for name in STAGES]
    found = _used(sight, "stage")
    return {
        "source": _list_used(sight, "source", source_names(sight, lang), sight.source_terms),
        "stage": [stages[code] for code in sorted(found)],
    }


def name_chosen(sight: Sight, street: StreetView) -> list[str]:
    """Return what narrows a page beside its period, each as people read it."""
    view, lang = street.view, street.view.lang
    found = [] if view.state == "all" else [say(f"filter.{view.state}", lang)]
    if view.category is not None:
        found.append(category_names(sight, lang).get(view.category, ""))
    listed = list_texts(sight, lang)
    listed["kind"] = [
        (text, sight.kind_names(lang)[code]) for code, text in sight.kind_terms.items()
    ]
    for name in ("kind", "source", "stage"):
        text = getattr(street, name)
        found.append(dict(listed[name]).get(text, text))
    return [
        *filter(None, found),
        *filter(None, [street.body and sight.body_name(street.body, lang)]),
    ]


def _list_used(sight: Sight, column: Any, names: Any, texts: Any = None) -> list[tuple[Any, str]]:
    listed = [
        (code if texts is None else texts[code], names[code])
        for code in _used(sight, column)
        if code in names and (texts is None or texts.get(code))
    ]
    return sorted(listed, key=lambda one: str(one[1]))


def _used(sight: Sight, column: Any) -> set[int]:
    return set(np.flatnonzero(sight.counter.count([column])).tolist())
