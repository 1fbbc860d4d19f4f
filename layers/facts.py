"""What pictures are drawn from, as promises: one city at one revision, read only."""

from __future__ import annotations

from collections.abc import Callable, Mapping, MutableMapping
from typing import Any, Protocol

import numpy as np
from numpy.typing import NDArray

from geodata.access.outside import Outside
from geodata.risk import GridRisk
from geodata.snapshots.snapshot import Snapshot
from geodata.words import Lang


class Grids(Protocol):
    """One drawing of the grids: a GeoDataFrame in metres with the contract columns."""

    @property
    def drawing(self) -> int:
        """Return the drawing's number."""

    @property
    def grids(self) -> Any:
        """Return the grids of every level."""

    def finest(self) -> Any:
        """Return the finest grids, in the row order of `owner` and of every feature id."""


class Facts(Protocol):
    """What pictures are drawn from: one city at one revision, read only."""

    @property
    def snapshot(self) -> Snapshot:
        """Return the incidents as columns."""

    @property
    def grids(self) -> Grids:
        """Return the drawing."""

    @property
    def risk(self) -> GridRisk | None:
        """Return the risk, a row a finest grid; None where nothing is known of it."""

    @property
    def cameras(self) -> Any:
        """
        Return a GeoDataFrame of points in longitude and latitude with the columns of docs/data.md.

        Its `owner` is a row of the finest grids, -1 none.
        """

    @property
    def places(self) -> Any:
        """Return the places as `cameras`."""

    @property
    def base(self) -> Mapping[str, Any]:
        """
        Return the base map's layers by name, in any CRS.

        They are "roads" (class, name), "water" (name), "green", "buildings" (floors).
        """

    @property
    def bounds(self) -> tuple[float, float, float, float]:
        """Return west, south, east, north in degrees."""

    @property
    def zone(self) -> str:
        """Return the city's time zone, an IANA name."""

    @property
    def as_of(self) -> int:
        """Return when the newest event was received (UTC s)."""

    @property
    def outside(self) -> Outside | None:
        """Return the bounds of what the scope hides; None where it hides nothing."""

    @property
    def kept(self) -> MutableMapping[Any, Any]:
        """
        Return what layers derived from these facts, for others to use.

        The owner of the facts may carry keys that begin with "drawing" or "base" over to the next
        facts of the same drawing or base map, and share them between scopes: nothing under these
        may show an incident.
        """

    def select(self, filter: Any, now: int, /) -> NDArray[np.bool_]:
        """Return which incidents the filter lets through; the last answers are kept."""

    def states(self, now: int, /) -> NDArray[np.uint8]:
        """Return each incident's place in `events.clock.STATES`; the last answers are kept."""

    def keep(self, key: Any, make: Callable[[], Any], /) -> Any:
        """Return the answer under this key, made at the first call; the last ones are kept."""

    def find_points(self, table: str, /) -> Any:
        """Return the components, lines or blocks as `cameras`; lines and areas are whole shapes."""

    def kind_names(self, lang: Lang, /) -> Mapping[int, str]:
        """Return the name of each code of `Snapshot.kind`."""

    def category_names(self, lang: Lang, /) -> Mapping[int, str]:
        """Return the name of each code of `Snapshot.category`."""
