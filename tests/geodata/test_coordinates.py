"""A named coordinate system is converted exactly, or refused with the reason."""

import geopandas as gpd
import numpy as np
import pandas as pd
import pytest
import shapely
from pyproj import CRS, Geod
from shapely import Point, Polygon

from geodata.coordinates import (
    choose_metric_crs,
    datum_evidence,
    find_better_datum,
    lonlat_crs,
    parse_crs,
    shapes_to_metric,
    snap_mm,
    to_lonlat,
    to_metric,
    wgs84_to_bd09,
    wgs84_to_gcj02,
)
from geodata.errors import BadSetting

XIAN_80 = (
    'GEOGCS["GCS_Xian_1980",DATUM["D_Xian_1980",SPHEROID["Xian_1980",6378140.0,298.257]],'
    'PRIMEM["Greenwich",0.0],UNIT["Degree",0.0174532925199433]]'
)
XIAN_80_WITH_PARAMETERS = (
    'GEOGCS["Xian 1980",DATUM["Xian_1980",SPHEROID["Xian_1980",6378140.0,298.257],'
    'TOWGS84[100,0,0,0,0,0,0]],PRIMEM["Greenwich",0],UNIT["degree",0.0174532925199433]]'
)
JIANGDU_LOCAL = (
    'PROJCS["Jiangdu local",GEOGCS["GCS_China_Geodetic_Coordinate_System_2000",'
    'DATUM["D_China_2000",SPHEROID["CGCS2000",6378137.0,298.257222101]],PRIMEM["Greenwich",0.0],'
    'UNIT["Degree",0.0174532925199433]],PROJECTION["Gauss_Kruger"],'
    'PARAMETER["False_Easting",500000.0],PARAMETER["False_Northing",0.0],'
    'PARAMETER["Central_Meridian",119.5],PARAMETER["Scale_Factor",1.0],'
    'PARAMETER["Latitude_Of_Origin",0.0],UNIT["Meter",1.0]]'
)


def key_of(error):
    return error.value.faults[0].key


@pytest.mark.parametrize(
    ("text", "kind", "label"),
    [
        ("EPSG:4549", "crs", "EPSG:4549"),
        ("epsg 4549", "crs", "EPSG:4549"),
        ("4549", "crs", "EPSG:4549"),
        ("urn:ogc:def:crs:EPSG::4490", "crs", "EPSG:4490"),
        ("urn:ogc:def:crs:EPSG:6.9:4326", "crs", "EPSG:4326"),
        ("http://www.opengis.net/def/crs/EPSG/0/4326", "crs", "EPSG:4326"),
        ("urn:ogc:def:crs:OGC:1.3:CRS84", "crs", "EPSG:4326"),
        ("http://www.opengis.net/def/crs/OGC/1.3/CRS84", "crs", "EPSG:4326"),
        ("OGC:CRS84", "crs", "EPSG:4326"),
        ("WGS 84", "crs", "EPSG:4326"),
        ("CGCS2000", "crs", "EPSG:4490"),
        ("urn:ogc:def:crs:EPSG::4979", "crs", "EPSG:4326"),
        ("GCJ-02", "gcj02", "GCJ-02"),
        ("gcj02", "gcj02", "GCJ-02"),
        ("GCJ 02", "gcj02", "GCJ-02"),
        ("火星坐标系", "gcj02", "GCJ-02"),
        ("BD-09", "bd09", "BD-09"),
        ("bd09ll", "bd09", "BD-09"),
        ("百度坐标", "bd09", "BD-09"),
        ("高德地图", "gcj02", "GCJ-02"),
        ("CGCS2000 / 3-degree Gauss-Kruger CM 120E", "crs", "EPSG:4549"),
        ("CGCS2000 中央经线120度", "crs", "EPSG:4549"),
        ("国家2000 第40带", "crs", "EPSG:4528"),
        ("国家2000（120度）", "crs", "EPSG:4549"),
        ("CGCS2000_3_Degree_GK_Zone_40", "crs", "EPSG:4528"),
        ("CGCS2000_3_Degree_GK_CM_120E", "crs", "EPSG:4549"),
        (JIANGDU_LOCAL, "crs", "Jiangdu local"),
    ],
)
def test_many_spellings_are_understood(text, kind, label):
    source = parse_crs(text)
    assert (source.kind, source.label) == (kind, label)
    assert source.accuracy_m == 0.0


@pytest.mark.parametrize(
    ("text", "key"),
    [
        ("EPSG:4610", "crs_needs_parameters"),
        ("EPSG:2384", "crs_needs_parameters"),
        (XIAN_80, "crs_needs_parameters"),
        ("EPSG:4214", "crs_needs_parameters"),
        ("EPSG:2433", "crs_needs_parameters"),
        ("西安80", "crs_needs_parameters"),
        ("北京54坐标系", "crs_needs_parameters"),
        ("CGCS2000 121度", "crs_unknown"),
        ("EPSG:3821", "crs_no_way"),
        ("EPSG:999999", "crs_unknown"),
        ("atlantis", "crs_unknown"),
        ("", "crs_unknown"),
        ("+proj=longlat +nadgrids=/etc/passwd", "crs_needs_file"),
        ("+proj=longlat +ellps=krass", "crs_unknown"),
        ("/etc/passwd", "crs_unknown"),
        ("EPSG:4978", "crs_not_a_map"),
        ("EPSG:5773", "crs_not_a_map"),
        ("GEOGCS[" + "x" * 30_000, "crs_needs_file"),
        ('GEOGCS["broken"', "crs_unknown"),
    ],
)
def test_what_cannot_be_converted_is_refused_with_the_reason(text, key):
    with pytest.raises(BadSetting) as error:
        parse_crs(text)
    assert key_of(error) == key
    assert error.value.sentence("zh")
    assert error.value.sentence("en")


def test_xian_80_with_its_seven_parameters_is_converted():
    source = parse_crs(XIAN_80_WITH_PARAMETERS)
    x, y = to_metric([119.5], [32.4], source, CRS.from_epsg(4549))
    plain_x, plain_y = to_metric([119.5], [32.4], lonlat_crs(), CRS.from_epsg(4549))
    assert 50 < np.hypot(x - plain_x, y - plain_y)[0] < 150


def test_one_place_in_every_system_comes_to_the_same_metres():
    metric = CRS.from_epsg(4549)
    lon, lat = np.array([119.55, 119.60]), np.array([32.42, 32.45])
    truth = to_metric(lon, lat, lonlat_crs(), metric)
    # A local system of the same datum: 119.5 E instead of 120 E as its middle line.
    local = to_metric(lon, lat, lonlat_crs(), parse_crs(JIANGDU_LOCAL).crs)
    zone = to_metric(lon, lat, lonlat_crs(), CRS.from_epsg(4528))
    web = to_metric(lon, lat, lonlat_crs(), CRS.from_epsg(3857))
    for (x, y), name in [
        ((lon, lat), "EPSG:4490"),
        ((lon, lat), "urn:ogc:def:crs:EPSG::4979"),
        (wgs84_to_gcj02(lon, lat), "GCJ-02"),
        (wgs84_to_bd09(lon, lat), "BD-09"),
        (truth, "EPSG:4549"),
        (zone, "EPSG:4528"),
        (local, JIANGDU_LOCAL),
        (web, "EPSG:3857"),
    ]:
        found = to_metric(x, y, parse_crs(name), metric)
        assert np.abs(np.array(found) - np.array(truth)).max() < 1e-6, name


def test_metres_of_the_citys_own_system_are_left_as_they_are():
    x, y = [452959.123], [3586318.456]
    assert to_metric(x, y, parse_crs("EPSG:4549"), CRS.from_epsg(4549))[0][0] == x[0]
    assert to_metric(x, y, parse_crs("EPSG:27700"), CRS.from_epsg(27700))[1][0] == y[0]


def test_degrees_come_back_from_metres():
    lon, lat = np.array([119.55, np.nan]), np.array([32.42, 32.0])
    x, y = to_metric(lon, lat, lonlat_crs(), CRS.from_epsg(4549))
    assert np.isnan([x[1], y[1]]).all()
    back = to_lonlat(x, y, CRS.from_epsg(4549))
    assert back[0][0] == pytest.approx(119.55, abs=1e-12)
    assert np.isnan([back[0][1], back[1][1]]).all()


def test_the_british_grid_works_offline_and_says_how_well():
    source = parse_crs("EPSG:27700")
    assert source.accuracy_m == 2.0
    assert "OSGB36 to WGS 84" in source.operation
    # Leeds Town Hall, known to a few metres.
    lon, lat = to_lonlat(429_900, 433_900, source.crs)
    assert Geod(ellps="WGS84").inv(lon, lat, -1.5475, 53.8003)[2] < 150
    x, y = to_metric(lon, lat, lonlat_crs(), source.crs)
    assert (float(x), float(y)) == pytest.approx((429_900, 433_900), abs=1e-3)


def test_places_no_projection_can_hold_become_gaps():
    x, y = to_metric([119.5, 1e9, 119.5], [32.4, 1e9, 95.0], lonlat_crs(), CRS.from_epsg(4549))
    assert np.isfinite(x[0])
    assert np.isnan(x[1:]).all()
    assert np.isnan(y[1:]).all()


@pytest.mark.parametrize(
    ("lon", "lat", "epsg"),
    [
        (119.55, 32.42, 4549),
        (121.47, 31.23, 4549),
        (116.40, 39.90, 4548),
        (114.05, 22.55, 4547),
        (109.50, 18.25, 4545),
        (87.60, 43.80, 4538),
        (121.00, 23.80, 4549),
        (112.30, 16.80, 4546),
        (98.00, 36.00, 4542),
        (73.86, 18.52, 32643),
        (77.60, 12.97, 32643),
        (-1.55, 53.80, 32630),
        (-71.06, 42.36, 32619),
        (151.20, -33.90, 32756),
        (180.0, 10.0, 32660),
    ],
)
def test_the_metric_system_fits_the_place(lon, lat, epsg):
    assert choose_metric_crs([lon, lon, np.nan, 999.0], [lat, lat, 1.0, lat]).to_epsg() == epsg


def test_no_place_gives_no_metric_system():
    with pytest.raises(BadSetting) as error:
        choose_metric_crs([np.nan], [np.nan])
    assert key_of(error) == "crs_no_places"


def test_shapes_are_converted_vertex_by_vertex():
    shapes = [Point(119.5, 32.4, 7.0), None, shapely.box(119.5, 32.4, 119.6, 32.5)]
    metres = shapes_to_metric(shapes, parse_crs("GCJ-02"), CRS.from_epsg(4549))
    x, y = to_metric(119.5, 32.4, parse_crs("GCJ-02"), CRS.from_epsg(4549))
    assert (metres[0].x, metres[0].y) == (float(x), float(y))
    assert metres[1] is None
    assert not metres[0].has_z
    assert metres[2].area == pytest.approx(9407.0 * 11090.0, rel=0.01)
    assert shapes[2].bounds == (119.5, 32.4, 119.6, 32.5)


def test_snapping_leaves_whole_millimetres_and_moves_nothing_further():
    rng = np.random.default_rng(3)
    corners = rng.uniform(400_000, 500_000, (50, 3, 2))
    snapped = snap_mm([Polygon(c) for c in corners] + [None, Point(1.00049, 2.0006, 3.0)])
    assert snapped[50] is None
    assert not snapped[51].has_z
    xy = shapely.get_coordinates(snapped[:50])
    assert (np.rint(xy * 1000.0) / 1000.0 == xy).all()
    assert np.abs(xy - shapely.get_coordinates([Polygon(c) for c in corners])).max() <= 0.0005001


@pytest.fixture(scope="module")
def district():
    centre = to_metric(119.55, 32.42, lonlat_crs(), CRS.from_epsg(4549))
    square = shapely.box(*(c - 2000 for c in centre), *(c + 2000 for c in centre))
    shapely.prepare(square)
    rng = np.random.default_rng(5)
    x, y = (rng.uniform(float(c) - 1990, float(c) + 1990, 2000) for c in centre)
    return square, to_lonlat(x, y, CRS.from_epsg(4549))


@pytest.mark.parametrize(
    ("shift", "name"),
    [(None, None), (wgs84_to_gcj02, "GCJ-02"), (wgs84_to_bd09, "BD-09")],
)
def test_a_wrong_datum_shows_in_the_distances(district, shift, name):
    square, places = district
    lon, lat = shift(*places) if shift else places

    def distance_of(lon, lat):
        x, y = to_metric(lon, lat, lonlat_crs(), CRS.from_epsg(4549))
        return shapely.distance(square, shapely.points(x, y))

    evidence = datum_evidence(lon, lat, distance_of=distance_of)
    assert find_better_datum(evidence) == name
    assert evidence.points == 2000
    medians = {"as_is_m", "gcj02_m", "bd09_m"}
    assert set(evidence.as_json()) == {"declared", "points", "off", *medians}
    wrongly = datum_evidence(lon, lat, distance_of=distance_of, declared="bd09")
    assert find_better_datum(wrongly) == (None if name == "BD-09" else name or "WGS 84")


def test_no_evidence_gives_no_warning():
    evidence = datum_evidence([119.5], [32.4], distance_of=lambda *_: [0.0])
    assert find_better_datum(evidence) is None
    assert evidence.as_json()["as_is_m"] is None


def test_shanghai_pois_in_gcj02_are_noticed_where_agreement_is_still_95_percent(shared_data):
    districts = gpd.read_file(
        shared_data / "china_districts/districts_amap_wgs84.geojson", engine="pyogrio"
    )
    districts = districts[districts["city_name"] == "上海市"].to_crs(4549)
    polygon_of = dict(zip(districts["district_name"], districts.geometry, strict=True))
    pois = pd.read_csv(shared_data / "shanghai_poi/poi/shanghai_school.csv")
    pois = pois[pois["adname"].isin(polygon_of)]
    recorded = np.array([polygon_of[name] for name in pois["adname"]])
    shapely.prepare(recorded)

    def distance_of(lon, lat):
        x, y = to_metric(lon, lat, lonlat_crs(), CRS.from_epsg(4549))
        return shapely.distance(recorded, shapely.points(x, y))

    true_lon, true_lat = pois["lon"].to_numpy(), pois["lat"].to_numpy()
    assert find_better_datum(datum_evidence(true_lon, true_lat, distance_of=distance_of)) is None
    shifted = wgs84_to_gcj02(true_lon, true_lat)
    assert (np.asarray(distance_of(*shifted)) == 0).mean() > 0.94
    assert find_better_datum(datum_evidence(*shifted, distance_of=distance_of)) == "GCJ-02"
