"""Promise: every step of the street is a link whose figures are the facts', for every account."""

from __future__ import annotations

import base64
import csv
import io
import re

import numpy as np
import pytest

from dashboard.street.export_routes import MOST_ROWS, list_pages
from dashboard.street.ground import CHANGE
from geodata.snapshots.facts import load_facts
from layers.palette import NO_DATA, ZERO
from tests.city import NOW, community_code, grid_code, lonlat, middle
from tests.dashboard.door_city import Door
from tests.layers.colour_vision import DEFICIENCIES, nearest_pair

FILTERS = ("", "&state=open", "&kind=积水", "&days=28&stage=closed", "&source=nowhere")


@pytest.fixture(scope="module")
def client(tiny_app):
    return tiny_app.server.test_client()


@pytest.fixture(scope="module")
def door(tiny, tmp_path_factory) -> Door:
    return Door(tiny, tmp_path_factory.mktemp("street") / "city")


def ask(client, name: str, query: str = "", *, status: int = 200):
    answer = client.get(f"/area/{name}?lang=en&days=0&{query}")
    assert answer.status_code == status, answer.get_data(as_text=True)
    return answer.get_json()


def key_of(html: str, key: str) -> str:
    """What a key figure of the panel reads."""
    (found,) = re.findall(
        rf'data-def="{key}"[^>]*><span class="label">[^<]*</span><strong[^>]*>([^<]*)', html
    )
    return found


def rows_of(html: str) -> dict[str, list[str]]:
    """The table by child: name to its cells."""
    body = html.split("<tbody>")[1].split("</tbody>", maxsplit=1)[0]
    found = {}
    for row in body.split("</tr>")[:-1]:
        name = re.sub(r"<[^>]+>", "", re.findall(r"<th.*?</th>", row)[0])
        found[name] = re.findall(r"<td[^>]*>([^<]*)</td>", row)
    return found


def test_each_panel_prints_what_the_facts_say(client, tiny):
    facts = load_facts(tiny, now=NOW)
    whole = ask(client, "panel.json")
    assert key_of(whole["html"], "total") == f"{facts.snapshot.n:,}"
    assert whole["uid"] is None
    rows = rows_of(whole["html"])
    assert set(rows) == {"第1社区", "第2社区", "第3社区", "Unowned"}
    for column, name in enumerate(("total", "open", "overdue")):
        assert sum(int(cells[column]) for cells in rows.values()) == int(
            key_of(whole["html"], name)
        )
    for code in (community_code(0), grid_code(2, 1)):
        step = ask(client, "panel.json", f"code={code}")
        leaves = facts.grids.leaf_ranks(step["uid"])
        assert key_of(step["html"], "total") == str(
            int(np.isin(facts.snapshot.owner, leaves).sum())
        )
        assert step["code"] == code


@pytest.mark.parametrize("filter", FILTERS)
def test_the_map_the_panel_and_the_download_agree_under_every_filter(client, filter):
    panel = ask(client, "panel.json", filter)
    total = int(key_of(panel["html"], "open"))
    values = panel["values"]["street-grids"]["values"]
    rows = rows_of(panel["html"])
    assert sum(values) + int(rows["Unowned"][1]) == total
    sheet = client.get(f"/area/table.csv?lang=en&days=0{filter}").get_data(as_text=True)
    lines = list(csv.reader(io.StringIO(sheet.removeprefix("\ufeff"))))
    assert int(lines[-1][3]) == total == sum(int(line[3]) for line in lines[2:-1])
    frames = ask(client, "frames.json", filter)
    assert len(frames["frames"]) == len(frames["at"])


def test_a_map_that_holds_the_figures_is_not_sent_them_again(client):
    first = ask(client, "panel.json")
    again = client.get(
        "/area/panel.json", query_string={"lang": "en", "days": 0, "held": first["mark"]}
    ).get_json()
    assert "values" in first
    assert "values" not in again


def test_every_number_that_opens_has_an_entry(client):
    frame, panel = ask(client, "frame.json"), ask(client, "panel.json")
    opened = set(re.findall(r'data-def="(\w+)"', panel["html"]))
    assert {"open", "overdue", "total", "completion", "closing", "before", "last_year"} <= opened
    assert opened <= set(frame["definitions"])
    assert len(frame["tree"]["uid"]) == len(frame["tree"]["up"]) == 12


def test_the_cases_behind_a_number_are_as_many_as_it_says(client):
    panel = ask(client, "panel.json")
    for figure in ("overdue", "open", "due_soon"):
        page = client.get(f"/area/rows?lang=en&days=0&figure={figure}").get_data(as_text=True)
        n = int(key_of(panel["html"], figure))
        assert f"{n} of {n} cases listed" in page
        assert page.count("/case/") == n


def test_a_circle_is_answered_with_its_cases_and_a_bad_one_with_a_sentence(client):
    lon, lat = lonlat(300, 300)
    found = ask(client, "ask.json", f"lon={lon}&lat={lat}&radius_m=500")
    assert "Within 500 m" in found["html"]
    for wrong in (
        "lon=1&lat=",
        "lon=x&lat=2&radius_m=3",
        f"lon={lon}&lat={lat}&radius_m=-1",
        "uid=99",
    ):
        assert ask(client, "ask.json", wrong, status=422)["error"]
    for beside in ("lon=0&lat=0&radius_m=300", "ring=0,0_0,1_1,1"):
        assert "outside the city" in ask(client, "ask.json", beside, status=422)["error"]
    ring = "_".join(f"{lon},{lat}" for lon, lat in (middle(0, 0), middle(2, 0), middle(2, 2)))
    assert "Within the shape" in ask(client, "ask.json", f"ring={ring}")["html"]
    shape = client.get(f"/area/shape.geojson?v=ring={ring}").get_json(force=True)
    assert shape["features"][0]["geometry"]["type"] == "Polygon"


def test_the_table_of_an_asked_shape_sums_to_its_answer_and_needs_export(client, door):
    ring = "_".join(f"{lon},{lat}" for lon, lat in (middle(0, 0), middle(2, 0), middle(2, 2)))
    answer = ask(client, "ask.json", f"ring={ring}")["html"]
    (link,) = re.findall(r'href="([^"]*asked\.csv[^"]*)"', answer)
    link = link.replace("&amp;", "&")
    sheet = client.get(link).get_data(as_text=True)
    _, titles, *rows, total = csv.reader(io.StringIO(sheet.removeprefix("\ufeff")))
    assert titles[:5] == ["Code", "Name", "Incidents", "Open", "Overdue"]
    assert int(total[2]) > 0
    for column in range(2, len(titles)):
        assert sum(int(row[column]) for row in rows) == int(total[column])
    for name, n in (("total", total[2]), ("open", total[3]), ("overdue", total[4])):
        assert f'data-def="{name}" data-bare>{n}<' in answer
    viewer = door.client(door.add("asker"))
    query = link.partition("?")[2]
    assert "asked.csv" not in viewer.get(f"/area/ask.json?{query}").get_json()["html"]
    assert viewer.get(f"/area/asked.csv?{query}").status_code == 403
    # Of a shape as small as one likes: counts tell single cases to who may not see them.
    analyst = door.client(door.add("counter", role="analyst"))
    assert analyst.get(f"/area/asked.csv?{query}").status_code == 403
    assert client.get("/area/asked.csv?lon=x").status_code == 422


def test_an_area_without_a_case_in_the_days_is_first_of_nothing(client):
    code = client.get("/area/frame.json").get_json()["tree"]["code"][-1]
    for days, shown in (("days=0", True), ("from=1990-01-01&to=1990-01-02", False)):
        panel = client.get(f"/area/panel.json?lang=en&code={code}&{days}").get_json()
        assert ('class="ranks"' in panel["html"]) is shown


def test_a_dead_link_says_so_in_a_sentence(client):
    gone = ask(client, "panel.json", "code=%3Cb%3E404", status=404)
    assert "No grid has the code &lt;b&gt;404" in gone["html"]
    assert client.get("/street/321012001001").status_code == 200
    assert client.get("/area/case/99999999").status_code == 404


def test_who_sees_one_area_begins_there_and_is_told_the_rest_in_bounds(door):
    area = community_code(1)
    mine = door.client(door.add("one", areas=(area,)))
    first = mine.get("/area/panel.json?lang=en&days=0").get_json()
    assert first["code"] == area
    other = mine.get(f"/area/panel.json?lang=en&days=0&code={grid_code(0, 0)}").get_json()
    told = key_of(other["html"], "total").replace("&lt;", "<")
    assert re.fullmatch(r"<\d+|\d+–\d+", told)
    assert "outside the scope" in other["html"]
    assert "/case/" not in other["html"]
    asked = "&".join(
        f"{name}={value}" for name, value in zip(("lon", "lat"), middle(0, 0), strict=True)
    )
    circle = mine.get(f"/area/ask.json?lang=en&days=0&radius_m=90&{asked}").get_json()
    assert "outside the scope" in circle["html"]


def test_who_sees_nothing_is_told_so_and_not_that_there_is_nothing(door):
    nobody = door.client(door.add("retired", areas=("999999",)))
    panel = nobody.get("/area/panel.json?lang=en&days=0").get_json()
    assert "outside the scope" in panel["html"]
    assert "/case/" not in panel["html"]
    counted = nobody.get("/area/frames.json?lang=en&days=0").get_json()
    assert not any(base64.b64decode(counted["counts"]))


def test_a_day_is_played_hour_by_hour_and_its_frames_hold_every_owned_case(client):
    for days, most in ((1, 24), (7, 7), (90, 60)):
        frames = client.get(f"/area/frames.json?days={days}").get_json()
        panel = client.get(f"/area/panel.json?lang=en&days={days}").get_json()
        counted = np.frombuffer(base64.b64decode(frames["counts"]), "<u2")
        assert 0 < len(frames["at"]) <= most
        assert len(counted) == len(frames["at"]) * frames["grids"]
        rows = rows_of(panel["html"])
        assert int(counted.sum()) == int(key_of(panel["html"], "total")) - int(rows["Unowned"][0])


@pytest.mark.parametrize("theme", ["dark", "light"])
def test_fewer_and_more_are_told_apart_by_every_eye(theme):
    colours = [ZERO[theme], NO_DATA[theme], *CHANGE[theme]]
    assert min(nearest_pair(colours, one) for one in DEFICIENCIES) >= 12


def test_the_filters_name_every_kind_stage_and_source_there_is(client, tiny):
    facts = load_facts(tiny, now=NOW)
    controls = ask(client, "frame.json")["controls"]

    def offered(name: str) -> set[str]:
        box = controls.split(f'data-filter="{name}"')[1].split("</select>")[0]
        return set(re.findall(r'value="([^"]+)"', box))

    assert offered("kind") == {facts.kind_terms[code] for code in np.unique(facts.snapshot.kind)}
    assert "closed" in offered("stage")
    assert offered("source") == set(facts.source_terms.values())


def test_whose_any_kind_is_can_be_looked_up_in_any_area(client):
    found = ask(client, "whose.json", f"code={grid_code(0, 0)}&whose=积水")["html"]
    assert "积水" in found
    assert "<p" in found
    assert ask(client, "whose.json", "whose=nothing-of-that-name")["html"].strip() == ""


def test_as_many_of_the_nearest_as_were_asked_for(client):
    lon, lat = lonlat(300, 300)
    place = f"lon={lon}&lat={lat}&radius_m=500"
    for given, shown in (("3", "3"), ("", "5"), ("9999", "5"), ("x", "5")):
        found = ask(client, "ask.json", f"{place}&k={given}")["html"]
        assert re.findall(r'<option value="(\d+)" selected', found) == [shown]
        near = re.search(r'<ol class="near">(.*?)</ol>', found, re.DOTALL)
        assert near is not None
        assert near[1].count("<li>") == int(shown)


def test_the_classes_of_the_legend_count_the_grids_of_the_area(client):
    def count(code: str) -> int:
        legend = ask(client, "panel.json", f"code={code}")["legend"]
        return sum(int(n) for n in re.findall(r'class="n">(\d+)<', legend))

    assert count("") == 9
    assert count(community_code(0)) == 3
    assert count(grid_code(1, 1)) == 1


def test_the_longest_overdue_stand_first_and_every_page_of_them_is_to_be_had(client, monkeypatch):
    monkeypatch.setattr("dashboard.street.export_routes.MOST_ROWS", 2)
    address = "/area/rows?lang=en&days=0&figure=overdue"
    page = client.get(address).get_data(as_text=True)
    due = re.findall(r"<td>(\d{4}-\d\d-\d\d \d\d:\d\d)</td><td><span", page)
    assert len(due) == 2
    while links := re.findall(r'<b aria-current="page">[^<]*</b> <a href="([^"]+)"', page):
        page = client.get(links[0].replace("&amp;", "&")).get_data(as_text=True)
        due += re.findall(r"<td>(\d{4}-\d\d-\d\d \d\d:\d\d)</td><td><span", page)
    assert due == sorted(due)
    assert len(due) == int(key_of(ask(client, "panel.json")["html"], "overdue"))


def test_a_list_of_millions_offers_a_handful_of_pages_and_from_each_the_next():
    count, first, seen = 3_000_000, 0, {0}
    assert list_pages(MOST_ROWS, 0) == []
    for _ in range(9):
        offered = list_pages(count, first)
        assert len(offered) <= 9
        assert {0, count - MOST_ROWS} <= set(offered)
        first = min(at for at in offered if at > first)
        seen.add(first)
    assert seen == set(range(0, 10 * MOST_ROWS, MOST_ROWS))


def test_the_download_says_of_which_days_and_which_cases_it_is(client):
    sheet = client.get("/area/table.csv?lang=en&days=28&state=open&kind=积水").get_data(
        as_text=True
    )
    first, titles, *_ = csv.reader(io.StringIO(sheet.removeprefix("\ufeff")))
    assert first[3:] == ["of the last 28 days", "Open", "积水"]
    assert len(titles) == len(set(titles))
    assert any(title.startswith("Overdue 0–1") for title in titles)


def test_an_area_that_is_hidden_prints_no_noughts_as_if_they_were_figures(door):
    viewer = door.client(door.add("lead", areas=(community_code(0),)))
    hidden = viewer.get(f"/area/panel.json?lang=en&days=0&code={community_code(2)}").get_json()
    for part in ('class="trend"', 'data-def="steps"', 'id="hot"', 'data-def="cameras"'):
        assert part not in hidden["html"]
    assert "outside the scope" in hidden["html"]
    assert "by the middle of its bounds" in hidden["legend"]
    own = viewer.get(f"/area/panel.json?lang=en&days=0&code={community_code(0)}").get_json()
    assert 'class="trend"' in own["html"]
    assert "by the middle of its bounds" not in own["legend"]
