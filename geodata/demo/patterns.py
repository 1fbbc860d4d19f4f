"""Patterns: how buildings of each use stand in their lot, and the outlines they have."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np

from geodata.demo.ground import Floats


def _outline(*corners: tuple[float, float]) -> Floats:
    return np.array(corners, float)


# Outlines inside the square from -1 to 1, counter-clockwise, y away from the street.
OUTLINES: Mapping[str, Floats] = {
    "bar": _outline((-1, -1), (1, -1), (1, 1), (-1, 1)),
    "slab": _outline(
        (-1, -0.78), (-0.72, -0.78), (-0.72, -1), (0.72, -1), (0.72, -0.78), (1, -0.78), (1, 0.8),
        (0.3, 0.8), (0.3, 1), (-0.3, 1), (-0.3, 0.8), (-1, 0.8),
    ),
    "twin": _outline(
        (-1, -1), (-0.12, -1), (-0.12, -0.6), (0.12, -0.6), (0.12, -1), (1, -1), (1, 0.72),
        (0.55, 0.72), (0.55, 1), (-0.55, 1), (-0.55, 0.72), (-1, 0.72),
    ),
    "cross": _outline(
        (-0.5, -1), (0.5, -1), (0.5, -0.5), (1, -0.5), (1, 0.5), (0.5, 0.5), (0.5, 1), (-0.5, 1),
        (-0.5, 0.5), (-1, 0.5), (-1, -0.5), (-0.5, -0.5),
    ),
    "ell": _outline((-1, -1), (1, -1), (1, -0.3), (-0.5, -0.3), (-0.5, 1), (-1, 1)),
    "you": _outline(
        (-1, -1), (1, -1), (1, 1), (0.58, 1), (0.58, -0.35), (-0.58, -0.35), (-0.58, 1), (-1, 1)
    ),
    "yard": _outline(  # four wings around a court, the gate in the south-east
        (-1, -1), (0.5, -1), (0.5, -0.52), (-0.56, -0.52), (-0.56, 0.46), (0.56, 0.46),
        (0.56, -0.52), (0.78, -0.52), (0.78, -1), (1, -1), (1, 1), (-1, 1),
    ),
    "eight": _outline(
        (-0.62, -1), (0.62, -1), (1, -0.62), (1, 0.62), (0.62, 1), (-0.62, 1), (-1, 0.62),
        (-1, -0.62),
    ),
}  # fmt: skip


@dataclass(frozen=True, slots=True, kw_only=True)
class Pattern:
    """How buildings of one use stand: pitch and footprint in metres, heights in floors."""

    setback_m: float
    pitch_m: tuple[float, float]  # wanted distance between columns, and between rows
    fill: tuple[float, float]  # share of the pitch along a row that is built
    depth_m: tuple[float, float]
    floors: tuple[int, int]
    keep: float = 0.97  # share of places that are built
    south: bool = True  # rows face south, alike in the whole estate
    wobble: float = 0.0  # radians
    homes: float = 0.0  # share of the floor area that is dwellings
    outlines: tuple[str, ...] = ("bar",)
    shops: float = 0.0  # share of street fronts lined with shops
    mixed: bool = False  # every building of its own size and outline
    pitch_ground: bool = False  # has a running track
    garden: bool = False  # the rest of the lot is green


PATTERNS: Mapping[str, Pattern] = {
    "old_town": Pattern(
        setback_m=0.8, pitch_m=(12.5, 12), fill=(0.8, 0.97), depth_m=(8, 11), floors=(1, 3),
        keep=0.92, south=False, wobble=0.035, homes=0.8, outlines=("bar", "bar", "ell", "you"),
        shops=0.5,
    ),
    "estate_old": Pattern(
        setback_m=1.5, pitch_m=(60, 23), fill=(0.84, 0.93), depth_m=(10.5, 12), floors=(5, 7),
        keep=0.985, homes=1.0, outlines=("bar", "slab"), shops=0.62,
    ),
    "estate_mid": Pattern(
        setback_m=1.5, pitch_m=(60, 31), fill=(0.76, 0.88), depth_m=(13, 15), floors=(9, 12),
        homes=1.0, outlines=("slab", "twin"), shops=0.45,
    ),
    "estate_high": Pattern(
        setback_m=1.5, pitch_m=(40, 38), fill=(0.58, 0.74), depth_m=(15, 18), floors=(18, 33),
        keep=0.98, homes=1.0, outlines=("twin", "slab", "cross"), shops=0.2, garden=True,
    ),
    "villas": Pattern(
        setback_m=2.5, pitch_m=(21, 24), fill=(0.62, 0.76), depth_m=(11, 13), floors=(2, 3),
        keep=0.93, wobble=0.03, homes=1.0, outlines=("bar", "ell", "slab"), garden=True,
    ),
    "village": Pattern(
        setback_m=4, pitch_m=(15, 21), fill=(0.66, 0.9), depth_m=(8, 10.5), floors=(2, 3),
        keep=0.78, wobble=0.05, homes=1.0, outlines=("bar", "bar", "ell"),
    ),
    "commerce": Pattern(
        setback_m=2, pitch_m=(66, 60), fill=(0.78, 0.92), depth_m=(36, 50), floors=(3, 6),
        south=False, outlines=("bar", "eight", "ell"),
    ),
    "office": Pattern(
        setback_m=2, pitch_m=(50, 48), fill=(0.52, 0.74), depth_m=(26, 36), floors=(12, 42),
        south=False, homes=0.1, outlines=("bar", "eight", "cross"),
    ),
    "public": Pattern(
        setback_m=4, pitch_m=(62, 40), fill=(0.62, 0.84), depth_m=(16, 26), floors=(4, 9),
        keep=0.9, outlines=("bar", "you", "ell"), garden=True,
        mixed=True,
    ),
    "school": Pattern(
        setback_m=3, pitch_m=(60, 32), fill=(0.7, 0.88), depth_m=(13, 26), floors=(3, 5),
        keep=0.95, outlines=("bar", "you", "ell"), pitch_ground=True,
    ),
    "hospital": Pattern(
        setback_m=5, pitch_m=(58, 42), fill=(0.74, 0.92), depth_m=(18, 30), floors=(5, 16),
        keep=0.95, outlines=("bar", "you", "slab"), garden=True,
        mixed=True,
    ),
    "market": Pattern(
        setback_m=3, pitch_m=(88, 30), fill=(0.86, 0.95), depth_m=(19, 23), floors=(1, 2),
        south=False,
    ),
    "campus": Pattern(
        setback_m=14, pitch_m=(82, 58), fill=(0.38, 0.88), depth_m=(15, 40), floors=(4, 9),
        keep=0.72, homes=0.12, outlines=("bar", "you", "ell", "slab"), pitch_ground=True,
        garden=True,
        mixed=True,
    ),
    "station": Pattern(
        setback_m=10, pitch_m=(230, 120), fill=(0.75, 0.85), depth_m=(48, 62), floors=(2, 3),
        keep=1.0, south=False, outlines=("eight",),
    ),
    "logistics": Pattern(
        setback_m=7, pitch_m=(110, 52), fill=(0.8, 0.93), depth_m=(30, 38), floors=(1, 2),
        south=False,
    ),
    "sports": Pattern(
        setback_m=12, pitch_m=(120, 100), fill=(0.55, 0.7), depth_m=(60, 80), floors=(2, 3),
        outlines=("eight",), pitch_ground=True, garden=True,
    ),
    "industry": Pattern(
        setback_m=4, pitch_m=(84, 44), fill=(0.7, 0.94), depth_m=(24, 36), floors=(1, 3),
        keep=0.93, south=False, outlines=("bar", "bar", "ell"),
        mixed=True,
    ),
    "greenhouse": Pattern(
        setback_m=5, pitch_m=(66, 11.5), fill=(0.92, 0.96), depth_m=(7.5, 8), floors=(1, 1),
        south=False,
    ),
    "park": Pattern(
        setback_m=18, pitch_m=(90, 90), fill=(0.1, 0.16), depth_m=(8, 12), floors=(1, 1),
        keep=0.3, south=False, outlines=("eight",),
    ),
    "field": Pattern(
        setback_m=12, pitch_m=(70, 80), fill=(0.14, 0.2), depth_m=(8, 10), floors=(1, 2),
        keep=0.08, homes=1.0,
    ),
    "courtyard": Pattern(
        setback_m=0.5, pitch_m=(15, 16.5), fill=(0.84, 0.97), depth_m=(13, 15.5), floors=(1, 1),
        keep=0.96, wobble=0.01, homes=0.8, outlines=("yard", "yard", "yard", "yard", "you", "bar"),
        shops=0.1,
    ),
    "palace": Pattern(
        setback_m=16, pitch_m=(66, 54), fill=(0.5, 0.92), depth_m=(18, 40), floors=(1, 2),
        keep=0.94, outlines=("bar", "yard", "yard", "bar"), mixed=True, garden=True,
    ),
    "grass": Pattern(
        setback_m=40, pitch_m=(420, 420), fill=(0.03, 0.05), depth_m=(8, 11), floors=(1, 1),
        keep=0.12, south=False, wobble=0.3, homes=1.0,
    ),
}  # fmt: skip
