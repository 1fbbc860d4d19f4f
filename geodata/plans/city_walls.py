"""The city's own walls for proposals: its water, its railways, the lines of its other nets."""

from __future__ import annotations

from collections.abc import Mapping

from geodata.city import City
from geodata.coverage.edges import to_mm
from geodata.errors import BadSetting, Fault
from geodata.plans.base_lines import read_rails, read_water
from geodata.plans.crosswalk import list_nets
from geodata.redraw.walls import Wall, make_wall

HARD, SOFT = "hard", "soft"
WATER, RAIL = "water", "rail"


def list_walls(city: City, *, now: int) -> list[str]:
    """Return what a proposal may keep to: water, rail, and the names of other nets in force."""
    found = [WATER] if len(read_water(city)) else []
    if len(read_rails(city)):
        found.append(RAIL)
    return [*found, *list_nets(city, now=now)]


def raise_walls(city: City, chosen: Mapping[str, str], *, now: int) -> list[Wall]:
    """
    Return walls by name: "hard" for what no grid may cross, "soft" for what none should.

    Raises BadSetting for a name or a strength that is unknown.
    """
    known = list_walls(city, now=now)
    walls = []
    for name, strength in chosen.items():
        if name not in known or strength not in (HARD, SOFT):
            raise BadSetting(Fault(key="plan_wall", field="walls", values={"known": known}))
        hard = strength == HARD
        if name == WATER:
            # As areas, not as their banks: a line in the middle of a river is walled too.
            walls.append(Wall(lines=to_mm(read_water(city)), hard=hard))
        elif name == RAIL:
            walls.append(make_wall(read_rails(city), hard=hard))
        else:
            net = city.grids_in_force(now, system=name)
            assert net is not None  # it is in the list
            walls.append(make_wall(net.finest().geometry.to_numpy(), hard=hard))
    return walls
