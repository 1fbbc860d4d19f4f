"""Delimited text is read as exact text, with a place or a named fault for each row."""

import gzip
import time

import numpy as np
import pandas as pd
import pytest

from geodata.errors import BadFile, BadSetting
from geodata.reading import read_table
from geodata.reading.archives import Limits
from geodata.reading.delimited import parse_delimited

TEXT = (
    "编号,类别,经度,纬度,地址\n"
    "0012,暴露垃圾,119.55,32.42,新都路128号\n"
    "0013,道路破损,119.56,32.43,龙川路\n"
)


@pytest.fixture
def read(tmp_path):
    def read(content, name="a.csv", **options):
        path = tmp_path / name
        path.write_bytes(content if isinstance(content, bytes) else content.encode())
        return read_table(path, **options)

    return read


def only_fault(error):
    (fault,) = error.value.faults
    assert error.value.sentence("zh")
    assert error.value.sentence("en")
    return fault


@pytest.mark.parametrize("separator", [",", "\t", ";", "|"])
@pytest.mark.parametrize("ending", ["\n", "\r\n", "\r"])
def test_separators_and_line_endings_do_not_matter(read, separator, ending):
    reading = read(TEXT.replace(",", separator).replace("\n", ending))
    assert reading.frame["编号"].tolist() == ["0012", "0013"]
    assert reading.x.tolist() == [119.55, 119.56]
    assert reading.y.tolist() == [32.42, 32.43]
    assert reading.place_columns == ("经度", "纬度")
    assert reading.frame.index.tolist() == [1, 2]
    assert reading.crs.label == "EPSG:4326"
    assert [note.key for note in reading.notes] == ["reading.assumed_lonlat"]


@pytest.mark.parametrize(
    ("encoding", "found"),
    [
        ("utf-8", "utf-8"),
        ("utf-8-sig", "utf-8"),
        ("gbk", "gb18030"),
        ("gb18030", "gb18030"),
        ("utf-16", "utf-16-le"),
    ],
)
def test_the_encoding_is_found(read, encoding, found):
    reading = read(TEXT.encode(encoding))
    assert reading.encoding == found
    assert reading.frame["地址"].tolist() == ["新都路128号", "龙川路"]


@pytest.mark.parametrize("rows", [1, 3000])
@pytest.mark.parametrize("encoding", ["utf-8", "gbk"])
def test_chinese_after_much_ascii_is_not_mistaken(read, rows, encoding):
    text = "id,name\n" + "1,abc\n" * rows + "2,网格\n"
    assert read(text.encode(encoding)).frame["name"].iloc[-1] == "网格"


def test_rare_characters_of_gb18030_survive(read):
    text = "编号,名称\n" + "1,仙女镇龙川社区第一网格\n" * 5 + "2,𠮷祥里社区㙟坊网格\n"
    assert read(text.encode("gb18030")).frame["名称"].iloc[-1] == "𠮷祥里社区㙟坊网格"


@pytest.mark.parametrize(
    "content",
    [
        "id,name\n1,café Müller à côté\n".encode("latin-1"),
        "編號,名稱\n1,臺北市大安區復興南路一段測速照相設備\n2,桃園市龜山區萬壽路\n".encode("big5"),
        b"id,name\n1,\xff\xfe\xfd\n",
    ],
)
def test_other_encodings_are_refused_with_the_line_unless_declared(read, content):
    with pytest.raises(BadFile) as error:
        read(content)
    fault = only_fault(error)
    assert fault.key == "encoding_unclear"
    assert fault.values["line"] in {1, 2}


def test_a_declared_encoding_is_believed_or_refused(read):
    text = "id,名稱\n1,臺北市大安區\n"
    assert read(text.encode("big5"), encoding="big5").frame["名稱"].tolist() == ["臺北市大安區"]
    with pytest.raises(BadFile) as error:
        read(text.encode("big5"), encoding="utf-8")
    assert only_fault(error).key == "encoding_wrong"
    for name in ("klingon", "zlib", "rot13", "\0"):
        with pytest.raises(BadSetting) as setting:
            read(text, encoding=name)
        assert only_fault(setting).key == "encoding_unknown"


def test_text_that_was_lost_elsewhere_is_said(read):
    reading = read("id,name\n1,新都\ufffd路\n")
    assert [(note.key, note.values) for note in reading.notes] == [
        ("reading.text_lost", {"count": 1})
    ]


@pytest.mark.parametrize(
    ("content", "key"),
    [
        (b"", "file_empty"),
        (b"\xef\xbb\xbf\r\n \r\n", "file_empty"),
        (b"code,name\n", "file_no_rows"),
        (b"code,name\n,\n,\n", "file_no_rows"),
        (b"PK\x03\x04xl/workbook.xml", "file_damaged"),
        (b"\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1", "file_damaged"),
        (b'{"type": "FeatureCollection"}', "format_not_table"),
        (b"<html><table>", "format_not_table"),
        (b"%PDF-1.7", "format_paper"),
        (b"a,b\n1,\0\n", "format_not_table"),
        (b'a,b\n1,"open\n2,3\n4,5\n', "quote_open"),
        (b'a,b\n1,2\n3,"open\n', "quote_open"),
        (("," * 3000 + "\n" + "," * 3000 + "1\n").encode(), "columns_many"),
        (b"a,b\n1\n1,2,3\n", "row_ragged"),
    ],
)
def test_what_is_no_table_is_a_bad_file(read, content, key):
    with pytest.raises(BadFile) as error:
        read(content)
    assert error.value.faults[0].key == key
    assert error.value.sentence("zh")


def test_ragged_rows_are_named_and_keep_their_place(read):
    reading = read(
        '编号,经度,纬度\n1,119.5,32.4\n2,119.5\n"3\n3",119.6,32.5\n4,1,2,3\n5,119.7,32.6\n'
    )
    assert [(f.key, f.row, f.values) for f in reading.faults] == [
        ("row_ragged", 2, {"expected": 3, "found": 2}),
        ("row_ragged", 4, {"expected": 3, "found": 4}),
    ]
    assert reading.frame["编号"].tolist() == ["1", "", "3\n3", "", "5"]
    assert reading.accepted.index.tolist() == [1, 3, 5]
    assert np.isnan(reading.x).tolist() == [False, True, False, True, False]


def test_cells_lose_blanks_and_keep_everything_else(read):
    reading = read('a,b,c\n 001 ,\u3000新都路\u3000,NA\n" ",null,"x, ""y"""\n')
    assert reading.frame.to_numpy().tolist() == [["001", "新都路", "NA"], ["", "null", 'x, "y"']]
    assert reading.x is None
    assert reading.crs is None


def test_headers_twice_and_empty_edges_are_put_right(read):
    reading = read("备注,备注,,\nx,y,,\nz,w,1,\n,,,\n,,,\n")
    assert list(reading.frame.columns) == ["备注", "备注_2", "column_3"]
    assert reading.rows == 2
    assert [(note.key, note.field) for note in reading.notes] == [("reading.column_twice", "备注")]


def test_the_separator_line_of_excel_is_obeyed(read):
    assert read("sep=;\r\na;b\r\n1,5;2\r\n").frame["a"].tolist() == ["1,5"]


def test_a_second_header_row_is_skipped_and_said(read):
    reading = read("Lon,Lat,x\n經度,緯度,備註\n119.5,32.4,a\n119.6,32.5,b\n119.7\n")
    assert reading.rows == 3
    assert "reading.header_repeated" in [note.key for note in reading.notes]
    assert reading.frame["x"].tolist() == ["a", "b", ""]
    assert [fault.row for fault in reading.faults] == [3]


def test_each_row_without_a_usable_place_is_named(read):
    rows = ["119.5,32.4", ",", "119.5,", "abc,32.4", "0,0", "32.4,119.5", "999,32", "119.6,32.5"]
    rows += ["119.5,32.4"] * 4
    reading = read("编号,经度,纬度\n" + "\n".join(f"{n},{row}" for n, row in enumerate(rows)))
    assert [(f.row, f.key, f.value_kind) for f in reading.faults] == [
        (2, "place_missing", "empty"),
        (3, "place_missing", "empty"),
        (4, "place_not_number", "text"),
        (5, "place_zero", "number"),
        (6, "place_swapped", "number"),
        (7, "place_impossible", "number"),
    ]
    assert np.isnan(reading.x[1:7]).all()
    assert np.isnan(reading.y[1:7]).all()
    assert np.isfinite(reading.x[7:]).all()
    assert reading.frame["经度"].tolist()[5] == "32.4"
    for fault in reading.faults:
        assert "32.4" not in fault.sentence("zh") + fault.sentence("en")


@pytest.mark.parametrize(
    ("header", "found"),
    [
        ("lon,lat", ("lon", "lat")),
        ("LNG,LAT", ("LNG", "LAT")),
        ("Longitude,Latitude", ("Longitude", "Latitude")),
        ("经度,纬度", ("经度", "纬度")),
        ("東經,北緯", ("東經", "北緯")),
        ("经度（°）,纬度（°）", ("经度（°）", "纬度（°）")),
        ("x,y", ("x", "y")),
        ("X坐标,Y坐标", ("X坐标", "Y坐标")),
        ("POINT_X,POINT_Y", ("POINT_X", "POINT_Y")),
        ("wgs84_lon,wgs84_lat", ("wgs84_lon", "wgs84_lat")),
    ],
)
def test_columns_of_places_are_known_by_name(read, header, found):
    reading = read(f"{header},code\n119.5,32.4,a\n")
    assert reading.place_columns == found
    assert (reading.x[0], reading.y[0]) == (119.5, 32.4)


@pytest.mark.parametrize(
    ("header", "label"),
    [
        ("gcj02_lng,gcj02_lat", "GCJ-02"),
        ("高德经度,高德纬度", "GCJ-02"),
        ("bd_lon,bd_lat", "BD-09"),
    ],
)
def test_a_datum_in_the_names_is_a_declaration(read, header, label):
    reading = read(f"{header}\n119.5,32.4\n")
    assert reading.crs.label == label
    assert [note.key for note in reading.notes] == ["reading.crs_by_header"]
    assert read(f"{header}\n119.5,32.4\n", crs="EPSG:4490").crs.label == "EPSG:4490"
    both = read(f"{header},lon,lat\n119.5,32.4,119.6,32.5\n")
    assert (both.place_columns, both.crs.label) == (("lon", "lat"), "EPSG:4326")


def test_southern_and_western_degrees_are_negative(read):
    reading = read('lon,lat\n71°3′30″W,42°21′36″N\n西经71°3′,南纬10°30′\n"-71.05",-10.5\n')
    assert reading.x.tolist() == pytest.approx([-71.0583333, -71.05, -71.05])
    assert reading.y.tolist() == pytest.approx([42.36, -10.5, -10.5])


def test_a_table_whose_places_are_all_empty_still_loads(read):
    reading = read("id,lon,lat,address\n1,,,新都路1号\n2,,,新都路2号\n")
    assert (reading.rows, reading.crs.label) == (2, "EPSG:4326")
    assert [fault.key for fault in reading.faults] == ["place_missing"] * 2


def test_tables_without_places_are_tables_too(read):
    reading = read("code,name_zh,long\n01,市容环境,text\n")
    assert (reading.x, reading.place_columns, reading.crs, reading.faults) == (None, None, None, [])


def test_a_mapping_goes_before_names(read):
    text = "lon,lat,a,b\n119.5,32.4,119.6,32.5\n"
    reading = read(text, mapping={"lon": "a", "lat": "b", "incident_id": "lon"})
    assert (reading.x[0], reading.y[0]) == (119.6, 32.5)
    for mapping, key in [
        ({"lon": "a"}, "place_half"),
        ({"lon": "a", "lat": "nothing"}, "column_missing"),
        ({"incident_id": "nothing"}, "column_missing"),
    ]:
        with pytest.raises(BadSetting) as error:
            read(text, mapping=mapping)
        assert only_fault(error).key == key


def test_two_pairs_of_the_same_kind_must_be_chosen_between(read):
    with pytest.raises(BadFile) as error:
        read("lon,lat,经度,纬度\n119.5,32.4,119.6,32.5\n")
    assert only_fault(error).key == "place_ambiguous"


def test_swapped_columns_are_refused_with_the_remedy(read):
    with pytest.raises(BadFile) as error:
        read("经度,纬度\n" + "32.4,119.5\n" * 5)
    fault = only_fault(error)
    assert fault.key == "places_swapped"
    assert "--map lon=纬度 --map lat=经度" in fault.remedy("zh")


@pytest.mark.parametrize(
    ("rows", "options", "key", "hint"),
    [
        ("452959.1,3586318.4\n", {}, "crs_missing", "EPSG:4534 – EPSG:4554"),
        ("40452959.1,3586318.4\n", {}, "crs_missing", "EPSG:4528"),
        ("13308000,3820000\n", {}, "crs_missing", "EPSG:3857"),
        ("452959.1,3586318.4\n", {"crs": "EPSG:4490"}, "crs_misfit", "EPSG:4534 – EPSG:4554"),
        ("40452959.1,3586318.4\n", {"crs": "EPSG:4549"}, "crs_misfit", "EPSG:4528"),
    ],
)
def test_metres_without_the_right_system_are_refused(read, rows, options, key, hint):
    with pytest.raises(BadFile) as error:
        read("x,y\n" + rows * 6, **options)
    fault = only_fault(error)
    assert fault.key == key
    assert hint in fault.remedy("zh") + fault.cause("zh")


SURVEY = "X坐标,Y坐标\n" + "3586318.4,452959.1\n" * 6


def test_a_survey_that_calls_north_x_is_read_so_and_says_so(read):
    reading = read(SURVEY, crs="EPSG:4549")
    assert reading.place_columns == ("Y坐标", "X坐标")
    assert (reading.x[0], reading.y[0]) == (452959.1, 3586318.4)
    (note,) = [note for note in reading.notes if note.key == "reading.north_first"]
    assert "“Y坐标”" in note.sentence("zh")


def test_columns_that_were_named_are_never_turned_round(read):
    with pytest.raises(BadFile) as error:
        read(SURVEY, crs="EPSG:4549", mapping={"x": "X坐标", "y": "Y坐标"})
    fault = only_fault(error)
    assert fault.key == "crs_axes"
    assert "--map x=Y坐标 --map y=X坐标" in fault.remedy("en")


TITLED = """城管案件明细表（2026年第三季度）,,,,,
填报单位：城管局,,,填报日期：2026.10.9,,
编号,类型,地址,上报时间,数量,状态
A1,积水,新都路1号,2026.9.1,3,结案
A2,积水,新都路2号,2026.9.2,4,
合计,,,,7,
制表：综合科,,,,,
"""


def test_titles_above_a_csv_and_totals_below_it_are_no_rows(read):
    reading = read(TITLED)
    assert list(reading.frame.columns) == ["编号", "类型", "地址", "上报时间", "数量", "状态"]
    assert reading.frame["编号"].tolist() == ["A1", "A2"]
    told = {note.key: note.values for note in reading.notes}
    assert told["reading.sheet_titles"] == {"rows": 2, "header": 3}
    assert told["reading.sheet_feet"] == {"count": 2}


def test_a_title_without_a_separator_hides_neither_header_nor_separator(read):
    reading = read(
        "案件明细表\n\n编号\t地址\t数量\t状态\nA1\t新都路1号\t3\t新\nA2\t新都路2号\t4\t\n"
    )
    assert reading.frame["地址"].tolist() == ["新都路1号", "新都路2号"]


def test_a_narrow_header_over_torn_rows_stays_the_header(read):
    reading = read("a,b\n1,2,3,4,5\n1,2\n1,2,3,4,5\n")
    assert list(reading.frame.columns) == ["a", "b"]
    assert [fault.key for fault in reading.faults] == ["row_ragged", "row_ragged"]


def test_metres_in_a_declared_system_are_taken(read):
    reading = read("x,y,lon,lat\n452959.1,3586318.4,119.5,32.4\n", crs="EPSG:4549")
    assert (reading.place_columns, reading.crs.label) == (("x", "y"), "EPSG:4549")
    assert reading.x.tolist() == [452959.1]


@pytest.mark.parametrize(
    ("cell", "value"),
    [
        ("119.55", 119.55),
        ("１１９．５５", 119.55),
        ("+119.55", 119.55),
        ("1.1955e2", 119.55),
        ("119°33′00″", 119.55),
        ("东经119°33′", 119.55),
        ("119°33'0.0\"E", 119.55),
        ("119度33分0秒", 119.55),
        ("E119.55", 119.55),
        ("119.55°E", 119.55),
        ('"119,55"', 119.55),
        ("119 .55", 119.55),
    ],
)
def test_degrees_are_understood_as_people_write_them(read, cell, value):
    reading = read(f"lon,lat\n{cell},32.4\n119.6,32.5\n")
    assert reading.faults == []
    assert reading.x[0] == pytest.approx(value, abs=1e-9)


@pytest.mark.parametrize("cell", ["nan", "inf", "-Infinity", "1_19", "119.5.5", "约119.5", "0x77"])
def test_what_is_no_number_is_never_taken_for_one(read, cell):
    reading = read(f"lon,lat\n{cell},32.4\n119.6,32.5\n")
    assert [(fault.key, fault.row) for fault in reading.faults] == [("place_not_number", 1)]


def test_packed_tables_are_read_and_bombs_refused(read):
    assert read(gzip.compress(TEXT.encode()), name="a.csv.gz").rows == 2
    two = gzip.compress(TEXT.encode()) + gzip.compress("0014,井盖,119.5,32.4,a\n".encode())
    assert read(two, name="a.csv.gz").rows == 3
    bomb = gzip.compress(b"a,b\n" + b"1,2\n" * 8_000_000)
    for content, key in [
        (bomb, "archive_bomb"),
        (gzip.compress(TEXT.encode())[:-12], "file_truncated"),
        (b"\x1f\x8b\x08\x00garbage-garbage", "file_damaged"),
    ]:
        with pytest.raises(BadFile) as error:
            read(content, name="a.csv.gz")
        assert only_fault(error).key == key


def test_limits_of_size_hold_before_reading(read):
    with pytest.raises(BadFile) as error:
        read("a,b\n" + "1,2\n" * 500_000, limits=Limits(file_bytes=1 << 20))
    assert only_fault(error).key == "file_too_large"


def test_a_file_that_is_not_there_is_named(tmp_path):
    with pytest.raises(BadFile) as error:
        read_table(tmp_path / "nothing.csv")
    assert only_fault(error).key == "file_missing"


def test_300_000_rows_a_second_are_read(read):
    rng = np.random.default_rng(1)
    rows = 300_000
    table = pd.DataFrame(
        {
            "编号": [f"JD{number:09d}" for number in range(rows)],
            "上报时间": "2024-01-01 08:30:00",
            "经度": rng.uniform(119, 120, rows),
            "纬度": rng.uniform(32, 33, rows),
            "类别": "暴露垃圾",
            "描述": "新都路与龙川路交叉口东北角有暴露垃圾约两平方米",
        }
    )
    content = table.to_csv(index=False).encode()
    times = []
    for _ in range(3):
        start = time.process_time()
        reading = read(content)
        times.append(time.process_time() - start)
    assert len(reading.accepted) == rows
    assert np.array_equal(reading.x, table["经度"])
    assert min(times) < 1.0


@pytest.mark.parametrize(
    ("head", "taken"),
    [
        ("编号,2024-01-05,2024-01-12,经度", True),
        ("网格,2023年12月1日,2024年1月5日", True),
        ("1,2024-01-05,2024-01-12,龙川社区", False),
        ("name,119.123,32.123", False),
        ("1,暴露垃圾,2024-01-05 08:00,2024-01-06 08:00", False),
    ],
)
def test_days_are_headers_beside_a_name_and_cells_beside_none(head, taken):
    table = f"{head}\n{','.join('1' * len(head.split(',')))}\n".encode()
    if taken:
        assert parse_delimited(table).table.column_names == head.split(",")
        return
    with pytest.raises(BadFile) as refused:
        parse_delimited(table)
    assert [fault.key for fault in refused.value.faults] == ["header_missing"]
