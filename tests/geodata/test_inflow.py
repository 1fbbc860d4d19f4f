"""Promise: a flooding source is told to wait, and takes neither places nor rate from the others."""

from __future__ import annotations

from dataclasses import replace

import pytest

from geodata.errors import Busy, TooMany
from geodata.events.inflow import Inflow
from geodata.settings import Settings

SETTINGS = replace(
    Settings(), api_waiting=4, api_posts_per_s=2, api_events_per_s=10, api_events=50
)  # fmt: skip


class Clock:
    def __init__(self) -> None:
        self.now = 100.0

    def __call__(self) -> float:
        return self.now


@pytest.fixture
def clock():
    return Clock()


@pytest.fixture
def inflow(clock):
    return Inflow(SETTINGS, clock=clock)


def seconds(error: pytest.ExceptionInfo) -> int:
    return error.value.faults[0].values["seconds"]


def test_one_source_has_half_of_the_places_and_all_of_them_are_bounded(inflow):
    with inflow.waiting("a"), inflow.waiting("a"):
        with pytest.raises(TooMany) as own, inflow.waiting("a"):
            pass
        assert own.value.faults[0].key == "inflow_share"
        with inflow.waiting("b"), inflow.waiting("c"):
            with pytest.raises(Busy) as full, inflow.waiting("d"):
                pass
            assert (full.value.faults[0].key, seconds(full)) == ("inflow_full", 1)
        with inflow.waiting("d"):
            pass
    with inflow.waiting("a"):
        pass


def test_a_place_is_given_back_whatever_happens(inflow, clock):
    for _ in range(10):
        clock.now += 1
        with pytest.raises(ZeroDivisionError), inflow.waiting("a"):
            raise ZeroDivisionError
    with inflow.waiting("a"):
        pass


def test_events_beyond_the_rate_are_refused_with_the_time_to_wait(inflow, clock):
    inflow.take("a", 50)
    inflow.take("a", 50)
    with pytest.raises(TooMany) as error:
        inflow.take("a", 25)
    assert seconds(error) == 3
    inflow.take("b", 50)
    clock.now += 3
    inflow.take("a", 25)


def test_posts_beyond_the_rate_are_refused_and_a_silence_saves_no_more_than_a_burst(inflow, clock):
    def post(source: str) -> None:
        with inflow.waiting(source):
            pass

    for _ in range(4):
        post("a")
    with pytest.raises(TooMany) as error:
        post("a")
    assert seconds(error) == 1
    post("b")
    clock.now += 3_600
    for _ in range(4):
        post("a")
    with pytest.raises(TooMany):
        post("a")
    clock.now -= 7_200  # no clock does; nothing breaks
    with pytest.raises(TooMany):
        post("a")
