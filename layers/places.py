"""Key places: schools, markets, hospitals, shelters and whatever else a city lists."""

from __future__ import annotations

from geodata.words import say
from layers.encode import encode_points
from layers.layer import Entry, Field, Layer, Legend, LegendFacts, Picture, Source, Style
from layers.palette import PLACE

FIELDS = ("id", "name", "kind", "state", "capacity", "body")
# A city writes its kinds as it likes; a kind without a picture here gets the plain one.
ICONS = {
    "school": "school", "学校": "school", "小学": "school", "中学": "school", "幼儿园": "school",
    "hospital": "hospital", "医院": "hospital", "卫生院": "hospital",
    "market": "market", "市场": "market", "农贸市场": "market", "商场": "market",
    "station": "station", "车站": "station", "地铁站": "station",
    "park": "park", "公园": "park", "广场": "park",
    "gas_station": "fuel", "加油站": "fuel", "加气站": "fuel",
    "hazmat": "hazard", "危化企业": "hazard", "hazmat_site": "hazard",
    "shelter": "shelter", "避难场所": "shelter", "应急避难场所": "shelter",
    "office": "office", "机关": "office", "政府机关": "office", "社区服务中心": "office",
}  # fmt: skip


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
        Field(name="kind", title="layer.field.place_kind"),
        Field(name="state", title="layer.field.condition"),
        Field(name="capacity", title="layer.field.capacity", format="number"),
    ),
    visible=False,
)
