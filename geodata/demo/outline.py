"""Outlines: where a city ends, drawn by hand on the plan or by chance about a radius."""

from __future__ import annotations

import numpy as np
import shapely

from geodata.demo.ground import Floats, Ground
from geodata.demo.plan import Plan

_SHORTEST_SIDE_M = 140.0  # sides longer than this, and than a part of the radius, are broken


def draw_outline(plan: Plan, ground: Ground, rng: np.random.Generator) -> shapely.Polygon:
    """Return the city's outline in local metres, its area as planned."""
    if not plan.outline:
        return _draw_by_chance(plan, rng)
    ring = np.array(plan.outline, float)
    if plan.rough:
        ring = _sway(ring, plan, rng)
    ring = np.c_[ground.to_local(ring[:, 0], ring[:, 1])]
    ring *= np.sqrt(plan.area_m2 / shapely.Polygon(ring).area)
    return shapely.Polygon(np.rint(ring * 1000) / 1000)


def _sway(ring: Floats, plan: Plan, rng: np.random.Generator) -> Floats:
    """Break long sides in two again and again, each time moving the middle aside by chance."""
    longest = max(_SHORTEST_SIDE_M, 0.03 * max(plan.radius_m))
    while True:
        side = np.roll(ring, -1, axis=0) - ring
        long = np.hypot(*side.T) > longest
        if not long.any():
            return ring
        aside = rng.normal(0, plan.rough, len(ring)).clip(-2 * plan.rough, 2 * plan.rough)
        middle = ring + 0.5 * side + aside[:, None] * np.c_[-side[:, 1], side[:, 0]]
        both = np.stack([ring, middle], axis=1).reshape(-1, 2)
        ring = both[np.c_[np.ones(len(ring), bool), long].reshape(-1)]


def _draw_by_chance(plan: Plan, rng: np.random.Generator) -> shapely.Polygon:
    """Return corners and straight runs as of old ditches."""
    turns = np.sort(np.linspace(0, 2 * np.pi, 46, endpoint=False) + rng.uniform(-0.05, 0.05, 46))
    swell = 1 + 0.055 * np.sin(3 * turns + rng.uniform(0, 6)) + 0.04 * np.sin(5 * turns + 2)
    swell += rng.normal(0, 0.018, len(turns))
    squared = (np.abs(np.cos(turns)) ** 2.8 + np.abs(np.sin(turns)) ** 2.8) ** (-1 / 2.8)
    radius_x, radius_y = plan.radius_m
    ring = np.c_[
        radius_x * squared * swell * np.cos(turns), radius_y * squared * swell * np.sin(turns)
    ]
    rough = shapely.Polygon(ring)
    ring = ring * np.sqrt(plan.area_m2 / rough.area)
    ring -= np.asarray(shapely.Polygon(ring).centroid.coords)[0]
    return shapely.Polygon(np.rint(ring * 1000) / 1000)
