from __future__ import annotations

import os
import shutil
import subprocess
import sys
from pathlib import Path

from tests.house.tree import ROOT

SMALL = """
import pytest
@pytest.mark.browser
def test_browser(): pytest.skip("no browser")
def test_data(shared_data): pytest.skip("one set is missing")
def test_other(): pytest.skip("only on Windows")
@pytest.mark.xfail
def test_known(): raise AssertionError
@pytest.mark.long
def test_long(): pytest.fail("not now")
"""
WHOLE_FILE = "import pytest\npytest.importorskip('no_such_package')\n"


def run(folder: Path, text: str, *, ci: bool, data: Path) -> str:
    """Run one small test file under our conftest, in its own process and place."""
    tests = folder / "tests"
    tests.mkdir()
    shutil.copy(ROOT / "tests" / "conftest.py", tests)
    shutil.copy(ROOT / "pyproject.toml", folder)
    (tests / "test_small.py").write_text(text, encoding="utf-8")
    environment = {**os.environ, "CI": "true" if ci else "", "GETU_DATA": str(data)}
    environment.pop("PYTEST_ADDOPTS", None)
    answer = subprocess.run(
        [sys.executable, "-m", "pytest", "-p", "no:cacheprovider"],
        cwd=folder,
        env=environment,
        capture_output=True,
        text=True,
        check=False,
    )
    return answer.stdout


def test_in_ci_a_skip_that_hides_something_fails(tmp_path):
    text = run(tmp_path, SMALL, ci=True, data=ROOT)
    assert "2 failed, 1 skipped, 1 deselected, 1 xfailed" in text
    assert "a browser test may not be skipped in CI: Skipped: no browser" in text
    assert "a data test may not be skipped in CI" in text


def test_in_ci_a_data_test_may_skip_where_there_is_no_data(tmp_path):
    text = run(tmp_path, SMALL, ci=True, data=tmp_path / "nowhere")
    assert "1 failed, 2 skipped, 1 deselected, 1 xfailed" in text


def test_elsewhere_every_skip_is_forgiven_and_counted(tmp_path):
    text = run(tmp_path, SMALL, ci=False, data=ROOT)
    assert "skips: 3, left to make test-long: 1" in text
    assert "3 skipped, 1 deselected, 1 xfailed" in text


def test_in_ci_a_whole_file_may_not_skip_itself(tmp_path):
    text = run(tmp_path, WHOLE_FILE, ci=True, data=ROOT)
    assert "a whole file may not be skipped in CI" in text
    assert "1 error" in text
