"""An account is a post: its role says what it may do, its areas what it sees, nothing who it is."""

from __future__ import annotations

from pathlib import Path

import pytest

from geodata.access.account_changes import (
    NewAccount,
    add_accounts,
    alter_account,
    renew_password,
    show_accounts,
    switch_account,
)
from geodata.access.account_file import read_account_file
from geodata.access.accounts import (
    ROLES,
    WALL,
    find_area_faults,
    find_name_faults,
    find_reach,
    find_role_faults,
    plain_address,
    plain_name,
    scope_of,
)
from geodata.access.passwords import check_password, find_weakness, hash_password, make_password
from geodata.city import City
from geodata.errors import BadFile, BadSetting, GetuError, NotFound
from geodata.store.accounts import find_account, find_session, open_session
from tests.city import NOW, community_code, grid_code, make_gridded_city

GOOD = "seven grey herons waiting"
PERMISSIONS = {
    "load",
    "read", "read.rows", "export", "act", "decide", "plan", "approve", "audit", "admin",
}  # fmt: skip


@pytest.fixture(scope="module")
def city(tmp_path_factory: pytest.TempPathFactory) -> City:
    return make_gridded_city(tmp_path_factory.mktemp("accounts") / "city")


def add(
    city: City, name: str, role: str = "viewer", *, password: str | None = GOOD, **more: object
):
    return add_accounts(
        city, [NewAccount(name=name, role=role, **more)], password=password, now=NOW
    )


def keys(faults: list) -> list[str]:
    return [fault.key for fault in faults]


# --- roles ---------------------------------------------------------------------------------------


def test_every_role_reads_and_has_permissions_that_exist():
    assert all("read" in may and may <= PERMISSIONS for may in ROLES.values())
    assert len(ROLES) == 10


def test_a_wall_only_reads():
    assert ROLES[WALL] == {"read", "read.rows"}


def test_who_draws_does_not_publish_and_who_keeps_accounts_sees_no_incident():
    assert not ROLES["planner"] & {"approve", "decide"}
    assert "plan" not in ROLES["approver"]
    for role in ("administrator", "analyst", "clerk"):
        assert "read.rows" not in ROLES[role]
    for role in set(ROLES) - {"administrator"}:
        assert "admin" not in ROLES[role]


# --- areas ---------------------------------------------------------------------------------------


def test_an_area_is_the_finest_grids_below_its_code(city):
    grids = city.grids_in_force(NOW)
    leaves = {str(row.code): int(row.uid) for row in grids.finest().itertuples()}
    street = find_reach([community_code(0)], grids)
    assert street.grids == {leaves[grid_code(column, 0)] for column in range(3)}
    one = find_reach([grid_code(2, 2)], grids)
    assert one.grids == {leaves[grid_code(2, 2)]}
    both = find_reach([community_code(0), grid_code(2, 2)], grids)
    assert both.grids == street.grids | one.grids
    assert find_reach([], grids).grids is None


def test_a_retired_code_stands_for_nothing_and_is_said(city):
    grids = city.grids_in_force(NOW)
    reach = find_reach(["404", grid_code(0, 0)], grids)
    assert reach.retired == ("404",)
    assert len(reach.grids) == 1
    gone = find_reach(["404"], grids)
    assert gone.grids == frozenset()  # never the whole city
    assert find_reach(["404"], None).grids == frozenset()


def test_a_code_that_two_levels_have_must_say_which(city):
    grids = city.grids_in_force(NOW)
    twin = grids.grids.copy()
    twin.loc[twin["code"] == grid_code(0, 0), "code"] = community_code(0)
    both = type(grids)(system="grid", drawing=9, valid_from=None, valid_to=None, grids=twin)
    (fault,) = find_area_faults([community_code(0)], both)
    assert fault.key == "area_twice"
    assert fault.values["known"] == (f"community:{community_code(0)}", f"grid:{community_code(0)}")
    assert not find_area_faults(fault.values["known"], both)
    assert len(find_reach([f"community:{community_code(0)}"], both).grids) == 3
    assert len(find_reach([f"grid:{community_code(0)}"], both).grids) == 1
    assert len(find_reach([community_code(0)], both).grids) == 1  # the less of both


# --- names and passwords -------------------------------------------------------------------------


@pytest.mark.parametrize("name", ["duty-1", "安宁街道值班岗", "网格 047", "a" * 40])
def test_a_post_may_be_called_so(name):
    assert not find_name_faults(name)


@pytest.mark.parametrize(
    "name",
    ["", " duty", "duty\n", "a" * 41, "网格员13812345678", "32101219900307123X", "li@city.example",
     "１３８１２３４５６７８"],
)  # fmt: skip
def test_nobody_is_named(name):
    assert find_name_faults(name)


def test_what_looks_the_same_is_the_same_name():
    assert plain_name(" ＤＵＴＹ－1") == plain_name("duty-1")
    assert plain_address("::ffff:10.0.0.8") == "10.0.0.8"
    assert plain_address("fe80::1%eth0") == "fe80::1"


@pytest.mark.parametrize(
    ("password", "key"),
    [
        ("short", "password_length"),
        ("x" * 201, "password_length"),
        ("duty-1duty-1", "password_named"),
        ("DUTY-1 duty-1 x", "password_named"),
        ("小城小城小城小城小城小城", "password_named"),
        ("aaaaaaaaaaaaaa", "password_plain"),
        ("abcabcabcabcabc", "password_plain"),
        ("123456789abcdefghi", None),
        ("abcdefghijklmnop", "password_plain"),
        ("198703121987", "password_plain"),
        (GOOD, None),
        ("网格长江大桥春天的风筝很高", None),
    ],
)
def test_a_password_is_long_and_not_what_anybody_would_try(password, key):
    found = find_weakness(password, names=("duty-1", "小城"), least=12)
    assert (found and found.key) == key


def test_a_password_is_kept_as_argon2id_and_fits_however_it_is_typed():
    hashed = hash_password("ｓｅｖｅｎ grey herons")
    assert hashed.startswith("$argon2id$v=19$m=65536,t=3,p=4$")
    assert hashed != hash_password("ｓｅｖｅｎ grey herons")
    assert check_password("seven grey herons", hashed)
    assert not check_password("seven grey heron", hashed)
    assert not check_password("seven grey herons", None)
    assert not check_password("seven grey herons", "not a hash")


def test_a_made_password_can_be_typed_and_is_never_the_same():
    made = {make_password() for _ in range(50)}
    assert len(made) == 50
    assert all(len(text) == 23 and text.isascii() and text == text.lower() for text in made)
    assert not any(find_weakness(text, names=("duty-1",), least=12) for text in made)


# --- changes -------------------------------------------------------------------------------------


def test_an_account_is_added_changed_disabled_and_enabled(city):
    add(city, "duty-1", "duty", areas=(community_code(1),))
    alter_account(city, "DUTY-1", role="staff", areas=None, address=None, now=NOW)
    with city.database.read() as connection:
        account, hashed = find_account(connection, "duty-1")
    assert (account.role, account.areas) == ("staff", (community_code(1),))
    assert check_password(GOOD, hashed)
    alter_account(city, "duty-1", role=None, areas=(), address=None, now=NOW)
    assert state_of(city, "duty-1")["areas"] == []
    switch_account(city, "duty-1", "disable", now=NOW)
    assert state_of(city, "duty-1")["disabled_at"] == NOW
    switch_account(city, "duty-1", "enable", now=NOW)
    assert state_of(city, "duty-1")["disabled_at"] is None


def state_of(city: City, name: str) -> dict:
    _, rows = show_accounts(city, "en")
    return next(row for row in rows if row["name"] == name)


def test_each_change_that_shuts_somebody_out_ends_the_sessions(city):
    add(city, "many")
    for act in (
        lambda: switch_account(city, "many", "revoke", now=NOW),
        lambda: switch_account(city, "many", "disable", now=NOW),
        lambda: renew_password(city, "many", password="eight green frogs asleep", now=NOW),
        lambda: alter_account(city, "many", role="wall", areas=None, address=None, now=NOW),
    ):
        secret = begin_session(city, "many")
        act()
        with city.database.read() as connection:
            assert find_session(connection, secret) is None


def begin_session(city: City, name: str) -> str:
    with city.database.transaction() as connection:
        account, _ = find_account(connection, name)
        return open_session(
            connection, account.account, address="127.0.0.1", day="2026-06-01", now=NOW
        )


def test_a_change_of_role_holds_without_a_new_session(city):
    add(city, "moved", "duty")
    secret = begin_session(city, "moved")
    alter_account(city, "moved", role="analyst", areas=None, address=None, now=NOW)
    with city.database.read() as connection:
        session = find_session(connection, secret)
    scope = scope_of(session.account, find_reach(session.account.areas, None))
    assert scope.permissions == ROLES["analyst"]
    assert scope.role == "analyst"


def test_what_is_wrong_with_an_account_is_said_at_once(city):
    with pytest.raises(BadSetting) as caught:
        add(city, "13812345678", "boss", password="short", areas=("404", "405"), address="x")
    assert keys(caught.value.faults) == [
        "account_somebody", "role_unknown", "address_wrong", "area_unknown", "area_unknown",
        "password_length",
    ]  # fmt: skip


def test_the_same_name_is_refused_and_an_unknown_one_is_not_found(city):
    add(city, "twice")
    with pytest.raises(BadSetting):
        add(city, "ＴＷＩＣＥ")
    for change in (
        lambda: switch_account(city, "nobody", "disable", now=NOW),
        lambda: renew_password(city, "nobody", password=GOOD, now=NOW),
        lambda: alter_account(city, "nobody", role="duty", areas=None, address=None, now=NOW),
    ):
        with pytest.raises(NotFound):
            change()


def test_only_a_wall_has_an_address():
    assert keys(find_role_faults("duty", "10.0.0.8")) == ["address_of_wall"]
    assert not find_role_faults("wall", "10.0.0.8")


# --- a file of accounts --------------------------------------------------------------------------


def write(path: Path, text: str, encoding: str = "utf-8") -> Path:
    path.write_bytes(text.encode(encoding))
    return path


@pytest.mark.parametrize("encoding", ["utf-8", "utf-8-sig", "gb18030"])
def test_a_file_of_accounts_is_added_whole_with_one_time_passwords(city, tmp_path, encoding):
    text = (
        "岗位,角色,区域,设备,地址\n"
        f"值班岗-{encoding},值班,,,\n"
        f"巡查岗-{encoding},staff,{community_code(0)}；{grid_code(1, 1)},,\n"
        f"大厅-{encoding},大屏,,是,10.0.0.8\n"
    )
    wanted = read_account_file(write(tmp_path / "posts.csv", text, encoding))
    report = add_accounts(city, wanted, password=None, now=NOW, file="posts.csv")
    assert list(report.passwords) == list(report.names)
    assert len(set(report.passwords.values())) == 3
    assert state_of(city, f"巡查岗-{encoding}")["areas"] == [community_code(0), grid_code(1, 1)]
    assert state_of(city, f"值班岗-{encoding}")["one_time"]
    assert not state_of(city, f"大厅-{encoding}")["one_time"]
    assert any(report.passwords[report.names[0]] in line for line in report.lines("zh"))


def test_every_fault_of_a_file_is_in_one_message_and_nothing_is_added(city, tmp_path):
    text = (
        "name,role,areas\n"
        "fine-1,duty,\n"
        ",duty,\n"
        "fine-1,duty,\n"
        "post-3,boss,404\n"
        "13812345678,viewer,\n"
    )
    wanted = read_account_file(write(tmp_path / "posts.csv", text))
    with pytest.raises(BadFile) as caught:
        add_accounts(city, wanted, password=None, now=NOW, file="posts.csv")
    told = [(fault.row, fault.key) for fault in caught.value.faults]
    assert told == [
        (2, "account_name"), (3, "account_exists"), (4, "role_unknown"), (4, "area_unknown"),
        (5, "account_somebody"),
    ]  # fmt: skip
    with city.database.read() as connection:
        assert find_account(connection, "fine-1") is None


@pytest.mark.parametrize(
    "text",
    [
        "name,role,手机\na,duty,1\n",
        "name\na\n",
        "role\nduty\n",
        "",
        "name,role\n",
        "name,role\na\n",
    ],
)
def test_a_file_with_other_columns_or_without_the_needed_ones_is_refused(tmp_path, text):
    with pytest.raises(GetuError):
        read_account_file(write(tmp_path / "posts.csv", text))


def test_a_device_of_another_role_is_refused(city, tmp_path):
    wanted = read_account_file(write(tmp_path / "p.csv", "name,role,device\nhall,duty,yes\n"))
    with pytest.raises(BadFile) as caught:
        add_accounts(city, wanted, password=None, now=NOW, file="p.csv")
    assert keys(caught.value.faults) == ["role_unknown"]
