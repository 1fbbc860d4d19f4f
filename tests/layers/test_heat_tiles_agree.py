"""Heat tiles count every incident once, join without a seam and mean what the legend says."""

from __future__ import annotations

import io
from dataclasses import replace

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from PIL import Image
from scipy.ndimage import gaussian_filter

from geodata.snapshots.snapshot import Filter
from layers.density import blur_counts, blur_margin
from layers.incident_heat import BUDGET_BYTES, HEAT, MAXZOOM, MINZOOM, find_scale
from layers.layer import Tile
from layers.palette import heat_palette
from layers.raster_tile import (
    CELLS,
    HeatScale,
    cell_ha,
    count_cells,
    draw_heat,
    measure_scale,
    round_up,
    write_png,
)

SIGMA = 6.0


@pytest.fixture(scope="session")
def tiles_of(facts):
    """Return all tiles of one zoom that hold incidents."""
    snapshot, placed = facts.snapshot, slice(facts.snapshot.placed)

    def find(z):
        cells = np.stack([snapshot.tile_x[placed], snapshot.tile_y[placed]], 1) >> np.uint32(32 - z)
        return [Tile(z=z, x=int(x), y=int(y)) for x, y in np.unique(cells, axis=0)]

    return find


def every(facts):
    return np.ones(facts.snapshot.n, np.bool_)


def pixels(body: bytes) -> np.ndarray:
    return np.asarray(Image.open(io.BytesIO(body)))


@pytest.mark.parametrize("z", [6, 11, 13, 14])
def test_every_placed_incident_is_counted_once_over_a_tiling(facts, tiles_of, z):
    counts = [count_cells(facts.snapshot, tile, mask=every(facts)).sum() for tile in tiles_of(z)]
    assert sum(counts) == facts.snapshot.placed


def test_counts_follow_the_filter_and_the_scope(facts, tiles_of, one_street, draw):
    picture = draw(scope=one_street, filter=Filter(state="open"))
    mask = facts.select(picture.filter, picture.now)
    counts = [
        count_cells(facts.snapshot, tile, mask=mask, allowed=picture.allowed()).sum()
        for tile in tiles_of(13)
    ]
    assert sum(counts) == picture.selected(slice(facts.snapshot.placed)).sum()
    assert 0 < sum(counts) < facts.snapshot.placed / 4


def test_counts_stand_in_the_cell_where_the_incident_lies(facts, tiles_of):
    snapshot, placed, z = facts.snapshot, slice(facts.snapshot.placed), 13
    for tile in tiles_of(z):
        column = (snapshot.tile_x[placed].astype(np.int64) >> (24 - z)) - tile.x * CELLS
        row = (snapshot.tile_y[placed].astype(np.int64) >> (24 - z)) - tile.y * CELLS
        inside = (column >= 0) & (column < CELLS) & (row >= 0) & (row < CELLS)
        expected = np.zeros((CELLS, CELLS))
        np.add.at(expected, (row[inside], column[inside]), 1)
        assert (count_cells(snapshot, tile, mask=every(facts)) == expected).all()


@pytest.mark.parametrize("pad", [1, 5, 16, 40])
def test_padding_reads_the_neighbours_and_nothing_else(facts, tiles_of, pad):
    for tile in tiles_of(14):
        around = count_cells(facts.snapshot, tile, mask=every(facts), pad=pad)
        mosaic = np.block(
            [
                [
                    count_cells(
                        facts.snapshot, Tile(z=14, x=tile.x + dx, y=tile.y + dy), mask=every(facts)
                    )
                    for dx in (-1, 0, 1)
                ]
                for dy in (-1, 0, 1)
            ]
        )
        cut = slice(CELLS - pad, 2 * CELLS + pad)
        assert (around == mosaic[cut, cut]).all()


def test_two_tiles_agree_to_the_last_bit_along_their_border(facts, tiles_of):
    """One blur over two tiles at once equals the two tiles side by side: there is no seam."""
    pad = blur_margin(SIGMA)
    tile = tiles_of(13)[0]
    right = replace(tile, x=tile.x + 1)
    left_half, right_half = (
        count_cells(facts.snapshot, each, mask=every(facts), pad=pad) for each in (tile, right)
    )
    both = np.concatenate([left_half[:, : CELLS + pad], right_half[:, pad:]], axis=1)
    together = blur_counts(both, sigma_px=SIGMA)
    apart = [blur_counts(half, sigma_px=SIGMA) for half in (left_half, right_half)]
    assert (together == np.concatenate(apart, axis=1)).all()


def test_the_blur_is_close_to_a_gaussian_and_loses_nothing():
    counts = np.zeros((300, 300))
    counts[150, 150], counts[120, 170] = 5.0, 2.0
    pad = blur_margin(SIGMA)
    ours = blur_counts(counts, sigma_px=SIGMA)
    true = gaussian_filter(counts, SIGMA)[pad:-pad, pad:-pad]
    assert ours.sum() == pytest.approx(7.0)
    assert np.abs(ours - true).max() < 0.08 * true.max()


@given(st.floats(1.0, 12.0))
def test_any_blur_width_keeps_the_count(sigma):
    counts = np.zeros((160, 160))
    counts[80, 80] = 3.0
    assert blur_counts(counts, sigma_px=sigma).sum() == pytest.approx(3.0)


def test_full_colour_is_the_density_the_legend_names(facts, tiles_of):
    """Spread evenly at exactly the full density, a tile is at the ramp's very end."""
    scale = find_scale_of(facts)
    z = 13
    full = scale.full(z) * cell_ha(z, scale.latitude)
    tile = tiles_of(z)[0]
    level = pixels(draw_heat(facts.snapshot, tile, mask=every(facts), scale=scale, theme="dark"))
    counts = count_cells(facts.snapshot, tile, mask=every(facts), pad=blur_margin(SIGMA))
    density = blur_counts(counts, sigma_px=SIGMA) / full
    assert (level[density >= 1.0] == 63).all()
    assert (level[density < 0.9] < 63).all()


def find_scale_of(facts):
    return measure_scale(
        facts.snapshot, latitude=32.43, sigma_px=12.0, minzoom=MINZOOM, maxzoom=MAXZOOM
    )


def test_the_scale_depends_on_zoom_and_filter_alone(facts, draw):
    scale = find_scale(draw())
    assert scale is find_scale(draw(filter=Filter(state="open")))
    assert scale.full(13, 0.5) <= scale.full(13, 1.0)
    assert scale.full(13, 0.51) == scale.full(13, 0.49)


def test_a_single_incident_is_never_at_full_colour(facts, tiles_of):
    mask = np.zeros(facts.snapshot.n, np.bool_)
    mask[0] = True
    scale = find_scale_of(facts)
    bodies = [
        draw_heat(facts.snapshot, tile, mask=mask, scale=scale, theme="light")
        for tile in tiles_of(14)
    ]
    shown = [pixels(body).max() for body in bodies if body]
    assert shown
    assert max(shown) < 50


@pytest.mark.parametrize("figure", [0.0004, 0.7, 1.0, 1.2, 7.3, 99.0, 12_345.0])
def test_full_densities_are_numbers_that_read_well(figure):
    rounded = round_up(figure)
    assert figure <= rounded < figure * 1.7
    assert len(f"{rounded:e}".split("e")[0].rstrip("0").rstrip(".")) <= 3


def test_tiles_are_drawn_for_both_themes_within_their_budget(draw, tiles_of):
    for z in (11, 12, 13, 14):
        for tile in tiles_of(z):
            dark, light = (HEAT.draw(draw(tile=tile, theme=theme)) for theme in ("dark", "light"))
            assert len(dark) <= BUDGET_BYTES
            assert (pixels(dark) == pixels(light)).all()
            assert dark != light


def test_a_tile_without_incidents_is_none(draw):
    assert HEAT.draw(draw(tile=Tile(z=13, x=0, y=0))) is None
    nothing = Filter(since=1, until=2)
    assert HEAT.draw(draw(tile=Tile(z=6, x=53, y=25), filter=nothing)) is None


def test_a_city_wider_than_the_measured_raster_still_has_a_scale(facts):
    scale = measure_scale(facts.snapshot, latitude=32.4, sigma_px=12.0, minzoom=16, maxzoom=18)
    assert isinstance(scale, HeatScale)
    assert all(figure > 0 for figure in scale.per_ha.values())


def test_a_png_reads_back_as_it_was_written():
    levels = np.random.default_rng(0).integers(0, 64, (33, 17)).astype(np.uint8)
    colours, opacity = heat_palette("dark")
    picture = Image.open(io.BytesIO(write_png(levels, colours, opacity)))
    assert picture.mode == "P"
    rgba = np.asarray(picture.convert("RGBA"))
    assert (rgba[..., :3] == np.frombuffer(colours, np.uint8).reshape(-1, 3)[levels]).all()
    assert (rgba[..., 3] == np.frombuffer(opacity, np.uint8)[levels]).all()
