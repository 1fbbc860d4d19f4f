"""The built town: ground, streets, water, land, buildings and divisions, made in that order."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np

from geodata.demo.buildings import Buildings, raise_buildings
from geodata.demo.divisions import Divisions, divide_city
from geodata.demo.ground import Floats, Ground, make_ground
from geodata.demo.land import Land, lay_out_land
from geodata.demo.partition import add_up
from geodata.demo.plan import Plan
from geodata.demo.streets import Network, build_network
from geodata.demo.water import Water, draw_water
from geodata.demo.zones import make_zones

Progress = Callable[[str, float], None]


@dataclass(frozen=True, slots=True, kw_only=True)
class Town:
    """Everything that stands still, in local metres."""

    plan: Plan
    ground: Ground
    network: Network
    water: Water
    land: Land
    buildings: Buildings
    divisions: Divisions
    households: Floats  # per cell


def build_town(plan: Plan, seed: int, progress: Progress) -> Town:
    """Return the town of a plan; each step has its own stream of chance."""
    ground = make_ground(plan, stream(seed, 1))
    zones = make_zones(plan, ground)
    progress("demo.streets", 0.0)
    network = build_network(
        plan, ground, stream(seed, 2),
        unit_target=zones.unit_target_m2, cell_target=zones.cell_target_m2, is_wild=zones.is_wild,
    )  # fmt: skip
    progress("demo.land", 0.12)
    water = draw_water(plan, ground, network, stream(seed, 3))
    land = lay_out_land(zones, network, water, stream(seed, 4))
    progress("demo.buildings", 0.28)
    buildings = raise_buildings(network, land, stream(seed, 5))
    households = add_up(buildings.households, buildings.cell, len(network.cells))
    progress("demo.divisions", 0.32)
    divisions = divide_city(zones, network, households, stream(seed, 6))
    return Town(
        plan=plan,
        ground=ground,
        network=network,
        water=water,
        land=land,
        buildings=buildings,
        divisions=divisions,
        households=households,
    )


def stream(seed: int, number: int) -> np.random.Generator:
    """Return the chance of one step, so that a change in one does not stir the others."""
    return np.random.default_rng((seed, number))
