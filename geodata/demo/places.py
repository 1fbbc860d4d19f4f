"""Places: schools, estates, shops, markets, care homes and the other points people know."""

from __future__ import annotations

import numpy as np
import pandas as pd
import shapely
from numpy.typing import NDArray

from geodata.demo import names
from geodata.demo.land import use_of
from geodata.demo.town import Town

Ints = NDArray[np.int64]

# kind, share of the wanted number, uses it is found in, name ending(s), capacity (low, high)
_KINDS: tuple[tuple[str, float, tuple[str, ...], tuple[str, ...], tuple[int, int]], ...] = (
    ("shop", 0.44, ("commerce", "old_town", "estate_old", "market"), ("便利店", "超市", "五金店", "文具店", "服装店", "理发店", "水果店", "药店"), (5, 60)),
    ("restaurant", 0.17, ("commerce", "old_town", "estate_old", "office"), ("饭店", "面馆", "小吃店", "茶餐厅", "早餐店"), (20, 200)),
    ("estate", 0.14, ("estate_old", "estate_mid", "estate_high", "villas"), ("小区", "花园", "家园", "苑", "府", "新村"), (300, 3000)),
    ("company", 0.07, ("industry", "office"), ("机械厂", "电子厂", "纺织厂", "科技公司", "物流公司"), (40, 900)),
    ("school", 0.022, ("school", "campus"), ("小学", "中学", "实验学校"), (600, 2800)),
    ("kindergarten", 0.03, ("estate_mid", "estate_high", "estate_old", "school"), ("幼儿园",), (90, 400)),
    ("hospital", 0.006, ("hospital",), ("医院", "中医院"), (200, 2500)),
    ("clinic", 0.024, ("estate_mid", "estate_old", "village", "public"), ("卫生服务站", "诊所"), (20, 90)),
    ("market", 0.01, ("market",), ("农贸市场", "小商品市场"), (400, 3500)),
    ("mall", 0.008, ("commerce",), ("商场", "购物中心", "广场"), (800, 6000)),
    ("government", 0.014, ("public",), ("政务服务中心", "便民服务中心", "税务所", "派出所"), (60, 500)),
    ("elderly_care", 0.008, ("estate_old", "public", "village"), ("养老院", "护理院", "日间照料中心"), (40, 300)),
    ("hazmat_site", 0.005, ("industry", "logistics"), ("化工仓库", "加油站", "液化气站"), (10, 120)),
    ("park", 0.012, ("park",), ("公园", "游园", "绿地"), (100, 3000)),
    ("hotel", 0.012, ("commerce", "office"), ("宾馆", "酒店", "旅馆"), (60, 500)),
    ("bank", 0.014, ("commerce", "office"), ("储蓄所", "银行网点"), (20, 80)),
    ("culture", 0.006, ("public", "old_town", "sports"), ("文化站", "图书馆", "剧场"), (80, 1200)),
    ("station", 0.003, ("station", "logistics"), ("候车厅", "客运站"), (500, 4000)),
)  # fmt: skip


def place_places(town: Town, rng: np.random.Generator) -> pd.DataFrame:
    """Return places with local x, y: id, name, kind, capacity, state, x, y."""
    total = town.plan.places
    share = np.array([row[1] for row in _KINDS])
    count = np.maximum(1, np.floor(total * share / share.sum())).astype(np.int64)
    count[0] += total - count.sum()
    parts = [_of_kind(town, row, int(n), rng) for row, n in zip(_KINDS, count, strict=True)]
    frame = pd.concat(parts, ignore_index=True)
    repeat = frame.groupby("name").cumcount()
    frame["name"] = frame["name"].where(
        repeat == 0, frame["name"] + "（" + (repeat + 1).astype(str) + "）"
    )
    frame.insert(0, "id", [f"P{number:06d}" for number in range(1, len(frame) + 1)])
    frame["state"] = rng.choice(np.array(["open", "closed"], object), len(frame), p=[0.97, 0.03])
    return frame[["id", "name", "kind", "capacity", "state", "x", "y"]]


def _of_kind(
    town: Town,
    row: tuple[str, float, tuple[str, ...], tuple[str, ...], tuple[int, int]],
    count: int,
    rng: np.random.Generator,
) -> pd.DataFrame:
    kind, _, uses, endings, capacity = row
    shapes, cells = _candidates(town, uses)
    pick = rng.choice(len(shapes), count, replace=count > len(shapes))
    at = shapely.get_coordinates(shapely.centroid(shapes[pick]))
    frame = town.divisions.grids
    community = frame[frame["level"] == "community"]
    where = shapely.STRtree(community["geometry"].to_numpy()).nearest(shapely.points(at))
    lead = community["name"].to_numpy()[where]
    lead = np.array([text.removesuffix("社区").removesuffix("村") for text in lead], object)
    word = rng.choice(np.array(names.PLACE_WORDS, object), count)
    ending = rng.choice(np.array(endings, object), count)
    plain = kind in {"school", "market", "government", "clinic", "park", "station", "culture"}
    name = lead + ending if plain else lead + word + ending
    low, high = np.log(capacity[0]), np.log(capacity[1])
    size = np.rint(np.exp(rng.uniform(low, high, count)))
    return pd.DataFrame(
        {"name": name, "kind": kind, "capacity": size, "x": at[:, 0], "y": at[:, 1]}
    )


def _candidates(town: Town, uses: tuple[str, ...]) -> tuple[NDArray[np.object_], Ints]:
    """Return footprints (or, in green land, blocks) of the uses; any block where there is none."""
    codes = [use_of(name) for name in uses]
    buildings = np.flatnonzero(np.isin(town.buildings.use, codes))
    if len(buildings) and uses != ("park",):
        return town.buildings.shapes[buildings], town.buildings.cell[buildings]
    cells = np.flatnonzero(np.isin(town.land.use, codes))
    if not len(cells):
        cells = np.arange(len(town.network.cells))
    return town.network.cells[cells], cells
