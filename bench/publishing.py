"""Benchmark: a plan of many edits published and rolled back, on a copy of a whole city."""

from __future__ import annotations

import contextlib
import gc
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
from geodata.audit.log import write_entry
from geodata.city import City, open_city
from geodata.errors import BadGrid
from geodata.events.rebuild import rebuild
from geodata.plans.impact import measure_impact
from geodata.plans.plan import approve_plan, make_plan, submit_plan
from geodata.plans.publish import publish_plan, roll_back
from geodata.plans.workshop import Workpiece, Workshop
from geodata.snapshots.facts import FactsKeeper
from geodata.words import LANGS, load_words

EDITS = 100  # the plan of contracts and of the issue that asks for these bars
MOST_EDITS_S = (("half", 0.5, 0.005), ("99 of 100", 0.99, 0.020), ("the slowest", 1.0, 0.050))
MOST_IMPACT_S, MOST_PUBLISH_S, MOST_FOLLOW_S = 0.5, 5.0, 5.0
ASKED_EACH_S = 0.05
AUTHOR = Scope.whole_city("bench-planner", ("read", "read.rows", "plan"), role="planner")
APPROVER = Scope.whole_city("bench-approver", ("read", "read.rows", "approve"), role="approver")


@dataclass(frozen=True, slots=True, kw_only=True)
class Edits:
    """
    Seconds of each edit tried: until its answer, of the processor, and of the disk alone.

    `synced` is what a transaction takes that writes one row of the log and nothing else.
    """

    elapsed: list[float]
    processor: list[float]
    synced: list[float]


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

    Without a city it is the default demo city. What follows a publish are the facts that screens
    are served from, read as the server does. In the end the store is derived anew from its events
    and must be equal.
    """
    with tempfile.TemporaryDirectory() as folder:
        copied = Path(folder, "city")
        if city is None:
            run_app(["demo", SCENARIO, "--city", str(copied)])
        else:
            shutil.copytree(city, copied)
        yield from _measure(open_city(copied))


def _measure(city: City) -> Iterator[Row]:
    # As a server does: its store stays open, its words are read, and what is there at the start is
    # no longer walked by the collector.
    with contextlib.closing(city.database.hold()):
        for lang in LANGS:
            load_words(lang)
        gc.collect()
        gc.freeze()
        yield from _measure_open(city)


def _measure_open(city: City) -> Iterator[Row]:
    now = int(time.time())
    keeper = FactsKeeper(city)
    watch = Stopwatch(n=len(keeper.current(now).snapshot.incident))
    shop = Workshop(city)
    plan = make_plan(city, AUTHOR, name="bench", now=now).plan
    before = city.grids_in_force(now)
    assert before is not None
    watch.time("open a draft, cold", lambda: shop.open(plan, now=now), most=0)
    piece, edits = _draw(shop, plan, now=now)
    watch.rows += _tell_edits(edits, n=watch.n)
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


def _draw(shop: Workshop, plan: int, *, now: int) -> tuple[Workpiece, Edits]:
    """Make edits until enough were taken; return the draft and the seconds of each tried."""
    rng = np.random.default_rng(7)
    piece, made = shop.open(plan, now=now), 0
    spent = Edits(elapsed=[], processor=[], synced=[])
    while made < EDITS:
        edit = random_edit(piece.draft, rng)
        begun, processor = time.perf_counter(), time.process_time()
        try:
            piece, _ = shop.edit(plan, [edit], scope=AUTHOR, now=now)
            made += 1
        except BadGrid:  # such an edit is refused and changes nothing
            pass
        spent.elapsed.append(time.perf_counter() - begun)
        spent.processor.append(time.process_time() - processor)
        begun = time.perf_counter()
        with shop.city.database.transaction() as connection:
            write_entry(connection, account=AUTHOR, act="plan.edit", target="bench", at=now)
        spent.synced.append(time.perf_counter() - begun)
    return piece, spent


def _tell_edits(edits: Edits, *, n: int) -> Iterator[Row]:
    """Yield a row for half, nearly all and the slowest of the edits, on the wall."""
    for name, share, most in MOST_EDITS_S:
        elapsed, processor, synced = (
            float(np.quantile(part, share))
            for part in (edits.elapsed, edits.processor, edits.synced)
        )
        yield make_row(
            "publish", f"an edit: {name} within", n=n, seconds=elapsed, asked=most, equal=None,
            note=f"{len(edits.elapsed)} tried, processor {processor * 1e3:.1f} ms; one row of the"
            f" log alone {synced * 1e3:.1f} ms",
        )  # fmt: skip
