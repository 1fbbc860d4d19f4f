"""Personal columns are found by name and by value, and nothing else is taken for one."""

import json

import numpy as np
import pandas as pd
import pytest

from geodata.reading import read_geometries, read_table
from geodata.reading.personal import drop_personal, find_personal, is_identity_number

N = 40
RNG = np.random.default_rng(4)
MOBILES = [f"1{RNG.integers(30, 99)}{RNG.integers(0, 10**8):08d}" for _ in range(N)]
PERSONS = [f"{a}{b}" for a in "王李张刘陈" for b in ("伟", "芳", "建国", "秀英")] * 2


def with_check_digit(seventeen):
    weights = (7, 9, 10, 5, 8, 4, 2, 1, 6, 3, 7, 9, 10, 5, 8, 4, 2)
    total = sum(w * int(d) for w, d in zip(weights, seventeen, strict=True))
    return seventeen + "10X98765432"[total % 11]


IDENTITIES = [
    with_check_digit(f"32108819{year:02d}0{1 + year % 9}15{year:03d}") for year in range(N)
]
PLATES = [f"苏K{number:05d}" for number in range(10_000, 10_000 + N)]


def table(**columns):
    return pd.DataFrame(
        {"编号": [f"JD{number:06d}" for number in range(N)], **columns}, dtype="str"
    )


def found_in(**columns):
    found, _ = find_personal(table(**columns))
    return {one.column: one.reason for one in found}


@pytest.mark.parametrize(
    "header",
    [
        "姓名",
        "户主姓名",
        "身份证号",
        "证件号码",
        "手机",
        "手机号码",
        "联系电话",
        "电话",
        "联系人",
        "住户",
        "车牌号",
        "车主",
        "报案人",
        "负责人",
        "出生日期",
        "邮箱",
        "微信号",
        "性别",
        "户籍",
        "业主电话",
        "ＱＱ",
        "phone",
        "PhoneNumber",
        "mobile",
        "tel",
        "e-mail",
        "contact_name",
        "surname",
        "id_card",
        "date_of_birth",
        "officer_name",
        "Phone_Number",
        "First-Name",
        "licence_plate",
    ],
)
def test_a_header_that_means_a_person_is_enough(header):
    assert found_in(**{header: ["x"] * N}) == {header: "personal.by_header"}


@pytest.mark.parametrize(
    "header",
    [
        "住户数",
        "户籍人口",
        "居民户数",
        "households",
        "population",
        "网格名称",
        "社区",
        "name",
        "名称",
        "责任单位",
        "业主单位",
        "值班电话",
        "部门电话",
        "duty_phone",
        "hotel",
        "telemetry",
        "automobile",
        "plateau",
        "body",
        "地址",
        "adname",
        "officer_count",
        "contact_rate",
        "reported_by",
        "lsoa_name",
    ],
)
def test_a_header_of_a_place_or_a_body_is_not(header):
    assert found_in(**{header: ["甘棠社区"] * N}) == {}


@pytest.mark.parametrize(
    ("cells", "reason"),
    [
        (MOBILES, "personal.by_value"),
        ([f"+86 {m}" for m in MOBILES], "personal.by_value"),
        ([f"{m[:3]}-{m[3:7]}-{m[7:]}" for m in MOBILES], "personal.by_value"),
        ([*MOBILES[:10], *["0514-86551234"] * 30], "personal.by_value"),
        (IDENTITIES, "personal.by_value"),
        ([one.lower() for one in IDENTITIES], "personal.by_value"),
        (PLATES, "personal.by_value"),
        ([f"苏K·D{n:05d}" for n in range(N)], "personal.by_value"),
        ([f"来电{m}反映井盖缺失" for m in MOBILES], "personal.by_text"),
        ([f"车主{p}停在盲道" for p in PLATES], "personal.by_text"),
        ([*[f"请回电 {m}。" for m in MOBILES[:3]], *["井盖缺失"] * 37], "personal.by_text"),
        ([f"{m};0514-8655" for m in MOBILES], "personal.by_text"),
    ],
)
def test_cells_give_a_column_away_whatever_its_name(cells, reason):
    assert found_in(备注栏=cells) == {"备注栏": reason}


@pytest.mark.parametrize(
    "cells",
    [
        [f"{number:064x}" for number in range(2**250, 2**250 + N)],  # hashes, as Crime ID
        [f"3210881319{number:010d}" for number in range(N)],  # 20-digit camera ids
        [f"321088001{number:03d}" for number in range(N)],  # 12-digit codes
        [f"321088001001{number:03d}" for number in range(N)],  # 15-digit grid codes
        [f"321088001001001{number:03d}" for number in range(N)],  # 18-digit codes
        [f"121.1{number:02d}13812345678" for number in range(N)],  # decimals
        [f"{15_000_000_000 + number}" for number in range(N)],  # serial numbers
        [f"17040672{number:05d}" for number in range(N)],  # milliseconds
        [f"JD13812345{number:03d}" for number in range(N)],  # codes with letters
        ["2024-01-01 08:30:00"] * N,
        ["0514-86551234"] * N,
        ["12345"] * N,
        ["新都路128号"] * N,
        ["91321088MA1XK7AB3C"] * N,  # social credit code of a firm
    ],
)
def test_codes_and_numbers_of_things_are_left_alone(cells):
    assert found_in(代码=cells) == {}


def test_eighteen_digit_codes_in_the_form_of_identity_numbers_are_codes():
    codes = [f"32108819{60 + n % 40:02d}0101{n:03d}{n % 10}" for n in range(N)]
    assert sum(map(is_identity_number, codes)) < N / 4
    assert found_in(网格编码=codes) == {}


def test_the_check_digit_is_that_of_the_standard():
    assert is_identity_number("11010519491231002X")
    assert is_identity_number("11010519491231002x")
    assert not is_identity_number("110105194912310021")
    assert not is_identity_number("110105194913310021")
    assert not is_identity_number("11010519491231002")


def test_names_beside_telephone_numbers_are_persons():
    assert found_in(name=PERSONS, tel=MOBILES) == {
        "name": "personal.beside",
        "tel": "personal.by_header",
    }
    assert found_in(名称=PERSONS, 号=MOBILES) == {
        "名称": "personal.beside",
        "号": "personal.by_value",
    }
    western = [f"{a} {b}" for a in ("Ann", "Bob", "Cy", "Di") for b in ("Ray", "Lee") * 5]
    assert "name" in found_in(
        name=[f"{w}{chr(97 + i % 26)}" for i, w in enumerate(western)], phone=MOBILES
    )


def test_names_of_places_beside_telephone_numbers_are_places():
    shops = [f"海底捞火锅(打浦路{n}店)" for n in range(N)]
    assert found_in(name=shops, tel=MOBILES) == {"tel": "personal.by_header"}
    assert found_in(name=["甘棠社区", "龙川社区"] * 20, 电话=MOBILES) == {
        "电话": "personal.by_header"
    }


def test_names_without_contacts_stay():
    assert found_in(name=PERSONS) == {}


def test_a_post_is_kept_and_the_name_of_who_fills_it_is_not():
    assert found_in(网格员=PERSONS) == {"网格员": "personal.by_names"}
    assert found_in(网格员=["第一网格网格员", "第二网格网格员"] * 20) == {}
    assert found_in(officer=["West Yorkshire Police"] * N) == {}


def test_a_mapped_column_is_judged_by_its_cells_only():
    frame = table(值班电话=["0514-86551234"] * N, 电话=["12345"] * N)
    kept, dropped, notes = drop_personal(frame, keep={"电话"})
    assert (list(kept.columns), dropped, notes) == (["编号", "值班电话", "电话"], [], [])
    _, dropped, _ = drop_personal(table(电话=MOBILES), keep={"电话"})
    assert dropped == ["电话"]


def test_a_few_suspect_cells_are_only_said():
    cells = [f"来电{MOBILES[0]}反映", *["井盖缺失"] * (N - 1)]
    big = pd.concat([table(描述=cells), *[table(描述=["井盖缺失"] * N)] * 9])
    kept, dropped, notes = drop_personal(big)
    assert dropped == []
    assert [(n.key, n.field, n.values) for n in notes] == [
        ("personal.some_cells", "描述", {"count": 1})
    ]
    assert MOBILES[0] not in notes[0].sentence("zh") + notes[0].sentence("en")
    assert "描述" in kept.columns


def test_large_tables_are_judged_by_a_sample():
    many = pd.DataFrame({"a": MOBILES * 5000, "b": [str(n) for n in range(N * 5000)]}, dtype="str")
    found, _ = find_personal(many)
    assert [one.column for one in found] == ["a"]
    assert found[0].cells <= 50_000


def test_empty_tables_and_columns_hold_no_person():
    assert find_personal(pd.DataFrame()) == ([], [])
    assert found_in(a=[""] * N, b=[None] * N) == {}
    assert find_personal(pd.DataFrame({"n": [13800138000, 13900139000]})) == ([], [])


def test_readers_drop_and_name_personal_columns(tmp_path):
    rows = zip(PERSONS, MOBILES, IDENTITIES, range(N), strict=True)
    text = "编号,姓名,联系电话,证件,经度,纬度\n" + "".join(
        f"{n},{name},{mobile},{identity},119.{n:02d}1,32.4\n" for name, mobile, identity, n in rows
    )
    (tmp_path / "a.csv").write_text(text)
    reading = read_table(tmp_path / "a.csv")
    assert reading.dropped_columns == ["姓名", "联系电话", "证件"]
    assert list(reading.frame.columns) == ["编号", "经度", "纬度"]
    said = " ".join(note.sentence(lang) for note in reading.notes for lang in ("zh", "en"))
    assert all(f"“{column}”" in said for column in reading.dropped_columns)
    assert not any(value in said for value in (*MOBILES, *IDENTITIES, *PERSONS))
    assert reading.faults == []


def test_geometries_lose_personal_properties_too(tmp_path):
    point = {"type": "Point", "coordinates": [119.5, 32.4]}
    features = [
        {"type": "Feature", "properties": {"ward": n, "officer_mobile": int(m)}, "geometry": point}
        for n, m in enumerate(MOBILES)
    ]
    (tmp_path / "a.geojson").write_text(
        json.dumps({"type": "FeatureCollection", "features": features})
    )
    reading = read_geometries(tmp_path / "a.geojson")
    assert reading.dropped_columns == ["officer_mobile"]
    assert list(reading.frame.columns) == ["ward", "geometry"]
