"""A plot of lines over sizes as a small SVG of its own: both axes, marks, and what each line is."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass
from html import escape

_WIDTH, _HEIGHT = 760, 400
_LEFT, _RIGHT, _TOP, _BOTTOM = 64, 24, 64, 56
_COLOURS = ("#0072b2", "#d55e00", "#009e73", "#cc79a7")  # Okabe and Ito: told apart by every eye
_STEPS = (1, 2, 5, 10, 20, 50, 100)
_FEWEST_TICKS = 4
_NAMES = ((1_000_000_000, "G"), (1_000_000, "M"), (1_000, "k"))


@dataclass(frozen=True, slots=True, kw_only=True)
class Line:
    """One line: nanoseconds by the number of points."""

    name: str
    points: dict[int, float]


def draw_plot(lines: Sequence[Line], *, title: str) -> str:
    """Return the plot as SVG: sizes along a logarithmic axis, nanoseconds up from zero."""
    sizes = sorted({size for line in lines for size in line.points})
    low, high = math.log10(sizes[0]), max(math.log10(sizes[-1]), math.log10(sizes[0]) + 1)
    top = max(value for line in lines for value in line.points.values()) * 1.15
    step = next((one for one in _STEPS if top / one < 2 * _FEWEST_TICKS), _STEPS[-1])

    def place(size: float, value: float) -> tuple[float, float]:
        along = (math.log10(size) - low) / (high - low)
        x = _LEFT + along * (_WIDTH - _LEFT - _RIGHT)
        y = _HEIGHT - _BOTTOM - value / top * (_HEIGHT - _TOP - _BOTTOM)
        return round(x, 1), round(y, 1)

    drawn = []
    for tick in range(0, int(top) + 1, step):
        (x0, y), (x1, _) = place(10**low, tick), place(10**high, tick)
        drawn.append(f'<path d="M{x0} {y}H{x1}" stroke="#ddd"/>')
        drawn.append(f'<text x="{x0 - 8}" y="{y + 4}" text-anchor="end">{tick}</text>')
    for size in sizes:
        x, y = place(size, 0)
        drawn.append(f'<path d="M{x} {y}v5" stroke="#555"/>')
        drawn.append(f'<text x="{x}" y="{y + 20}" text-anchor="middle">{_name(size)}</text>')
    for number, line in enumerate(lines):
        colour = _COLOURS[number % len(_COLOURS)]
        marks = [place(*point) for point in sorted(line.points.items())]
        path = "M" + "L".join(f"{x} {y}" for x, y in marks)
        drawn.append(f'<path d="{path}" fill="none" stroke="{colour}" stroke-width="2"/>')
        drawn += [f'<circle cx="{x}" cy="{y}" r="3.5" fill="{colour}"/>' for x, y in marks]
        x = _LEFT + number * (_WIDTH - _LEFT - _RIGHT) // len(lines)
        drawn.append(f'<circle cx="{x + 4}" cy="44" r="4" fill="{colour}"/>')
        drawn.append(f'<text x="{x + 14}" y="48">{escape(line.name)}</text>')
    middle = (_LEFT + _WIDTH - _RIGHT) // 2
    drawn.append(f'<text x="{middle}" y="{_HEIGHT - 12}" text-anchor="middle">points</text>')
    drawn.append(f'<text x="{_LEFT}" y="22" font-weight="bold">{escape(title)}</text>')
    drawn.append(f'<text x="8" y="{_TOP - 4}">ns</text>')
    body = "\n".join(drawn)
    return (
        f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {_WIDTH} {_HEIGHT}" '
        f'font-family="sans-serif" font-size="13" fill="#222">\n'
        f'<rect width="{_WIDTH}" height="{_HEIGHT}" fill="#fff"/>\n{body}\n</svg>\n'
    )


def _name(size: int) -> str:
    for unit, name in _NAMES:
        if size >= unit:
            return f"{size / unit:g} {name}"
    return str(size)
