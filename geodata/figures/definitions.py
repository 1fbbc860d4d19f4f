"""The dictionary of figures: what each one counts, of what, over which time, rounded how."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from types import MappingProxyType
from typing import Literal

from geodata.words import Lang, say

Window = Literal["period", "now", "before", "last_year", "against", "ahead", "standing"]
Rounding = Literal["none", "percent", "decimal"]


@dataclass(frozen=True, slots=True, kw_only=True)
class Definition:
    """
    One figure: its name is the words' `figure.<key>`, its formula `definition.<key>`.

    A rate has a numerator and a denominator, each the key of another figure or of words under
    `counted`; a count has only what it counts.
    """

    key: str
    numerator: str
    denominator: str = ""
    window: Window = "period"
    rounding: Rounding = "none"


def _count(key: str, window: Window = "period") -> Definition:
    return Definition(key=key, numerator=key, window=window)


def _rate(key: str, numerator: str, denominator: str, window: Window = "period") -> Definition:
    return Definition(
        key=key, numerator=numerator, denominator=denominator, window=window, rounding="percent"
    )


# contracts.md 6. States are told at `now`, of what was reported in the period.
DEFINITIONS: Mapping[str, Definition] = MappingProxyType(
    {
        entry.key: entry
        for entry in (
            _count("total"),
            _count("open", "now"),
            _count("overdue", "now"),
            _count("due_soon", "now"),
            _count("suspended", "now"),
            _count("ageing", "now"),
            _count("near_line"),
            _count("unowned"),
            _count("steps"),
            _count("stages", "now"),
            _count("hot_places"),
            _count("cameras", "standing"),
            _count("places", "standing"),
            _rate("completion", "handled_of_dispatched", "dispatched"),
            _rate("closing", "closed_of_registered", "registered"),
            _rate("on_time", "closed_on_time", "closed_with_deadline"),
            _rate("returned", "returned_once", "dispatched"),
            _rate("reopened", "reopened_once", "closed_once"),
            _rate("before", "difference_before", "total_before", "before"),
            _rate("last_year", "difference_last_year", "total_last_year", "last_year"),
            _rate("against", "difference_against", "total_against", "against"),
            Definition(
                key="risk", numerator="risk", denominator="", window="ahead", rounding="decimal"
            ),
        )
    }
)


def describe_figure(key: str, lang: Lang) -> dict[str, str]:
    """
    Return a figure's entry in words: name, formula, numerator, denominator, window, rounding.

    `denominator` is empty for a count. Raises KeyError for a figure that has no entry.
    """
    entry = DEFINITIONS[key]
    if entry.denominator:
        parts = {
            "numerator": say(f"counted.{entry.numerator}", lang),
            "denominator": say(f"counted.{entry.denominator}", lang),
        }
    else:
        parts = {"numerator": say(f"figure.{entry.numerator}", lang), "denominator": ""}
    return {
        "name": say(f"figure.{key}", lang),
        "formula": say(f"definition.{key}", lang),
        **parts,
        "window": say(f"figure_window.{entry.window}", lang),
        "rounding": say(f"figure_rounding.{entry.rounding}", lang),
    }
