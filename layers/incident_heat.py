"""Where incidents are dense: a blurred count, drawn on the server, the same for every number."""

from __future__ import annotations

from geodata.access.scope import ROWS
from geodata.snapshots.later import make_once
from geodata.words import say
from layers.layer import Entry, Layer, Legend, LegendFacts, Picture, Source, Style
from layers.palette import RISK
from layers.pyramid import find_pyramid
from layers.raster_tile import HeatScale, draw_heat, find_pad, measure_scale, paint_heat

MINZOOM, MAXZOOM = 6, 14  # deeper, single incidents tell more
BUDGET_BYTES = 20_000


def find_scale(picture: Picture) -> HeatScale:
    """Return the density at full colour by zoom, measured once over all incidents."""
    facts = picture.facts
    south, north = facts.bounds[1], facts.bounds[3]
    return make_once(
        facts.kept,
        ("heat scale", picture.heat_sigma_px, facts.snapshot.revision),
        lambda: measure_scale(
            facts.snapshot,
            latitude=(south + north) / 2,
            sigma_px=picture.heat_sigma_px,
            minzoom=MINZOOM,
            maxzoom=MAXZOOM,
        ),
    )


def read_tile(picture: Picture) -> bytes | None:
    """Return one heat tile as PNG."""
    assert picture.tile is not None
    pyramid, scale = find_pyramid(picture, zoom=MAXZOOM), find_scale(picture)
    if pyramid is not None:
        return paint_heat(
            pyramid.count_cells(picture.tile, pad=find_pad(scale)),
            picture.tile,
            share=pyramid.share,
            scale=scale,
            theme=picture.theme,
        )
    return draw_heat(
        picture.facts.snapshot,
        picture.tile,
        mask=picture.facts.select(picture.filter, picture.now),
        scale=scale,
        theme=picture.theme,
        allowed=picture.allowed(),
    )


def read_legend(picture: Picture) -> LegendFacts:
    """Return the ramp, with the density at its end for each zoom."""
    facts, scale = picture.facts, find_scale(picture)
    share = float(facts.select(picture.filter, picture.now).mean()) if facts.snapshot.n else 0.0
    shown = picture.selected(slice(facts.snapshot.placed))
    ramp = Entry(label=say("legend.density", picture.lang), shape="ramp", color=RISK)
    return LegendFacts(
        entries=(ramp,),
        shown=int(shown.sum()),
        of=int(picture.within().sum()),
        notes=(say("legend.heat_blur", picture.lang, px=round(picture.heat_sigma_px)),),
        full={z: scale.full(z, share) for z in range(MINZOOM, MAXZOOM + 1)},
    )


HEAT = Source(
    name="heat",
    format="png",
    read=read_tile,
    needs=ROWS,
    filtered=True,
    themed=True,
    minzoom=MINZOOM,
    maxzoom=MAXZOOM,
    budget_bytes=BUDGET_BYTES,
)
LAYER = Layer(
    id="incident-heat",
    kind="heat",
    group="incidents",
    title="layer.incident_heat",
    source=HEAT,
    legend=Legend(read=read_legend, unit="legend.unit_incidents", denominator="legend.per_hectare"),
    style=Style(plain={"opacity": 0.85}),
    visible=False,
    maxzoom=15,
)
