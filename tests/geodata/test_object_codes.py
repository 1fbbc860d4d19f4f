"""Codes of components and cameras are taken apart, put together and held against the city."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from geodata.errors import BadSetting
from geodata.object_codes import (
    DISTRICT_RULE,
    NATIONAL_RULE,
    check_component_codes,
    parse_camera_id,
    parse_component_rule,
)

RULE = parse_component_rule(NATIONAL_RULE)


def test_a_code_is_taken_apart_by_its_rule():
    parts = RULE.split("3210120101000123")
    assert parts == {"district": "321012", "class": "01", "subclass": "01", "serial": "000123"}


@pytest.mark.parametrize("code", ["", "321012", "32101201010001234", "321012010100012X", "３" * 16])
def test_what_does_not_fit_the_rule_has_no_parts(code):
    assert RULE.split(code) is None


@given(st.text("0123456789", min_size=27, max_size=27))
def test_a_code_taken_apart_and_put_together_is_the_same(code):
    rule = parse_component_rule(DISTRICT_RULE)
    assert rule.build(rule.split(code)) == code


def test_parts_are_filled_with_zeros_and_every_wrong_one_is_named():
    assert RULE.build({"district": "321012", "class": "1", "subclass": "2", "serial": "7"}) == (
        "3210120102000007"
    )
    with pytest.raises(BadSetting) as error:
        RULE.build({"district": "3210123", "class": "x", "subclass": "1"})
    assert [fault.field for fault in error.value.faults] == ["district", "class", "serial"]
    assert error.value.sentence("zh")
    assert error.value.sentence("en")


@pytest.mark.parametrize("text", ["", "district", "district:0", "street:3", "class:2 class:2"])
def test_a_rule_that_says_nothing_clear_is_refused(text):
    with pytest.raises(BadSetting):
        parse_component_rule(text)


def test_doubles_misfits_orphans_and_things_in_another_cell_are_counted_and_named():
    rule = parse_component_rule("district:6 class:2 cell:3 serial:2")
    codes = ["3210120100101", "3210120100101", "999", "3210129900102", "3210120100203"]
    findings = check_component_codes(
        codes,
        rule,
        known={"class": frozenset({"01", "02"})},
        owners=["321012001001001", "321012001001001", "", "321012001001001", "321012001001001"],
    )
    assert findings.total == 5
    assert findings.counts == {"misfit": 1, "doubled": 1, "orphan": 1, "elsewhere": 1}
    assert findings.examples["orphan"] == ("3210129900102",)
    assert findings.examples["elsewhere"] == ("3210120100203",)


def test_a_camera_id_of_twenty_digits_says_what_it_is():
    camera = parse_camera_id("34020000001320000001")
    assert (camera.division, camera.type, camera.kind) == ("340200", "132", "ip_camera")
    assert camera.is_camera
    assert not parse_camera_id("34020000001110000001").is_camera
    assert parse_camera_id("34020000001990000001").kind == "other"


@pytest.mark.parametrize("text", ["", "3402000000132000000", "3.402E+19", "3402000000132000000a"])
def test_what_is_no_camera_id_is_none(text):
    assert parse_camera_id(text) is None
