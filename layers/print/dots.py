"""Dots of a view as columns: single incidents by state, components by condition, and kinds."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from geodata.coordinates import lonlat_crs, to_metric
from geodata.snapshots.snapshot import WORLD, tile_position
from layers.component_tile import TABLE, place_components
from layers.components import ORDERS
from layers.incident_dots import DOTS, STATES, find_states
from layers.layer import Layer
from layers.print.frame import Frame
from layers.print.view import Subject


@dataclass(frozen=True, slots=True, kw_only=True)
class Dots:
    """
    The dots that a view lets through, of a scope and an area.

    `x`, `y` are of 2**32 parts of the web-mercator world; `state` is a place in `states`, in
    drawing order; `kind` one in `kinds`, the words of what each is.
    """

    x: NDArray[np.uint32]
    y: NDArray[np.uint32]
    state: NDArray[np.int32]
    states: tuple[str, ...]
    kind: NDArray[np.int64]
    kinds: list[str]

    def __len__(self) -> int:
        """Return how many there are."""
        return len(self.x)

    def place(self, crs: Any) -> NDArray[np.float64]:
        """Return where they are, in metres of the city's system."""
        lon = (self.x / WORLD - 0.5) * 360.0
        lat = np.degrees(np.arctan(np.sinh(np.pi * (1 - 2 * (self.y / WORLD)))))
        return np.stack(to_metric(lon, lat, lonlat_crs(), crs), axis=1)


def read_dots(subject: Subject, layer: Layer, *, frame: Frame | None = None) -> Dots:
    """Return the dots of a layer, those in a frame where one is given."""
    read = _read_incidents if layer.source is DOTS else _read_components
    return read(subject, frame)


def _read_incidents(subject: Subject, frame: Frame | None) -> Dots:
    snapshot = subject.sight.snapshot
    placed = slice(snapshot.placed)
    x, y = snapshot.tile_x[placed], snapshot.tile_y[placed]
    rows = np.flatnonzero(subject.selected[placed] & _lie_in(x, y, frame))
    kinds, kind = np.unique(snapshot.kind[rows], return_inverse=True)
    names = subject.sight.kind_names(subject.lang)
    return Dots(
        x=x[rows],
        y=y[rows],
        state=find_states(subject.picture, rows),
        states=STATES,
        kind=kind,
        kinds=[names.get(int(code), "") for code in kinds],
    )


def _read_components(subject: Subject, frame: Frame | None) -> Dots:
    placed = place_components(subject.picture)
    seen = _lie_in(placed.x, placed.y, frame)
    allowed = subject.picture.allowed()
    if allowed is not None:
        seen &= allowed[placed.owner + 1]
    if subject.view.area is not None:
        seen &= np.append(subject.leaves, False)[placed.owner]
    rows = np.flatnonzero(seen)
    points = subject.sight.find_points(TABLE)
    kind, kinds = np.zeros(len(rows), np.int64), [""]
    if "kind" in points:
        told = points["kind"].fillna("").astype(str).to_numpy()[placed.rows[rows]]
        kind, found = pd.factorize(told)
        kinds = [str(name) for name in found]
    return Dots(
        x=placed.x[rows],
        y=placed.y[rows],
        state=placed.faulty[rows].astype(np.int32),
        states=ORDERS,
        kind=np.asarray(kind, np.int64),
        kinds=kinds,
    )


def _lie_in(x: NDArray[np.uint32], y: NDArray[np.uint32], frame: Frame | None) -> NDArray[np.bool_]:
    """Return which places of the web-mercator world lie in the degrees that a frame spans."""
    if frame is None:
        return np.ones(len(x), np.bool_)
    west, south, east, north = frame.degrees()
    across, down = tile_position(np.array([west, east]), np.array([north, south]))
    inside: NDArray[np.bool_] = (x >= across[0]) & (x <= across[1])
    inside &= (y >= down[0]) & (y <= down[1])
    return inside
