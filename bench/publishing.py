"""Benchmark: a plan of many edits published and rolled back, on a copy of a whole city."""

from __future__ import annotations

import shutil
import tempfile
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from datetime import datetime
from pathlib import Path
from typing import Any

import numpy as np

from bench.contest import Row, make_row
from bench.papers import SCENARIO, run_app
from bench.random_edits import random_edit
from geodata.access.scope import Scope
from geodata.city import City, open_city
from geodata.errors import BadGrid
from geodata.events.rebuild import rebuild
from geodata.plans.impact import measure_impact
from geodata.plans.plan import approve_plan, make_plan, submit_plan
from geodata.plans.publish import publish_plan, roll_back
from geodata.plans.workshop import Workpiece, Workshop
from geodata.snapshots.facts import FactsKeeper

EDITS = 100  # the plan of contracts and of the issue that asks for these bars
MOST_EDIT_S, MOST_IMPACT_S, MOST_PUBLISH_S, MOST_FOLLOW_S = 0.05, 0.5, 5.0, 5.0
ASKED_EACH_S = 0.05
AUTHOR = Scope.whole_city("bench-planner", ("read", "read.rows", "plan"), role="planner")
APPROVER = Scope.whole_city("bench-approver", ("read", "read.rows", "approve"), role="approver")


@dataclass(slots=True)
class Stopwatch:
    """Rows of what was timed, each on the wall and by the processor."""

    n: int
    rows: list[Row] = field(default_factory=list)

    def time(
        self, case: str, work: Callable[[], Any], *, most: float, note: str = "", equal: Any = None
    ) -> Any:
        """Do a work once and note how long it took; return what it returned."""
        begun, processor = time.perf_counter(), time.process_time()
        result = work()
        seconds, processor_s = time.perf_counter() - begun, time.process_time() - processor
        note = f"{note}, processor {processor_s:.2f} s".removeprefix(", ")
        self.rows.append(
            make_row(
                "publish", case, n=self.n, seconds=seconds, note=note, equal=equal,
                asked=most or None, good=None,
            )
        )  # fmt: skip
        return result


def run_publishing(city: Path | None) -> Iterator[Row]:
    """
    Redraw a copy of a city by 100 random edits, publish them, roll back; yield a row of each.

    Without a city it is the default demo city.
    What follows a publish are the facts that screens are served from, read as the server does. In
    the end the store is derived anew from its events and must be equal.
    """
    with tempfile.TemporaryDirectory() as folder:
        copied = Path(folder, "city")
        if city is None:
            run_app(["demo", SCENARIO, "--city", str(copied)])
        else:
            shutil.copytree(city, copied)
        yield from _measure(open_city(copied))


def _measure(city: City) -> Iterator[Row]:
    now = int(time.time())
    keeper = FactsKeeper(city)
    watch = Stopwatch(n=len(keeper.current(now).snapshot.incident))
    shop = Workshop(city)
    plan = make_plan(city, AUTHOR, name="bench", now=now).plan
    before = city.grids_in_force(now)
    assert before is not None
    watch.time("open a draft, cold", lambda: shop.open(plan, now=now), most=0)
    piece, spent = _draw(shop, plan, now=now)
    worst, middle = max(spent), sorted(spent)[len(spent) // 2]
    watch.rows.append(
        make_row(
            "publish", "an edit, the slowest", n=watch.n, seconds=worst, asked=MOST_EDIT_S,
            equal=None, note=f"median {middle * 1e3:.1f} ms of {len(spent)}, tried ones included",
        )
    )  # fmt: skip
    impact = watch.time(
        f"impact of {EDITS} edits",
        lambda: measure_impact(piece.draft, piece.holdings, piece.base),
        most=MOST_IMPACT_S,
    )
    submit_plan(city, AUTHOR, plan, now=now)
    today = datetime.fromtimestamp(now, city.settings.zone).date()
    approve_plan(city, APPROVER, plan, effective=today, now=now)
    done = watch.time(
        "publish",
        lambda: publish_plan(city, APPROVER, plan, workshop=shop, now=now),
        most=MOST_PUBLISH_S,
        note=f"{impact.total.cases:,} incidents change hands",
    )
    watch.time("screens follow", lambda: _follow(keeper, done.drawing, now=now), most=MOST_FOLLOW_S)
    now += 1
    back = watch.time(
        "roll back",
        lambda: roll_back(city, APPROVER, before.drawing, effective=today, reason="bench", now=now),
        most=MOST_PUBLISH_S,
    )
    watch.time(
        "screens follow back", lambda: _follow(keeper, back.drawing, now=now), most=MOST_FOLLOW_S
    )
    yield from watch.rows
    watch.rows.clear()
    equal = rebuild(city, now=now).equal
    yield make_row(
        "publish", "the store derived anew", n=watch.n, seconds=0.0, equal=equal,
        note="against what publish and roll back left", asked=None, good=None,
    )  # fmt: skip


def _follow(keeper: FactsKeeper, drawing: int, *, now: int) -> None:
    """Ask as screens do until they are served from a drawing: large cities rest between two."""
    while True:
        facts = keeper.current(now)
        if facts is not None and facts.grids.drawing == drawing:
            return
        time.sleep(ASKED_EACH_S)


def _draw(shop: Workshop, plan: int, *, now: int) -> tuple[Workpiece, list[float]]:
    """Make edits until enough were taken; return the draft and the seconds of each tried."""
    rng = np.random.default_rng(7)
    piece, spent, made = shop.open(plan, now=now), [], 0
    while made < EDITS:
        edit = random_edit(piece.draft, rng)
        begun = time.perf_counter()
        try:
            piece, _ = shop.edit(plan, [edit], scope=AUTHOR, now=now)
            made += 1
        except BadGrid:  # such an edit is refused and changes nothing
            pass
        spent.append(time.perf_counter() - begun)
    return piece, spent
