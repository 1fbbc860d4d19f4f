"""Places are found where offices put them: both numbers in a cell, a system for each row."""

import numpy as np
import pytest

from geodata.coordinates import parse_crs, to_metric, wgs84_to_gcj02
from geodata.reading import read_table


@pytest.fixture
def read(tmp_path):
    def read(text, **options):
        path = tmp_path / "a.csv"
        path.write_text(text, "utf-8")
        return read_table(path, **options)

    return read


@pytest.mark.parametrize(
    "cell",
    [
        '"119.55,32.42"',
        "119.55，32.42",
        '"119.55, 32.42"',
        "119.55 32.42",
        "119.55；32.42",
        '"(119.55,32.42)"',
        "１１９．５５，３２．４２",
        '"32.42,119.55"',
        "东经119°33′ 北纬32°25′12″",
        "POINT (119.55 32.42)",
        "point(119.55 32.42)",
        "POINT Z (119.55 32.42 7)",
        "PointZM(119.55 32.42 7.5 -1)",
        "POINT M (119.55 32.42 3)",
        "SRID=4326;POINT(119.55 32.42)",
        '"POINT (119.55, 32.42)"',
        "POINT (1.1955e2 3.242E+1)",
    ],
)
def test_both_numbers_in_one_cell_are_a_place(read, cell):
    reading = read(f"编号,坐标\n1,{cell}\n2,{cell}\n")
    assert reading.x == pytest.approx([119.55, 119.55])
    assert reading.y == pytest.approx([32.42, 32.42])
    assert not reading.faults
    assert "reading.place_pairs" in [note.key for note in reading.notes]


@pytest.mark.parametrize(
    "cell",
    ["119.55 32.42 7", '"119.55,32.42,7"', "SRID=4528;POINT (1 2)"],
)
def test_of_three_numbers_no_two_are_guessed(read, cell):
    """A height behind a latitude is not its last digits: the row is refused."""
    reading = read(f'编号,坐标\n1,"119.55,32.42"\n2,"119.56,32.42"\n3,{cell}\n')
    assert [fault.row for fault in reading.faults] == [3]
    assert reading.y[:2] == pytest.approx([32.42, 32.42])


def test_where_both_orders_are_possible_the_name_decides(read):
    assert read('id,latlng\n1,"51.5,-0.12"\n').y.tolist() == [51.5]
    assert read('id,lonlat\n1,"-0.12,51.5"\n').y.tolist() == [51.5]


def test_a_cell_that_holds_no_pair_is_a_fault_of_its_row(read):
    reading = read('编号,坐标\n1,"119.55,32.42"\n2,"119.56,32.43"\n3,新都路口\n4,\n')
    assert [(fault.row, fault.key) for fault in reading.faults] == [
        (3, "place_not_number"),
        (4, "place_missing"),
    ]


def test_a_column_called_location_that_holds_words_is_no_place(read):
    assert read("id,location\n1,新都路口\n2,龙川路\n").x is None


def test_each_row_may_name_its_own_system(read):
    lon, lat = 119.55, 32.42
    gcj = wgs84_to_gcj02([lon], [lat])
    gauss = to_metric([lon], [lat], parse_crs("EPSG:4326"), parse_crs("EPSG:4549").crs)
    zoned = to_metric([lon], [lat], parse_crs("EPSG:4326"), parse_crs("EPSG:4528").crs)
    rows = [
        f"1,{lon},{lat},WGS84",
        f"2,{gcj[0][0]},{gcj[1][0]},GCJ-02",
        f"3,{gauss[0][0]},{gauss[1][0]},EPSG:4549",
        f"4,{zoned[0][0]},{zoned[1][0]},4528",
        f"5,{lon},{lat},",
        f"6,{lon},{lat},自家坐标",
    ]
    reading = read("编号,x,y,坐标系\n" + "\n".join(rows) + "\n")
    assert reading.x[:5] == pytest.approx([lon] * 5, abs=1e-8)
    assert reading.y[:5] == pytest.approx([lat] * 5, abs=1e-8)
    assert np.isnan(reading.x[5])
    assert [(fault.row, fault.key) for fault in reading.faults] == [(6, "crs_row_unknown")]
    assert reading.place_columns is None, "the numbers as they came stay beside ours"
    (note,) = [note for note in reading.notes if note.key == "reading.crs_by_row"]
    assert "GCJ-02" in str(note.values["crs"])


def test_the_callers_system_overrules_that_of_the_rows(read):
    reading = read("编号,lon,lat,坐标系\n1,119.55,32.42,GCJ-02\n", crs="EPSG:4326")
    assert reading.x.tolist() == [119.55]
