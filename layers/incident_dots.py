"""Each incident as a dot: shape and colour say how its deadline stands."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from geodata.access.scope import ROWS
from geodata.events import clock
from geodata.events.incidents import STAGES
from geodata.words import say
from layers.layer import Entry, Field, Layer, Legend, LegendFacts, Picture, Source, Style
from layers.palette import STATE_COLOR, STATE_SHAPE, style_states
from layers.point_tile import encode_about, encode_dots, find_dots
from layers.vector_tile import Column

MINZOOM, MAXZOOM = 14, 16
MOST_DOTS = 20_000  # a tile; above it dots that share half a pixel are drawn as one, and counted
STATES = tuple(STATE_COLOR)  # in drawing order, the most pressing last

_NAMES = {"done_on_time": "done", "done_late": "done", "no_deadline": "undated"}
_DRAWN_AS = np.array([STATES.index(_NAMES.get(name, name)) for name in clock.STATES], np.int32)


def find_states(picture: Picture, rows: slice | NDArray[np.int64]) -> NDArray[np.int32]:
    """Return the place in STATES of each incident; what is over is done, deadline or not."""
    state = _DRAWN_AS[picture.facts.states(picture.now)[rows]]
    over = STATES.index("done")
    return np.where(picture.facts.snapshot.open[rows], state, over).astype(np.int32)


def read_tile(picture: Picture) -> bytes | None:
    """Return one tile of dots, feature id = incident, with a layer `about` that says n of N."""
    assert picture.tile is not None
    all_dots = find_dots(picture, picture.tile)
    if not len(all_dots.rows):
        return None
    state = find_states(picture, all_dots.rows)
    dots = all_dots.thin(state, most=MOST_DOTS)
    about = encode_about(shown=len(dots.rows), of=len(all_dots.rows))
    column = Column(codes=state[dots.kept], values=STATES)
    return encode_dots(picture, dots, name=DOTS.name, state=column) + about


def read_legend(picture: Picture) -> LegendFacts:
    """Return a mark for each state with how many incidents are in it."""
    placed = slice(picture.facts.snapshot.placed)
    chosen = picture.selected(placed)
    found = np.bincount(find_states(picture, placed)[chosen], minlength=len(STATES))
    return LegendFacts(
        entries=tuple(
            Entry(
                label=say(f"layer.state.{state}", picture.lang),
                shape=STATE_SHAPE[state],
                color=STATE_COLOR[state],
                n=int(found[place]),
            )
            for place, state in reversed(list(enumerate(STATES)))
        ),
        shown=int(chosen.sum()),
        of=int(picture.within().sum()),
        notes=(say("legend.dots_thinned", picture.lang, most=MOST_DOTS),),
    )


DOTS = Source(
    name="dots",
    format="mvt",
    read=read_tile,
    needs=ROWS,
    fields=("state", "stage", "kind", "category", "at", "n"),
    filtered=True,
    minzoom=MINZOOM,
    maxzoom=MAXZOOM,
    budget_bytes=400_000,
)
LAYER = Layer(
    id="incident-dots",
    kind="dots",
    group="incidents",
    title="layer.incident_dots",
    source=DOTS,
    legend=Legend(read=read_legend, unit="legend.unit_incidents"),
    style=Style(plain={"field": "state", "states": style_states()}),
    fields=(
        Field(
            name="kind",
            title="layer.field.kind",
            codes=lambda facts, lang: {str(k): v for k, v in facts.kind_names(lang).items()},
        ),
        Field(
            name="state",
            title="layer.field.state",
            codes=lambda _, lang: {state: say(f"layer.state.{state}", lang) for state in STATES},
        ),
        Field(
            name="stage",
            title="layer.field.stage",
            codes=lambda _, lang: {
                str(n): say(f"stage.{text}", lang) for n, text in enumerate(STAGES)
            },
        ),
        Field(name="at", title="layer.field.reported_at", format="time"),
        Field(name="n", title="layer.field.stacked", format="number"),
    ),
    minzoom=MINZOOM,
)
