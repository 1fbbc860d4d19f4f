"""Grids coloured by their risk: the incidents expected in the next weeks."""

from __future__ import annotations

import numpy as np

from geodata.words import say
from layers.class_legend import class_entries, count_judged
from layers.classes import break_classes
from layers.encode import encode_grids
from layers.layer import Field, Layer, Legend, LegendFacts, Picture, Source, Style, Values
from layers.palette import GRID_LINE, NO_DATA, RISK, ZERO

FIELDS = ("uid", "code", "name", "level", "kind", "body")


def read_grids(picture: Picture) -> bytes:
    """Return the finest grids, `id` being their row in `values`: their shape is no secret."""
    return encode_grids(picture, picture.facts.grids.finest(), key="finest", fields=FIELDS)


def read_risk(picture: Picture) -> Values:
    """
    Return each grid's risk with breaks frozen for the drawing.

    Outside the scope it is the middle of a band (geodata/access/sight.py), and the hover box says
    the band alone; facts that were not made for the scope have no figure there.
    """
    facts = picture.facts
    count = len(facts.grids.finest())
    values, thin = np.full(count, np.nan), np.zeros(count, np.bool_)
    breaks: tuple[float, ...] = ()
    if facts.risk is not None:
        values, thin = facts.risk.value.astype(np.float64), facts.risk.thin
        place = ("drawing", "breaks", LAYER.id, facts.grids.drawing)
        if place not in facts.kept:
            # Thin grids are hatched, not coloured: they must not widen the classes of the others.
            facts.kept[place] = break_classes(values[~thin])
        breaks = facts.kept[place]
    texts: dict[int, str] = {}
    hidden = picture.hidden()
    if facts.outside is None:
        values, thin = np.where(hidden, np.nan, values), thin & ~hidden
    elif facts.risk is not None:
        low, high = facts.risk.low, facts.risk.high
        texts = {row: f"{low[row]:.1f}–{high[row]:.1f}" for row in np.flatnonzero(hidden).tolist()}
    return Values(
        values=values,
        breaks=breaks,
        thin=np.flatnonzero(thin),
        revision=facts.snapshot.revision,
        texts=texts,
    )


def read_legend(picture: Picture) -> LegendFacts:
    """Return the classes with their bounds and how many grids are in each."""
    risk = read_risk(picture)
    return LegendFacts(
        entries=class_entries(risk, picture.lang),
        shown=count_judged(risk),
        of=len(risk.values),
        notes=_notes(picture),
    )


def _notes(picture: Picture) -> tuple[str, ...]:
    risk = picture.facts.risk
    if risk is None:
        return (say("legend.no_risk", picture.lang),)
    by = say(f"exposure.{risk.exposure_name}", picture.lang)
    if not picture.rows:
        return (say("legend.risk_by", picture.lang, exposure=by),)
    return (
        say("legend.risk_of", picture.lang, days=risk.days, n=f"{risk.counted:,}"),
        say("legend.risk_by", picture.lang, exposure=by),
        say("legend.risk_left_out", picture.lang, n=f"{risk.left_out:,}"),
    )


GRIDS = Source(
    name="grids", format="geojson", read=read_grids, fields=(*FIELDS, "lp"), budget_bytes=400_000
)
LAYER = Layer(
    id="grid-risk",
    kind="choropleth",
    group="grids",
    title="layer.grid_risk",
    source=GRIDS,
    legend=Legend(read=read_legend, unit="legend.unit_incidents"),
    style=Style(
        plain={
            "ramp": RISK,
            "zero": ZERO,
            "nodata": NO_DATA,
            "opacity": {"dark": 0.72, "light": 0.7},
            "line": GRID_LINE,
        }
    ),
    fields=(
        Field(name="name", title="layer.field.name"),
        Field(name="code", title="layer.field.code"),
        Field(name="body", title="layer.field.body"),
        Field(name="$value", title="layer.field.risk", format="number", digits=1),
    ),
    read_values=read_risk,
)
