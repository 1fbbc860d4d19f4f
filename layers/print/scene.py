"""Scene: what is drawn on one sheet, in millimetres from its upper left corner, as one SVG."""

from __future__ import annotations

import base64
from collections.abc import Iterable
from html import escape
from typing import Any

import numpy as np
import shapely
from numpy.typing import NDArray

from layers.print.lettering import FAMILY, embed_font, print_text

UNITS_MM = 100  # a path is written in hundredths of a millimetre: whole numbers are short
_STEP = 2  # of these units: points closer than this on paper are one
_HALO = 0.24  # of the letter height, on both sides of a stroke together
_FINE = "-fine"
_STRONG = 0.035  # the font has one weight: strong letters get an outline of this share

Points = NDArray[np.float64]


class Scene:
    """
    Marks in the order in which they are drawn; the last lies on top.

    Lengths are millimetres, y counts down. Colours are `#rrggbb`, or `url(#name)` for a pattern
    made with `define`. Texts are escaped and can never be read as markup.
    """

    def __init__(self, width_mm: float, height_mm: float) -> None:
        self.width_mm = width_mm
        self.height_mm = height_mm
        self.texts: list[str] = []
        self._defined: dict[str, str] = {}
        self._marks: list[str] = []

    def define(self, name: str, body: str) -> str:
        """Keep a pattern or a clip under a name, once; return how a mark refers to it."""
        self._defined.setdefault(name, body)
        return f"url(#{name})"

    def rect(self, x: float, y: float, width: float, height: float, **style: Any) -> None:
        """Draw a rectangle."""
        self._mark("rect", x=x, y=y, width=width, height=height, **style)

    def circle(self, x: float, y: float, radius: float, **style: Any) -> None:
        """Draw a circle."""
        self._mark("circle", cx=x, cy=y, r=radius, **style)

    def line(
        self, points: Iterable[tuple[float, float]], *, closed: bool = False, **s: Any
    ) -> None:
        """Draw a line through a few points, or a filled shape of them."""
        text = " ".join(f"{_number(x)},{_number(y)}" for x, y in points)
        self._mark("polygon" if closed else "polyline", points=text, **({"fill": "none"} | s))

    def shapes(self, shapes: NDArray[np.object_], **style: Any) -> None:
        """Draw many shapes whose coordinates are millimetres of the page, as one mark."""
        path = write_path(shapes)
        if path:
            fill = str(style.get("fill", ""))
            if fill.startswith("url("):  # a pattern is measured in the units of what it fills
                style["fill"] = fill.replace(")", f"{_FINE})")
            scaled = {k: _scaled(k, value) for k, value in style.items()}
            scaled = {"fill_rule": "evenodd", "stroke_linejoin": "round", **scaled}
            self._mark("path", transform=f"scale({1 / UNITS_MM})", d=path, **scaled)

    def image(self, png: bytes, x: float, y: float, width: float, height: float) -> None:
        """Draw a PNG."""
        body = base64.b64encode(png).decode()
        place = {"x": x, "y": y, "width": width, "height": height, "preserveAspectRatio": "none"}
        self._mark("image", **place, href=f"data:image/png;base64,{body}")

    def text(
        self,
        x: float,
        y: float,
        text: object,
        size: float,
        *,
        color: str,
        anchor: str = "start",
        strong: bool = False,
        halo: str = "",
        angle: float = 0.0,
    ) -> None:
        """Write a line whose letters stand on y; `halo` is the colour around them."""
        plain = print_text(text)
        if not plain:
            return
        self.texts.append(plain)
        style: dict[str, Any] = {"x": x, "y": y, "font_size": size, "fill": color}
        if anchor != "start":
            style["text_anchor"] = anchor
        if angle:
            style["transform"] = f"rotate({_number(angle)} {_number(x)} {_number(y)})"
        edge: dict[str, Any] = {"stroke_linejoin": "round", "paint_order": "stroke"}
        if halo:
            edge |= {"stroke": halo, "stroke_width": size * _HALO}
            style |= edge
        elif strong:
            style |= {"stroke": color, "stroke_width": size * _STRONG}
        self._marks.append(f"<text{_attributes(style)}>{escape(plain)}</text>")

    def begin(self, **style: Any) -> None:
        """Begin a group whose marks share a style, such as a clip."""
        self._marks.append(f"<g{_attributes(style)}>")

    def end(self) -> None:
        """End the group begun last."""
        self._marks.append("</g>")

    def svg(self, *, with_font: bool = True, title: str = "", about: str = "") -> str:
        """Return the sheet as SVG; `with_font` for whoever may not have the font."""
        size = f'width="{_number(self.width_mm)}mm" height="{_number(self.height_mm)}mm"'
        box = f'viewBox="0 0 {_number(self.width_mm)} {_number(self.height_mm)}"'
        style = f"<style>{embed_font(self.texts)}</style>" if with_font and self.texts else ""
        head = f'<svg xmlns="http://www.w3.org/2000/svg" {size} {box} font-family="{FAMILY}">'
        told = f"<title>{escape(title)}</title>" if title else ""
        told += f"<desc>{escape(about)}</desc>" if about else ""
        defined = "".join(self._defined.values())
        body = "\n".join(self._marks)
        return f"{head}\n{told}{style}<defs>{defined}</defs>\n{body}\n</svg>\n"

    def _mark(self, name: str, **style: Any) -> None:
        self._marks.append(f"<{name}{_attributes(style)}/>")


def write_path(shapes: NDArray[np.object_]) -> str:
    """Return lines and polygons in millimetres as the `d` of one SVG path."""
    parts = shapely.get_parts(shapes)
    parts = parts[~shapely.is_empty(parts)]
    out: list[str] = []
    for kind, closed in ((3, True), (1, False)):
        found = parts[shapely.get_type_id(parts) == kind]
        if not len(found):
            continue
        rings = shapely.get_rings(found) if closed else found
        xy, of = shapely.get_coordinates(rings, return_index=True)
        grid = np.rint(xy * (UNITS_MM / _STEP)).astype(np.int64) * _STEP
        ends = np.flatnonzero(np.diff(of)) + 1
        first = np.zeros(len(of), np.bool_)
        first[[0, *ends]] = True
        moved = np.ones(len(of), np.bool_)
        moved[1:] = (np.diff(grid, axis=0) != 0).any(axis=1) | first[1:]
        grid, first = grid[moved], first[moved]
        steps = np.diff(grid, axis=0, prepend=grid[:1])
        starts = np.flatnonzero(first)
        for low, high in zip(starts, [*starts[1:], len(grid)], strict=True):
            if high - low < (3 if closed else 2):
                continue
            # A ring's last point is its first: closing it says so.
            tail = steps[low + 1 : high - 1 if closed else high].ravel().tolist()
            x, y = grid[low].tolist()
            out.append(f"M{x} {y}l{' '.join(map(str, tail))}{'z' if closed else ''}")
    return "".join(out)


def hatch(scene: Scene, name: str, *, color: str, gap_mm: float, cross: bool = False) -> str:
    """Return a fill of slanting lines on white: it means the same in colour and in grey."""
    g = _number(gap_mm)
    lines = f"M0 {g}L{g} 0" + (f"M0 0L{g} {g}" if cross else "")
    marks = (
        f'width="{g}" height="{g}" patternUnits="userSpaceOnUse"{{}}>'
        f'<rect width="{g}" height="{g}" fill="#ffffff"/>'
        f'<path d="{lines}" stroke="{color}" stroke-width="{_number(gap_mm * 0.16)}"/></pattern>'
    )
    fine = marks.format(f' patternTransform="scale({UNITS_MM})"')
    scene.define(name + _FINE, f'<pattern id="{name}{_FINE}" {fine}')
    return scene.define(name, f'<pattern id="{name}" {marks.format("")}')


def _scaled(name: str, value: Any) -> Any:
    if name == "stroke_width":
        return value * UNITS_MM
    if name == "stroke_dasharray":
        return " ".join(_number(float(part) * UNITS_MM) for part in value.split())
    return value


def _attributes(style: dict[str, Any]) -> str:
    return "".join(
        f' {name if name in _CAMEL else name.replace("_", "-")}="{_value(value)}"'
        for name, value in style.items()
        if value is not None
    )


_CAMEL = frozenset({"preserveAspectRatio", "viewBox"})


def _value(value: Any) -> str:
    return escape(value) if isinstance(value, str) else _number(float(value))


def _number(value: float) -> str:
    text = f"{value:.3f}".rstrip("0").rstrip(".")
    return "0" if text in ("-0", "") else text
