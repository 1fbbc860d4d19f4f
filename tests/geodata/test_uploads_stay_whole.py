"""Promise: what a clerk brings stays as it was brought, whatever its name, until it is loaded."""

from __future__ import annotations

import io
from pathlib import Path

import pytest

from geodata.errors import BadFile, Fault
from geodata.intake.outcome import read_reasons, settle_outcome
from geodata.intake.shelf import Shelf
from geodata.loading.report import LoadReport
from tests.city import NOW, make_gridded_city

CONTENT = b'{"type": "FeatureCollection", "features": []}'


@pytest.mark.parametrize(
    "name", ["refused.json", "upload.json", ".refused.json", "..upload.json", ".upload.part"]
)
def test_an_upload_of_any_name_keeps_its_content(tmp_path: Path, name: str) -> None:
    """What is kept beside an upload has a name that no upload can have."""
    shelf = Shelf(make_gridded_city(tmp_path / "city"))
    files = [(name, io.BytesIO(CONTENT))]
    upload = shelf.keep(files, kind="cameras", source="", account="a", now=NOW)
    folder = shelf.folder / upload.id
    settle_outcome([], [BadFile(Fault(key="place_missing", row=3))], folder=folder)
    shelf.save(upload)
    (path,) = shelf.paths(shelf.find(upload.id, account="a"))
    assert path.read_bytes() == CONTENT
    assert list(read_reasons(folder, "en")) == [3]


def test_rows_of_two_files_are_counted_each(tmp_path: Path) -> None:
    """Row 3 of two files is two rows refused; two faults of one row are one."""
    wrong = [Fault(key="place_missing", row=3), Fault(key="place_zero", row=3)]
    reports = [LoadReport(file=name, faults=wrong) for name in ("a.csv", "b.csv")]
    assert settle_outcome(reports, [], folder=tmp_path).refused == 2
