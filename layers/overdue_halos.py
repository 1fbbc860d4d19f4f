"""A ring round each grid with overdue incidents, its area their number."""

from __future__ import annotations

import numpy as np

from geodata.access.outside import WHOLE
from geodata.access.suppression import Span
from geodata.events import clock
from geodata.snapshots.snapshot import Filter
from geodata.words import say
from layers.grid_risk import GRIDS
from layers.layer import Entry, Field, Layer, Legend, LegendFacts, Picture, Style, Values
from layers.palette import STATE_COLOR


def read_overdue(picture: Picture) -> Values:
    """
    Return how many open incidents past their deadline each grid has, under the filter.

    Outside the scope a ring is as large as the least it can stand for, and none is drawn for `<3`.
    """
    facts = picture.facts
    snapshot = facts.snapshot
    late = picture.selected() & snapshot.open & (facts.states(picture.now) == clock.RED)
    owner = snapshot.owner[late & (snapshot.owner >= 0)]
    counts = np.bincount(owner, minlength=len(facts.grids.finest())).astype(np.float64)
    hidden, texts = picture.hidden(), {}
    counts[hidden] = np.nan
    if facts.outside is not None and isinstance(picture.filter, Filter):
        uids = facts.grids.finest()["uid"].to_numpy()
        told = facts.outside.count_grids(uids, picture.filter, "overdue")
        if told is not None:
            counts[hidden] = told.low[hidden]
            rows = np.flatnonzero(hidden & (told.low > 0)).tolist()
            texts = {row: told.span(row).text for row in rows}
    return Values(
        values=counts, thin=np.empty(0, np.int64), revision=snapshot.revision, texts=texts
    )


def read_legend(picture: Picture) -> LegendFacts:
    """Return the ring with the number of overdue incidents, and of grids that have any."""
    counts = np.nan_to_num(read_overdue(picture).values)
    entry = Entry(
        label=say("legend.overdue", picture.lang),
        shape="halo",
        color=STATE_COLOR["red"],
        n=_count_all(picture, int(counts[~picture.hidden()].sum())),
    )
    return LegendFacts(entries=(entry,), shown=int((counts > 0).sum()), of=len(counts))


def _count_all(picture: Picture, own: int) -> int | Span | None:
    """Return the rings' sum; in bounds, or not at all, where the scope hides some of them."""
    outside = picture.facts.outside
    if outside is None or not isinstance(picture.filter, Filter):
        return own
    told = outside.count(WHOLE, picture.filter, "overdue")
    return None if told is None else told + own


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
