"""Fixtures: street components, cameras at junctions and gates, places people go to."""

from __future__ import annotations

import numpy as np
import pandas as pd
import shapely
from numpy.typing import NDArray

from geodata.demo.ground import Floats
from geodata.demo.land import use_of
from geodata.demo.streets import RANKS, ROAD_HALF_WIDTH_M, rank_of
from geodata.demo.town import Town
from geodata.demo.water import find_wet

Ints = NDArray[np.int64]
_MOST_NUMBERS = 100_000  # five digits: so many cameras are numbered from 0

# code, kind, share of all, metres between two, beyond the kerb (m), from which rank down
_ALONG_ROADS: tuple[tuple[str, str, float, float, str], ...] = (
    ("0301", "tree", 0.395, 1.5, "local"),
    ("0101", "lamp", 0.115, 0.8, "path"),
    ("0201", "storm_drain", 0.12, -0.8, "local"),
    ("0202", "sewer_cover", 0.10, -4.0, "path"),
    ("0203", "power_cover", 0.035, 1.2, "local"),
    ("0204", "telecom_cover", 0.045, 2.2, "local"),
    ("0401", "bin", 0.035, 1.0, "local"),
    ("0501", "sign", 0.035, 0.6, "collector"),
    ("0601", "hydrant", 0.015, 1.4, "local"),
    ("0701", "bollard", 0.03, 0.4, "collector"),
    ("0801", "bike_rack", 0.012, 2.0, "local"),
)
_IN_PARKS: tuple[tuple[str, str, float], ...] = (
    ("0302", "park_tree", 0.05),
    ("0402", "bench", 0.009),
    ("0102", "lawn_lamp", 0.004),
)


def place_components(town: Town, rng: np.random.Generator) -> pd.DataFrame:
    """Return components with local x, y: id, kind, state; exactly as many as planned."""
    total = town.plan.components
    parts = []
    for code, kind, share, beyond, lowest in _ALONG_ROADS:
        xy = _along_roads(town, round(share * total), beyond, lowest, rng)
        parts.append((code, kind, xy))
    for code, kind, share in _IN_PARKS:
        parts.append((code, kind, _in_green(town, round(share * total), rng)))
    missing = total - sum(len(xy) for _, _, xy in parts)
    if missing > 0:
        parts.append(("0302", "park_tree", _in_green(town, missing, rng)))
    sizes = [len(xy) for _, _, xy in parts]
    codes = np.repeat(np.array([part[0] for part in parts], object), sizes)[:total]
    kinds = np.repeat(np.array([part[1] for part in parts], object), sizes)[:total]
    xy = np.concatenate([xy for _, _, xy in parts])[:total]
    serial = pd.Series(codes).groupby(codes).cumcount().to_numpy() + 1
    state = rng.choice(
        np.array(["normal", "damaged", "missing"], object), total, p=[0.985, 0.012, 0.003]
    )
    return pd.DataFrame(
        {
            "id": town.plan.code
            + pd.Series(codes).astype(str)
            + pd.Series(serial).map("{:06d}".format),
            "kind": kinds,
            "state": state,
            "x": xy[:, 0],
            "y": xy[:, 1],
        }
    )


def _along_roads(
    town: Town, count: int, beyond_m: float, lowest: str, rng: np.random.Generator
) -> Floats:
    """Return points at even steps along both sides of the streets, off the water."""
    lines = town.network.lines
    chosen = (lines.rank >= rank_of("arterial")) & (lines.rank <= rank_of(lowest))
    shapes, rank = lines.shapes[chosen], lines.rank[chosen]
    half = np.array([ROAD_HALF_WIDTH_M.get(name, 0.0) for name in RANKS])[rank] - 1.0
    length = shapely.length(shapes)
    step = 2 * length.sum() / (1.06 * count)
    side_count = np.floor(length / step + rng.random(len(length))).astype(np.int64)
    which = np.repeat(np.arange(len(shapes)), side_count)
    order = np.arange(len(which)) - np.repeat(np.cumsum(side_count) - side_count, side_count)
    at = (order + 0.5) / side_count[which]
    here = shapely.get_coordinates(
        shapely.line_interpolate_point(shapes[which], at, normalized=True)
    )
    ahead = np.minimum(at * length[which] + 1.0, length[which])
    there = shapely.get_coordinates(shapely.line_interpolate_point(shapes[which], ahead))
    along = there - here
    along /= np.maximum(np.hypot(*along.T), 1e-6)[:, None]
    across = np.c_[-along[:, 1], along[:, 0]]
    off = (half[which] + beyond_m)[:, None]
    sides = np.concatenate([here + across * off, here - across * off])
    sides = sides[_is_dry(town, sides)]
    keep = rng.permutation(len(sides))[:count]
    return sides[np.sort(keep)] + rng.normal(0, 0.25, (len(keep), 2))


def _is_dry(town: Town, xy: Floats) -> NDArray[np.bool_]:
    """Tell which points lie in the city and not in its water."""
    inside = shapely.contains_xy(town.network.outline, xy[:, 0], xy[:, 1])
    return np.asarray(inside & ~find_wet(town.water, xy))


def _in_green(town: Town, count: int, rng: np.random.Generator) -> Floats:
    """Return points scattered in parks and campuses."""
    green = np.isin(town.land.use, [use_of("park"), use_of("campus"), use_of("sports")])
    lots = town.land.lot[green & ~shapely.is_empty(town.land.lot)]
    if not len(lots):
        lots = town.network.cells
    weight = shapely.area(lots)
    found: list[Floats] = []
    have = 0
    while have < count:
        which = rng.choice(len(lots), 2 * count + 16, p=weight / weight.sum())
        low_x, low_y, high_x, high_y = shapely.bounds(lots[which]).T
        x, y = rng.uniform(low_x, high_x), rng.uniform(low_y, high_y)
        inside = shapely.contains_xy(lots[which], x, y)
        found.append(np.c_[x, y][inside])
        have += int(inside.sum())
    return np.concatenate(found)[:count]


def junctions(town: Town) -> pd.DataFrame:
    """Return the junctions of named or larger streets: x, y, weight, the names that meet."""
    lines = town.network.lines
    chosen = np.flatnonzero(
        (lines.rank >= rank_of("expressway")) & (lines.rank <= rank_of("local"))
    )
    ends = np.concatenate(
        [
            shapely.get_coordinates(shapely.get_point(lines.shapes[chosen], 0)),
            shapely.get_coordinates(shapely.get_point(lines.shapes[chosen], -1)),
        ]
    )
    line = np.r_[chosen, chosen]
    key = np.rint(ends * 1000).astype(np.int64)
    _, node = np.unique(key, axis=0, return_inverse=True)
    frame = pd.DataFrame(
        {"node": node.reshape(-1), "x": ends[:, 0], "y": ends[:, 1], "name": lines.name[line],
         "weight": 10.0 - lines.rank[line]}
    )  # fmt: skip
    frame["named"] = frame["name"].where(frame["name"] != "")
    grouped = frame.groupby("node")
    table = grouped.agg(
        x=("x", "first"), y=("y", "first"), weight=("weight", "sum"), ways=("x", "size")
    )
    names = (
        frame.dropna(subset=["named"])
        .groupby("node")["named"]
        .agg(lambda col: list(dict.fromkeys(col)))
    )
    table["names"] = names.reindex(table.index)
    table = table[(table["ways"] >= 3) & _is_dry(town, table[["x", "y"]].to_numpy())]
    return table.reset_index(drop=True)


def place_cameras(town: Town, places: pd.DataFrame, rng: np.random.Generator) -> pd.DataFrame:
    """Return cameras with local x, y by contracts.md 3; ids are 20-digit text (GB/T 28181)."""
    total = town.plan.cameras
    meeting = junctions(town)
    at_gates = min(round(0.35 * total), len(places))
    at_corners = min(total - at_gates, len(meeting))
    at_gates = min(total - at_corners, len(places))
    chance = meeting["weight"].to_numpy() ** 3
    corner = rng.choice(len(meeting), at_corners, replace=False, p=chance / chance.sum())
    draw = places["capacity"].to_numpy() ** 0.5 + 1
    gate = rng.choice(len(places), at_gates, replace=False, p=draw / draw.sum())
    front, fronts = _at_fronts(town, total - at_corners - at_gates, rng)
    x = np.r_[meeting["x"].to_numpy()[corner], places["x"].to_numpy()[gate], front[:, 0]]
    y = np.r_[meeting["y"].to_numpy()[corner], places["y"].to_numpy()[gate], front[:, 1]]
    name = _corner_names(town, meeting.iloc[corner])
    name += [f"{label}出入口" for label in places["name"].iloc[gate]]
    name += fronts
    count = len(x)
    grade = np.r_[
        rng.choice([1, 2, 3], at_corners, p=[0.62, 0.28, 0.10]),
        rng.choice([1, 2, 3], at_gates, p=[0.15, 0.45, 0.40]),
        rng.choice([1, 2, 3], len(front), p=[0.02, 0.38, 0.60]),
    ]
    dome = rng.random(count) < 0.3
    return pd.DataFrame(
        {
            "camera_id": [
                f"{town.plan.code}00001{132 if not d else 131}0{n:05d}"
                for n, d in enumerate(dome, int(count < _MOST_NUMBERS))
            ],
            "name": name,
            "class": grade,
            "state": rng.choice(np.array(["online", "offline"], object), count, p=[0.955, 0.045]),
            "bearing": np.rint(rng.uniform(0, 360, count)) % 360,
            "angle": np.where(dome, 90.0, np.rint(rng.normal(62, 7, count))),
            "range_m": np.rint(rng.uniform(45, 130, count)),
            "x": x + rng.normal(0, 6, count),
            "y": y + rng.normal(0, 6, count),
        }
    )


def _at_fronts(town: Town, count: int, rng: np.random.Generator) -> tuple[Floats, list[str]]:
    """Return places at the doors of buildings and their names, for cities full of cameras."""
    if not count:
        return np.empty((0, 2)), []
    weight = shapely.area(town.buildings.shapes) * town.buildings.floors
    pick = rng.choice(len(weight), count, p=weight / weight.sum())
    wall = shapely.get_exterior_ring(town.buildings.shapes[pick])
    at = shapely.get_coordinates(
        shapely.line_interpolate_point(wall, rng.random(count), normalized=True)
    )
    frame = town.divisions.grids
    community = frame[frame["level"] == "community"]
    home = shapely.STRtree(community["geometry"].to_numpy()).nearest(shapely.points(at))
    lead = community["name"].to_numpy()[home]
    serial = pd.Series(lead).groupby(lead).cumcount().to_numpy() + 1
    return at, [f"{one}楼栋{n}号" for one, n in zip(lead, serial, strict=True)]


def _corner_names(town: Town, corners: pd.DataFrame) -> list[str]:
    """Return names of junctions: the two streets, or the street and the community it runs in."""
    frame = town.divisions.grids
    community = frame[frame["level"] == "community"]
    at = shapely.points(corners[["x", "y"]].to_numpy())
    home = community["name"].to_numpy()[
        shapely.STRtree(community["geometry"].to_numpy()).nearest(at)
    ]
    label = []
    for roads, where in zip(corners["names"], home, strict=True):
        known = roads if isinstance(roads, list) else []
        if len(known) >= 2:
            label.append(f"{known[0]}与{known[1]}路口")
        else:
            label.append(f"{known[0]}{where}段" if known else f"{where}内部道路")
    text = pd.Series(label, dtype=object)
    repeat = text.groupby(text).cumcount()
    return [
        name if not again else f"{name}{again + 1}号"
        for name, again in zip(text, repeat, strict=True)
    ]
