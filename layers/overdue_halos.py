"""A ring round each grid with overdue incidents, its area their number."""

from __future__ import annotations

import numpy as np

from geodata import clock
from geodata.words import say
from layers.grid_risk import GRIDS
from layers.layer import Entry, Field, Layer, Legend, LegendFacts, Picture, Style, Values
from layers.palette import STATE_COLOR


def read_overdue(picture: Picture) -> Values:
    """Return how many open incidents past their deadline each grid has, under the filter."""
    facts = picture.facts
    snapshot = facts.snapshot
    late = picture.selected() & snapshot.open & (facts.states(picture.now) == clock.RED)
    owner = snapshot.owner[late & (snapshot.owner >= 0)]
    counts = np.bincount(owner, minlength=len(facts.grids.finest())).astype(np.float64)
    allowed = picture.allowed()
    if allowed is not None:
        counts[~allowed[1:]] = np.nan
    return Values(values=counts, thin=np.empty(0, np.int64), revision=snapshot.revision)


def read_legend(picture: Picture) -> LegendFacts:
    """Return the ring with the number of overdue incidents, and of grids that have any."""
    counts = np.nan_to_num(read_overdue(picture).values)
    entry = Entry(
        label=say("legend.overdue", picture.lang),
        shape="halo",
        color=STATE_COLOR["red"],
        n=int(counts.sum()),
    )
    return LegendFacts(entries=(entry,), shown=int((counts > 0).sum()), of=len(counts))


LAYER = Layer(
    id="overdue-halos",
    kind="halos",
    group="incidents",
    title="layer.overdue_halos",
    source=GRIDS,
    legend=Legend(read=read_legend, unit="legend.unit_incidents"),
    style=Style(plain={"color": STATE_COLOR["red"], "radius": [3, 12]}),
    fields=(
        Field(name="name", title="layer.field.name"),
        Field(name="$value", title="layer.field.overdue", format="number"),
    ),
    maxzoom=15,
    read_values=read_overdue,
    values_filtered=True,
)
