"""The legend of grids coloured by classes: bounds, counts, zero, thin data, no data."""

from __future__ import annotations

from itertools import pairwise

import numpy as np

from geodata.words import Lang, say
from layers.classes import classify
from layers.layer import Entry, Values
from layers.palette import NO_DATA, RISK, ZERO, Ramp

_THIN, _ZERO, _NO_FIGURE = -3, -1, -2


def class_entries(values: Values, lang: Lang, *, ramp: Ramp = RISK) -> tuple[Entry, ...]:
    """Return a line for each class with its bounds and how many grids are in it."""
    found = classify(values.values, values.breaks)
    found[values.thin] = _THIN
    marks = [
        ("0", "fill", ZERO, _ZERO),
        *(
            (label, "fill", {theme: colors[place] for theme, colors in ramp.items()}, place)
            for place, label in enumerate(_bounds(values.breaks, lang))
        ),
        (say("legend.thin", lang), "hatch", NO_DATA, _THIN),
        (say("legend.no_data", lang), "fill", NO_DATA, _NO_FIGURE),
    ]
    return tuple(
        Entry(label=label, shape=shape, color=color, n=int((found == code).sum()))
        for label, shape, color, code in marks
    )


def count_judged(values: Values) -> int:
    """Return how many grids have a figure that may be trusted."""
    judged = np.isfinite(values.values)
    judged[values.thin] = False
    return int(judged.sum())


def _bounds(breaks: tuple[float, ...], lang: Lang) -> list[str]:
    if not breaks:
        return [say("legend.class_any", lang)]
    texts = [f"{limit:g}" for limit in breaks]
    between = [
        say("legend.class_between", lang, low=low, high=high) for low, high in pairwise(texts)
    ]
    below = say("legend.class_below", lang, high=texts[0])
    return [below, *between, say("legend.class_from", lang, low=texts[-1])]
