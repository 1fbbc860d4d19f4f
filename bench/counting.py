"""Benchmark B: incidents by grid, category and hour under a filter, beside tables and databases."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace
from typing import Any
from zoneinfo import ZoneInfo

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from bench.contest import Bar, Contest, Row, find_peer
from geodata.snapshots.counting import DAY_S, CountFilter, build_counter
from geodata.snapshots.timeline import Rows

GRIDS, KINDS, CATEGORIES, STAGES, DAYS = 1101, 987, 6, 16, 730
START = 1_700_000_000
ZONE = ZoneInfo("Asia/Shanghai")
_ZONE_S = 8 * 3600
_WANTED = (1, 3, 4)  # categories
_CHANGES = 1_000
Counts = NDArray[np.int64]

ONE, TWO, ANY = "counter, 1 thread", "counter, 2 threads", "counter, any filter, 2 threads"
RANGE, UPDATE = "counter, grid x category of a range", "counter, 1,000 changes and a count"
PANDAS, NUMPY = "pandas groupby", "numpy mask and bincount"
DUCKDB, POLARS = "DuckDB, 2 threads", "polars, 2 threads"
_BYTES = 9.0  # a row: its grid, kind, stage and hour
BARS = (
    Bar(ours=TWO, peer=POLARS, ratio=5, bytes=_BYTES / 2, predicate="half the time, 3 of 6"),
    Bar(ours=TWO, peer=DUCKDB, bytes=_BYTES / 2, predicate="half the time, 3 of 6"),
    Bar(ours=ONE, peer=PANDAS, bytes=_BYTES / 2, predicate="half the time, 3 of 6"),
    Bar(ours=ONE, peer=NUMPY, bytes=_BYTES / 2, predicate="half the time, 3 of 6"),
    Bar(ours=TWO, peer=ONE, bytes=_BYTES / 2),
    Bar(ours=ANY, peer="", seconds=0.05, bytes=_BYTES, predicate="all time, all columns"),
    Bar(ours=RANGE, peer="", seconds=0.001, predicate="days"),
    Bar(ours=UPDATE, peer="", seconds=0.05, predicate="days"),
)


def run(*, points: int, rounds: int) -> Iterator[Row]:
    """Measure counting over ten times as many rows as `points`."""
    yield from run_counting(rows=10 * points, rounds=rounds)


def make_rows(n: int) -> Rows:
    """Return incidents of two years."""
    rng = np.random.default_rng(0)
    return Rows(
        at=rng.integers(START, START + DAYS * DAY_S, n),
        grid=rng.integers(-1, GRIDS, n).astype(np.int32),
        kind=rng.integers(0, KINDS, n).astype(np.uint16),
        stage=rng.integers(0, STAGES, n).astype(np.uint8),
    )


def run_counting(*, rows: int, rounds: int) -> list[Row]:
    """Measure one grouping by grid, category and hour, a range of days, and an update."""
    data = make_rows(rows)
    category_of = np.arange(KINDS) % CATEGORIES
    counter = build_counter(data, grids=GRIDS, category_of=category_of, stages=STAGES, zone=ZONE)
    counter.count(["grid"])  # makes the running totals
    wanted = np.isin(np.arange(CATEGORIES), _WANTED)
    since, until = START + DAYS * DAY_S // 4, START + 3 * DAYS * DAY_S // 4
    half = CountFilter(since=since, until=until, categories=wanted)
    every = np.random.default_rng(1)
    whole = CountFilter(
        grids=every.random(GRIDS + 1) < 0.7,
        kinds=every.random(KINDS) < 0.7,
        stages=every.random(STAGES) < 0.7,
        hours=every.random(24) < 0.7,
    )
    contest = Contest(work="B", case="grid x category x hour", n=rows, rounds=rounds)
    by = ("grid", "category", "hour")
    contest.enter(ONE, lambda: counter.count(by, half, threads=1), answer=np.asarray)
    contest.enter(TWO, lambda: counter.count(by, half), answer=np.asarray)
    contest.enter(ANY, lambda: counter.count(by, whole))
    days = replace(half, categories=None)
    contest.enter(RANGE, lambda: counter.count(["grid", "category"], days))
    old, new = make_rows(_CHANGES), make_rows(_CHANGES)
    contest.enter(
        UPDATE, lambda: counter.changed(gone=old, new=new).count(["grid", "category"], days)
    )
    columns = _columns_of(data, category_of)
    _enter_tables(contest, columns, since, until)
    contest.run()
    return contest.rows(BARS)


def _columns_of(data: Rows, category_of: Counts) -> dict[str, NDArray[Any]]:
    """Return ready columns in the order of time, which favours the peers."""
    order = np.argsort(data.at, kind="stable")
    at = data.at[order]
    return {
        "at": at,
        "grid": data.grid[order].astype(np.int16),
        "category": category_of[data.kind[order]].astype(np.int8),
        "hour": ((at + _ZONE_S) // 3600 % 24).astype(np.int8),
    }


def _as_table(grid: Any, category: Any, hour: Any, n: Any) -> Counts:
    table = np.zeros((GRIDS + 1, CATEGORIES, 24), np.int64)
    table[np.asarray(grid), np.asarray(category), np.asarray(hour)] = n
    return table


def _enter_tables(
    contest: Contest, columns: dict[str, NDArray[Any]], since: int, until: int
) -> None:
    frame = pd.DataFrame(columns)
    allowed = np.isin(np.arange(CATEGORIES), _WANTED)

    def group() -> Any:
        kept = frame[
            (frame["at"] >= since) & (frame["at"] < until) & frame["category"].isin(_WANTED)
        ]
        return kept.groupby(["grid", "category", "hour"], sort=False).size()

    def count() -> Counts:
        keep = (columns["at"] >= since) & (columns["at"] < until) & allowed[columns["category"]]
        grid, category, hour = (columns[name][keep] for name in ("grid", "category", "hour"))
        place = np.where(grid < 0, GRIDS, grid).astype(np.int64)
        cells = (place * CATEGORIES + category) * 24 + hour
        found = np.bincount(cells, minlength=(GRIDS + 1) * CATEGORIES * 24)
        return np.asarray(found.reshape(GRIDS + 1, CATEGORIES, 24))

    def table_of(found: Any) -> Counts:
        return _as_table(*(found.index.get_level_values(i) for i in range(3)), found.to_numpy())

    contest.enter(PANDAS, group, answer=table_of)
    contest.enter(NUMPY, count, answer=np.asarray)
    _enter_duckdb(contest, frame, since, until)
    _enter_polars(contest, columns, since, until)


def _enter_duckdb(contest: Contest, frame: pd.DataFrame, since: int, until: int) -> None:
    duckdb = find_peer("duckdb")
    if duckdb is None:
        contest.enter(DUCKDB, None)
        return
    link = duckdb.connect()
    link.execute("set threads = 2")
    link.register("source", frame)
    link.execute("create table incidents as select * from source")
    query = (
        "select grid, category, hour, count(*) as n from incidents "
        f'where "at" >= {since} and "at" < {until} and category in {_WANTED} group by 1, 2, 3'
    )
    contest.enter(
        DUCKDB,
        lambda: link.execute(query).fetchnumpy(),
        answer=lambda t: _as_table(t["grid"], t["category"], t["hour"], t["n"]),
    )


def _enter_polars(
    contest: Contest, columns: dict[str, NDArray[Any]], since: int, until: int
) -> None:
    polars = find_peer("polars")
    if polars is None:
        contest.enter(POLARS, None)
        return
    frame, col = polars.DataFrame(columns), polars.col

    def group() -> Any:
        period = (col("at") >= since) & (col("at") < until) & col("category").is_in(_WANTED)
        return frame.lazy().filter(period).group_by("grid", "category", "hour").len().collect()

    contest.enter(
        POLARS,
        group,
        answer=lambda t: _as_table(
            *(t[name].to_numpy() for name in ("grid", "category", "hour", "len"))
        ),
    )
