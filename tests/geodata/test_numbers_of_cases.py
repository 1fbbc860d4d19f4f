"""Promise: a case is known by its own number, never by that of a row, begun in every file."""

from __future__ import annotations

from pathlib import Path

import pandas as pd
import pytest

from geodata.city import City
from geodata.errors import BadFile
from geodata.loading.case_columns import find_case_columns
from geodata.loading.event_files import find_event_columns
from geodata.loading.report import LoadReport
from tests.city import load_one, make_gridded_city, middle, write_table


@pytest.fixture
def city(tmp_path: Path) -> City:
    return make_gridded_city(tmp_path / "city")


def load_month(
    city: City, month: int, numbers: list[str], *, header: str = "编号", **options: object
) -> LoadReport:
    lon, lat = middle(month % 3, 0)
    rows = [
        [number, f"2026-{month:02d}-{day:02d} 08:00", f"类别{month}", lon, lat]
        for day, number in enumerate(numbers, start=1)
    ]
    columns = (header, "上报时间", "类型", "经度", "纬度")
    file = write_table(city.folder / f"{month}月.csv", columns, rows)
    return load_one(city, "incidents", file, source="热线", **options)


def count_cases(city: City) -> int:
    with city.database.read() as connection:
        return int(connection.execute("SELECT count(*) FROM incident").fetchone()[0])


def told(report: LoadReport) -> dict[str, dict[str, object]]:
    return {note.key: note.values for note in report.notes}


@pytest.mark.parametrize("header", ["编号", "流水号", "单号", "登记编号"])
@pytest.mark.parametrize(
    "numbers", [["1", "2", "3", "4", "5"], ["0001", "0002", "0007"], ["第1号", "第2号"], ["No.1"]]
)
def test_two_months_numbered_from_one_stay_two_months(
    city: City, header: str, numbers: list[str]
) -> None:
    """Each row stays a case, and the report names the column that was left."""
    first = load_month(city, 1, numbers, header=header)
    load_month(city, 2, numbers, header=header)
    assert count_cases(city) == 2 * len(numbers)
    assert told(first)["columns.numbering"] == {"column": header}


@pytest.mark.parametrize(
    "numbers", [["20260105001", "20260105002"], ["A-17", "A-18"], ["1002345", "1002346"]]
)
def test_a_cases_number_headed_so_is_its_number(city: City, numbers: list[str]) -> None:
    """The same cases in two files are the same cases, and nothing is said of a numbering."""
    report = load_month(city, 1, numbers)
    load_month(city, 2, numbers)
    assert count_cases(city) == len(numbers)
    assert "columns.numbering" not in told(report)


def test_a_long_numbering_of_rows_is_one_and_what_repeats_is_no_number() -> None:
    """A million rows are numbered with up to seven digits; a grid's number heads many cases."""
    rows = pd.DataFrame({"编号": [str(n) for n in range(1, 300_001)]})
    assert find_case_columns(rows, {})["incident_id"] is None
    assert find_case_columns(rows, {"incident_id": "编号"})["incident_id"] == "编号"
    doors = pd.DataFrame({"编号": ["JD-A", "JD-B"] * 20})
    assert find_case_columns(doors, {})["incident_id"] is None
    assert find_event_columns(doors, {})["incident_id"] == "编号"
    long = pd.DataFrame({"编号": ["1" * 5_000, "2" * 5_000]})  # no number that Python would read
    assert find_case_columns(long, {})["incident_id"] == "编号"
    both = pd.DataFrame({"编号": ["1", "2"], "案件编号": ["7", "8"]})
    assert find_case_columns(both, {})["incident_id"] == "案件编号"


def test_events_numbered_by_row_are_asked_for_their_cases(city: City, tmp_path: Path) -> None:
    """A file of events whose 编号 counts rows has no case to tell of: it is refused as such."""
    rows = [[n, "上报", f"2026-01-0{n} 08:00", *middle(0, 0)] for n in range(1, 4)]
    file = write_table(tmp_path / "流程.csv", ("编号", "环节", "时间", "经度", "纬度"), rows)
    with pytest.raises(BadFile) as refused:
        load_one(city, "events", file)
    assert [fault.values["need"] for fault in refused.value.faults] == ["incident_id"]
    assert load_one(city, "events", file, mapping={"incident_id": "编号"}).accepted == 3


def test_rows_that_fall_on_other_cases_are_counted_and_told(city: City) -> None:
    """Told to take a numbering for the number, the second month folds, and the report says so."""
    how = {"mapping": {"incident_id": "编号"}}
    first = load_month(city, 1, ["1", "2", "3"], **how)
    second = load_month(city, 2, ["1", "2", "9"], **how)
    again = load_month(city, 2, ["1", "2", "9"], **how)
    assert "columns.moved" not in told(first)
    assert told(second)["columns.moved"] == {"n": "2"}
    assert "撤回" in "".join(second.lines("zh"))
    assert "columns.moved" not in told(again)
    load_month(city, 3, ["4", "4"], **how)
    assert count_cases(city) == 5
