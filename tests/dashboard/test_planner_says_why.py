"""Promise: what cannot be drawn or brought into force is said in both languages, nothing more."""

from __future__ import annotations

import io
from dataclasses import dataclass
from pathlib import Path

import geopandas as gpd
import orjson
import pytest
from flask.testing import FlaskClient

import app
from dashboard.server import make_app
from geodata.access.passwords import hash_password
from geodata.access.scope import Scope
from geodata.city import City
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


@dataclass(frozen=True)
class Desk:
    """A city with its screen and its command line, and what a refusal may not change."""

    city: City
    client: FlaskClient
    folder: Path

    def state(self):
        with self.city.database.read() as connection:
            plans = [tuple(getattr(one, name) for name in one.__slots__)
                     for one in list_plans(connection)]  # fmt: skip
            edits = connection.execute("SELECT 1 FROM plan_edit").fetchall()
            return plans, load_drawings(connection), len(edits)

    def screen(self, path, *, role="planner", lang="zh", **body):
        """Ask the page; gives its status, the faults' keys and their sentences."""
        part = "plans" if role == "planner" else "review"
        self.client.post("/demo-role", data={"role": role}, headers={"Origin": "http://localhost"})
        given = {"json": body}
        if "file" in body:
            name = body["file"]
            given = {"data": {"file": (io.BytesIO(name.read_bytes()), name.name)}}
        answer = self.client.post(f"/planner/{part}/1/{path}?lang={lang}", **given)
        told = orjson.loads(answer.data)
        return answer.status_code, told["keys"], " ".join(told["faults"])


@pytest.fixture
def desk(made, tmp_path):
    city = copy_city(made, tmp_path)
    client = make_app(city, now=lambda: NOW).server.test_client()
    return Desk(city=city, client=client, folder=tmp_path)


@pytest.fixture
def command(desk, monkeypatch, capsys):
    """Ask by command; gives the exit code and what was said."""

    def ask(*argv, lang="zh", typed=""):
        monkeypatch.setattr("sys.stdin", io.StringIO(typed))
        code = app.main(["plan", *map(str, argv), "--city", str(desk.city.folder), "--lang", lang])
        said = capsys.readouterr()
        return code, said.out + said.err

    return ask


def cause_of(key, lang):
    """The fixed beginning of what a fault says."""
    return load_words(lang)[f"fault.{key}.cause"].partition("{")[0]


def place_edit(edit, put):
    return {
        name: [put(*spot) for spot in value] if name in ("line", "area") else value
        for name, value in edit.items()
    }


@pytest.mark.parametrize("lang", LANGS)
@pytest.mark.parametrize("name", STROKES)
def test_a_stroke_that_cannot_be(desk, command, name, lang):
    edit, key = STROKES[name]
    make_plan(desk.city, AUTHOR, name="笔画", now=NOW)
    before = desk.state()

    degrees = place_edit(edit, lambda x, y: list(lonlat(x * 200, y * 200)))
    status, keys, text = desk.screen("edit", edit=degrees, lang=lang)
    assert (status, keys[0]) == (422, key)
    assert cause_of(key, lang) in text

    line = desk.folder / "edits.jsonl"
    line.write_bytes(orjson.dumps(place_edit(edit, place)))
    code, text = command("edit", 1, line, lang=lang)
    assert code == 1
    assert cause_of(key, lang) in text
    assert desk.state() == before


@pytest.mark.parametrize("lang", LANGS)
def test_a_file_with_one_grid_missing(desk, command, lang):
    plan = make_plan(desk.city, AUTHOR, name="外出", now=NOW)
    whole, lacking = desk.folder / "whole.gpkg", desk.folder / "lacking.gpkg"
    write_draft(desk.city, Workshop(desk.city).open(plan.plan, now=NOW), whole)
    frame = gpd.read_file(whole)
    frame[frame["code"] != "321012001002002"].to_file(lacking, layer="grids", driver="GPKG")
    before = desk.state()

    status, keys, text = desk.screen("import", file=lacking, lang=lang)
    assert (status, keys[0]) == (422, "plan_land_lost")
    assert cause_of("plan_land_lost", lang) in text

    for argv in (("import", 1, lacking), ("import", lacking)):
        code, text = command(*argv, lang=lang)
        assert code == 1
        assert cause_of("plan_land_lost", lang) in text
    assert desk.state() == before


@pytest.mark.parametrize("lang", LANGS)
def test_a_plan_whose_base_was_retired(desk, command, lang):
    late = make_plan(desk.city, AUTHOR, name="迟", now=NOW)
    Workshop(desk.city).edit(late.plan, [MERGE], scope=AUTHOR, now=NOW)
    publish_edits(desk.city, [SPLIT])
    before = desk.state()

    status, keys, text = desk.screen("act", act="submit", lang=lang)
    assert (status, keys[0]) == (409, "plan_base_retired")
    assert cause_of("plan_base_retired", lang) in text

    code, text = command("submit", 1, lang=lang)
    assert code == 1
    assert cause_of("plan_base_retired", lang) in text
    assert desk.state() == before


@pytest.mark.parametrize("lang", LANGS)
@pytest.mark.parametrize(
    ("key", "refused", "who", "day"),
    [
        ("plan_own", (403, 1), AUTHOR.account, "2090-01-01"),
        ("plan_past", (422, 2), "other", "2020-01-01"),
    ],
)
def test_an_approval_by_the_author_or_for_a_day_that_is_past(
    desk, command, key, refused, who, day, lang
):
    make_plan(desk.city, AUTHOR, name="自批", now=NOW)
    Workshop(desk.city).edit(1, [MERGE], scope=AUTHOR, now=NOW)
    submit_plan(desk.city, AUTHOR, 1, now=NOW)
    before = desk.state()

    status, keys, text = desk.screen(
        "act", role="approver", act="approve", effective=day, lang=lang
    )
    assert (status, keys[0]) == (refused[0], key)
    assert cause_of(key, lang) in text

    with desk.city.database.transaction() as connection:
        add_account(
            connection, who, role="approver", areas=(), address="",
            password=hash_password(PASSWORD), one_time=False, now=NOW,
        )  # fmt: skip
    argv = ("approve", 1, "--account", who, "--effective", day)
    code, text = command(*argv, typed=f"{PASSWORD}\n", lang=lang)
    assert code == refused[1]
    assert cause_of(key, lang) in text
    assert desk.state() == before
