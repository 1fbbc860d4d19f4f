"""Excel workbooks are read as offices keep them: titles, merged headers, totals, signatures."""

import zipfile
from datetime import datetime

import pytest
import xlsxwriter

from geodata.errors import BadFile, BadSetting
from geodata.reading import read_table
from geodata.reading.archives import Limits
from geodata.reading.sheet_layout import find_layout

HEADER = ["案卷编号", "案件类别", "上报时间", "经度", "纬度"]
ROWS = [
    ["0012", "暴露垃圾", datetime(2026, 3, 5, 8, 30), 119.55, 32.42],
    ["0013", "道路破损", datetime(2026, 3, 6), 119.56, 32.43],
]


@pytest.fixture
def book(tmp_path):
    """Return a function that writes rows into a workbook; `merge` holds (r1, c1, r2, c2, text)."""

    def write(rows, *, merge=(), sheets=(), name="六月.xlsx"):
        path = tmp_path / name
        with xlsxwriter.Workbook(path) as made:
            days = made.add_format({"num_format": "yyyy-mm-dd hh:mm"})
            sheet = made.add_worksheet("案件")
            for r, row in enumerate(rows):
                for c, cell in enumerate(row):
                    if isinstance(cell, datetime):
                        sheet.write_datetime(r, c, cell, days)
                    elif isinstance(cell, str):
                        sheet.write_string(r, c, cell)
                    elif cell is not None:
                        sheet.write(r, c, cell)
            for *span, text in merge:
                sheet.merge_range(*span, text)
            for title, extra in sheets:
                other = made.add_worksheet(title)
                for r, row in enumerate(extra):
                    other.write_row(r, 0, row)
        return path

    return write


def fault_keys(reading):
    return [(fault.row, fault.key) for fault in reading.faults]


def test_a_plain_sheet_is_a_table_of_exact_text(book):
    reading = read_table(book([HEADER, *ROWS]))
    assert reading.driver == "Excel"
    assert reading.frame["案卷编号"].tolist() == ["0012", "0013"]
    assert reading.frame["上报时间"].tolist() == ["2026-03-05 08:30:00", "2026-03-06"]
    assert reading.x.tolist() == [119.55, 119.56]
    assert not reading.faults


def test_titles_above_and_signatures_below_are_no_rows(book):
    rows = [
        [None] * 5,
        [None, None, None, "单位：件"],
        HEADER,
        *ROWS,
        ["合计", None, None, None, 2],
        [],
        ["填表人：某岗", None, None, "日期：2026.7.1"],
    ]
    reading = read_table(book(rows, merge=[(0, 0, 0, 4, "安宁街道2026年6月案件明细表")]))
    assert list(reading.frame.columns) == HEADER
    assert len(reading.frame) == 2
    assert not reading.faults
    notes = {note.key: note.values for note in reading.notes}
    assert notes["reading.sheet_titles"] == {"rows": 2, "header": 3}
    assert notes["reading.sheet_feet"] == {"count": 3}


def test_totals_and_empty_rows_between_keep_their_numbers_and_are_refused(book):
    rows = [HEADER, ROWS[0], ["小 计", None, None, None, 1], [], HEADER, ROWS[1]]
    reading = read_table(book(rows))
    assert fault_keys(reading) == [(2, "row_total"), (3, "row_empty"), (4, "row_header")]
    assert reading.accepted.index.tolist() == [1, 5]


def test_a_header_of_two_rows_is_one(book):
    rows = [
        ["编号", "位置", None, None, "数量", None],
        [None, "地址", "经度", "纬度", "上报", "办结"],
        ["1", "新都路1号", 119.55, 32.42, 3, 2],
    ]
    merge = [(0, 0, 1, 0, "编号"), (0, 1, 0, 3, "位置"), (0, 4, 0, 5, "数量")]
    reading = read_table(book(rows, merge=merge))
    assert list(reading.frame.columns) == ["编号", "地址", "经度", "纬度", "上报", "办结"]
    assert reading.x.tolist() == [119.55]


def test_lower_names_that_repeat_are_told_apart_by_the_upper_ones():
    head = [["街道", "一季度", "", "二季度", ""], ["", "上报", "办结", "上报", "办结"]]
    layout = find_layout([*head, ["安宁", "3", "2", "5", "4"]])
    assert layout.names == ("街道", "一季度_上报", "一季度_办结", "二季度_上报", "二季度_办结")
    assert layout.header_rows == 2


def test_a_first_row_with_gaps_is_no_second_header():
    head = [["编号", "", "备注"], ["1", "3", ""], ["2", "4", ""]]
    assert find_layout(head).header_rows == 1


def test_an_id_that_excel_rounded_is_refused_by_row_and_column(book):
    reading = read_table(book([HEADER, [320102199001011234, *ROWS[0][1:]], ROWS[1]]))
    (fault,) = reading.faults
    assert (fault.row, fault.field, fault.key) == (1, "案卷编号", "number_too_long")


def test_of_several_tables_one_must_be_named(book):
    path = book([HEADER, *ROWS], sheets=[("七月", [["a", "b"], [1, 2]]), ("说明", [["口径说明"]])])
    with pytest.raises(BadSetting) as error:
        read_table(path)
    assert "案件, 七月" in error.value.sentence("zh")
    assert len(read_table(path, sheet="案件").frame) == 2
    with pytest.raises(BadSetting):
        read_table(path, sheet="八月")


def test_a_sheet_of_remarks_beside_the_table_asks_nothing(book):
    path = book([HEADER, *ROWS], sheets=[("说明", [["本表由各街道填报"]])])
    assert len(read_table(path).frame) == 2


@pytest.mark.parametrize(
    ("content", "key"),
    [
        (b"PK\x03\x04 nothing", "file_damaged"),
        (b"\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1" + bytes(2000), "file_damaged"),
    ],
)
def test_what_only_begins_as_a_workbook_is_refused(tmp_path, content, key):
    path = tmp_path / "a.xlsx"
    path.write_bytes(content)
    with pytest.raises(BadFile) as error:
        read_table(path)
    assert [fault.key for fault in error.value.faults] == [key]


def test_a_zip_that_is_no_workbook_is_refused(tmp_path):
    path = tmp_path / "a.xlsx"
    with zipfile.ZipFile(path, "w") as made:
        made.writestr("a.txt", "a,b")
    with pytest.raises(BadFile) as error:
        read_table(path)
    assert [fault.key for fault in error.value.faults] == ["file_workbook"]


def test_a_workbook_that_unpacks_without_end_is_refused_before_it_is_parsed(book):
    path = book([HEADER, *ROWS])
    with zipfile.ZipFile(path, "a", zipfile.ZIP_DEFLATED) as made:
        made.writestr("xl/media/image1.bin", bytes(40_000_000))
    with pytest.raises(BadFile) as error:
        read_table(path, limits=Limits())
    assert [fault.key for fault in error.value.faults] == ["archive_bomb"]


def test_an_empty_workbook_says_so(book):
    with pytest.raises(BadFile) as error:
        read_table(book([]))
    assert error.value.faults[0].key == "file_no_rows"


def test_a_lower_header_that_fills_every_cell_is_told_from_a_first_row_by_what_follows():
    groups, labels = ["案件", "", "类别", "坐标", ""], ["编号", "时间", "小类", "经度", "纬度"]
    data = ["A1", "2026.3.5", "积水", "119.55", "32.42"]
    layout = find_layout([groups, labels, data])
    assert (layout.header_rows, layout.names) == (2, tuple(labels))
    words = ["甲", "上午", "积水", "东", "西"]
    assert find_layout([groups, words, words]).header_rows == 1
    assert find_layout([groups, data, data]).header_rows == 1
