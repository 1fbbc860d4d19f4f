"""Real boundaries, as drawn, and real places: the owner is the one that GEOS finds."""

from __future__ import annotations

import geopandas as gpd
import numpy as np
import pandas as pd
import pytest
import shapely

from bench.hard_places import geos_covering, hard_points
from geodata.ownership import OwnerIndex


def agree(polygons, points):
    """Compare all answers; polygons that contradict themselves have no agreed inside."""
    polygons = polygons[shapely.is_valid(polygons) & ~shapely.is_empty(polygons)]
    assert len(polygons)
    expected, count = geos_covering(polygons, points)
    index = OwnerIndex(polygons)
    np.testing.assert_array_equal(index.find(points[:, 0], points[:, 1]), expected)
    return expected, count


def test_a_month_of_incidents_in_its_small_areas(shared_data):
    folder = shared_data / "west_yorkshire_police"
    areas = [gpd.read_file(path) for path in sorted(folder.glob("lsoa_*.geojson"))]
    polygons = np.concatenate([frame.geometry.to_numpy() for frame in areas])
    month = pd.read_csv(folder / "2018-07-west-yorkshire-street.csv.gz")
    points = month[["Longitude", "Latitude"]].to_numpy(float)
    owner, _ = agree(polygons, points)
    assert (owner >= 0).sum() > 20_000
    # On the boundaries themselves, in degrees and in whole millimetres.
    _, count = agree(polygons, hard_points(polygons, 10_000, seed=1))
    assert (count > 1).sum() > 5_000
    metric = gpd.GeoSeries(polygons, crs=4326).to_crs(27700).to_numpy()
    whole = shapely.transform(metric, lambda corners: np.rint(corners * 1000))
    agree(whole, hard_points(whole, 10_000, seed=2))


@pytest.mark.filterwarnings("ignore")  # of unclosed rings and the like: reading has its own tests
@pytest.mark.parametrize("folder", ["messy_boundaries", "shanghai_poi", "china_districts"])
def test_boundaries_of_other_people(shared_data, folder):
    files = [
        path
        for path in sorted((shared_data / folder).rglob("*"))
        if path.suffix.lower() in {".geojson", ".shp"}
    ]
    tried = 0
    for path in files:
        shapes = gpd.read_file(path, columns=[], on_invalid="ignore").geometry.to_numpy()
        shapes = shapes[np.isin(shapely.get_type_id(shapes), [3, 6])]
        if len(shapes) and shapely.is_valid(shapes).any():
            agree(shapes, hard_points(shapes[shapely.is_valid(shapes)], 1_500, seed=3))
            tried += 1
    assert tried or not files
