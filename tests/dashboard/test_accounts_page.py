"""An administrator keeps the accounts in a browser: logged by name, secrets shown once."""

from __future__ import annotations

import re

import pytest

from dashboard.server import INTAKE
from geodata.access.scope import Scope
from geodata.store.accounts import get_account, list_accounts
from geodata.store.tokens import find_token
from tests.dashboard.door_city import Door, sign_in


@pytest.fixture(scope="module")
def door(tiny, tmp_path_factory) -> Door:
    door = Door(tiny, tmp_path_factory.mktemp("accounts") / "city")
    door.add_every_role()
    door.add("area-admin", role="administrator", areas=("321012001001",))
    yield door
    door.app.server.extensions[INTAKE].close()


@pytest.fixture(scope="module")
def admin(door):
    return door.client("administrator")


def post(client, path: str, **form):
    answer = client.post(f"/accounts/{path}?lang=zh", data=form)
    return answer.status_code, answer.get_data(as_text=True)


def secret_in(text: str) -> str:
    return re.search(r'class="secret">([^<]+)<', text)[1]


def acts_of(door: Door):
    with door.city.database.read() as connection:
        return connection.execute(
            "SELECT account, act, target FROM audit"
            " WHERE act LIKE 'account.%' OR act LIKE 'token.%' ORDER BY entry"
        ).fetchall()


def test_an_account_is_made_and_its_one_time_password_is_shown_once(door, admin):
    status, text = post(admin, "add", name="安宁街道", role="staff", areas="321012001001")
    assert status == 200
    secret = secret_in(text)
    assert sign_in(door.app.server.test_client(), "安宁街道", secret).status_code == 303
    assert secret not in admin.get("/accounts").get_data(as_text=True)
    with door.city.database.read() as connection:
        account = get_account(connection, "安宁街道")
    assert (account.role, account.areas, account.one_time) == ("staff", ("321012001001",), True)
    assert ("administrator", "account.add", "安宁街道") in acts_of(door)


def test_what_is_wrong_with_an_account_is_said_and_nothing_is_made(door, admin):
    status, text = post(admin, "add", name="13812345678", role="king", areas="没有")
    assert status == 422
    for told in ("账号代表岗位", "king", "没有编码"):
        assert told in text
    with door.city.database.read() as connection:
        assert "13812345678" not in {one.name for one, _ in list_accounts(connection)}


def test_an_account_is_changed_disabled_enabled_and_its_sessions_end(door, admin):
    door.add("轮换岗", role="viewer")
    client = door.client("轮换岗")
    assert client.get("/quality").status_code == 200
    assert post(admin, "change", name="轮换岗", role="duty", areas="")[0] == 200
    with door.city.database.read() as connection:
        assert get_account(connection, "轮换岗").role == "duty"
    assert post(admin, "act", name="轮换岗", act="disable")[0] == 200
    assert client.get("/quality").status_code in (302, 401, 403)
    assert post(admin, "act", name="轮换岗", act="enable")[0] == 200
    status, text = post(admin, "act", name="轮换岗", act="password")
    assert status == 200
    assert secret_in(text)
    assert [act for who, act, target in acts_of(door) if target == "轮换岗"] == [
        "account.change", "account.disable", "account.enable", "account.password",
    ]  # fmt: skip


def test_nobody_locks_themselves_out_and_only_the_whole_citys_administrator_keeps_accounts(
    door, admin
):
    for path, form in (
        ("act", {"act": "disable"}), ("act", {"act": "password"}), ("change", {"role": "viewer"}),
    ):  # fmt: skip
        answer = admin.post(f"/accounts/{path}", data={"name": "Administrator", **form})
        assert answer.status_code == 422, form
    narrow = door.client("area-admin")
    assert narrow.get("/accounts").status_code == 403
    assert post(narrow, "add", name="king", role="administrator")[0] == 403
    for role in ("clerk", "duty", "auditor", "approver"):
        assert door.client(role).get("/accounts").status_code == 403
        assert post(door.client(role), "add", name="x", role="viewer")[0] == 403


def test_a_token_is_shown_once_works_and_is_revoked(door, admin):
    status, text = post(admin, "token", source="热线", act="add")
    assert status == 200
    secret = secret_in(text)
    with door.city.database.read() as connection:
        assert find_token(connection, secret).source == "热线"
    assert secret not in admin.get("/accounts").get_data(as_text=True)
    assert post(admin, "token", source="热线", act="revoke")[0] == 200
    with door.city.database.read() as connection:
        assert find_token(connection, secret) is None
    assert post(admin, "token", source="热线", act="revoke")[0] == 404
    assert ("administrator", "token.add", "热线") in acts_of(door)


def test_the_first_account_is_not_made_in_a_browser(tiny, tmp_path, monkeypatch):
    scope = Scope.whole_city("x", ("read", "admin"), role="administrator")
    monkeypatch.setattr("dashboard.server._local_account", lambda _: scope)
    door = Door(tiny, tmp_path / "city")
    status, text = post(door.app.server.test_client(), "add", name="a-1", role="administrator")
    assert status == 422
    assert "app.py user add" in text
    with door.city.database.read() as connection:
        assert not list_accounts(connection)
    door.app.server.extensions[INTAKE].close()
