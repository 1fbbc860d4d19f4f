"""Signing in: one answer for whatever is wrong, cookies no script reads, waits that grow."""

from __future__ import annotations

import os
import statistics
import threading
import time
from typing import Any

import pytest

from dashboard.limits import Limits
from dashboard.sessions import COOKIE
from geodata.access.account_changes import switch_account
from geodata.access.passwords import hash_password
from geodata.audit.log import CONSOLE
from geodata.city import City
from geodata.errors import TooMany
from geodata.settings import Settings
from tests.dashboard.door_city import PASSWORD, Door, sign_in

ROUNDS = 9
APART_MS = 20
QUIET = 1.0


@pytest.fixture(scope="module")
def door(tiny: City, tmp_path_factory: pytest.TempPathFactory) -> Door:
    door = Door(tiny, tmp_path_factory.mktemp("sign_in") / "city", sign_in_tries_address=1000)
    door.add("duty-1", role="duty")
    return door


# --- one answer ----------------------------------------------------------------------------------


def test_unknown_disabled_and_wrong_get_the_same_answer(door):
    door.add("gone")
    switch_account(door.city, "gone", "disable", now=door.clock.now)
    door.add("elsewhere", role="wall", address="10.9.9.9")
    client = door.client()
    told = {
        strip_name(sign_in(client, name, password).get_data(as_text=True), name)
        for name, password in (
            ("nobody", PASSWORD), ("duty-1", "wrong wrong wrong"), ("gone", PASSWORD),
            ("elsewhere", PASSWORD),
        )
    }  # fmt: skip
    assert len(told) == 1
    assert client.get_cookie(COOKIE) is None


def strip_name(text: str, name: str) -> str:
    return text.replace(name, "")


def test_an_account_that_exists_is_not_told_by_the_clock(tiny, tmp_path):
    """
    Medians over alternating tries; the work of all threads, which other programs hardly move.

    The clock on the wall is asked too where the machine is quiet.
    """
    door = Door(tiny, tmp_path / "city", sign_in_tries=1000, sign_in_tries_address=1000)
    door.add("known", password=hash_password(PASSWORD))
    client = door.client()
    sign_in(client, "first", "makes the hash of nobody")
    worked: dict[str, list[float]] = {"known": [], "unknown": []}
    waited: dict[str, list[float]] = {"known": [], "unknown": []}
    for _ in range(ROUNDS):
        for name in ("known", "unknown"):
            work, wall = time.process_time(), time.perf_counter()
            sign_in(client, name, "wrong wrong wrong")
            worked[name].append(1000 * (time.process_time() - work))
            waited[name].append(1000 * (time.perf_counter() - wall))
    load = os.getloadavg()[0]
    print(f"work {apart(worked)}, wait {apart(waited)}, load {load:.2f}")
    known, unknown = (statistics.median(worked[name]) for name in ("known", "unknown"))
    assert abs(known - unknown) < APART_MS
    if load < QUIET:
        known, unknown = (statistics.median(waited[name]) for name in ("known", "unknown"))
        assert abs(known - unknown) < APART_MS


def apart(times: dict[str, list[float]]) -> str:
    return " ".join(f"{name} {statistics.median(found):.1f} ms" for name, found in times.items())


def test_a_name_is_the_same_in_every_width_and_case(door):
    for name in ("DUTY-1", "ｄｕｔｙ－１", " duty-1 "):
        assert sign_in(door.client(), name).status_code == 303


def test_the_form_comes_back_with_the_name_and_without_the_password(door):
    answer = sign_in(door.client(), "duty-1", "tell nobody this")
    text = answer.get_data(as_text=True)
    assert answer.status_code == 401
    assert 'value="duty-1"' in text
    assert "tell nobody this" not in text


def test_a_form_cannot_carry_markup_back(door):
    text = sign_in(door.client(), '"><img src=x onerror=alert(1)>').get_data(as_text=True)
    assert "<img" not in text


def test_a_long_form_is_refused(door):
    answer = sign_in(door.client(), "x" * 20_000)
    assert answer.status_code == 413


# --- cookies -------------------------------------------------------------------------------------


def test_the_cookie_is_kept_from_scripts_and_other_sites(door):
    kept = sign_in(door.client(), "duty-1").headers["Set-Cookie"]
    assert "HttpOnly" in kept
    assert "SameSite=Lax" in kept
    assert "Path=/" in kept
    assert "Secure" not in kept
    assert "Max-Age" not in kept  # it ends with the browser
    secure = sign_in(door.client(), "duty-1", base_url="https://city.example")
    assert "Secure" in secure.headers["Set-Cookie"]


def test_the_id_changes_at_each_sign_in_and_the_old_one_ends(door):
    client = door.client()
    client.set_cookie(COOKIE, "planted-by-somebody")
    sign_in(client, "duty-1")
    first = client.get_cookie(COOKIE).value
    assert first != "planted-by-somebody"
    sign_in(client, "duty-1")
    assert client.get_cookie(COOKIE).value != first
    stranger = door.client()
    stranger.set_cookie(COOKIE, first)
    assert stranger.get("/changes").status_code == 401


def test_the_store_holds_neither_the_password_nor_the_id(door):
    client = door.client("duty-1")
    secret = client.get_cookie(COOKIE).value
    with door.city.database.transaction() as connection:
        connection.execute("SELECT 1")
    raw = b"".join(path.read_bytes() for path in door.city.folder.glob("getu.sqlite*"))
    assert secret.encode() not in raw
    assert PASSWORD.encode() not in raw
    assert len(secret) >= 43  # 256 bits
    assert b"$argon2id$" in raw


def test_signing_out_forgets_the_cookie_and_what_was_kept(door):
    client = door.client("duty-1")
    answer = client.post("/sign-out")
    assert answer.headers["Location"] == "/sign-in"
    assert answer.headers["Clear-Site-Data"] == '"cache"'
    assert client.get_cookie(COOKIE) is None
    assert client.get("/sign-out").status_code in {401, 405}


def test_pages_are_not_kept_by_the_browser(door):
    client = door.client("duty-1")
    for path in ("/", "/_dash-layout", "/password"):
        assert client.get(path).headers["Cache-Control"] == "private, no-store", path


@pytest.mark.parametrize("base", ["/getu", "/a/b"])
def test_under_a_base_path_every_address_of_the_door_has_it(tiny, tmp_path, base):
    door = Door(tiny, tmp_path / "city", base_path=f'"{base}"')
    door.add("duty-1", one_time=True)
    client = door.client()
    led = client.get(f"{base}/", headers={"Accept": "text/html"})
    assert led.headers["Location"].startswith(f"{base}/sign-in?next={base.replace('/', '%2F')}%2F")
    form = client.get(led.headers["Location"]).get_data(as_text=True)
    assert f'action="{base}/sign-in?' in form
    data = {"name": "duty-1", "password": PASSWORD, "next": "/elsewhere"}
    answer = client.post(f"{base}/sign-in", data=data)
    assert answer.headers["Location"] == f"{base}/password"
    assert f"Path={base}" in answer.headers["Set-Cookie"]
    new = "nine blue cats dozing"
    client.post(f"{base}/password", data={"old": PASSWORD, "new": new, "again": new})
    assert client.get(f"{base}/changes").status_code == 200
    assert client.get(f"{base}/sign-in").headers["Location"] == f"{base}/"
    assert client.post(f"{base}/sign-out").headers["Location"] == f"{base}/sign-in"


# --- waits ---------------------------------------------------------------------------------------


def test_after_five_wrong_passwords_an_account_waits_and_nobody_learns_whether_it_exists(
    tiny, tmp_path
):
    door = Door(tiny, tmp_path / "city", sign_in_wait_s=600)
    door.add("duty-1")
    inside = door.client("duty-1")
    for name in ("duty-1", "nobody"):
        for n in range(5):
            answer = sign_in(door.client(address=f"10.0.1.{n}"), name, "wrong wrong wrong")
            assert answer.status_code == 401
        late = sign_in(door.client(address="10.0.1.99"), name, "wrong wrong wrong")
        assert late.status_code == 429
        seconds = late.headers["Retry-After"]
        assert 500 < int(seconds) <= 600
        assert seconds in late.get_data(as_text=True)
    right = sign_in(door.client(address="10.0.1.98"), "duty-1")
    assert right.status_code == 429  # the right one waits too
    assert inside.get("/changes").status_code == 200  # who is in stays in


def limits_at(moments: list[float], **settings: Any) -> Limits:
    return Limits(Settings(**settings), clock=lambda: moments[0])


def test_each_wait_is_twice_the_one_before_up_to_the_longest():
    at = [0.0]
    limits = limits_at(at, sign_in_tries_address=1000, sign_in_wait_most_s=60)
    for _ in range(5):
        limits.begin_try(account="a", address="1")
    waits = []
    for _ in range(6):
        with pytest.raises(TooMany) as caught:
            limits.begin_try(account="a", address="1")
        waits.append(caught.value.faults[0].values["seconds"])
        at[0] += waits[-1]
        limits.begin_try(account="a", address="1")
    assert waits == [5, 10, 20, 40, 60, 60]


def test_knocking_while_it_waits_makes_no_wait_longer():
    at = [0.0]
    limits = limits_at(at, sign_in_tries_address=1000)
    for _ in range(5):
        limits.begin_try(account="a", address="1")
    for _ in range(50):
        with pytest.raises(TooMany):
            limits.begin_try(account="a", address="1")
    at[0] += 6
    limits.begin_try(account="a", address="1")
    limits.end_try(account="a", address="1")
    limits.begin_try(account="a", address="1")  # a right one starts anew


def test_one_address_that_tries_many_names_waits_too():
    at = [0.0]
    limits = limits_at(at)
    for n in range(20):
        limits.begin_try(account=f"a{n}", address="1")
    with pytest.raises(TooMany):
        limits.begin_try(account="b", address="1")
    limits.begin_try(account="b", address="2")
    at[0] += 3_600
    limits.begin_try(account="b", address="1")  # what failed long ago is forgotten


def test_many_tries_at_once_count_as_many(tiny, tmp_path):
    door = Door(tiny, tmp_path / "city", sign_in_wait_s=600)
    door.add("duty-1")
    answers: list[int] = []

    def attempt() -> None:
        answers.append(sign_in(door.client(), "duty-1", "wrong wrong wrong").status_code)

    threads = [threading.Thread(target=attempt) for _ in range(12)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert answers.count(401) + answers.count(503) == 5
    assert answers.count(429) == 7


def test_a_try_that_nobody_had_time_to_check_is_not_counted():
    at = [0.0]
    limits = limits_at(at)
    for _ in range(30):
        limits.begin_try(account="a", address="1")
        limits.undo_try(account="a", address="1")
    for _ in range(5):  # as many as a new account has, before it must wait
        limits.begin_try(account="a", address="1")
    with pytest.raises(TooMany):
        limits.begin_try(account="a", address="1")


# --- the log -------------------------------------------------------------------------------------


def test_the_log_has_each_sign_in_refusal_and_sign_out(door):
    client = door.client("duty-1")
    sign_in(door.client(), "duty-1", "wrong wrong wrong")
    sign_in(door.client(), "a password typed as a name")
    client.post("/sign-out")
    switch_account(door.city, "duty-1", "revoke", now=door.clock.now)
    with door.city.database.read() as connection:
        rows = connection.execute(
            "SELECT account, act, target FROM audit ORDER BY entry DESC LIMIT 5"
        ).fetchall()
    assert rows[::-1] == [
        ("duty-1", "session.open", "duty-1"),
        ("duty-1", "session.refuse", "duty-1"),
        ("?", "session.refuse", "?"),
        ("duty-1", "session.close", "duty-1"),
        (CONSOLE, "account.revoke", "duty-1"),
    ]
