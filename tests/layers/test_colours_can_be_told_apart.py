"""Colours stay apart for every eye, on both grounds, and rise in lightness where they rank."""

from __future__ import annotations

import numpy as np
import pytest

from layers.layer import THEMES
from layers.palette import (
    HEAT_LEVELS,
    NO_DATA,
    RISK,
    STATE_COLOR,
    STATE_SHAPE,
    ZERO,
    heat_palette,
    interpolate_ramp,
)
from tests.layers.colour_vision import DEFICIENCIES, cam02_ucs, contrast, linear, nearest_pair

GROUND = {"dark": "#0b1220", "light": "#f6f7f9"}
FAR_ENOUGH = 12.0  # CAM02-UCS, looks.md


def test_the_measure_itself_agrees_with_published_values():
    # Figures for sRGB primaries under the same conditions, from an independent implementation.
    xyz = (
        100
        * linear(["#ff0000", "#00ff00", "#0000ff", "#808080"])
        @ np.array([[0.4124, 0.2126, 0.0193], [0.3576, 0.7152, 0.1192], [0.1805, 0.0722, 0.9505]])
    )
    red, green, blue, grey = (
        (60.05, 38.69, 24.32), (87.00, -32.23, 30.43), (31.22, -8.38, -39.16), (56.23, -1.26, -0.76)
    )  # fmt: skip
    assert cam02_ucs(xyz) == pytest.approx(np.array([red, green, blue, grey]), abs=0.05)


@pytest.mark.parametrize("deficiency", DEFICIENCIES)
@pytest.mark.parametrize("theme", THEMES)
def test_risk_classes_zero_and_no_data_differ_for_every_eye(theme, deficiency):
    colours = [ZERO[theme], NO_DATA[theme], *RISK[theme]]
    assert nearest_pair(colours, deficiency) >= FAR_ENOUGH


@pytest.mark.parametrize("deficiency", DEFICIENCIES)
@pytest.mark.parametrize("theme", THEMES)
def test_states_differ_for_every_eye_and_the_pressing_ones_by_shape_too(theme, deficiency):
    assert nearest_pair([color[theme] for color in STATE_COLOR.values()], deficiency) >= FAR_ENOUGH
    pressing = [STATE_SHAPE[state] for state in ("safe", "suspended", "amber", "red")]
    assert len(set(pressing)) == len(pressing)


@pytest.mark.parametrize("theme", THEMES)
def test_states_that_need_action_stand_out_from_the_ground(theme):
    for state in ("safe", "amber", "red", "undated"):
        assert contrast(STATE_COLOR[state][theme], GROUND[theme]) >= 3.0


@pytest.mark.parametrize(("theme", "sign"), [("dark", 1), ("light", -1)])
def test_more_risk_is_always_further_from_the_ground_in_lightness(theme, sign):
    light = linear(list(RISK[theme])) @ np.array([0.2126, 0.7152, 0.0722])
    assert (np.diff(light) * sign > 0).all()


@pytest.mark.parametrize("theme", THEMES)
def test_heat_grows_denser_without_a_step_back(theme):
    colours, opacity = heat_palette(theme)
    assert len(colours) == 3 * HEAT_LEVELS
    assert opacity[0] == 0
    assert list(opacity) == sorted(opacity)
    ends = interpolate_ramp(RISK[theme], HEAT_LEVELS)
    assert bytes(ends[0]) == colours[:3]
    assert bytes(ends[-1]) == colours[-3:]
