from __future__ import annotations

import os
import subprocess
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.cli.processes import Nursery

DISK_BYTES, FREE_BYTES = 1 << 20, 8 << 10


@pytest.fixture(scope="session")
def nursery(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Nursery]:
    """Return where `app.py` processes come from."""
    made = Nursery(tmp_path_factory.mktemp("nursery"))
    yield made
    made.close()


@pytest.fixture
def full_disk(tmp_path: Path) -> Iterator[Path]:
    """Return a disk of its own with a file `ballast`, on which next to nothing finds room."""
    disk = tmp_path / "disk"
    disk.mkdir()
    mount = ["mount", "-t", "tmpfs", "-o", f"size={DISK_BYTES}", "getu", str(disk)]
    if os.geteuid() or subprocess.run(mount, capture_output=True, check=False).returncode:
        pytest.skip("no small disk can be mounted here (needs root and tmpfs)")
    try:
        (disk / "ballast").write_bytes(bytes(DISK_BYTES - FREE_BYTES))
        yield disk
    finally:
        subprocess.run(["umount", "-l", str(disk)], check=True)
