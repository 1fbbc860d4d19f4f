"""A case's columns are known by what offices call them, and what a file lacks is said."""

from __future__ import annotations

import pandas as pd
import pytest

from geodata.loading.case_columns import find_case_columns, list_gaps, note_gaps
from geodata.loading.report import LoadReport


@pytest.mark.parametrize(
    ("cells", "taken"), [(["2026-07-01 12:00"], "处置时限"), (["3个工作日"], None)]
)
def test_a_doubtful_header_counts_where_its_cells_are_moments(
    cells: list[str], taken: str | None
) -> None:
    """处置时限 is as often a duration as a moment; told by hand it is taken as told."""
    frame = pd.DataFrame({"案卷号": ["1"], "处置时限": cells, "责任部门": ["城管局"]})
    found = find_case_columns(frame, {})
    assert (found["incident_id"], found["due_at"], found["body"]) == ("案卷号", taken, "责任部门")
    assert find_case_columns(frame, {"due_at": "处置时限"})["due_at"] == "处置时限"
    assert ("due_at" in list_gaps(found)) is (taken is None)


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
