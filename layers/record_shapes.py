"""Lines and areas of the reference tables as outlines: what lies where the scope allows."""

from __future__ import annotations

from collections.abc import Callable

from geodata.words import say
from layers.encode import encode_points
from layers.layer import Entry, Field, LegendFacts, Picture
from layers.palette import Color

FIELDS = ("id", "name", "kind", "state", "body", "households", "population", "level")
OUTLINE_FIELDS = (
    Field(name="name", title="layer.field.name"),
    Field(name="id", title="layer.field.record_id"),
    Field(name="kind", title="layer.field.place_kind"),
    Field(name="state", title="layer.field.condition"),
    Field(name="body", title="layer.field.body"),
    Field(name="households", title="layer.field.households"),
    Field(name="population", title="layer.field.population"),
)


def read_shapes(picture: Picture, table: str) -> bytes:
    """Return the lines or areas of a table whose place lies in the grids that the scope allows."""
    shapes = picture.facts.find_points(table)
    return encode_points(picture, shapes.assign(level=table), fields=FIELDS)


def legend_of(table: str, title: str, color: Color) -> Callable[[Picture], LegendFacts]:
    """Return what fills the legend of a table: one mark with the number in the scope."""

    def read(picture: Picture) -> LegendFacts:
        shown = picture.count_points(picture.facts.find_points(table))
        entry = Entry(label=say(title, picture.lang), shape="line", color=color, n=shown)
        return LegendFacts(entries=(entry,), shown=shown, of=shown)

    return read
