"""Promise: what cannot be drawn or brought into force is said in both languages, nothing more."""

from __future__ import annotations

import io
from types import SimpleNamespace

import geopandas as gpd
import orjson
import pytest

import app
from dashboard.server import make_app
from geodata.access.passwords import hash_password
from geodata.access.scope import Scope
from geodata.plans.exchange import write_draft
from geodata.plans.plan import make_plan, submit_plan
from geodata.plans.workshop import Workshop
from geodata.settings import SETTINGS_FILE
from geodata.store.accounts import add_account
from geodata.store.drawings import load_drawings
from geodata.store.plans import list_plans
from geodata.words import LANGS, load_words
from tests.city import NOW, lonlat
from tests.planned_city import MERGE, SPLIT, copy_city, make_planned_city, place, publish_edits

PASSWORD = "correct horse battery"
# Who draws here is also the one who tries to approve: the demo city's approver.
AUTHOR = Scope.whole_city("demo-approver", ("read", "plan", "approve"), role="approver")
# Places are counted in sides of a grid; each bad stroke with the fault that it meets.
STROKES = {
    "a line that crosses nothing": (
        {"op": "split", "grid": 2, "line": [(2.2, 2.2), (2.8, 2.8)]}, "redraw_line_misses"),
    "a bow-tie": (
        {"op": "draw", "grid": 2, "area": [(0.9, 0.2), (1.4, 0.8), (1.4, 0.2), (0.9, 0.8)]},
        "redraw_area_crosses"),
    "a stroke outside the city": (
        {"op": "draw", "grid": 2, "area": [(8, 8), (9, 8), (9, 9), (8, 9)]}, "redraw_outside"),
}  # fmt: skip


@pytest.fixture(scope="module")
def made(tmp_path_factory):
    folder = tmp_path_factory.mktemp("says") / "city"
    folder.mkdir()
    make_planned_city(folder)
    with (folder / SETTINGS_FILE).open("a") as file:
        file.write("\ndemo = true\n")
    return folder


@pytest.fixture
def asked(made, tmp_path, monkeypatch, capsys):
    """Ask on the screen and by command; each answer must be a sentence and change nothing."""
    city = copy_city(made, tmp_path)
    client = make_app(city, now=lambda: NOW).server.test_client()

    def state():
        with city.database.read() as connection:
            plans = [tuple(getattr(one, name) for name in one.__slots__)
                     for one in list_plans(connection)]  # fmt: skip
            return plans, load_drawings(connection), len(
                connection.execute("SELECT 1 FROM plan_edit").fetchall())  # fmt: skip

    def told_in(lang, key, text):
        cause = load_words(lang)[f"fault.{key}.cause"].partition("{")[0]
        assert cause in text, text

    def screen(key, path, *, role="planner", **body):
        before, part = state(), "plans" if role == "planner" else "review"
        client.post("/demo-role", data={"role": role}, headers={"Origin": "http://localhost"})
        for lang in LANGS:
            given = dict(body)
            if "file" in given:
                name = given["file"]
                given = {"data": {"file": (io.BytesIO(name.read_bytes()), name.name)}}
            else:
                given = {"json": given}
            answer = client.post(f"/planner/{part}/1/{path}?lang={lang}", **given)
            assert 400 <= answer.status_code < 500, answer.data
            told = orjson.loads(answer.data)
            assert told["keys"][0] == key
            told_in(lang, key, " ".join(told["faults"]))
        assert state() == before

    def command(key, *argv, typed=""):
        before = state()
        for lang in LANGS:
            monkeypatch.setattr("sys.stdin", io.StringIO(typed))
            code = app.main(["plan", *map(str, argv), "--city", str(city.folder), "--lang", lang])
            assert code != 0
            said = capsys.readouterr()
            told_in(lang, key, said.out + said.err)
            assert "Traceback" not in said.err
        assert state() == before

    return SimpleNamespace(city=city, screen=screen, command=command, folder=tmp_path)


def place_edit(edit, put):
    return {
        name: [put(*spot) for spot in value] if name in ("line", "area") else value
        for name, value in edit.items()
    }


@pytest.mark.parametrize("name", STROKES)
def test_a_stroke_that_cannot_be(asked, name):
    edit, key = STROKES[name]
    make_plan(asked.city, AUTHOR, name="笔画", now=NOW)
    degrees = place_edit(edit, lambda x, y: list(lonlat(x * 200, y * 200)))
    asked.screen(key, "edit", edit=degrees)
    line = asked.folder / "edits.jsonl"
    line.write_bytes(orjson.dumps(place_edit(edit, place)))
    asked.command(key, "edit", 1, line)


def test_a_file_with_one_grid_missing(asked):
    plan = make_plan(asked.city, AUTHOR, name="外出", now=NOW)
    whole, lacking = asked.folder / "whole.gpkg", asked.folder / "lacking.gpkg"
    write_draft(asked.city, Workshop(asked.city).open(plan.plan, now=NOW), whole)
    frame = gpd.read_file(whole)
    frame[frame["code"] != "321012001002002"].to_file(lacking, layer="grids", driver="GPKG")
    asked.screen("plan_land_lost", "import", file=lacking)
    asked.command("plan_land_lost", "import", 1, lacking)
    asked.command("plan_land_lost", "import", lacking)


def test_a_plan_whose_base_was_retired(asked):
    late = make_plan(asked.city, AUTHOR, name="迟", now=NOW)
    Workshop(asked.city).edit(late.plan, [MERGE], scope=AUTHOR, now=NOW)
    publish_edits(asked.city, [SPLIT])
    asked.screen("plan_base_retired", "act", act="submit")
    asked.command("plan_base_retired", "submit", 1)


def test_an_approval_by_the_author_and_a_day_that_is_past(asked):
    make_plan(asked.city, AUTHOR, name="自批", now=NOW)
    Workshop(asked.city).edit(1, [MERGE], scope=AUTHOR, now=NOW)
    submit_plan(asked.city, AUTHOR, 1, now=NOW)
    own, past = ("plan_own", "2090-01-01"), ("plan_past", "2020-01-01")
    for key, day in (own, past):
        asked.screen(key, "act", role="approver", act="approve", effective=day)
    with asked.city.database.transaction() as connection:
        for name in (AUTHOR.account, "other"):  # from now on the screen asks who comes
            add_account(
                connection, name, role="approver", areas=(), address="",
                password=hash_password(PASSWORD), one_time=False, now=NOW,
            )  # fmt: skip
    for who, (key, day) in ((AUTHOR.account, own), ("other", past)):
        asked.command(
            key, "approve", 1, "--account", who, "--effective", day, typed=f"{PASSWORD}\n"
        )
