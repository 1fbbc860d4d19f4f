"""An address as people write it finds its place, or is left for a person; never a wrong guess."""

import random
import time

import numpy as np
import pytest

from geodata.addresses import LEVELS, build_library, match_addresses
from geodata.addresses.writing import normalise, read_numeral
from tests.geodata.address_town import damage, make_county

QUERIES = 20_000
LIBRARY = [
    ("江苏省扬州市江都区仙女镇龙川社区新都路1号", 0, 0),
    ("江苏省扬州市江都区仙女镇龙川社区新都路3号", 20, 0),
    ("江苏省扬州市江都区仙女镇龙川社区新都路3-2号", 22, 0),
    ("江苏省扬州市江都区仙女镇龙川社区新都路7号", 60, 0),
    ("江苏省扬州市江都区仙女镇龙川社区新都路8号", 60, 30),
    ("江苏省扬州市江都区仙女镇龙川社区文昌街2号", 0, 10),
    ("江苏省扬州市江都区仙女镇龙川社区滨江花园12栋", 300, 300),
    ("江苏省扬州市江都区仙女镇龙川社区人民公园", 500, 500),
    ("江苏省扬州市江都区大桥镇白沙村和平路5号", 9000, 0),
    ("江苏省扬州市江都区邵伯镇双沟村和平路5号", 0, 9000),
]


@pytest.fixture(scope="module")
def small():
    texts, x, y = zip(*LIBRARY, strict=True)
    return build_library(texts, x, y)


@pytest.fixture(scope="module")
def county():
    addresses = make_county()
    dice = random.Random(1)
    kept = [one for one in addresses if dice.random() > 0.1]  # a tenth is in no library
    library = build_library([a.text for a in kept], [a.x for a in kept], [a.y for a in kept])
    return addresses, kept, library


def find(library, text):
    match = match_addresses(library, [text])
    return LEVELS[match.level[0]], match.x[0], match.y[0], match.guesses.get(0, ())


@pytest.mark.parametrize(
    ("text", "level", "place"),
    [
        ("江苏省扬州市江都区仙女镇龙川社区新都路3号", "number", (20, 0)),
        ("新都路3号", "number", (20, 0)),
        ("扬州江都新都路三号", "number", (20, 0)),
        ("仙女新都路３号门口", "number", (20, 0)),
        ("仙女镇新都路3号（老菜场旁）", "number", (20, 0)),
        ("新都路 3-2 号", "number", (22, 0)),
        ("新都路3号东侧50米", "number", (20, 0)),
        ("新都3号", "number", (20, 0)),
        ("新督路3号", "number", (20, 0)),
        ("新部路3号", "number", (20, 0)),
        ("新都路5号", "interpolated", (40, 0)),
        ("新都路9号", "interpolated", (60, 0)),
        ("滨江花园十二幢", "building", (300, 300)),
        ("人民公园", "place", (500, 500)),
        ("大桥镇和平路5号", "number", (9000, 0)),
    ],
)
def test_it_is_found_however_it_is_written(small, text, level, place):
    found = find(small, text)
    assert found[0] == level
    assert found[1:3] == pytest.approx(place)


@pytest.mark.parametrize(
    ("text", "level"),
    [
        ("和平路5号", "none"),  # two towns have one
        ("新都路", "road"),
        ("新都路99号", "road"),
        ("滨江花园40栋", "road"),
        ("火星路1号", "none"),
        ("", "none"),
        ("？？", "none"),
        ("5号", "none"),
    ],
)
def test_what_is_not_sure_is_left_for_a_person(small, text, level):
    found = find(small, text)
    assert found[0] == level
    assert np.isnan(found[1])


def test_what_was_left_comes_with_the_best_guesses(small):
    assert set(find(small, "和平路5号")[3]) == {LIBRARY[8][0], LIBRARY[9][0]}


def test_a_road_alone_is_offered_at_its_middle_and_with_half_the_score(small):
    match = match_addresses(small, ["新都路", "新都路3号"])
    assert [LEVELS[code] for code in match.level] == ["road", "number"]
    assert np.isnan(match.x[0])  # never placed by itself
    assert match.guesses[0] == (LIBRARY[2][0],)  # of doors from 0 to 60 m that at 22 m
    assert match.score[0] == match.score[1] / 2


def test_a_number_that_a_road_does_not_have_is_offered_the_nearest_ones(small):
    assert find(small, "新都路99号")[3][0] == LIBRARY[3][0]  # 7, not 1


def test_two_roads_that_meet_have_a_crossing(small):
    level, x, y, _ = find(small, "新都路与文昌街交叉口")
    assert level == "crossing"
    assert (x, y) == pytest.approx((0, 5))


@pytest.mark.parametrize(
    ("text", "number"),
    [
        ("十", 10),
        ("十二", 12),
        ("二十", 20),
        ("一百零八", 108),
        ("一百二十八", 128),
        ("一二八", 128),
    ],
)
def test_chinese_numerals_are_numbers(text, number):
    assert read_numeral(text) == number


def test_a_numeral_in_a_name_stays_a_name():
    assert normalise("三元路十二号") == "三元路12号"
    assert normalise("五一村二组") == "五一村2组"


def test_every_clean_address_is_found_exactly(county):
    _, kept, library = county
    match = match_addresses(library, [one.text for one in kept])
    away = np.hypot(match.x - [one.x for one in kept], match.y - [one.y for one in kept])
    assert np.isfinite(match.x).all()
    assert away.max() == 0


def test_damaged_addresses_are_found_as_promised(county):
    addresses, _, library = county
    dice = random.Random(2)
    asked = [(one, *damage(one, dice)) for one in dice.choices(addresses, k=QUERIES)]
    started = time.process_time()
    match = match_addresses(library, [text for _, text, _ in asked])
    seconds = time.process_time() - started
    away = np.hypot(
        match.x - [one.x for one, _, _ in asked], match.y - [one.y for one, _, _ in asked]
    )
    placed = np.isfinite(match.x)
    mistaken = np.array(["mistaken" in done for _, _, done in asked])
    assert placed.mean() >= 0.95
    assert (away < 100).mean() >= 0.93
    assert (away > 500).mean() <= 0.005
    assert placed[mistaken].mean() >= 0.70
    assert QUERIES / seconds >= 5_000  # of processor time; 30,000 a second on a quiet machine


def test_the_same_texts_have_the_same_answers_in_any_order(county):
    addresses, _, library = county
    dice = random.Random(3)
    texts = [damage(one, dice)[0] for one in dice.choices(addresses, k=500)]
    forward, back = match_addresses(library, texts), match_addresses(library, texts[::-1])
    assert np.array_equal(forward.x, back.x[::-1], equal_nan=True)
    assert forward.level.tolist() == back.level.tolist()[::-1]


def test_an_empty_library_finds_nothing():
    library = build_library([], [], [])
    assert find(library, "新都路3号")[0] == "none"
