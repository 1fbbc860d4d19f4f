"""Promise: no text that leaves in a spreadsheet is run by it, and no number becomes text."""

from __future__ import annotations

import csv
import unicodedata
from pathlib import Path

import pandas
import pytest
from hypothesis import given
from hypothesis import strategies as st

import app
from geodata.safe_text import escape_formula, escape_formulas
from tests.attack.payloads import FORMULAS
from tests.city import INCIDENT_COLUMNS, incident_rows, write_grids, write_table

SIGNS = "=+-@\t\r\n＝＋－＠"
NUMBERS = ("-1", "+1", "-0.5", "+8.5e3", "-.5", "-1e-7", "2026-05-01", "120.5", "-0")
texts = st.text(st.sampled_from(SIGNS + " '\u3000\u00a0一a1.,;\"") | st.characters(), max_size=12)


def would_run(cell: str) -> bool:
    """What Excel, WPS and LibreOffice look at: the first sign, full-width ones as the half."""
    plain = unicodedata.normalize("NFKC", cell).lstrip(" \ufeff\u200b")
    if not plain or plain[0] not in "=+-@\t\r\n":
        return False
    try:
        float(plain)
    except ValueError:
        return True
    return not plain.isascii()


@given(texts)
def test_no_escaped_text_would_run(text):
    escaped = escape_formula(text)
    assert not would_run(escaped), repr(escaped)
    assert escaped in (text, "'" + text)  # nothing is lost
    assert escape_formula(escaped) == escaped


@pytest.mark.parametrize("text", [*FORMULAS])
def test_the_known_attacks_are_quoted(text):
    escaped = escape_formula(text)
    assert escaped.startswith("'") or text[0] in "|%"


@pytest.mark.parametrize("text", NUMBERS)
def test_numbers_and_dates_stay_what_they_are(text):
    assert escape_formula(text) == text


def test_tables_are_escaped_in_cells_and_headers_and_numbers_are_left():
    frame = pandas.DataFrame({"=a": ["=1+1", "x", None], "n": [-1, 2, 3]}, index=[4, 5, 6])
    escaped = escape_formulas(frame)
    assert list(escaped.columns) == ["'=a", "n"]
    assert escaped["'=a"].tolist()[:2] == ["'=1+1", "x"]
    assert escaped["'=a"].isna().tolist() == [False, False, True]
    assert escaped["n"].tolist() == [-1, 2, 3]
    assert list(escaped.index) == [4, 5, 6]


def test_own_writes_no_formula_to_csv(tmp_path: Path):

    rows = [
        [*row[:2], FORMULAS[n % len(FORMULAS)], *row[3:]] for n, row in enumerate(incident_rows(32))
    ]
    points = write_table(tmp_path / "cases.csv", (*INCIDENT_COLUMNS[:9], "=due"), rows)
    grids, out = write_grids(tmp_path / "grids.geojson"), tmp_path / "owned.csv"
    argv = ["own", "--grids", str(grids), "--points", str(points), "--out", str(out)]
    assert app.main(argv) == 0
    with out.open(encoding="utf-8-sig", newline="") as opened:
        cells = [cell for row in csv.reader(opened) for cell in row]
    assert len(cells) > 32 * 10
    assert [cell for cell in cells if would_run(cell)] == []
    assert "'=1+1" in cells
    assert "'=due" in cells
