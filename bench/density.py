"""Benchmark C: pictures of many points under a filter, and their blur."""

from __future__ import annotations

from collections.abc import Iterator
from types import SimpleNamespace
from typing import Any

import numpy as np
import pandas as pd
from numpy.typing import NDArray
from scipy.ndimage import gaussian_filter

from bench.contest import Bar, Contest, Row, find_peer
from bench.made_up import EXTENT_MM, ORIGIN_MM, make_grids, make_points
from geodata.snapshots.packed_rows import PackedRows
from geodata.snapshots.row_mask import RowTest, choose_rows
from geodata.snapshots.snapshot import interleave
from layers.density import blur_counts, blur_margin, count_pixels
from layers.incident_heat import MAXZOOM
from layers.layer import Tile
from layers.pyramid import Pyramid, find_runs
from layers.raster_tile import draw_heat, find_pad, measure_scale, paint_heat

CATEGORIES, DAY_S, DAYS = 6, 86_400, 730
WANTED = np.array([True, False, True, True, False, True])
SINCE, UNTIL = 100 * DAY_S, 500 * DAY_S
SIGMA_PX = 12.0
HD, UHD = (1080, 1920), (2160, 3840)
_CORNER = (3_580_000_000, 1_740_000_000)  # world units of a city near 120 E 32 N
_UNITS = 900_000  # across the city
_CHUNK = 5_000_000
_SHIFTS = {HD: 9, UHD: 8}
_BYTES = 14.0  # a point: when, of what category, x, y, and whether it counts, written and read
ONE, TWO = "filter and pixels, 1 thread", "filter and pixels, 2 threads"
DATASHADER, SCIPY = "datashader Canvas.points", "scipy gaussian_filter"
SINGLE, PLAIN = "filter and tile of single points", "tile of single points"
FIRST, FURTHER = "filter, cells and tile", "tile of filtered cells"
UNFILTERED, CELLS_FOUND, PACKED = "tile of counted cells", "cells found", "times packed"
BLUR, BLUR_TWO = "blur, 1 thread", "blur, 2 threads"


def run(*, points: int, rounds: int) -> Iterator[Row]:
    """Measure ten times as many points as `points`, at HD and 4K, and one heat tile."""
    columns = make_columns(10 * points)
    for size in (HD, UHD) if points <= 1_000_000 else (HD,):
        yield from run_pixels(columns, size=size, rounds=rounds)
        yield from run_blur(columns, size=size, rounds=rounds)
    yield from run_tile(columns, rounds=rounds)


def make_columns(n: int) -> dict[str, NDArray[Any]]:
    """Return points as a snapshot keeps them: world units, Morton order, category and time."""
    grids = make_grids(1101)
    x, y = np.empty(n, np.uint32), np.empty(n, np.uint32)
    for low in range(0, n, _CHUNK):
        end = min(n, low + _CHUNK)
        places = make_points(end - low, grids, seed=low + 11)
        for axis, (column, mm) in enumerate(zip((x, y), places, strict=True)):
            share = (mm - ORIGIN_MM[axis]) / EXTENT_MM + 0.5  # the made-up city around the corner
            column[low:end] = _CORNER[axis] + np.clip(share, 0, 2) * _UNITS / 2
            column[low:end] |= 1  # on no line between pixels: who has those is a matter of taste
    order = np.argsort(interleave(x, y), kind="stable")
    rng = np.random.default_rng(0)
    return {
        "x": x[order],
        "y": y[order],
        "at": rng.integers(0, DAYS * DAY_S, n, dtype=np.int32),
        "category": rng.integers(0, CATEGORIES, n, dtype=np.uint8),
    }


def _list_tests(columns: dict[str, NDArray[Any]]) -> list[RowTest]:
    period = RowTest.period(columns["at"], SINCE, UNTIL)
    return [period, RowTest.among(columns["category"], np.flatnonzero(WANTED))]


def _choose(columns: dict[str, NDArray[Any]], threads: int) -> NDArray[np.bool_]:
    return choose_rows(len(columns["at"]), _list_tests(columns), threads=threads)


def run_pixels(
    columns: dict[str, NDArray[Any]], *, size: tuple[int, int], rounds: int
) -> list[Row]:
    """Measure filter and picture together, as a moved slider asks for both."""
    shift, n = _SHIFTS[size], len(columns["x"])
    corner = tuple(place >> shift for place in _CORNER)

    def draw(threads: int) -> NDArray[np.uint32]:
        mask = _choose(columns, threads)
        return count_pixels(
            columns["x"], columns["y"], corner=corner, size=size, shift=shift, mask=mask,
            threads=threads,
        )  # fmt: skip

    contest = Contest(work="C", case=f"pixels {size[1]} x {size[0]}", n=n, rounds=rounds)
    contest.enter(ONE, lambda: draw(1), answer=np.asarray)
    contest.enter(TWO, lambda: draw(2), answer=np.asarray)
    _enter_datashader(contest, columns, corner, size, shift)
    contest.run()
    asked = 6 if n > 50_000_000 else 3
    predicate = "4 of 6 categories, 55 % of the time"
    return contest.rows(
        [
            Bar(ours=ONE, peer=DATASHADER, ratio=asked, bytes=_BYTES, predicate=predicate),
            Bar(ours=TWO, peer=DATASHADER, bytes=_BYTES, predicate=predicate),
        ]
    )


def _enter_datashader(
    contest: Contest,
    columns: dict[str, NDArray[Any]],
    corner: tuple[int, ...],
    size: tuple[int, int],
    shift: int,
) -> None:
    shader = find_peer("datashader")
    if shader is None:
        contest.enter(DATASHADER, None)
        return
    frame = pd.DataFrame(
        {
            "x": columns["x"].astype(np.float64),
            "y": columns["y"].astype(np.float64),
            "category": columns["category"],
            "at": columns["at"],
        }
    )
    ranges = [
        (float(first << shift), float((first + side) << shift))
        for first, side in zip(corner, reversed(size), strict=True)
    ]
    canvas = shader.Canvas(
        plot_width=size[1], plot_height=size[0], x_range=ranges[0], y_range=ranges[1]
    )

    def draw() -> Any:
        kept = frame[
            (frame["at"] >= SINCE) & (frame["at"] < UNTIL) & WANTED[frame["category"].to_numpy()]
        ]
        return canvas.points(kept, "x", "y", shader.count()).values

    contest.enter(DATASHADER, draw, answer=np.asarray)


def run_blur(columns: dict[str, NDArray[Any]], *, size: tuple[int, int], rounds: int) -> list[Row]:
    """Measure the blur of a whole screen."""
    shift = _SHIFTS[size]
    margin = blur_margin(SIGMA_PX)
    corner = tuple((place >> shift) - margin for place in _CORNER)
    wider = tuple(side + 2 * margin for side in size)
    counts = count_pixels(columns["x"], columns["y"], corner=corner, size=wider, shift=shift)
    plain = counts[margin:-margin, margin:-margin].astype(np.float32)
    exact = gaussian_filter(plain, SIGMA_PX)
    ours = blur_counts(counts, sigma_px=SIGMA_PX)
    inner = slice(4 * margin, -4 * margin)  # scipy mirrors at the border
    off = np.abs(ours - exact)[inner, inner].max() / exact.max()
    pixels = size[0] * size[1]
    contest = Contest(
        work="C", case=f"{size[1]} x {size[0]}", n=pixels, rounds=rounds,
        note=f"within {100 * off:.1f} % of the peak",
    )  # fmt: skip
    contest.enter(BLUR, lambda: blur_counts(counts, sigma_px=SIGMA_PX))
    contest.enter(BLUR_TWO, lambda: blur_counts(counts, sigma_px=SIGMA_PX, threads=2))
    contest.enter(SCIPY, lambda: gaussian_filter(plain, SIGMA_PX))
    contest.run()
    return contest.rows(
        [
            Bar(ours=BLUR, peer=SCIPY, ratio=8, bytes=12),
            Bar(ours=BLUR_TWO, peer=SCIPY, bytes=12),
        ]
    )


def run_tile(columns: dict[str, NDArray[Any]], *, rounds: int) -> list[Row]:
    """Measure the heat tile that holds most of the city, of counted cells and of single points."""
    n = len(columns["x"])
    points: Any = SimpleNamespace(
        n=n,
        placed=n,
        tile_x=columns["x"],
        tile_y=columns["y"],
        morton=interleave(columns["x"], columns["y"]),
        owner=np.zeros(n, np.int32),
    )
    zoom = 12
    tile = Tile(z=zoom, x=_CORNER[0] >> (32 - zoom), y=_CORNER[1] >> (32 - zoom))
    scale = measure_scale(points, latitude=32.0, sigma_px=12.0, minzoom=zoom, maxzoom=zoom)
    contest = Contest(work="C", case=f"heat tile, zoom {zoom}", n=n, rounds=rounds)
    runs = find_runs(points, zoom=MAXZOOM)
    assert runs is not None
    pad = find_pad(scale)
    packed = PackedRows.of(columns["at"], columns["category"], threads=2)
    period, category = _list_tests(columns)
    tests = [packed.shorten(period), category]

    def paint(pyramid: Pyramid) -> bytes | None:
        counts = pyramid.count_cells(tile, pad=pad)
        return paint_heat(counts, tile, share=pyramid.share, scale=scale, theme="dark")

    whole, chosen, every = runs.count(), runs.count(tests), np.ones(n, np.bool_)
    contest.enter(
        SINGLE,
        lambda: draw_heat(points, tile, mask=_choose(columns, 2), scale=scale, theme="dark"),
        answer=lambda body: body,
    )
    contest.enter(FIRST, lambda: paint(runs.count(tests)), answer=lambda body: body)
    contest.enter(FURTHER, lambda: paint(chosen), answer=lambda body: body)
    contest.enter(
        PLAIN,
        lambda: draw_heat(points, tile, mask=every, scale=scale, theme="dark"),
        answer=lambda body: body,
    )
    contest.enter(UNFILTERED, lambda: paint(whole), answer=lambda body: body)
    contest.enter(CELLS_FOUND, lambda: find_runs(points, zoom=MAXZOOM))
    contest.enter(PACKED, lambda: PackedRows.of(columns["at"], columns["category"], threads=2))
    contest.run()
    return contest.rows(
        [
            Bar(ours=UNFILTERED, peer=PLAIN, seconds=0.06, predicate="all"),
            Bar(ours=FURTHER, peer=SINGLE, seconds=0.06, predicate="a filter seen before"),
            Bar(ours=FIRST, peer=SINGLE, seconds=0.06, predicate="a new filter"),
            Bar(ours=CELLS_FOUND, peer="", predicate="once a revision"),
            Bar(ours=PACKED, peer="", predicate="once a revision, from 20 million on"),
        ]
    )
