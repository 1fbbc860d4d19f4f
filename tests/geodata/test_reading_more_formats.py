"""KML, KMZ, FlatGeobuf, GeoParquet and DXF are read like every other map, and as carefully."""

import zipfile

import geopandas as gpd
import pyarrow as pa
import pyarrow.parquet as pq
import pytest
import shapely

from geodata.errors import BadFile
from geodata.reading import read_geometries

KML = """<?xml version="1.0" encoding="UTF-8"?>
<kml xmlns="http://www.opengis.net/kml/2.2"><Document><name>江都</name>
<NetworkLink><Link><href>http://127.0.0.1:9/more.kml</href></Link></NetworkLink>
<Folder><name>安宁街道</name>
<Placemark><name>第一网格</name>
<ExtendedData><Data name="编码"><value>321012001</value></Data></ExtendedData>
<Polygon><outerBoundaryIs><LinearRing><coordinates>
119.5,32.4,0 119.6,32.4,0 119.6,32.5,0 119.5,32.5,0 119.5,32.4,0
</coordinates></LinearRing></outerBoundaryIs><innerBoundaryIs><LinearRing><coordinates>
119.52,32.42 119.54,32.42 119.54,32.44 119.52,32.42</coordinates></LinearRing></innerBoundaryIs>
</Polygon></Placemark>
<Placemark><name>路口</name><Point><coordinates>119.55,32.42</coordinates></Point></Placemark>
<Placemark><name>两点</name><MultiGeometry>
<Point><coordinates>119.51,32.41</coordinates></Point>
<Point><coordinates>119.52,32.42</coordinates></Point></MultiGeometry></Placemark>
</Folder>
<Placemark><name>无图形</name></Placemark>
<Placemark><name>坏坐标</name><Point><coordinates>东,西</coordinates></Point></Placemark>
</Document></kml>"""


@pytest.fixture
def write(tmp_path):
    def write(content, name):
        path = tmp_path / name
        path.write_bytes(content if isinstance(content, bytes) else content.encode())
        return path

    return write


@pytest.fixture
def grids():
    shapes = [shapely.box(x, 3_588_000, x + 500, 3_588_500) for x in (450_000, 450_500)]
    columns = {"编码": ["01", "02"], "网格名称": ["第一网格", "第二网格"], "户数": [320, 280]}
    return gpd.GeoDataFrame(columns, geometry=shapes, crs=4549)


def refusal(path, **options):
    with pytest.raises(BadFile) as error:
        read_geometries(path, **options)
    assert error.value.sentence("zh")
    assert error.value.sentence("en")
    return error.value.faults[0].key


def test_kml_gives_its_placemarks_with_their_data_and_folder(write):
    reading = read_geometries(write(KML, "江都.kml"))
    assert reading.driver == "KML"
    assert reading.crs.label == "EPSG:4326"
    assert reading.frame["name"].tolist() == ["第一网格", "路口", "两点", "无图形", "坏坐标"]
    assert reading.frame["编码"].tolist()[0] == "321012001"
    assert reading.frame["folder"].tolist()[:3] == ["安宁街道"] * 3
    kinds = [None if one is None else one.geom_type for one in reading.frame.geometry]
    assert kinds == ["Polygon", "Point", "MultiPoint", None, None]
    assert len(reading.frame.geometry.iloc[0].interiors) == 1
    assert [fault.row for fault in reading.faults] == [4, 5]
    assert reading.faults[0].key == "shape_missing"


def test_links_in_kml_are_counted_and_never_followed(write):
    (note,) = [
        note
        for note in read_geometries(write(KML, "a.kml")).notes
        if note.key == "reading.kml_links"
    ]
    assert note.values == {"count": 1}


def test_kmz_is_the_kml_inside(tmp_path):
    path = tmp_path / "江都.kmz"
    with zipfile.ZipFile(path, "w", zipfile.ZIP_DEFLATED) as made:
        made.writestr("doc.kml", KML)
        made.writestr("files/icon.png", b"no picture")
    assert len(read_geometries(path).frame) == 5


@pytest.mark.parametrize(
    ("text", "key"),
    [
        ('<!DOCTYPE k [<!ENTITY a "b">]><kml><Placemark/></kml>', "format_hostile"),
        ("<kml><Document><Placemark></Document></kml>", "xml_broken"),
        ("<kml><Document></Document></kml>", "file_no_rows"),
        ("<kml>" + "<Folder>" * 100 + "</Folder>" * 100 + "</kml>", "format_hostile"),
        ("<gml><a/></gml>", "format_xml"),
    ],
)
def test_broken_or_hostile_kml_is_refused(write, text, key):
    assert refusal(write(text, "a.kml")) == key


@pytest.mark.parametrize("isolated", [False, True])
@pytest.mark.parametrize("suffix", [".fgb", ".parquet"])
def test_flatgeobuf_and_geoparquet_keep_text_numbers_and_system(tmp_path, grids, suffix, isolated):
    path = tmp_path / f"网格{suffix}"
    if suffix == ".parquet":
        grids.to_parquet(path)
    else:
        grids.to_file(path, driver="FlatGeobuf")
    reading = read_geometries(path, isolated=isolated)
    assert reading.crs.label == "EPSG:4549"
    rows = {row["编码"]: (row["网格名称"], row["户数"]) for _, row in reading.frame.iterrows()}
    assert rows == {"01": ("第一网格", "320"), "02": ("第二网格", "280")}
    assert reading.frame.geometry.area.sum() == pytest.approx(500_000)


def test_parquet_without_shapes_is_refused_by_name(tmp_path):
    path = tmp_path / "a.parquet"
    pq.write_table(pa.table({"a": [1]}), path)
    assert refusal(path) == "parquet_not_geo"
    assert refusal(path, isolated=True) == "parquet_not_geo"


@pytest.mark.parametrize(
    ("name", "magic", "key"),
    [("a.fgb", b"fgb\x03fgb\x00", "file_no_rows"), ("a.parquet", b"PAR1", "file_unreadable")],
)
def test_what_only_begins_like_one_of_them_is_refused(write, name, magic, key):
    path = write(magic + bytes(200), name)
    assert refusal(path) == key
    assert refusal(path, isolated=True) == key


DXF_LINE = """0
LWPOLYLINE
8
{layer}
90
4
70
1
10
450000.0
20
3588000.0
10
450500.0
20
3588000.0
10
450500.0
20
3588500.0
10
450000.0
20
3588500.0
"""


@pytest.mark.parametrize("isolated", [False, True])
def test_closed_lines_of_a_drawing_are_areas(write, isolated):
    body = DXF_LINE.format(layer="WG01")
    path = write(f"0\nSECTION\n2\nENTITIES\n{body}0\nENDSEC\n0\nEOF\n", "界线.dxf")
    assert refusal(path, isolated=isolated) == "crs_missing"
    reading = read_geometries(path, crs="EPSG:4549", isolated=isolated)
    assert reading.frame.geometry.iloc[0].geom_type == "Polygon"
    assert reading.frame.geometry.iloc[0].area == pytest.approx(250_000)
    assert reading.frame["Layer"].tolist() == ["WG01"]
