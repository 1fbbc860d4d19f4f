"""A demo city lets its own machine's browser try each role, and nobody else anything."""

from __future__ import annotations

import shutil
from pathlib import Path
from typing import Any

import pytest

from dashboard.demo_roles import COOKIE, KEY_FILE
from dashboard.sessions import current_visit
from geodata.access.accounts import ROLES
from geodata.city import City
from tests.city import community_code
from tests.dashboard.door_city import Door


@pytest.fixture(scope="module")
def demo(tiny: City, tmp_path_factory: pytest.TempPathFactory) -> Door:
    return Door(tiny, tmp_path_factory.mktemp("demo") / "city", demo="true")


def take(client: Any, role: str, **headers: str) -> Any:
    return client.post("/demo-role", data={"role": role}, headers=headers)


def scope_after(client: Any) -> Any:
    """The scope of a client's next request."""
    with client:
        assert client.get("/changes").status_code == 200
        return current_visit().scope


@pytest.mark.parametrize("role", ROLES)
def test_each_role_is_tried_with_what_it_may_do(demo, role):
    client = demo.client()
    assert take(client, role).headers["Location"] == "/"
    scope = scope_after(client)
    assert scope.role == role
    assert scope.permissions == ROLES[role]
    if role == "staff":
        grids = demo.city.grids_in_force(demo.clock.now)
        mine = grids.subtree_uids(grids.find_uid(community_code(0)))
        assert scope.grids < set(mine.tolist())
        assert len(scope.grids) == 3
    else:
        assert scope.grids is None


def test_before_a_role_and_after_it_the_machine_is_itself(demo):
    client = demo.client()
    assert scope_after(client).role == "local"
    take(client, "auditor")
    take(client, "local")
    assert scope_after(client).role == "local"
    assert client.get_cookie(COOKIE) is None


def test_the_page_names_every_role_and_marks_the_one_in_use(demo):
    client = demo.client()
    take(client, "duty")
    text = client.get("/demo-role?lang=en").get_data(as_text=True)
    assert all(f'value="{role}"' in text for role in (*ROLES, "local"))
    assert 'value="duty" aria-current="true"' in text
    assert "demo" in text


@pytest.mark.parametrize("made_up", ["duty", "duty.", "duty." + "0" * 64, "boss.00", "duty.é", "."])
def test_a_role_that_the_server_did_not_sign_is_none(demo, made_up):
    take(demo.client(), "duty")  # there is a key
    client = demo.client()
    client.set_cookie(COOKIE, made_up)
    assert scope_after(client).role == "local"


def test_a_role_signed_by_another_city_is_none(demo, tiny, tmp_path):
    other = Door(tiny, tmp_path / "city", demo="true")
    client = other.client()
    take(client, "duty")
    stranger = demo.client()
    stranger.set_cookie(COOKIE, client.get_cookie(COOKIE).value)
    assert scope_after(stranger).role == "local"


def test_no_other_machine_and_no_proxy_may_try(demo):
    for client, headers in (
        (demo.client(address="10.0.0.8"), {}),
        (demo.client(), {"X-Forwarded-For": "10.0.0.8"}),
        (demo.client(), {"Host": "evil.example"}),
    ):
        assert client.get("/demo-role", headers=headers).status_code == 403
        assert take(client, "duty", **headers).status_code == 403


def test_another_site_changes_no_role(demo):
    answer = take(demo.client(), "administrator", **{"Sec-Fetch-Site": "cross-site"})
    assert answer.status_code == 403
    assert "Set-Cookie" not in answer.headers


def test_an_unknown_role_is_refused(demo):
    for role in ("", "boss", "local ", "<script>"):
        answer = take(demo.client(), role)
        assert answer.status_code == 404
        assert "<" not in answer.get_data(as_text=True)


def test_the_key_is_made_at_first_need_and_is_the_owners_alone(demo):
    take(demo.client(), "duty")
    key = demo.city.folder / KEY_FILE
    assert key.stat().st_mode & 0o777 == 0o600
    assert len(key.read_text()) == 64


def test_a_city_that_is_no_demo_has_no_roles_to_try(tiny, tmp_path: Path):
    door = Door(tiny, tmp_path / "city")
    assert door.client().get("/demo-role").status_code == 404
    assert take(door.client(), "duty").status_code == 404


def test_the_first_account_ends_the_demo(tiny, tmp_path: Path):
    door = Door(tiny, tmp_path / "city", demo="true")
    client = door.client()
    take(client, "administrator")
    door.add("duty-1", role="duty")
    assert client.get("/changes").status_code == 401
    assert take(client, "administrator").status_code == 401
    inside = door.client("duty-1")
    assert inside.get("/demo-role").status_code == 404
    shutil.rmtree(door.city.folder)
