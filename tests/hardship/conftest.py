from __future__ import annotations

from collections.abc import Iterator

import pytest

from tests.cli.processes import Nursery


@pytest.fixture(scope="session")
def nursery(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Nursery]:
    """Return where `app.py` processes come from."""
    made = Nursery(tmp_path_factory.mktemp("nursery"))
    yield made
    made.close()
