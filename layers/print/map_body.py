"""The map itself: every layer of a view drawn into its frame, in the order of the registry."""

from __future__ import annotations

from geodata.words import say
from layers.grid_edges import AREAS
from layers.layer import Layer
from layers.print.frame import Frame
from layers.print.grid_marks import (
    PAPER,
    draw_classes,
    draw_grid_lines,
    draw_levels,
    draw_rings,
    draw_veil,
)
from layers.print.ground import draw_ground
from layers.print.heat import draw_heat
from layers.print.legend import Key, read_key
from layers.print.names import Writer, write_areas, write_ground, write_points
from layers.print.point_marks import Placed, draw_dots, draw_points
from layers.print.record_marks import draw_outlines
from layers.print.scene import Scene
from layers.print.view import Subject
from layers.print.wording import print_count


def draw_layers(scene: Scene, subject: Subject, frame: Frame) -> tuple[tuple[Key, ...], str]:
    """Draw every layer into a frame, from the ground up; return legends and a note on names."""
    clip = scene.define(
        "frame",
        f'<clipPath id="frame"><rect x="{frame.x_mm:.3f}" y="{frame.y_mm:.3f}" '
        f'width="{frame.width_mm:.3f}" height="{frame.height_mm:.3f}"/></clipPath>',
    )
    kinds = {layer.kind for layer in subject.layers}
    shaded = "choropleth" in kinds
    notes: dict[str, str] = {}
    placed: list[Placed] = []
    scene.begin(clip_path=clip)
    scene.rect(frame.x_mm, frame.y_mm, frame.width_mm, frame.height_mm, fill=PAPER)
    for layer in subject.layers:
        if layer.kind == "choropleth" and layer.read_values:
            draw_classes(scene, subject, frame, layer, layer.read_values(subject.picture))
    if "base" in kinds:
        draw_ground(scene, subject, frame, shaded=shaded)
    draw_grid_lines(scene, subject, frame)
    for layer in subject.layers:
        notes[layer.id] = _draw_layer(scene, subject, frame, layer, placed)
    draw_veil(scene, subject, frame)
    writer = Writer(scene=scene, frame=frame)
    for layer in subject.layers:
        if layer.kind == "halos" and layer.read_values:  # over the veil: they are what matters
            values = layer.read_values(subject.picture)
            writer.avoid(draw_rings(scene, subject, frame, layer, values))
    written = _write_names(writer, subject, placed) if "labels" in kinds else ""
    scene.end()
    keys = [read_key(subject, layer, drawn=notes[layer.id]) for layer in subject.layers]
    return tuple(key for key in keys if key is not None), written


def _draw_layer(
    scene: Scene, subject: Subject, frame: Frame, layer: Layer, placed: list[Placed]
) -> str:
    """Draw what lies between the ground and the veil; return what its legend has to add."""
    if layer.kind == "heat":
        full = draw_heat(scene, subject, frame)
        return say("sheet.heat_full", subject.lang, n=f"{full:g}")
    if layer.kind == "outline":
        if layer.source is AREAS:
            draw_levels(scene, subject, frame)
        else:
            draw_outlines(scene, subject, frame, layer)
    elif layer.kind == "dots":
        drawn, of = draw_dots(scene, subject, frame, layer)
        if drawn < of:
            return say("sheet.dots_too_many", subject.lang, n=print_count(of))
    elif layer.kind == "clusters":
        placed.append(draw_points(scene, subject, frame, layer))
    return ""


def _write_names(writer: Writer, subject: Subject, placed: list[Placed]) -> str:
    """Write all names; return a note where some found no place."""
    for layer in subject.layers:
        if layer.kind == "labels":
            write_areas(writer, subject, layer)
    if any(layer.kind == "base" for layer in subject.layers):
        write_ground(writer, subject)
    for points in placed:
        write_points(writer, points.xy, points.names)
    if writer.written == writer.asked:
        return ""
    values = {"n": print_count(writer.written), "of": print_count(writer.asked)}
    return say("sheet.names", subject.lang, **values)
