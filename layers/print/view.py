"""View: what a sheet shows, as plain data, and what it is in words."""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property
from typing import Any

import numpy as np
from numpy.typing import NDArray

from geodata.access.scope import ROWS
from geodata.access.sight import Sight
from geodata.snapshots.snapshot import Filter
from geodata.words import Lang
from layers.layer import Layer, Picture
from layers.print.frame import Bounds, ground_of
from layers.registry import LAYERS


@dataclass(frozen=True, slots=True, kw_only=True)
class PrintView:
    """
    What one sheet shows.

    `filter` is the screen's; `shown` names layers, None: those on by default. `area` is the uid of
    a grid of any level: the sheet is about it, everything around it is pale. `bounds` are west,
    south, east, north in degrees, where the sheet shows a part of the map and no area. `title` and
    `period` are words that stand in place of those made from the rest.
    """

    filter: Filter
    shown: tuple[str, ...] | None = None
    area: int | None = None
    bounds: Bounds | None = None
    title: str = ""
    period: str = ""


@dataclass(frozen=True, kw_only=True)
class Subject:
    """A view of one sight at one moment, with what follows from it; made once a sheet."""

    sight: Sight
    view: PrintView
    now: int
    lang: Lang

    @cached_property
    def picture(self) -> Picture:
        """Return the request that every layer is read with: the same as the screen's."""
        return Picture(
            facts=self.sight,
            scope=self.sight.scope,
            now=self.now,
            filter=self.view.filter,
            lang=self.lang,
            theme="light",
            heat_sigma_px=self.sight.city.settings.heat_sigma_px,
        )

    @cached_property
    def layers(self) -> tuple[Layer, ...]:
        """Return the layers to draw, in drawing order, those the account may see."""
        shown = self.view.shown
        return tuple(
            layer
            for layer in self.allowed
            if (layer.visible if shown is None else layer.id in shown)
        )

    @cached_property
    def allowed(self) -> tuple[Layer, ...]:
        """Return every layer that the account may see, in drawing order."""
        return tuple(layer for layer in LAYERS if self.sight.scope.has(layer.source.needs))

    @cached_property
    def leaves(self) -> NDArray[np.bool_]:
        """Return which of the finest grids the sheet is about."""
        count = len(self.sight.grids.finest())
        if self.view.area is None:
            return np.ones(count, np.bool_)
        found = np.zeros(count, np.bool_)
        found[self.sight.grids.leaf_ranks(self.view.area)] = True
        return found

    @cached_property
    def selected(self) -> NDArray[np.bool_]:
        """Return which incidents the filter and the scope let through and the area owns."""
        chosen = self.picture.selected()
        if self.view.area is None:
            return chosen
        mine: NDArray[np.bool_] = np.append(self.leaves, False)[self.sight.snapshot.owner]
        return chosen & mine

    @property
    def crs(self) -> Any:
        """Return the city's metric system, in which a sheet is drawn."""
        return self.sight.grids.crs

    def ground(self) -> Bounds:
        """Return west, south, east, north in metres of what the sheet has to show."""
        if self.view.bounds is not None:
            return ground_of(self.view.bounds, self.crs)
        grids = self.sight.grids.grids
        if self.view.area is not None:
            grids = grids[grids["uid"] == self.view.area]
        west, south, east, north = (float(edge) for edge in grids.total_bounds)
        return west, south, east, north

    def without_rows(self) -> bool:
        """Tell whether the account sees no single incident anywhere."""
        return not self.sight.scope.has(ROWS)
