"""The city's own roads and buildings tell a wrong datum; nothing is switched by itself."""

import numpy as np
import pytest

from geodata.coordinates import to_lonlat, wgs84_to_bd09, wgs84_to_gcj02
from geodata.loading.sampling import DATUMS, MOST_POINTS, thin_places
from geodata.loading.trusted_layer import TrustedLayers
from geodata.snapshots.facts import load_facts

NOISE_M = 8.0
SHIFTS = {"WGS 84": None, "GCJ-02": wgs84_to_gcj02, "BD-09": wgs84_to_bd09}
ROUNDS, POINTS = 5, 50


@pytest.fixture(scope="module")
def places(jiangdu):
    """Return the places of the demo's incidents, in metres."""
    with jiangdu.database.read() as connection:
        rows = connection.execute("SELECT x, y FROM incident WHERE x IS NOT NULL").fetchall()
    return np.array(rows, float) / 1000


@pytest.fixture(scope="module")
def trusted(jiangdu):
    return TrustedLayers(jiangdu)


@pytest.mark.parametrize("truth", SHIFTS)
@pytest.mark.parametrize("declared", DATUMS)
def test_fifty_points_tell_the_datum(jiangdu, trusted, places, truth, declared):
    dice = np.random.default_rng(7)
    right = 0
    for _ in range(ROUNDS):
        chosen = places[dice.choice(len(places), POINTS, replace=False)]
        lon, lat = to_lonlat(*(chosen + dice.normal(0, NOISE_M, chosen.shape)).T, jiangdu.crs)
        shift = SHIFTS[truth]
        given = (lon, lat) if shift is None else shift(lon, lat)
        evidence = trusted.measure(*given, declared=declared)
        right += evidence.better == (None if truth == declared else truth)
    assert right >= ROUNDS - 1


def test_a_few_points_say_nothing(jiangdu, trusted, places):
    lon, lat = to_lonlat(*places[:10].T, jiangdu.crs)
    assert trusted.measure(*wgs84_to_gcj02(lon, lat), declared="WGS 84").better is None


def test_without_a_base_map_there_is_no_evidence(tiny):
    assert load_facts(tiny, now=1_780_000_000)
    assert TrustedLayers(tiny).measure([119.5], [32.4], declared="WGS 84") is None


@pytest.mark.parametrize("n", [1, 1_999, 2_000, 2_001, 3_999, 40_001])
def test_no_more_places_are_looked_at_than_the_page_says(n):
    x = np.arange(n + 1, dtype=float)
    x[n // 2] = np.nan  # no place
    seen, _ = thin_places(x, np.zeros(n + 1))
    assert min(n, MOST_POINTS) / 2 <= len(seen) <= MOST_POINTS
    assert np.isfinite(seen).all()
