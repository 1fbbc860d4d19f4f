"""Places: schools, estates, shops, markets, care homes and the other points people know."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import pandas as pd
import shapely

from geodata.demo.blocks import Shapes
from geodata.demo.land import use_of
from geodata.demo.town import Town


@dataclass(frozen=True, slots=True, kw_only=True)
class Sort:
    """One sort of place: where it is found, what it is called, how many people it holds."""

    kind: str
    share: float  # of the wanted number
    uses: tuple[str, ...]
    endings: tuple[str, ...]
    capacity: tuple[int, int]


SORTS: tuple[Sort, ...] = (
    Sort(
        kind="shop",
        share=0.44,
        uses=("commerce", "old_town", "estate_old", "market"),
        endings=("便利店", "超市", "五金店", "文具店", "服装店", "理发店", "水果店", "药店"),
        capacity=(5, 60),
    ),
    Sort(
        kind="restaurant",
        share=0.17,
        uses=("commerce", "old_town", "estate_old", "office"),
        endings=("饭店", "面馆", "小吃店", "茶餐厅", "早餐店"),
        capacity=(20, 200),
    ),
    Sort(
        kind="estate",
        share=0.14,
        uses=("estate_old", "estate_mid", "estate_high", "villas"),
        endings=("小区", "花园", "家园", "苑", "府", "新村"),
        capacity=(300, 3000),
    ),
    Sort(
        kind="company",
        share=0.07,
        uses=("industry", "office"),
        endings=("机械厂", "电子厂", "纺织厂", "科技公司", "物流公司"),
        capacity=(40, 900),
    ),
    Sort(
        kind="school",
        share=0.022,
        uses=("school", "campus"),
        endings=("小学", "中学", "实验学校"),
        capacity=(600, 2800),
    ),
    Sort(
        kind="kindergarten",
        share=0.03,
        uses=("estate_mid", "estate_high", "estate_old", "school"),
        endings=("幼儿园",),
        capacity=(90, 400),
    ),
    Sort(
        kind="hospital",
        share=0.006,
        uses=("hospital",),
        endings=("医院", "中医院"),
        capacity=(200, 2500),
    ),
    Sort(
        kind="clinic",
        share=0.024,
        uses=("estate_mid", "estate_old", "village", "public"),
        endings=("卫生服务站", "诊所"),
        capacity=(20, 90),
    ),
    Sort(
        kind="market",
        share=0.01,
        uses=("market",),
        endings=("农贸市场", "小商品市场"),
        capacity=(400, 3500),
    ),
    Sort(
        kind="mall",
        share=0.008,
        uses=("commerce",),
        endings=("商场", "购物中心", "广场"),
        capacity=(800, 6000),
    ),
    Sort(
        kind="government",
        share=0.014,
        uses=("public",),
        endings=("政务服务中心", "便民服务中心", "税务所", "派出所"),
        capacity=(60, 500),
    ),
    Sort(
        kind="elderly_care",
        share=0.008,
        uses=("estate_old", "public", "village"),
        endings=("养老院", "护理院", "日间照料中心"),
        capacity=(40, 300),
    ),
    Sort(
        kind="hazmat_site",
        share=0.005,
        uses=("industry", "logistics"),
        endings=("化工仓库", "加油站", "液化气站"),
        capacity=(10, 120),
    ),
    Sort(
        kind="park",
        share=0.012,
        uses=("park",),
        endings=("公园", "游园", "绿地"),
        capacity=(100, 3000),
    ),
    Sort(
        kind="hotel",
        share=0.012,
        uses=("commerce", "office"),
        endings=("宾馆", "酒店", "旅馆"),
        capacity=(60, 500),
    ),
    Sort(
        kind="bank",
        share=0.014,
        uses=("commerce", "office"),
        endings=("储蓄所", "银行网点"),
        capacity=(20, 80),
    ),
    Sort(
        kind="culture",
        share=0.006,
        uses=("public", "old_town", "sports"),
        endings=("文化站", "图书馆", "剧场"),
        capacity=(80, 1200),
    ),
    Sort(
        kind="station",
        share=0.003,
        uses=("station", "logistics"),
        endings=("候车厅", "客运站"),
        capacity=(500, 4000),
    ),
)
_PLAIN = {"school", "market", "government", "clinic", "park", "station", "culture"}


def place_places(town: Town, rng: np.random.Generator) -> pd.DataFrame:
    """Return places with local x, y: id, name, kind, capacity, state, x, y."""
    total = town.plan.places
    share = np.array([sort.share for sort in SORTS])
    count = np.maximum(1, np.floor(total * share / share.sum())).astype(np.int64)
    count[0] += total - count.sum()
    parts = [_of_sort(town, sort, int(n), rng) for sort, n in zip(SORTS, count, strict=True)]
    frame = pd.concat(parts, ignore_index=True)
    frame["name"] = _tell_apart(frame["name"], frame.pop("lead"), town.plan.names.places)
    frame.insert(0, "id", [f"P{number:06d}" for number in range(1, len(frame) + 1)])
    frame["state"] = rng.choice(np.array(["open", "closed"], object), len(frame), p=[0.97, 0.03])
    return frame[["id", "name", "kind", "capacity", "state", "x", "y"]]


def _of_sort(town: Town, sort: Sort, count: int, rng: np.random.Generator) -> pd.DataFrame:
    shapes = _candidates(town, sort, count)
    pick = rng.choice(len(shapes), count, replace=count > len(shapes))
    at = shapely.get_coordinates(shapely.centroid(shapes[pick]))
    frame = town.divisions.grids
    community = frame[frame["level"] == "community"]
    where = shapely.STRtree(community["geometry"].to_numpy()).nearest(shapely.points(at))
    lead = community["name"].to_numpy()[where]
    lead = np.array([text.removesuffix("社区").removesuffix("村") for text in lead], object)
    word = rng.choice(np.array(town.plan.names.places, object), count)
    ending = rng.choice(np.array(sort.endings, object), count)
    name = lead + ending if sort.kind in _PLAIN else lead + word + ending
    low, high = np.log(sort.capacity[0]), np.log(sort.capacity[1])
    size = np.rint(np.exp(rng.uniform(low, high, count)))
    return pd.DataFrame(
        {
            "name": name,
            "lead": lead,
            "kind": sort.kind,
            "capacity": size,
            "x": at[:, 0],
            "y": at[:, 1],
        }
    )


def _tell_apart(name: pd.Series, lead: pd.Series, places: tuple[str, ...]) -> pd.Series:
    """Return names that differ: the second of a name gets a word more, in the end a number."""
    words = np.array(places, object)
    for turn in range(len(words)):
        repeat = name.groupby(name).cumcount()
        if not (repeat > 0).any():
            return name
        word = pd.Series(words[(repeat.to_numpy() + 5 * turn) % len(words)], name.index)
        longer = [
            text if not again else first + more + text.removeprefix(first)
            for text, first, more, again in zip(name, lead, word, repeat > 0, strict=True)
        ]
        name = pd.Series(longer, name.index)
    return name


def _candidates(town: Town, sort: Sort, count: int) -> Shapes:
    """Return footprints (or, in green land, blocks) of the uses; any block where there is none."""
    codes = [use_of(name) for name in sort.uses]
    buildings = np.flatnonzero(np.isin(town.buildings.use, codes))
    cells = np.flatnonzero(np.isin(town.land.use, codes))
    if sort.kind == "park" or not len(buildings):
        return town.network.cells[cells if len(cells) else np.arange(len(town.network.cells))]
    if sort.kind in _PLAIN:  # one to a block, in its largest building; the rest near dwellings
        homes = np.flatnonzero(town.buildings.households > 0)
        pool = np.r_[buildings, homes] if len(cells) < count else buildings
        order = pool[np.argsort(-shapely.area(town.buildings.shapes[pool]), kind="stable")]
        _, first = np.unique(town.buildings.cell[order], return_index=True)
        buildings = order[np.sort(first)]
    return town.buildings.shapes[buildings]
