"""Key places: schools, markets, hospitals, shelters and whatever else a city lists."""

from __future__ import annotations

from geodata.words import say
from layers.encode import encode_points
from layers.layer import Entry, Field, Layer, Legend, LegendFacts, Picture, Source, Style
from layers.palette import PLACE

FIELDS = ("id", "name", "kind", "state", "capacity", "body")
# A city writes its kinds as it likes; a kind without a picture here gets the plain one.
ICONS = {
    "school": "school", "kindergarten": "school", "学校": "school", "幼儿园": "school",
    "hospital": "hospital", "clinic": "hospital", "医院": "hospital", "诊所": "hospital",
    "market": "market", "mall": "market", "shop": "market", "市场": "market", "商店": "market",
    "restaurant": "market", "hotel": "building", "estate": "building", "company": "building",
    "culture": "building", "elderly_care": "building", "养老院": "building", "小区": "building",
    "station": "station", "车站": "station", "park": "park", "公园": "park", "广场": "park",
    "gas_station": "fuel", "加油站": "fuel", "hazmat_site": "hazard", "危化企业": "hazard",
    "shelter": "shelter", "避难场所": "shelter",
    "government": "office", "bank": "office", "机关": "office", "银行": "office",
}  # fmt: skip
# Kinds that have words of their own in both languages; any other is shown as it came.
_WORDED = (
    "school", "kindergarten", "hospital", "clinic", "market", "mall", "shop", "restaurant",
    "hotel", "estate", "company", "culture", "elderly_care", "station", "park", "gas_station",
    "hazmat_site", "shelter", "government", "bank",
)  # fmt: skip


def read_places(picture: Picture) -> bytes:
    """Return the places in the grids that the scope allows."""
    return encode_points(picture, picture.facts.places, fields=FIELDS)


def read_legend(picture: Picture) -> LegendFacts:
    """Return one mark with the number of places in the scope."""
    shown = picture.count_points(picture.facts.places)
    label = say("layer.places", picture.lang)
    return LegendFacts(
        entries=(Entry(label=label, shape="pin", color=PLACE, n=shown),), shown=shown, of=shown
    )


PLACES = Source(
    name="places",
    format="geojson",
    read=read_places,
    fields=FIELDS,
    budget_bytes=400_000,
)
LAYER = Layer(
    id="places",
    kind="clusters",
    group="assets",
    title="layer.places",
    source=PLACES,
    legend=Legend(read=read_legend),
    style=Style(plain={"color": PLACE, "field": "kind", "icons": ICONS, "icon": "pin"}),
    fields=(
        Field(name="name", title="layer.field.name"),
        Field(
            name="kind",
            title="layer.field.place_kind",
            codes=lambda _, lang: {kind: say(f"layer.place.{kind}", lang) for kind in _WORDED},
        ),
        Field(
            name="state",
            title="layer.field.condition",
            codes=lambda _, lang: {
                state: say(f"layer.place_{state}", lang) for state in ("open", "closed")
            },
        ),
        Field(name="capacity", title="layer.field.capacity", format="number"),
    ),
    visible=False,
)
