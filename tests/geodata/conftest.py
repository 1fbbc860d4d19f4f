"""Cities that several files of tests copy."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.planned_city import make_planned_city


@pytest.fixture(scope="session")
def planned_folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Return the folder of a city with many cases; nobody writes to it."""
    folder = tmp_path_factory.mktemp("planned") / "city"
    folder.mkdir()
    make_planned_city(folder)
    return folder
