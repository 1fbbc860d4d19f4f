"""What is wanted of each made-up city: its size, its counts, its streets on the drawing board."""

from __future__ import annotations

from dataclasses import dataclass, field

from geodata.demo.names import Names

Point = tuple[float, float]
Box = tuple[float, float, float, float]  # u0, v0, u1, v1
Course = tuple[Point, ...]
Shares = tuple[tuple[str, float], ...]

NOWHERE: Box = (9e5, 9e5, 9e5, 9e5)


@dataclass(frozen=True, slots=True, kw_only=True)
class Road:
    """One planned road: its class, its name and its course in plan coordinates."""

    rank: str  # rail, expressway, arterial, collector; fence: a border that nobody drives on
    name: str
    course: Course
    bridge: bool = True  # crosses the river
    closed: bool = False
    raised: bool = False  # on pillars over other streets: drawn, but parts no blocks
    sharp: bool = False  # its corners stay corners


@dataclass(frozen=True, slots=True, kw_only=True)
class Canal:
    """A made or lesser water: its name, its course in plan coordinates and half its width."""

    name: str
    course: Course
    half_width_m: float = 15.0
    closed: bool = False


@dataclass(frozen=True, slots=True, kw_only=True)
class Blob:
    """A lake or a wooded hill: middle in plan coordinates, half length and half width, turn."""

    name: str
    at: Point
    half_m: tuple[float, float]
    turn_deg: float = 0.0
    shore: bool = True  # its edge parts blocks; not inside a site that is kept whole


@dataclass(frozen=True, slots=True, kw_only=True)
class Settlement:
    """A small town away from the city: its middle in plan coordinates and its radius."""

    at: Point
    radius_m: float
    name: str = ""  # as the street it is the seat of, without 镇 or 乡


@dataclass(frozen=True, slots=True, kw_only=True)
class Site:
    """A place that gets a special grid: kind, name and a plan point inside its block."""

    use: str
    name: str
    at: Point
    whole: bool  # keeps its whole superblock, not only one block


@dataclass(frozen=True, slots=True, kw_only=True)
class Mix:
    """Which uses stand where, by shares; `old` of all blocks in the old town, `houses` the rest."""

    north: Shares = (
        ("estate_old", 0.55), ("estate_mid", 0.22), ("estate_high", 0.13), ("village", 0.10),
    )  # fmt: skip
    south: Shares = (
        ("estate_high", 0.42), ("estate_mid", 0.36), ("estate_old", 0.14), ("villas", 0.08),
    )  # fmt: skip
    suburb: Shares = (("estate_mid", 0.45), ("estate_old", 0.3), ("villas", 0.25))
    trade: Shares = (
        ("commerce", 0.42), ("park", 0.18), ("school", 0.16), ("public", 0.16),
        ("hospital", 0.03), ("market", 0.05),
    )  # fmt: skip
    core: Shares = (("office", 0.6), ("commerce", 0.32), ("park", 0.08))
    settlement: Shares = (("old_town", 0.4), ("estate_old", 0.3), ("village", 0.3))
    houses: str = "old_town"
    old: Shares = (
        ("commerce", 0.4), ("estate_old", 0.4), ("school", 0.08), ("public", 0.06), ("park", 0.06),
    )  # fmt: skip
    old_share: float = 0.22
    open_land: str = "field"
    greenhouses: float = 0.11
    ponds: float = 0.045


@dataclass(frozen=True, slots=True, kw_only=True)
class Plan:
    """One scenario. Metres, counts; plan coordinates as in `ground.Ground`."""

    scenario: str
    name_zh: str
    name_en: str
    names: Names
    crs: int = 4549  # EPSG: the 3-degree Gauss-Kruger zone of CGCS2000 that the city lies in
    origin_m: tuple[int, int]
    area_m2: float
    radius_m: tuple[float, float]
    outline: Course = ()  # in plan coordinates; none: by chance about `radius_m`
    rough: float = 0.0  # of the outline: how far its sides sway, as a share of their length
    turn_deg: float = 0.0  # of the plan's axes against east and north
    drift: float = 0.012  # how far the whole plan sways, as a share of its radius
    roads: tuple[Road, ...]
    canals: tuple[Canal, ...] = ()
    lakes: tuple[Blob, ...] = ()
    hills: tuple[Blob, ...] = ()
    sites: tuple[Site, ...] = ()
    settlements: tuple[Settlement, ...] = ()
    mix: Mix = field(default_factory=Mix)
    river: str = ""  # its name; "" where there is no river
    trend: float = 0.0
    swing_m: tuple[float, ...] = ()
    bend_m: tuple[float, ...] = ()
    reach_m: float = 1000.0
    river_half_width_m: float = 0.0
    moat: str = ""  # around the old town, from the river to the river
    islet_u_m: float | None = None  # where the river has an island
    old_town: Box = NOWHERE
    urban: Box  # the ring: inside is city, outside is fringe
    industry: Box = NOWHERE
    centre: Point  # of the new town
    village_share: float = 0.0
    hamlets_m: float = 0.0  # from one village to the next; 0: villages lie by chance
    cell_scale: float = 1.0  # of block sizes against jiangdu's
    fringe_scale: float = 1.0  # of block sizes outside the ring and the settlements, in addition
    block_shape: float = 1.0  # how many times as long as wide blocks are, east to west
    land_load: float = 14.0  # households that a hectare counts for when grids are balanced
    wide_load: float = 14.0  # the same when streets and communities are
    streets: int
    communities: int
    grids: int
    incidents: int
    kinds: int = 987
    cameras: int
    places: int
    components: int
    city_zh: str = "扬州市"
    district_zh: str = "江都区"
    city_code: str = "3210"
    code: str = "321012"  # of the district
    dialling: str = "0514"
    pasture: bool = False  # outside the ring nothing but grass, without lanes
    prefix: str = "JD"  # of the numbers of cases
    seat: str = "仙女镇"  # the street that holds the old town
