"""Promise: accounts are made and ended at the machine; no password is ever an argument."""

from __future__ import annotations

import json
import os
import pty
import subprocess
import sys
from pathlib import Path

import pytest

from geodata.city import City
from tests.city import community_code, make_gridded_city
from tests.cli.processes import Nursery
from tests.conftest import ROOT

GOOD = "seven grey herons waiting"


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return make_gridded_city(tmp_path_factory.mktemp("user") / "city").folder


def run_piped(folder: Path, *argv: str, typed: str) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        [sys.executable, "app.py", "user", *argv, "--city", str(folder), "--lang", "en"],
        cwd=ROOT, input=typed, capture_output=True, text=True, timeout=60, check=False,
    )  # fmt: skip


def user(nursery: Nursery, folder: Path, *argv: object):
    return nursery.run("user", *argv, "--city", folder, "--lang", "en")


def test_a_password_is_piped_in_and_never_shown(folder):
    ran = run_piped(folder, "add", "duty-1", "--role", "duty", typed=f"{GOOD}\n")
    assert ran.returncode == 0, ran.stderr
    assert "duty-1" in ran.stdout
    assert GOOD not in ran.stdout + ran.stderr


def test_a_weak_one_is_refused_with_its_remedy(folder, nursery):
    ran = run_piped(folder, "add", "weak-1", "--role", "duty", typed="weak-1weak-1\n")
    assert ran.returncode == 2
    assert "the name of the account" in ran.stderr
    assert "weak-1weak-1" not in ran.stderr
    assert "weak-1" not in user(nursery, folder, "list").out


def test_a_password_is_asked_for_twice_on_a_terminal_and_not_echoed(folder):
    master, slave = pty.openpty()
    process = subprocess.Popen(
        [sys.executable, "app.py", "user", "add", "typed-1", "--role", "viewer",
         "--city", str(folder), "--lang", "en"],
        cwd=ROOT, stdin=slave, stdout=slave, stderr=slave, start_new_session=True,
    )  # fmt: skip
    os.close(slave)
    said = b""
    for prompt in (b"one-time password): ", b"Once more: "):
        while prompt not in said:
            said += os.read(master, 1000)
        os.write(master, f"{GOOD}\n".encode())
    while b"typed-1" not in said.partition(b"Once more")[2]:
        said += os.read(master, 1000)
    assert process.wait(60) == 0
    os.close(master)
    assert GOOD.encode() not in said


def test_without_one_a_one_time_password_is_made_and_shown_once(folder, nursery):
    ran = user(nursery, folder, "add", "fresh-1", "--role", "viewer", "--json")
    (password,) = ran.plain["passwords"].values()
    assert ran.plain["accounts"] == ["fresh-1"]
    assert len(password) == 23
    listed = user(nursery, folder, "list", "--json")
    assert password not in listed.said
    row = next(row for row in listed.plain["accounts"] if row["name"] == "fresh-1")
    assert row["one_time"]
    assert row["role"] == "viewer"


def test_every_action_runs_and_says_what_it_did(folder, nursery):
    code = community_code(0)
    assert user(nursery, folder, "add", "a-1", "--role", "staff", "--area", code).code == 0
    for action, said in (
        (("change", "a-1", "--role", "duty"), "changed"),
        (("change", "a-1", "--whole-city"), "changed"),
        (("revoke", "a-1"), "sessions ended"),
        (("disable", "a-1"), "disabled"),
        (("enable", "a-1"), "enabled"),
        (("password", "a-1"), "once"),
    ):
        ran = user(nursery, folder, *action)
        assert ran.code == 0, ran.err
        assert said in ran.out, action
    assert "the whole city" in user(nursery, folder, "list").out


def test_a_wall_is_a_device_with_an_address(folder, nursery):
    wall = ("add", "hall-1", "--device", "--address", "10.0.0.8")
    assert user(nursery, folder, *wall).code == 0
    ran = user(nursery, folder, "add", "hall-2", "--device", "--role", "duty")
    assert ran.code == 2
    row = next(
        row for row in user(nursery, folder, "list", "--json").plain["accounts"]
        if row["name"] == "hall-1"
    )  # fmt: skip
    assert (row["role"], row["device"], row["address"]) == ("wall", True, "10.0.0.8")


def test_a_file_is_taken_whole_or_not_at_all(folder, nursery, tmp_path):
    good, bad = tmp_path / "good.csv", tmp_path / "bad.csv"
    good.write_text(f"name,role,areas\np-1,staff,{community_code(0)}\np-2,duty,\n")
    bad.write_text("name,role,areas\np-3,duty,\np-4,boss,404\np-1,duty,\n")
    ran = user(nursery, folder, "import", bad, "--json")
    assert ran.code == 1
    faults = json.loads(ran.out)["faults"]
    assert [(fault["row"], fault["key"]) for fault in faults] == [
        (2, "role_unknown"), (2, "area_unknown"),
    ]  # fmt: skip
    ran = user(nursery, folder, "import", good)
    assert ran.code == 0
    assert ran.out.count("p-1") == 2  # named, and with its password
    again = user(nursery, folder, "import", good, "--json")
    assert {fault["key"] for fault in json.loads(again.out)["faults"]} == {"account_exists"}


@pytest.mark.parametrize(
    "argv",
    [("add",), ("disable", "nobody"), ("import", "none.csv"), ("add", "x", "--role", "boss"),
     ("add", "13812345678", "--role", "duty"), ("add", "x", "--role", "duty", "--area", "9")],
    ids=" ".join,
)  # fmt: skip
def test_what_cannot_be_done_is_said_in_a_sentence(folder, nursery, argv):
    ran = user(nursery, folder, *argv)
    assert ran.code in {1, 2}
    assert "Traceback" not in ran.said
    assert len(ran.err) > 20


def test_the_log_has_who_made_and_ended_accounts(folder, nursery):
    user(nursery, folder, "add", "logged-1", "--role", "duty")
    user(nursery, folder, "disable", "logged-1")
    with City(folder).database.read() as connection:
        rows = connection.execute(
            "SELECT account, act, detail FROM audit WHERE target = 'logged-1' ORDER BY entry"
        ).fetchall()
    assert [(account, act) for account, act, _ in rows] == [
        ("console", "account.add"), ("console", "account.disable"),
    ]  # fmt: skip
    assert "duty" in rows[0][2]
