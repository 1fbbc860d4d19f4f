"""Promise: a table changed today changes no figure of yesterday, and every change is dated."""

from __future__ import annotations

from datetime import datetime
from pathlib import Path

import pytest

from geodata.access.scope import Scope
from geodata.city import City
from geodata.errors import BadSetting, Overtaken
from geodata.events.derive import derive_again
from geodata.reference.edits import plan_end, plan_row, write_change
from geodata.store.incident_rows import read_incident_columns
from geodata.store.records import ALWAYS, count_records, read_records
from geodata.store.reference_rows import list_rows, list_versions
from tests.city import INCIDENT_COLUMNS, NOW, ZONE, load_one, make_gridded_city, middle, write_table

DAY = 86_400
CLERK = Scope.whole_city("clerk", ("read", "load"), role="clerk")


@pytest.fixture
def city(tmp_path: Path) -> City:
    city = make_gridded_city(tmp_path / "city")
    rows = [
        [f"A{day}", f"2026-0{month}-10 10:00", kind, *middle(0, 0), *[""] * 5]
        for day, (month, kind) in enumerate(
            [(2, "积水"), (3, "积水"), (5, "积水"), (5, "路面积水")]
        )
    ]
    load_one(city, "incidents", write_table(tmp_path / "i.csv", INCIDENT_COLUMNS, rows))
    kinds = [["积水", "积水", "市政", 2, "days"], ["其他", "其他", "其他", 1, "days"]]
    columns = ("code", "name_zh", "category", "limit", "limit_unit")
    load_one(city, "kinds", write_table(tmp_path / "kinds.csv", columns, kinds))
    return city


def put(city: City, table: str, id: str | None, values: dict, **options) -> str:
    given = {"valid_from": ALWAYS, "seen": newest(city, table, id), "scope": CLERK, "now": NOW}
    change = plan_row(city, table, id, values, **{**given, **options})
    write_change(city, change)
    return change.id


def end(city: City, table: str, id: str, *, valid_from: int = ALWAYS) -> None:
    seen = newest(city, table, id)
    write_change(
        city, plan_end(city, table, id, valid_from=valid_from, seen=seen, scope=CLERK, now=NOW)
    )


def newest(city: City, table: str, id: str | None) -> int:
    with city.database.read() as connection:
        found = list_versions(connection, table, id or "")
    return max((row.batch for row in found), default=0)


def days_allowed(city: City) -> dict[str, float]:
    with city.database.read() as connection:
        rows = connection.execute(
            "SELECT k.ext_id, (i.due_at - i.clock_from) / 86400.0, i.due_at FROM incident i"
            " JOIN incident_key k ON k.inc = i.inc ORDER BY k.ext_id"
        ).fetchall()
    return {name: days if due else 0 for name, days, due in rows}


def at(month: int, day: int = 1) -> int:
    return int(datetime(2026, month, day, tzinfo=ZONE).timestamp())


def same_as_rebuilt(city: City) -> bool:
    with city.database.read() as connection:
        stands = read_incident_columns(connection)
    again = derive_again(city, now=NOW).columns
    return all((stands[name] == again[name]).all() for name in ("due_at", "kind", "body", "owner"))


def test_a_limit_holds_for_cases_whose_clock_began_on_or_after_its_day(city):
    assert days_allowed(city) == {"A0": 2, "A1": 2, "A2": 2, "A3": 0}
    put(city, "kinds", "积水", {"limit": "5"}, valid_from=at(3))
    put(city, "kinds", "积水", {"limit": "9"}, valid_from=at(5))
    assert days_allowed(city) == {"A0": 2, "A1": 5, "A2": 9, "A3": 0}
    assert same_as_rebuilt(city)


def test_a_limit_without_a_day_is_a_correction_of_what_always_held(city):
    put(city, "kinds", "积水", {"limit": "4"})
    assert days_allowed(city) == {"A0": 4, "A1": 4, "A2": 4, "A3": 0}


def test_an_alias_gives_cases_the_kind_that_is_meant_and_takes_it_back_when_ended(city):
    put(city, "kind_aliases", None, {"alias": "路面积水", "kind": "积水"})
    assert days_allowed(city)["A3"] == 2
    assert same_as_rebuilt(city)
    end(city, "kind_aliases", "路面积水")
    assert days_allowed(city)["A3"] == 0
    with city.database.read() as connection:
        assert "kind_aliases" not in count_records(connection)


def test_an_alias_known_before_its_first_case_holds_for_that_case_too(city, tmp_path):
    put(city, "kind_aliases", None, {"alias": "雨后积水", "kind": "积水"})
    rows = [["B1", "2026-05-12 10:00", "雨后积水", *middle(0, 0), *[""] * 5]]
    load_one(city, "incidents", write_table(tmp_path / "b.csv", INCIDENT_COLUMNS, rows))
    assert days_allowed(city)["B1"] == 2


def test_an_alias_of_a_kind_that_the_table_lacks_is_refused(city):
    with pytest.raises(BadSetting) as refused:
        put(city, "kind_aliases", None, {"alias": "x", "kind": "没有的类别"})
    assert [fault.key for fault in refused.value.faults] == ["kind_unlisted"]


def test_every_fault_of_a_row_is_told_at_once_and_nothing_is_written(city):
    revision = city.database.revision()
    with pytest.raises(BadSetting) as refused:
        put(city, "kinds", None, {"code": "", "limit": "约三", "limit_unit": "炷香"})
    assert {fault.key for fault in refused.value.faults} == {
        "cell_empty", "number_unreadable", "choice_unknown", "id_missing",
    }  # fmt: skip
    with pytest.raises(BadSetting) as refused:
        put(city, "bodies", None, {"body": "CG", "name_zh": "城管", "duty_line": "13812345678"})
    assert [fault.key for fault in refused.value.faults] == ["cell_personal"]
    assert city.database.revision() == revision


def test_a_row_changed_in_between_is_not_overwritten(city):
    seen = newest(city, "kinds", "积水")
    put(city, "kinds", "积水", {"limit": "3"}, seen=seen)
    with pytest.raises(Overtaken):
        put(city, "kinds", "积水", {"limit": "7"}, seen=seen)
    assert days_allowed(city)["A0"] == 3


def test_a_row_that_is_there_cannot_be_added_again(city):
    with pytest.raises(BadSetting) as refused:
        put(city, "kinds", None, {"code": "积水", "name_zh": "积水", "category": "x"}, seen=0)
    assert [fault.key for fault in refused.value.faults] == ["row_exists"]


def test_what_a_page_does_not_show_stays_and_old_versions_remain(city, tmp_path):
    columns = ("camera_id", "name", "lon", "lat", "限速")
    load_one(
        city,
        "cameras",
        write_table(tmp_path / "c.csv", columns, [["1", "旧", *middle(0, 0), "60"]]),
    )
    put(city, "cameras", "1", {"name": "新"}, valid_from=at(5))
    with city.database.read() as connection:
        now, before = (read_records(connection, "cameras", at=moment) for moment in (NOW, at(4)))
        versions = list_versions(connection, "cameras", "1")
    assert (now["name"].item(), before["name"].item()) == ("新", "旧")
    assert now["限速"].item() == "60"
    assert now["x_mm"].item() == before["x_mm"].item()
    assert len(versions) == 2


def test_an_ended_row_is_listed_no_more_and_counted_no_more(city):
    put(city, "bodies", None, {"body": "CG", "name_zh": "城管"})
    end(city, "bodies", "CG", valid_from=at(6))
    with city.database.read() as connection:
        assert list_rows(connection, "bodies", at=NOW, text="", skip=0, most=9) == ([], 0)
        assert list_rows(connection, "bodies", at=at(5), text="", skip=0, most=9)[1] == 1
        assert "bodies" not in count_records(connection)


def test_a_day_off_moves_deadlines_and_every_change_is_in_the_log(city):
    put(city, "kinds", "积水", {"limit": "1", "limit_unit": "working_days"})
    before = days_allowed(city)["A0"]
    put(city, "calendar", None, {"date": "2026-02-11", "working": "否", "name": "假日"})
    assert days_allowed(city)["A0"] == before + 1
    with city.database.read() as connection:
        acts = connection.execute(
            "SELECT act, account, target FROM audit WHERE act LIKE 'table.%' ORDER BY entry"
        ).fetchall()
    assert acts == [
        ("table.set", "clerk", "kinds/积水"), ("table.set", "clerk", "calendar/2026-02-11"),
    ]  # fmt: skip
