"""A case's columns are known by what offices call them, and what a file lacks is said."""

from __future__ import annotations

from pathlib import Path

import pandas as pd
import pytest

from geodata.loading.case_columns import find_case_columns, list_gaps, note_gaps
from geodata.loading.report import LoadReport
from tests.city import load_one, make_gridded_city, middle, write_table


@pytest.mark.parametrize(
    ("cells", "taken"),
    [
        (["2026-07-01 12:00"], "处置时限"),
        (["3个工作日"], None),
        (["3天"] * 19 + ["2026-07-01"], None),
        (["2026-07-01"] * 19 + ["3天"], "处置时限"),
        (["", "2026-07-01", ""], "处置时限"),
    ],
)
def test_a_doubtful_header_counts_where_its_cells_are_moments(
    cells: list[str], taken: str | None
) -> None:
    """处置时限 is as often a duration as a moment; told by hand it is taken as told."""
    frame = pd.DataFrame({"案卷号": "1", "处置时限": cells, "责任部门": "城管局"})
    found = find_case_columns(frame, {})
    assert (found["incident_id"], found["due_at"], found["body"]) == ("案卷号", taken, "责任部门")
    assert find_case_columns(frame, {"due_at": "处置时限"})["due_at"] == "处置时限"
    assert ("due_at" in list_gaps(found)) is (taken is None)


@pytest.mark.parametrize(
    ("header", "cells", "taken"),
    [
        ("办结", ["是"] * 19 + ["2026-05-05"], 0),
        ("办结", ["2026-05-05"] * 19 + ["是"], 19),
        ("办结", ["2026-05-05"] * 19 + ["2027-01-01"], 19),  # planned, not done
        ("时限", ["2026-05-05"] * 19 + ["3天"], 19),
    ],
)
def test_a_column_that_may_mean_another_thing_refuses_no_row(
    tmp_path: Path, header: str, cells: list[str], taken: int
) -> None:
    """What is no moment in it stays empty and is told; a sure header refuses as before."""
    city = make_gridded_city(tmp_path / "city")
    columns = ("工单号", "上报时间", "类型", header, "经度", "纬度")
    rows = [[f"W{n}", "2026-05-01", "x", cell, *middle(0, 0)] for n, cell in enumerate(cells)]
    report = load_one(city, "incidents", write_table(tmp_path / "a.csv", columns, rows))
    assert (report.accepted, report.refused) == (20, 0)
    left = [note.values for note in report.notes if note.key == "columns.no_moments"]
    assert left == ([{"n": "1", "column": header, "rows": ("20",)}] if taken else [])
    with city.database.read() as connection:
        asked = "SELECT count(*) FROM event WHERE stage > 0 OR due IS NOT NULL AND due > 0"
        assert connection.execute(asked).fetchone()[0] == taken
    sure = (*columns[:3], "办结时间", *columns[4:])
    if header == "办结":
        again = load_one(city, "incidents", write_table(tmp_path / "b.csv", sure, rows))
        assert again.refused == sum(cell != "2026-05-05" for cell in cells)


def test_an_event_s_duration_is_no_deadline(tmp_path: Path) -> None:
    """Events read 处置时限 as cases do: 3天 refuses no row."""
    city = make_gridded_city(tmp_path / "city")
    columns = ("案件编号", "环节", "时间", "处置时限", "经度", "纬度")
    rows = [["A1", "上报", "2026-05-01", "3天", *middle(0, 0)]]
    assert load_one(city, "events", write_table(tmp_path / "e.csv", columns, rows)).accepted == 1


def test_what_cases_lack_is_counted() -> None:
    """Of two cases one was never registered; that one is open is no lack."""
    report = LoadReport(file="a.csv")
    table = pd.DataFrame(
        {"kind": ["x", "y"], "body": ["b", "b"], "due_at": [9.0, 9.0], "registered_at": [5, 0],
         "closed_at": [0, 7]}
    )  # fmt: skip
    note_gaps(table, report)
    (told,) = report.notes
    assert (told.values["n"], told.values["of"]) == ("1", "2")
    assert "结案率" in told.sentence("zh")
    assert "closing rate" in told.sentence("en")
