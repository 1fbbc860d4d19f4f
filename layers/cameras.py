"""Cameras as places: what they look at is no part of this."""

from __future__ import annotations

from geodata.words import say
from layers.encode import encode_points
from layers.layer import Entry, Field, Layer, Legend, LegendFacts, Picture, Source, Style
from layers.palette import CAMERA

FIELDS = ("id", "name", "class", "state", "bearing", "angle", "range_m")


def read_cameras(picture: Picture) -> bytes:
    """Return the cameras of the grids that the scope allows."""
    return encode_points(picture, picture.facts.cameras, fields=FIELDS)


def read_legend(picture: Picture) -> LegendFacts:
    """Return one mark with the number of cameras in the scope."""
    shown = picture.count_points(picture.facts.cameras)
    label = say("layer.cameras", picture.lang)
    return LegendFacts(
        entries=(Entry(label=label, shape="pin", color=CAMERA, n=shown),), shown=shown, of=shown
    )


CAMERAS = Source(
    name="cameras",
    format="geojson",
    read=read_cameras,
    fields=FIELDS,
    budget_bytes=400_000,
)
LAYER = Layer(
    id="cameras",
    kind="clusters",
    group="assets",
    title="layer.cameras",
    source=CAMERAS,
    legend=Legend(read=read_legend),
    style=Style(
        plain={
            "color": CAMERA,
            "icon": "camera",
            "bearing": "bearing",
            "angle": "angle",
        }
    ),
    fields=(
        Field(name="name", title="layer.field.name"),
        Field(name="id", title="layer.field.camera_id"),
        Field(
            name="class",
            title="layer.field.class",
            codes=lambda _, lang: {kind: say(f"layer.camera.class_{kind}", lang) for kind in "123"},
        ),
        Field(
            name="state",
            title="layer.field.condition",
            codes=lambda _, lang: {
                state: say(f"layer.camera.{state}", lang) for state in ("online", "offline")
            },
        ),
    ),
    visible=False,
)
