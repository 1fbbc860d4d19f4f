"""Facts: one city at one revision, in memory, from which every picture and figure is drawn."""

from __future__ import annotations

import math
import threading
import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from functools import partial
from pathlib import Path
from typing import Any

import geopandas
import numpy as np
import pandas as pd
import shapely
from numpy.typing import NDArray

from geodata.city import City
from geodata.events.clock import RED
from geodata.grids import GridSystem
from geodata.risk import GridRisk
from geodata.snapshots.byte_cache import ByteCache, measure_answer
from geodata.snapshots.counted import count_later, follow_counter
from geodata.snapshots.counting import Counter
from geodata.snapshots.later import Later, make_once
from geodata.snapshots.moving import Moving
from geodata.snapshots.newest import read_snapshot
from geodata.snapshots.rating import Rated, rate_later
from geodata.snapshots.snapshot import Filter, Snapshot
from geodata.snapshots.tables import TABLES, read_tables
from geodata.store.database import read_ground_revision, read_revision, read_terms
from geodata.store.sources import read_as_of
from geodata.words import Lang

UNMATCHED = ""  # the category of a kind that the city's table does not know
KEPT_WITH_DRAWING = ("drawing", "base")
_MANY_INCIDENTS = 100_000
_REST = 4  # times as long as making new facts took, no others are made
_REST_OF_MANY_S = 1.0
_MARGIN = 0.02  # of the city's width, around its bounds


@dataclass(kw_only=True)
class Facts:
    """
    One city at one revision; read only, safe to share between threads.

    `kinds` is indexed by the kind's code; `categories` lists the categories by their number in
    the snapshot. Times are UTC seconds.
    """

    city: City
    revision: int
    ground: int  # the revision at which the drawing or a reference table last changed
    good_until: float  # when a dated table or drawing takes over (UTC s)
    as_of: int
    snapshot: Snapshot
    grids: GridSystem
    rated: Rated
    kinds: pd.DataFrame
    bodies: pd.DataFrame
    categories: tuple[str, ...]
    kind_terms: dict[int, str]
    body_terms: dict[int, str]
    source_terms: dict[int, str]
    points: dict[str, Later[geopandas.GeoDataFrame]]
    components: int
    counted: Later[Counter]  # over the snapshot
    kept: dict[Any, Any] = field(default_factory=dict)
    _answers: ByteCache  # with the sights that are narrowed from these
    _whose: object = field(default_factory=object)  # tells their answers apart

    @property
    def counter(self) -> Counter:
        """Return the incidents ready to be counted: what every figure is read from."""
        return self.counted.get()

    @property
    def risk(self) -> GridRisk | None:
        """Return the risk of each grid, None before the first incident."""
        return self.rated.risk.get()

    @property
    def risk_from(self) -> int:
        """Return the moment that the risk looks ahead from (UTC s): now, or the end of old data."""
        return self.rated.ahead_of.get()

    @property
    def risk_made(self) -> int:
        """Return as of when the risk is (UTC s)."""
        return self.rated.made

    @property
    def cameras(self) -> geopandas.GeoDataFrame:
        """Return the cameras as points in degrees, each with the row of the grid that owns it."""
        return self.points["cameras"].get()

    @property
    def places(self) -> geopandas.GeoDataFrame:
        """Return the places as points in degrees, each with the row of the grid that owns it."""
        return self.points["places"].get()

    def find_points(self, table: str) -> geopandas.GeoDataFrame:
        """Return the components, lines or blocks in degrees, each with its owner's row."""
        return self.points[table].get()

    @property
    def version(self) -> str:
        """Return what changes with the drawing and the tables, though not with each event."""
        dated = f"{self.ground}-{self.good_until:.0f}"
        return f"{self.grids.drawing}-{dated}-{base_version(self.city.base_folder)}"

    @property
    def zone(self) -> str:
        """Return the IANA name of the city's time zone."""
        return self.city.settings.timezone

    @property
    def bounds(self) -> tuple[float, float, float, float]:
        """Return west, south, east, north of the grids in degrees, with a margin."""
        key = ("drawing", "bounds")
        if key not in self.kept:
            west, south, east, north = self.grids.grids.to_crs(4326).total_bounds
            wide, high = (east - west) * _MARGIN, (north - south) * _MARGIN
            self.kept[key] = (west - wide, south - high, east + wide, north + high)
        found: tuple[float, float, float, float] = self.kept[key]
        return found

    @property
    def base(self) -> Mapping[str, geopandas.GeoDataFrame]:
        """Return the base map's layers by name as its files are now, empty where there are none."""
        folder = self.city.base_folder
        key = "base", "frames", str(base_version(folder))
        return make_once(self.kept, key, partial(load_base, folder))

    def select(self, filter: Filter | None, now: int) -> NDArray[np.bool_]:
        """Return which incidents the filter lets through; the last answers are kept."""
        chosen = filter or Filter()
        moment = now - now % 60 if chosen.state == "overdue" else 0  # states are told by the minute
        found: NDArray[np.bool_] = self.keep(
            ("select", chosen, moment),
            lambda: chosen.mask(self.snapshot, states=lambda: self.states(now)),
        )
        return found

    def states(self, now: int) -> NDArray[np.uint8]:
        """
        Return each incident's place in `clock.STATES` at `now`, to the minute.

        What is over stays as it is: a minute moves the open ones only.
        """
        minute = now - now % 60
        found: NDArray[np.uint8] = self.keep(
            ("states", minute), lambda: self._moving.states_at(minute)
        )
        return found

    @property
    def _moving(self) -> Moving:
        if "moving" not in self.kept:
            self.kept["moving"] = Moving.of(self.snapshot)
        moving: Moving = self.kept["moving"]
        return moving

    def late_rows(self, now: int) -> NDArray[np.int64]:
        """Return the rows of the open incidents past their deadline, the longest first."""
        minute = now - now % 60

        def find() -> NDArray[np.int64]:
            rows = self._moving.rows
            late = rows[self.states(minute)[rows] == RED]
            found: NDArray[np.int64] = late[np.argsort(self.snapshot.due_at[late], kind="stable")]
            return found

        found: NDArray[np.int64] = self.keep(("late", minute), find)
        return found

    def kind_names(self, lang: Lang) -> Mapping[int, str]:
        """Return the name of each code of `Snapshot.kind`."""
        column = f"name_{lang}"

        def find() -> Mapping[int, str]:
            names = self.kinds[column].dropna().to_dict() if column in self.kinds else {}
            return {number: names.get(code, code) for number, code in self.kind_terms.items()}

        found: Mapping[int, str] = self.keep(("kind names", lang), find)
        return found

    def category_names(self, lang: Lang) -> Mapping[int, str]:
        """Return the name of each code of `Snapshot.category`."""
        names: dict[str, str] = {}
        if lang == "en" and "category_en" in self.kinds:
            known = self.kinds.dropna(subset=["category", "category_en"])
            names = dict(zip(known["category"], known["category_en"], strict=True))
        return {number: names.get(text, text) for number, text in enumerate(self.categories)}

    def body_name(self, body: str, lang: Lang) -> str:
        """Return the name of a body by its code; an unknown code is its own name."""
        names: Mapping[str, str] = self.keep(("body names", lang), lambda: self._name_bodies(lang))
        return names.get(body, body)

    def _name_bodies(self, lang: Lang) -> dict[str, str]:
        column = f"name_{lang}"
        return self.bodies[column].dropna().to_dict() if column in self.bodies else {}

    def keep(self, key: Any, make: Callable[[], Any]) -> Any:
        """
        Return the answer under this key, made at the first call.

        Those lately used are kept, as many as `answers_mb` holds.
        """
        return self._answers.get((self._whose, key), make)

    def forget_answers(self) -> None:
        """Let the kept answers go: others take over, and both would take twice the memory."""
        self._answers.clear()


class FactsKeeper:
    """
    Hands out the facts of the newest revision, made once and shared by every request.

    In a large city beside a busy feed a fifth of the time at most goes into making new ones;
    meanwhile every request gets the last ones, which say of which revision they are. Another
    drawing in force ends that rest: screens follow a publish at once.
    """

    def __init__(self, city: City) -> None:
        self.city = city
        self._facts: Facts | None = None
        self._lock = threading.Lock()
        self._rest_until_s = -math.inf

    def current(self, now: int) -> Facts | None:
        """Return the facts of the newest revision; None while the city has no grids."""
        facts = self._facts
        if facts is None:
            with self._lock:
                if self._facts is None:
                    self._refresh(now)
                return self._facts
        if facts.revision == self.city.database.revision():
            return facts
        if time.monotonic() < self._rest_until_s and self._stands(facts, now):
            return facts
        if not self._lock.acquire(blocking=facts.snapshot.n < _MANY_INCIDENTS):
            return facts  # somebody is at it
        try:
            if self._facts is facts:
                self._refresh(now)
            return self._facts
        finally:
            self._lock.release()

    def revision(self, now: int) -> int:
        """Return the revision that screens are drawn from; the store's own before any grids."""
        facts = self.current(now)
        return self.city.database.revision() if facts is None else facts.revision

    def _stands(self, facts: Facts, now: int) -> bool:
        """Tell whether the drawing of some facts is the one in force."""
        return self.city.drawing_in_force(now) == facts.grids.drawing

    def _refresh(self, now: int) -> None:
        begin_s = time.monotonic()
        old = self._facts
        self._facts = fresh = load_facts(self.city, now=now, old=old)
        if fresh is not None and old is not None:
            fresh.kept |= _kept_by_drawing(old, fresh)
            old.forget_answers()
        if fresh is not None and fresh.snapshot.n >= _MANY_INCIDENTS:
            end_s = time.monotonic()
            self._rest_until_s = end_s + max((end_s - begin_s) * _REST, _REST_OF_MANY_S)


def load_facts(city: City, *, now: int, old: Facts | None = None) -> Facts | None:
    """
    Read the newest revision of the city into memory; None while it has no grids.

    From `old` facts is taken what no change since has touched.
    """
    with city.database.read() as connection:
        revision, ground = read_revision(connection), read_ground_revision(connection)
        as_of = read_as_of(connection)
        stands = old is not None and old.ground == ground and old.good_until > now
        terms = {sort: read_terms(connection, sort) for sort in ("kind", "body", "source")}
        if old is not None and stands:
            known: Facts | None = old
            reference = {name: getattr(old, name) for name in TABLES}
            system = old.grids
        else:
            known = None
            found = city.grids_in_force(now)
            if found is None:
                return None
            system = found
            reference = read_tables(connection, city, system, now=now)
        category_of, categories = _categories(reference["kinds"], terms["kind"])
        snapshot, change = read_snapshot(
            connection,
            city,
            system,
            category_of,
            revision=revision,
            known=None if old is None else old.snapshot,
        )
    large = known is not None and known.snapshot.n >= _MANY_INCIDENTS
    rated = rate_later(
        city,
        system,
        snapshot,
        terms["source"],
        now=now,
        known=known.rated if known is not None and large else None,
    )
    return Facts(
        city=city,
        revision=snapshot.revision,
        ground=ground,
        as_of=as_of,
        snapshot=snapshot,
        grids=system,
        counted=follow_counter(
            None if old is None else old.counted,
            change,
            count_later(snapshot, grids=len(system.finest()), zone=city.settings.timezone),
        ),
        rated=rated,
        categories=categories,
        kind_terms=terms["kind"],
        body_terms=terms["body"],
        source_terms=terms["source"],
        _answers=make_cache(city),
        **reference,
    )


def make_cache(city: City) -> ByteCache:
    """Return what keeps the answers of one revision, up to the city's budget."""
    limit_bytes = city.settings.answers_mb * 1_000_000
    return ByteCache(limit_bytes=limit_bytes, measure=measure_answer)


def _kept_by_drawing(old: Facts, new: Facts) -> dict[Any, Any]:
    """Return what was derived from the drawing alone, while the drawing stays as it is."""
    if old.grids is not new.grids and not _is_same(old.grids, new.grids):
        return {}
    new.grids = old.grids
    of_base = str(base_version(new.city.base_folder))
    return {
        key: value
        for key, value in list(old.kept.items())  # others still draw from it
        if key[0] in KEPT_WITH_DRAWING and (len(key) < 3 or key[0] != "base" or key[2] == of_base)
    }


def _is_same(one: GridSystem, other: GridSystem) -> bool:
    """Tell whether two drawings are the same, a level added under the same number included."""
    if one.drawing != other.drawing or len(one.grids) != len(other.grids):
        return False
    plain = one.grids.columns.drop("geometry")
    return bool(
        one.grids[plain].equals(other.grids[plain])
        and (shapely.to_wkb(one.grids.geometry) == shapely.to_wkb(other.grids.geometry)).all()
    )


def load_base(folder: Path) -> dict[str, geopandas.GeoDataFrame]:
    """Return the base map's layers that the folder holds as GeoParquet, by file name."""
    return {path.stem: geopandas.read_parquet(path) for path in sorted(folder.glob("*.parquet"))}


def base_version(folder: Path) -> int:
    """Return when the base map last changed, in milliseconds; 0 without one."""
    changed = (path.stat().st_mtime_ns // 1_000_000 for path in folder.glob("*.parquet"))
    return max(changed, default=0)


def _categories(
    kinds: pd.DataFrame, terms: dict[int, str]
) -> tuple[dict[int, int], tuple[str, ...]]:
    """Return each kind's category number and the categories; without a table a kind is its own."""
    if "category" in kinds:
        known = kinds["category"].fillna(UNMATCHED).to_dict()
        named = {number: str(known.get(code, UNMATCHED)) for number, code in terms.items()}
    else:
        named = dict(terms)
    categories = tuple(sorted({UNMATCHED, *named.values()}))
    place = {text: number for number, text in enumerate(categories)}
    return {0: place[UNMATCHED]} | {n: place[text] for n, text in named.items()}, categories
