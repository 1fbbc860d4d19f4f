"""Promise: scenes are saved whole, signed and versioned; nonsense is refused in full sentences."""

from __future__ import annotations

from typing import Any

import pytest

from geodata.access.scope import Scope
from geodata.city import City
from geodata.errors import BadSetting, NotAllowed
from geodata.wall.scenes import (
    find_turn,
    hold_wall,
    list_own_scenes,
    read_hold,
    read_scenes,
    save_scenes,
)
from tests.city import NOW, make_tiny_city

ADMIN = Scope.whole_city("administrator-1", ("read", "admin"), role="administrator")
DUTY = Scope.whole_city("duty-1", ("read", "read.rows", "act"), role="duty")
LAYERS = {"base", "grid-risk"}
GOOD = {
    "name": "夜班",
    "layers": ["base", "grid-risk"],
    "place": "city",
    "days": "28",
    "dwell_s": 30,
}


@pytest.fixture
def city(tmp_path) -> City:
    return make_tiny_city(tmp_path / "city")


def save(city: City, *wishes: dict[str, Any], scope: Scope = ADMIN) -> int:
    return save_scenes(city, scope, wishes, layers=LAYERS, codes={"C1"}, now=NOW)


def test_a_city_without_scenes_shows_the_programs_own(city):
    found = read_scenes(city, "zh")
    assert (found.version, found.scenes) == (0, list_own_scenes("zh"))
    assert read_scenes(city, "en").scenes[0].name == "Risk and late cases"


def test_scenes_are_saved_as_a_new_version_and_none_brings_the_own_ones_back(city):
    version = save(city, GOOD, {**GOOD, "name": "早班", "place": "C1", "days": 0})
    found = read_scenes(city, "zh")
    assert (found.version, found.account) == (version, "administrator-1")
    assert [(one.name, one.place, one.days) for one in found.scenes] == [
        ("夜班", "city", 28),
        ("早班", "C1", 0),
    ]
    assert save(city) > version
    assert read_scenes(city, "zh").scenes == list_own_scenes("zh")
    with city.database.read() as connection:
        assert connection.execute("SELECT count(*) FROM wall_scenes").fetchone() == (2,)
        acts = connection.execute("SELECT account, act FROM audit").fetchall()[-2:]
    assert acts == [("administrator-1", "wall.scenes")] * 2


def test_every_fault_of_every_scene_is_named_at_once_and_nothing_is_saved(city):
    wrong = {"name": "", "layers": ["roads"], "place": "X9", "days": 7, "dwell_s": "now"}
    with pytest.raises(BadSetting) as caught:
        save(city, wrong, GOOD, GOOD)
    keys = [fault.key for fault in caught.value.faults]
    assert keys == [
        "scene_name", "scene_layers", "scene_place", "scene_days", "scene_dwell", "scene_twice",
    ]  # fmt: skip
    assert {fault.row for fault in caught.value.faults[:5]} == {1}
    assert read_scenes(city, "zh").version == 0


def test_who_may_not_set_up_the_wall_or_steer_it_is_refused(city):
    with pytest.raises(NotAllowed):
        save(city, GOOD, scope=DUTY)
    with pytest.raises(NotAllowed):
        hold_wall(city, ADMIN, what="scene", target="夜班", now=NOW)
    with pytest.raises(BadSetting):
        hold_wall(city, DUTY, what="film", target="1", now=NOW)
    assert read_hold(city, now=NOW) is None


def test_what_is_held_lets_go_by_itself_or_by_hand(city):
    hold_wall(city, DUTY, what="alarm", target="7", now=NOW)
    held = read_hold(city, now=NOW + 1)
    assert held is not None
    assert (held.what, held.target, held.account) == ("alarm", "7", "duty-1")
    assert read_hold(city, now=NOW + city.settings.wall_hold_s) is None
    hold_wall(city, DUTY, what="", target="", now=NOW + 2)
    assert read_hold(city, now=NOW + 3) is None


def test_the_clock_says_whose_turn_it_is():
    scenes = list_own_scenes("zh")
    round_s = sum(one.dwell_s for one in scenes)
    turns = [find_turn(scenes, now=1_000 * round_s + second) for second in range(round_s)]
    assert turns == sorted(turns)
    assert [turns.count(place) for place in range(len(scenes))] == [one.dwell_s for one in scenes]


def test_a_scene_shows_its_days_a_change_or_a_film(city):
    save(city, {**GOOD, "show": "week"}, {**GOOD, "name": "早班", "show": "against"})
    assert [one.show for one in read_scenes(city, "zh").scenes] == ["week", "against"]
    with pytest.raises(BadSetting) as caught:
        save(
            city, {**GOOD, "show": "decade"}, {**GOOD, "name": "早班", "show": "against", "days": 0}
        )
    assert [fault.key for fault in caught.value.faults] == ["scene_show", "scene_against"]
