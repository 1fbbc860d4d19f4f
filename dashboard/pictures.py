"""Pictures: what a scope sees of the newest facts, its classes measured once for a drawing."""

from __future__ import annotations

import contextlib
import time
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import TypeVar

import orjson

from geodata.access.scope import ROWS, Scope
from geodata.access.sight import Sight, SightKeeper
from geodata.errors import Busy, Fault, NotFound, StoreFull
from geodata.grids import GridSystem
from geodata.snapshots.facts import Facts, FactsKeeper
from layers.layer import Picture
from layers.registry import LAYERS
from layers.tile_cache import TileCache

Made = TypeVar("Made")
_FROZEN = "breaks:{layer}:{drawing}"
# Whose eyes the classes are measured with: no account's, and nothing else is drawn for it.
_MEASURING = Scope.whole_city("", ("read", ROWS))


@dataclass(frozen=True, slots=True, kw_only=True)
class Pictures:
    """
    What drawing needs: the facts, the cache of tiles and the clock.

    The one way from facts to a screen: nothing in this room reads them without saying for whom.
    """

    keeper: FactsKeeper
    cache: TileCache
    now: Callable[[], int] = lambda: int(time.time())
    sights: SightKeeper = field(default_factory=SightKeeper)

    def newest(self, scope: Scope) -> Sight | None:
        """Return what a scope sees of the newest facts; None while the city has no grids."""
        now = self.now()
        facts = self.keeper.current(now)
        if facts is None:
            return None
        _freeze_breaks(self.sights.narrow(facts, _MEASURING, now=now), now)
        return self.sights.narrow(facts, scope, now=now)

    def facts(self, scope: Scope) -> Sight:
        """Return what a scope sees; raises NotFound while the city has no grids."""
        facts = self.newest(scope)
        if facts is None:
            raise NotFound(Fault(key="city_without_grids"))
        return facts

    def hand(self, scope: Scope, make: Callable[[Facts, Scope, int], Made]) -> Made:
        """
        Return what is made of the newest facts for a scope, which the maker narrows them by.

        It is for papers, whose cut-off is not now. Raises NotFound while the city has no grids.
        """
        now = self.now()
        facts = self.keeper.current(now)
        if facts is None:
            raise NotFound(Fault(key="city_without_grids"))
        return make(facts, scope, now)

    def grids(self) -> GridSystem | None:
        """Return the drawing in force, which shows no incident; None while there is none."""
        facts = self.keeper.current(self.now())
        return None if facts is None else facts.grids


def _freeze_breaks(facts: Sight, now: int) -> None:
    """
    Keep the class breaks of each layer for as long as the drawing is in force.

    Colours compare between months, and between accounts, only when the classes stay: the first
    ones are written into the store and used until another drawing is published.
    """
    picture = Picture(facts=facts, scope=facts.scope, now=now)
    database = facts.city.database
    for layer in LAYERS:
        place = ("drawing", "breaks", layer.id, facts.grids.drawing)
        # What has no ramp has no classes: nothing of it is measured at every request.
        if layer.read_values is None or "ramp" not in layer.style.plain or place in facts.kept:
            continue
        name = _FROZEN.format(layer=layer.id, drawing=facts.grids.drawing)
        stored = database.meta(name)
        if stored:
            facts.kept[place] = tuple(orjson.loads(stored))
            continue
        layer.read_values(picture)
        if facts.kept.get(place):
            with contextlib.suppress(Busy, StoreFull):  # a picture waits for no writer
                database.set_meta(name, orjson.dumps(list(facts.kept[place])).decode())
