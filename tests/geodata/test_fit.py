"""Promise: a city's own system is fitted to control points, and a wrong point is never hidden."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from geodata.coordinates import parse_crs, to_metric
from geodata.coordinates.fit import fit_points, parse_fit
from geodata.errors import BadSetting
from tests.city import CRS, SOUTH_M, WEST_M

rng = np.random.default_rng(3)
KNOWN = np.array([WEST_M, SOUTH_M]) + rng.uniform(0, 20_000, (8, 2))


def own_of(known, *, turn=0.01, scale=1.00002, shift=(-490_000.0, -3_590_000.0)):
    matrix = scale * np.array([[np.cos(turn), -np.sin(turn)], [np.sin(turn), np.cos(turn)]])
    return (known + shift) @ matrix.T


@settings(max_examples=30, deadline=None)
@given(
    turn=st.floats(-3, 3),
    scale=st.floats(0.985, 1.015),
    kind=st.sampled_from(["similarity", "affine"]),
)
def test_points_come_back_to_the_millimetre_through_the_text_that_is_printed(turn, scale, kind):
    own = own_of(KNOWN, turn=turn, scale=scale)
    fit = fit_points(own, KNOWN, crs="EPSG:4549", kind=kind)
    assert fit.rms_m < 1e-4
    x, y = to_metric(own[:, 0], own[:, 1], parse_crs(fit.text), CRS)
    assert np.abs(np.column_stack([x, y]) - KNOWN).max() < 0.002


def test_noise_is_shown_as_it_is():
    noisy = KNOWN + rng.normal(0, 0.2, KNOWN.shape)
    fit = fit_points(own_of(KNOWN), noisy, crs="EPSG:4549", kind="similarity")
    assert 0.05 < fit.rms_m < 0.5
    assert fit.turn_deg == pytest.approx(-np.degrees(0.01), abs=0.01)


def refused(own, known, kind="similarity"):
    with pytest.raises(BadSetting) as error:
        fit_points(own, known, crs="EPSG:4549", kind=kind)
    return [(fault.key, fault.row) for fault in error.value.faults]


def test_what_cannot_be_judged_or_is_wrong_is_refused_with_the_reason():
    own = own_of(KNOWN)
    assert refused(own[:2], KNOWN[:2]) == [("fit_few", None)]
    assert refused(own[:3], KNOWN[:3], "affine") == [("fit_few", None)]
    line = np.column_stack([np.arange(5.0) * 1000, np.arange(5.0) * 1000])
    assert refused(line, line + 9) == [("fit_line", None)]
    assert refused(own[:, ::-1], KNOWN) == [("fit_mirror", None)]
    assert ("fit_scale", None) in refused(own / 1000, KNOWN)
    wrong = KNOWN.copy()
    wrong[4] += (60, 0)
    assert refused(own, wrong) == [("fit_worst", 5)]


@pytest.mark.parametrize("text", ["FIT", "FIT EPSG:4549 1 2 3", "FIT x 1 1 1 1 1 1", "EPSG:4549"])
def test_what_is_no_fit_is_none(text):
    assert parse_fit(text) is None
