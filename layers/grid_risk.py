"""Grids coloured by their risk: the incidents expected in the next weeks."""

from __future__ import annotations

import numpy as np

from geodata.words import say
from layers.classes import break_classes, classify
from layers.encode import encode_grids
from layers.layer import Entry, Field, Layer, Legend, LegendFacts, Picture, Source, Style, Values
from layers.palette import GRID_LINE, NO_DATA, RISK, ZERO

FIELDS = ("uid", "code", "name", "level", "kind", "body")


def read_grids(picture: Picture) -> bytes:
    """Return the finest grids that the scope allows, `id` being their row in `values`."""
    return encode_grids(picture, picture.facts.grids.finest(), key="finest", fields=FIELDS)


def read_risk(picture: Picture) -> Values:
    """Return each grid's risk with breaks frozen for the drawing; hidden grids have no figure."""
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
    allowed = picture.allowed()
    if allowed is not None:
        values, thin = np.where(allowed[1:], values, np.nan), thin & allowed[1:]
    return Values(
        values=values,
        breaks=breaks,
        thin=np.flatnonzero(thin),
        revision=facts.snapshot.revision,
    )


def read_legend(picture: Picture) -> LegendFacts:
    """Return the classes with their bounds and how many grids are in each."""
    risk = read_risk(picture)
    found = classify(risk.values, risk.breaks)
    found[risk.thin] = _THIN
    bounds = [f"{bound:g}" for bound in risk.breaks]
    labels = [
        say("legend.class_between", picture.lang, low=low, high=high)
        for low, high in zip(["0", *bounds], [*bounds, ""], strict=True)
    ]
    if bounds:
        labels[0] = say("legend.class_below", picture.lang, high=bounds[0])
        labels[-1] = say("legend.class_from", picture.lang, low=bounds[-1])
    else:
        labels[0] = say("legend.class_any", picture.lang)
    colored = [
        Entry(
            label=label,
            shape="fill",
            color={theme: ramp[place] for theme, ramp in RISK.items()},
            n=int((found == place).sum()),
        )
        for place, label in enumerate(labels)
    ]
    rest = [
        Entry(label=say(key, picture.lang), shape=shape, color=color, n=int((found == code).sum()))
        for key, shape, color, code in (
            ("legend.thin", "hatch", NO_DATA, _THIN),
            ("legend.no_data", "fill", NO_DATA, -2),
        )
    ]
    zero = Entry(label="0", shape="fill", color=ZERO, n=int((found == -1).sum()))
    judged = int((found >= -1).sum())
    return LegendFacts(
        entries=(zero, *colored, *rest), shown=judged, of=len(found), notes=_notes(picture)
    )


def _notes(picture: Picture) -> tuple[str, ...]:
    risk = picture.facts.risk
    if risk is None:
        return (say("legend.no_risk", picture.lang),)
    by = say(f"exposure.{risk.exposure_name}", picture.lang)
    return (
        say("legend.risk_of", picture.lang, days=risk.days, n=risk.counted),
        say("legend.risk_by", picture.lang, exposure=by),
        say("legend.risk_left_out", picture.lang, n=risk.left_out),
    )


_THIN = -3
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
