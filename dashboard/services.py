"""Services: what every screen, route and plain page of one server works with."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

from dashboard.pictures import Pictures
from geodata.access.scope import Scope
from geodata.audit.book import AuditBook
from geodata.city import City
from geodata.events.feed import Feed
from geodata.grids import GridSystem
from layers.office.bureau import Bureau


@dataclass(frozen=True, slots=True, kw_only=True)
class Services:
    """One city's parts behind its screens; `now` gives UTC seconds."""

    city: City
    pictures: Pictures
    feed: Feed
    audit: AuditBook
    now: Callable[[], int]

    @property
    def base_path(self) -> str:
        """Return the address prefix behind a proxy, without its last slash; empty for none."""
        return self.city.settings.base_path

    def bureau(self, scope: Scope) -> Bureau:
        """Return what makes papers for a scope, as of any moment; raises NotFound before grids."""
        return self.pictures.hand(scope, lambda facts, whose, now: Bureau(facts, whose, now=now))

    def grids(self) -> GridSystem | None:
        """Return the drawing in force; None while the city has none."""
        return self.pictures.grids()
