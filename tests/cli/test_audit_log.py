"""`app.py audit` seals, checks and lists the log, and its exit code tells whether it is whole."""

from __future__ import annotations

import json
import sqlite3
from contextlib import closing
from pathlib import Path
from typing import Any

import pytest

from geodata.audit.log import write_entry
from geodata.city import City
from tests.city import NOW, make_empty_city
from tests.cli.processes import run_plainly


@pytest.fixture(scope="module")
def city(tmp_path_factory) -> City:
    city = make_empty_city(tmp_path_factory.mktemp("audit") / "city")
    with city.database.transaction() as connection:
        for number in range(6):
            write_entry(
                connection, account="duty-1", act="view.card", target=f"12345/A{number}",
                at=NOW + number * 86_400,
            )  # fmt: skip
    return city


def audit(city: City, *words: str) -> tuple[int, Any]:
    answer = run_plainly(["audit", *words, "--city", city.folder, "--json"])
    return answer.returncode, json.loads(answer.stdout)


def test_seal_prints_a_head_that_verify_takes(city):
    code, sealed = audit(city, "seal")
    assert code == 0
    assert sealed["head"].startswith("7:")
    code, checked = audit(city, "verify", "--head", sealed["head"])
    assert code == 0
    assert (checked["whole"], checked["rows"], checked["seals"]) == (True, 7, 2)


def test_list_filters_by_account_act_and_days_newest_rows_kept(city):
    _, listed = audit(city, "list", "--act", "view.", "--from", "2026-06-02", "--to", "2026-06-04")
    assert [row["target"] for row in listed["rows"]] == ["12345/A3", "12345/A2", "12345/A1"]
    _, listed = audit(city, "list", "--account", "duty-1", "--last", "2")
    assert (len(listed["rows"]), listed["total"]) == (2, 6)


@pytest.mark.parametrize("words", [("list", "--from", "June"), ("verify", "--head", "7")])
def test_what_cannot_be_read_is_wrong_usage(city, words):
    assert audit(city, *words)[0] == 2


def test_a_broken_log_is_named_row_and_kind_and_exits_with_1(city, tmp_path):
    made = make_empty_city(tmp_path / "city")
    audit(made, "seal")
    store = Path(made.database.path)
    with closing(sqlite3.connect(store)) as connection:
        connection.execute("DROP TRIGGER audit_stands")
        connection.execute("UPDATE audit SET account = 'nobody'")
        connection.commit()
    code, checked = audit(made, "verify")
    assert code == 1
    assert checked["break"] == {"kind": "changed", "row": 1}
    answer = run_plainly(["audit", "verify", "--city", made.folder, "--lang", "en"])
    assert "Row 1 was changed." in answer.stdout
