"""The lie of the land: how a plan on straight axes bends around the river."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from geodata.demo.plan import Plan

Floats = NDArray[np.float64]

_INVERSE_STEPS = 12


@dataclass(frozen=True, slots=True, kw_only=True)
class Waves:
    """A smooth random field: a sum of sine waves of one length scale."""

    kx: Floats
    ky: Floats
    phase: Floats
    height: float

    def at(self, x: Floats, y: Floats) -> Floats:
        """Return the field at points, in the unit of `height`."""
        total = np.zeros(np.broadcast(x, y).shape)
        for kx, ky, phase in zip(self.kx, self.ky, self.phase, strict=True):
            total += np.sin(kx * x + ky * y + phase)
        return np.asarray(total * (self.height / np.sqrt(len(self.kx))))


def make_waves(
    rng: np.random.Generator, *, length_m: float, height: float, count: int = 6
) -> Waves:
    """Return a random field that varies over about `length_m` metres."""
    turn = rng.uniform(0, 2 * np.pi, count)
    k = 2 * np.pi / (length_m * rng.uniform(0.7, 1.4, count))
    return Waves(
        kx=k * np.cos(turn),
        ky=k * np.sin(turn),
        phase=rng.uniform(0, 2 * np.pi, count),
        height=height,
    )


@dataclass(frozen=True, slots=True, kw_only=True)
class Ground:
    """
    The map from plan coordinates (u along the river, v across it) to local metres.

    Both are bent first, then turned as a whole by `turn` (radians, anticlockwise).

    v = 0 is the axis of the river. Near it the lines of the plan run along the river and cross it
    at right angles; far from it they are nearly straight. So streets follow the water, as in a
    city that grew along it.
    """

    trend: float  # fall of the river line, metres north per metre east
    swing_m: tuple[float, ...]  # heights of the river's bends
    bend_m: tuple[float, ...]  # their lengths
    phase: tuple[float, ...]
    reach_m: float  # how far from the river its bends are felt
    half_width_m: float  # of the river
    drift_x: Waves
    drift_y: Waves
    turn: float

    def river_line(self, u: Floats) -> Floats:
        """Return the northing of the river's axis above the plan's axis, in metres."""
        total = self.trend * u
        for swing, bend, phase in zip(self.swing_m, self.bend_m, self.phase, strict=True):
            total = total + swing * np.sin(2 * np.pi * u / bend + phase)
        return total

    def river_slope(self, u: Floats) -> Floats:
        """Return the slope of the river's axis."""
        total = np.full(np.shape(u), self.trend)
        for swing, bend, phase in zip(self.swing_m, self.bend_m, self.phase, strict=True):
            k = 2 * np.pi / bend
            total = total + swing * k * np.cos(k * u + phase)
        return total

    def river_half_width(self, u: Floats) -> Floats:
        """Return half the river's width: wider in some reaches than in others."""
        wave = 0.16 * np.sin(u / 520.0) + 0.12 * np.sin(u / 1310.0 + 1.0)
        return self.half_width_m * (1 + wave)

    def to_local(self, u: Floats, v: Floats) -> tuple[Floats, Floats]:
        """Return local metres for plan coordinates."""
        return rotate(*self._bend(u, v), self.turn)

    def _bend(self, u: Floats, v: Floats) -> tuple[Floats, Floats]:
        near = np.exp(-((v / self.reach_m) ** 2))
        cross = np.exp(-((v / (0.5 * self.reach_m)) ** 2))
        x = u - 0.8 * self.river_slope(u) * v * cross
        y = v + self.river_line(u) * near
        return x + self.drift_x.at(u, v), y + self.drift_y.at(u, v)

    def to_plan(self, x: Floats, y: Floats) -> tuple[Floats, Floats]:
        """Return plan coordinates for local metres, by fixed-point steps (good to metres)."""
        x, y = rotate(np.array(x, dtype=float), np.array(y, dtype=float), -self.turn)
        u, v = x, y
        for _ in range(_INVERSE_STEPS):
            ex, ey = self._bend(u, v)
            u, v = u + 0.7 * (x - ex), v + 0.7 * (y - ey)
        return u, v


def rotate(x: Floats, y: Floats, turn: float) -> tuple[Floats, Floats]:
    """Return points turned about the origin by radians, anticlockwise."""
    cos, sin = np.cos(turn), np.sin(turn)
    return x * cos - y * sin, x * sin + y * cos


def make_ground(plan: Plan, rng: np.random.Generator) -> Ground:
    """Return the ground of a plan: its river with seeded bends, its slow drift."""
    drift = plan.drift * max(plan.radius_m)
    length = 0.55 * max(plan.radius_m)
    return Ground(
        trend=plan.trend,
        swing_m=tuple(swing * rng.uniform(0.9, 1.1) for swing in plan.swing_m),
        bend_m=plan.bend_m,
        phase=tuple(float(phase) for phase in rng.uniform(-0.5, 0.5, len(plan.swing_m))),
        reach_m=plan.reach_m,
        half_width_m=plan.river_half_width_m,
        drift_x=make_waves(rng, length_m=length, height=drift),
        drift_y=make_waves(rng, length_m=length, height=drift),
        turn=np.deg2rad(plan.turn_deg),
    )
