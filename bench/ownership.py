"""Benchmark A: from places to the grids that own them, beside everything that can join in space."""

from __future__ import annotations

import tempfile
from collections.abc import Callable, Iterator, Sequence
from typing import Any

import geopandas
import numpy as np
import shapely
from numpy.typing import NDArray

from bench.contest import Bar, Contest, Row, find_peer, time_each
from bench.made_up import make_cells, make_grids, make_points
from geodata.compiled import compile_kernel
from geodata.ownership import OwnerIndex, find_owners

CRS = "EPSG:4549"
NEAR_LINE_M = 15.0
GRIDS, MANY_GRIDS = 1101, 6125
_TABLE = 512  # cells along a side of the bare look-up: 1 MB, as the index's own first level
_SINGLES, _REBUILDS = 20_000, 7
Owners = NDArray[np.integer[Any]]
Floats = NDArray[np.float64]
Pairs = tuple[Owners, Owners]  # point, grid

ONE, TWO, FRAME, FULL = "find, 1 thread", "find, 2 threads", "GeoDataFrame to Series", "own, all"
GEOPANDAS = "geopandas.sjoin"
SHAPELY = "shapely STRtree(points)"
DUCKDB_ONE, DUCKDB_TWO = "DuckDB spatial, 1 thread", "DuckDB spatial, 2 threads"
SEDONA, POLARS, BARE = "SedonaDB, 2 threads", "polars-st, 2 threads", "bare look-up"
_READ = 20.0  # bytes a point: two doubles in, one number out
BARS = (
    Bar(ours=ONE, peer=GEOPANDAS, ratio=100, predicate="intersects", bytes=_READ),
    Bar(ours=ONE, peer=SHAPELY, predicate="intersects", bytes=_READ),
    Bar(ours=ONE, peer=DUCKDB_ONE, predicate="ST_Intersects", bytes=_READ),
    Bar(ours=TWO, peer=DUCKDB_TWO, predicate="ST_Intersects", bytes=_READ),
    Bar(ours=TWO, peer=SEDONA, ratio=30, predicate="ST_Intersects", bytes=_READ),
    Bar(ours=TWO, peer=POLARS, predicate="intersects", bytes=_READ),
    Bar(ours=TWO, peer=ONE, ratio=1.8, bytes=_READ),
    Bar(ours=ONE, peer=BARE, ratio=1 / 6, bytes=_READ),
    Bar(ours=FRAME, peer=GEOPANDAS, ratio=9, predicate="intersects"),
    Bar(ours=FULL, peer=GEOPANDAS, predicate="intersects"),
)
PEERS = (GEOPANDAS, SHAPELY, DUCKDB_ONE, DUCKDB_TWO, SEDONA, POLARS)
_SLOW_FROM = 5_000_000  # points from which only the peers that a bar names take part


def run(*, points: int, rounds: int) -> Iterator[Row]:
    """Measure every case of ownership."""
    yield from run_ownership(points=points, rounds=rounds)
    yield from run_cells(points=points, rounds=rounds)
    yield from run_single()


def run_ownership(
    *, points: int, grids: int = GRIDS, rounds: int = 5, peers: Sequence[str] = PEERS
) -> list[Row]:
    """
    Measure ownership against each peer; return the rows of `bench --json`.

    All start from their own ready columns (x and y; point objects; tables with geometry), the
    peers' search trees stay from round to round as ours does. `equal` tells whether every owner
    is the first in rank of the grids the peer returned for the point.
    """
    shapes = make_grids(grids)
    x, y = make_points(points, shapes)
    index = OwnerIndex(shapes)
    contest = Contest(
        work="A", case=f"{grids:,} grids", n=points, rounds=rounds, note=_size_of(shapes)
    )
    frame = geopandas.GeoDataFrame(geometry=shapely.points(x, y), crs=CRS)
    contest.enter(ONE, lambda: index.find(x, y), answer=np.asarray)
    contest.enter(TWO, lambda: index.find(x, y, threads=2), answer=np.asarray)
    contest.enter(FRAME, lambda: find_owners(frame.geometry, index, threads=1), answer=np.asarray)
    contest.enter(
        FULL,
        lambda: index.own(x, y, near_line_m=NEAR_LINE_M),
        answer=lambda owned: owned.owner,
    )
    contest.enter(BARE, _make_look_up(x, y, shapes))
    for name in peers:
        if points < _SLOW_FROM or name in {GEOPANDAS, SEDONA}:
            _PEERS[name](contest, name, x, y, shapes)
    contest.run()
    return contest.rows(
        [bar for bar in BARS if bar.peer in contest.entries or bar.ratio is not None]
    )


def run_cells(*, points: int, rounds: int) -> list[Row]:
    """Measure what other drawings cost: square cells of 100 m, and 6,125 grids."""
    cells = make_cells(100, side_mm=100_000)
    x, y = make_points(points, cells)
    index = OwnerIndex(cells)
    squares = Contest(work="A", case="10,000 cells of 100 m", n=points, rounds=rounds)
    squares.enter(ONE, lambda: index.find(x, y), answer=np.asarray)
    _PEERS[GEOPANDAS](squares, GEOPANDAS, x, y, cells)
    squares.run()
    found = squares.rows(
        [Bar(ours=ONE, peer=GEOPANDAS, ratio=60, predicate="intersects", bytes=_READ)]
    )
    few, many = make_grids(GRIDS), make_grids(MANY_GRIDS)
    of_few, of_many = OwnerIndex(few), OwnerIndex(many)
    x, y = make_points(points, few)
    xs, ys = make_points(points, many)
    wide = Contest(work="A", case=f"{MANY_GRIDS:,} grids", n=points, rounds=rounds)
    wide.enter(ONE, lambda: of_many.find(xs, ys))
    wide.enter(f"{GRIDS:,} grids", lambda: of_few.find(x, y))
    wide.run()
    return found + wide.rows([Bar(ours=ONE, peer=f"{GRIDS:,} grids", ratio=1 / 1.5, bytes=_READ)])


def run_single(*, grids: int = GRIDS, rebuilds: int = _REBUILDS) -> list[Row]:
    """Measure one incident, the index built anew, and after an edit of one boundary."""
    shapes = make_grids(grids)
    index = OwnerIndex(shapes)
    x, y = make_points(_SINGLES, shapes)
    single, worst = time_each(lambda i: index.find_one(x[i], y[i]), _SINGLES)
    edited, edit = shapes.copy(), {grids // 2: move_corner(shapes[grids // 2])}
    edited[grids // 2] = edit[grids // 2]
    owner = index.replace(edit).find(x, y)
    same = bool(np.array_equal(owner, OwnerIndex(edited).find(x, y)))
    whole = time_each(lambda _: OwnerIndex(shapes), rebuilds)[0]
    part = time_each(lambda _: index.replace(edit), rebuilds)[0]
    note = f"99 of 100 within {worst * 1e6:.1f} us"
    rows = []
    for case, bar_s, seconds, equal, said in (
        ("one incident", 5e-6, single, None, note),
        (f"index of {grids:,} grids built anew", 0.15, whole, None, ""),
        ("index after one edit", 0.02, part, same, ""),
    ):
        contest = Contest(work="A", case=case, n=1, rounds=1, note=said)
        contest.times = {"": [seconds]}
        (row,) = contest.rows([Bar(ours="", peer="", seconds=bar_s)])
        rows.append(row | {"case": case, "equal": equal})
    return rows


def move_corner(shape: Any) -> Any:
    """Return a polygon with one corner moved a little outward: an edit of a boundary."""
    corners = shapely.get_coordinates(shape)[:-1]
    away = corners[0] - shapely.get_coordinates(shapely.centroid(shape))[0]
    corners[0] = np.rint(corners[0] + 0.1 * away)
    return shapely.Polygon(corners)


# --- who takes part ------------------------------------------------------------------------------


def _size_of(shapes: NDArray[np.object_]) -> str:
    return f"{int(shapely.get_num_coordinates(shapes).sum())} corners"


def _make_look_up(x: Floats, y: Floats, shapes: NDArray[np.object_]) -> Callable[[], Owners]:
    """Return the least that any raster can do: one cell number and one reading a point."""
    x0, y0, x1, y1 = shapely.total_bounds(shapes)
    table = np.arange(_TABLE * _TABLE, dtype=np.int32)
    out = np.empty(len(x), np.int32)

    def look_up() -> Owners:
        _look_up(x, y, x0, y0, _TABLE / (x1 - x0), _TABLE / (y1 - y0), table, out)
        return out

    return look_up


@compile_kernel
def _look_up(
    x: Floats, y: Floats, x0: float, y0: float, per_x: float, per_y: float,
    table: Owners, out: Owners,
) -> None:  # fmt: skip
    last = np.int32(_TABLE - 1)
    for i in range(len(x)):
        c = min(max(np.int32((x[i] - x0) * per_x), np.int32(0)), last)
        r = min(max(np.int32((y[i] - y0) * per_y), np.int32(0)), last)
        out[i] = table[np.uint32(r * np.int32(_TABLE) + c)]


def _enter_geopandas(
    contest: Contest, name: str, x: Floats, y: Floats, shapes: NDArray[np.object_]
) -> None:
    points = geopandas.GeoDataFrame(geometry=shapely.points(x, y), crs=CRS)
    grids = geopandas.GeoDataFrame(geometry=shapes, crs=CRS)
    contest.enter(
        name,
        lambda: geopandas.sjoin(points, grids, predicate="intersects"),
        answer=lambda found: _first_of(
            (found.index.to_numpy(), found["index_right"].to_numpy()), len(x)
        ),
    )


def _enter_shapely(
    contest: Contest, name: str, x: Floats, y: Floats, shapes: NDArray[np.object_]
) -> None:
    points = shapely.points(x, y)
    contest.enter(
        name,
        lambda: shapely.STRtree(points).query(shapes, predicate="intersects"),
        answer=lambda found: _first_of((found[1], found[0]), len(x)),
    )


_JOIN = "from points p join grids g on ST_Intersects(g.geometry, p.geometry)"
_COUNT = f"select g.grid, count(*) as n {_JOIN} group by g.grid"
_PAIRS = f"select p.point, min(g.grid) as grid {_JOIN} group by p.point"


def _enter_duckdb(
    contest: Contest, name: str, x: Floats, y: Floats, shapes: NDArray[np.object_]
) -> None:
    """Let DuckDB count points by grid, which spares it the writing of an owner for each."""
    duckdb, arrow = find_peer("duckdb"), find_peer("pyarrow")
    extensions, spatial = find_peer("duckdb_extensions"), find_peer("duckdb_extension_spatial")
    if None in {duckdb, extensions, spatial}:
        contest.enter(name, None)
        return
    folder = tempfile.mkdtemp(prefix="getu-bench-")
    link = duckdb.connect(config={"extension_directory": folder})
    extensions.import_extension("spatial", con=link)
    link.execute("load spatial")
    source = arrow.table({"point": np.arange(len(x)), "x": x, "y": y})
    areas = arrow.table(
        {"grid": np.arange(len(shapes)), "wkb": arrow.array(shapely.to_wkb(shapes))}
    )
    link.register("source", source)
    link.register("areas", areas)
    link.execute("create table points as select point, ST_Point(x, y) geometry from source")
    link.execute("create table grids as select grid, ST_GeomFromWKB(wkb) geometry from areas")
    threads = 1 if name == DUCKDB_ONE else 2

    def count() -> Any:
        link.execute(f"set threads = {threads}")
        return link.execute(_COUNT).fetchnumpy()

    def answer(_: Any) -> Owners:
        found = link.execute(_PAIRS).fetchnumpy()
        return _first_of((found["point"], found["grid"]), len(x))

    contest.enter(name, count, answer=answer)


def _enter_sedona(
    contest: Contest, name: str, x: Floats, y: Floats, shapes: NDArray[np.object_]
) -> None:
    """Let SedonaDB count points by grid, which spares it the writing of an owner for each."""
    sedona = find_peer("sedonadb")
    if sedona is None:
        contest.enter(name, None)
        return
    link = sedona.connect()
    points = geopandas.GeoDataFrame(
        {"point": np.arange(len(x))}, geometry=shapely.points(x, y), crs=CRS
    )
    grids = geopandas.GeoDataFrame({"grid": np.arange(len(shapes))}, geometry=shapes, crs=CRS)
    link.create_data_frame(points).to_memtable().to_view("points")
    link.create_data_frame(grids).to_memtable().to_view("grids")

    def answer(_: Any) -> Owners:
        found = link.sql(_PAIRS).to_pandas()
        return _first_of((found["point"].to_numpy(), found["grid"].to_numpy()), len(x))

    contest.enter(name, lambda: link.sql(_COUNT).to_pandas(), answer=answer)


def _enter_polars(
    contest: Contest, name: str, x: Floats, y: Floats, shapes: NDArray[np.object_]
) -> None:
    polars, spatial = find_peer("polars"), find_peer("polars_st")
    if polars is None or spatial is None:
        contest.enter(name, None)
        return
    points = polars.DataFrame(
        {"point": np.arange(len(x)), "geometry": shapely.to_wkb(shapely.points(x, y))}
    )
    grids = polars.DataFrame({"grid": np.arange(len(shapes)), "geometry": shapely.to_wkb(shapes)})

    def join() -> Any:
        left, right = spatial.GeoDataFrame(points), spatial.GeoDataFrame(grids)
        return left.st.sjoin(right, how="inner", predicate="intersects").select("point", "grid")

    contest.enter(
        name,
        join,
        answer=lambda found: _first_of(
            (found["point"].to_numpy(), found["grid"].to_numpy()), len(x)
        ),
    )


_PEERS: dict[str, Callable[..., None]] = {
    GEOPANDAS: _enter_geopandas,
    SHAPELY: _enter_shapely,
    DUCKDB_ONE: _enter_duckdb,
    DUCKDB_TWO: _enter_duckdb,
    SEDONA: _enter_sedona,
    POLARS: _enter_polars,
}


def _first_of(pairs: Pairs, points: int) -> Owners:
    """Return our rule applied to a peer's pairs: the first grid in rank, -1 where there is none."""
    owner = np.full(points, np.iinfo(np.int64).max)
    np.minimum.at(owner, pairs[0], pairs[1])
    owner[owner == np.iinfo(np.int64).max] = -1
    return owner
