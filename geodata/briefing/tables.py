"""The tables that leave the house: grids with their figures, incidents, cameras, places."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, replace
from datetime import UTC, datetime
from typing import Any
from zoneinfo import ZoneInfo

import geopandas
import numpy as np
import pandas as pd
import shapely
from numpy.typing import NDArray

from geodata.access.outside import UNOWNED, WHOLE, Figure
from geodata.access.scope import ROWS
from geodata.access.sight import Sight
from geodata.access.suppression import Span
from geodata.briefing.wish import Dates
from geodata.errors import BadSetting, Fault, NotAllowed, NotFound
from geodata.events.clock import STATES
from geodata.events.incidents import SIX_STEPS, STAGES
from geodata.figures.tally import Tallies, order_leaves, tally_areas
from geodata.levels import find_parent_rows
from geodata.ownership import RULES
from geodata.snapshots.snapshot import WORLD, Filter
from geodata.store.briefings import read_ids
from geodata.words import Lang, has_words, say

Mask = NDArray[np.bool_]


@dataclass(frozen=True, slots=True, kw_only=True)
class Picked:
    """What a table is made of: a sight at its cut-off, the dates, the filter, an area or None."""

    sight: Sight
    dates: Dates
    filter: Filter
    area: int | None
    lang: Lang

    @property
    def within_period(self) -> Filter:
        """Return the filter with the period's own times."""
        return replace(self.filter, since=self.dates.since, until=self.dates.until)

    @property
    def leaves(self) -> Mask:
        """Return which of the finest grids lie in the area."""
        found = np.zeros(len(self.sight.grids.finest()), np.bool_)
        found[... if self.area is None else order_leaves(self.sight).leaves(self.area)] = True
        return found

    def holds(self, owner: NDArray[Any]) -> Mask:
        """Return which rows with these owners are in the area; the unowned only in the city."""
        found: Mask = np.append(self.leaves, self.area is None)[owner]
        return found


@dataclass(frozen=True, slots=True, kw_only=True)
class ExportTable:
    """
    A table on its way out: `frame` in degrees with names that programs know, rows of `whole`.

    `headings` says each column in the reader's words; `rule` the sentences that say how its figures
    were made. A personal column cannot be here: the store has none.
    """

    what: str
    frame: geopandas.GeoDataFrame
    headings: Mapping[str, str]
    whole: int
    rule: tuple[str, ...]


def make_table(what: str, picked: Picked) -> ExportTable:
    """
    Return one of TABLES as a scope may have it.

    Raises BadSetting for an unknown one, NotAllowed for single incidents where the account sees
    none, NotFound where nothing is left to write.
    """
    if what not in _MAKERS:
        raise BadSetting(
            Fault(key="briefing_table", values={"what": what, "known": ", ".join(TABLES)})
        )
    table = _MAKERS[what](picked)
    if table.frame.empty:
        raise NotFound(Fault(key="briefing_no_rows"))
    return table


def _make_grids(picked: Picked) -> ExportTable:
    """Return every grid in the area, of every level, with its figures or their bounds."""
    sight, lang = picked.sight, picked.lang
    grids = sight.grids.grids
    rows = np.flatnonzero(_grids_within(picked))
    tallies = tally_areas(
        sight, period=picked.dates.period, filter=picked.filter, now=picked.dates.cut_off
    )
    bounds = _Bounds(sight, picked, tallies)
    above = find_parent_rows(grids)
    code = grids["code"].astype(str).to_numpy()
    counted = [bounds.of(int(uid)) for uid in grids["uid"].to_numpy()[rows]]
    counted += [bounds.of(UNOWNED)] * (picked.area is None)
    level = {name: say(f"level.{name}", lang) for name in sight.grids.levels}
    metric = grids.geometry.iloc[rows]
    frame = geopandas.GeoDataFrame(
        {
            "code": code[rows],
            "name": grids["name"].astype(str).to_numpy()[rows],
            "level": [level[str(name)] for name in grids["level"].to_numpy()[rows]],
            "parent_code": [code[above[row]] if above[row] >= 0 else "" for row in rows],
            "kind": [_say_kind(str(name), lang) for name in grids["kind"].to_numpy()[rows]],
            "body": grids["body"].fillna("").astype(str).to_numpy()[rows],
            "households": grids["households"].to_numpy(float)[rows],
            "population": grids["population"].to_numpy(float)[rows],
            "area_m2": np.round(metric.area.to_numpy(float), 1),
        },
        geometry=metric.to_crs(4326).to_numpy(),
        crs=4326,
    )
    if picked.area is None:  # the row that makes the sums true
        nobody = {"code": "", "name": say("briefing.figure.unowned", lang), "geometry": None}
        frame = pd.concat([frame, geopandas.GeoDataFrame([nobody], crs=4326)], ignore_index=True)
        texts = ["level", "parent_code", "kind", "body"]
        frame[texts] = frame[texts].fillna("")
    for name in counted[0]:
        frame.insert(frame.columns.get_loc("geometry"), name, [row[name] for row in counted])
    rule = [say("briefing.rule.counts", lang), say("briefing.rule.closing", lang)]
    if sight.outside is not None:
        below = sight.city.settings.suppress_below
        rule.append(say("briefing.rule.bounds", lang, below=below))
    return _finish("grids", frame, len(grids), rule, lang)


def _say_kind(kind: str, lang: Lang) -> str:
    return say(f"grid_kind.{kind}", lang) if has_words(f"grid_kind.{kind}") else kind


class _Bounds:
    """The figures of single grids: exact where the scope counts rows, else in printed bounds."""

    def __init__(self, sight: Sight, picked: Picked, tallies: Tallies) -> None:
        self._sight, self._tallies = sight, tallies
        self._filter = picked.within_period
        self._leaves = sight.grids.finest()["uid"].to_numpy()
        self._own = {int(uid) for uid in self._leaves if sight.shows(int(uid))}

    def of(self, uid: int) -> dict[str, Any]:
        """Return the columns of one grid, or of UNOWNED; None is what the scope is not told."""
        tally = self._tallies.of_unowned() if uid == UNOWNED else self._tallies.of(uid)
        found: dict[str, Any] = {}
        exact = self._is_exact(uid)
        for name in ("total", "open", "overdue"):
            own = int(getattr(tally, name))
            span = Span(low=own, high=own) if exact else self._bound(uid, name, own)
            found[name] = None if span is None else own if exact else span.text
            found[f"{name}_low"] = None if span is None else span.low
            found[f"{name}_high"] = None if span is None else span.high
        for name, value in (
            ("due_soon", tally.due_soon),
            ("suspended", tally.suspended),
            ("registered", tally.closing.of),
            ("closed", tally.closing.part),
        ):
            found[name] = value if exact else None
        percent = tally.closing.percent() if exact else None
        found["closing_rate_percent"] = None if percent is None else float(percent)
        return found

    def _is_exact(self, uid: int) -> bool:
        if self._sight.outside is None or uid == UNOWNED:
            return self._sight.outside is None
        leaves = self._leaves[order_leaves(self._sight).leaves(uid)]
        return all(int(leaf) in self._own for leaf in leaves)

    def _bound(self, uid: int, name: Figure, own: int) -> Span | None:
        outside = self._sight.outside
        assert outside is not None
        if uid in outside.rows:
            told = outside.count(uid, self._filter, name)
            return None if told is None else told + own
        # An area with none beside it is the whole without the unowned.
        whole, nobody = (outside.count(at, self._filter, name) for at in (WHOLE, UNOWNED))
        if whole is None or nobody is None:
            return None
        low, high = whole.low - nobody.high, whole.high - nobody.low
        return Span(low=max(low, 0) + own, high=max(high, 0) + own)


def _make_incidents(picked: Picked) -> ExportTable:
    """Return the single incidents of an area and period that the account may see."""
    sight, lang = picked.sight, picked.lang
    if ROWS not in sight.scope.permissions:
        raise NotAllowed(Fault(key="not_allowed", values={"need": ROWS}))
    snapshot, now = sight.snapshot, picked.dates.cut_off
    mask = sight.select(picked.within_period, now) & picked.holds(snapshot.owner)
    rows = np.flatnonzero(mask)
    rows = rows[np.lexsort((snapshot.incident[rows], snapshot.reported_at[rows]))]
    with sight.city.database.read() as connection:
        ids = read_ids(connection, snapshot.incident[rows].tolist())
    named = [ids.get(int(inc), ("", "")) for inc in snapshot.incident[rows]]
    grids = sight.grids.finest()
    codes = np.append(grids["code"].astype(str).to_numpy(), "")
    names = np.append(grids["name"].astype(str).to_numpy(), "")
    owner = snapshot.owner[rows]
    lon, lat = _degrees(snapshot.tile_x[rows], snapshot.tile_y[rows])
    placed = rows < snapshot.placed
    points = np.full(len(rows), None, object)
    points[placed] = shapely.points(lon[placed], lat[placed])
    columns: dict[str, Any] = {
        "source": [source for source, _ in named],
        "incident_id": [own for _, own in named],
        "kind": _spoken(snapshot.kind[rows], sight.kind_names(lang)),
        "category": _spoken(snapshot.category[rows], sight.category_names(lang)),
        "body": [
            sight.body_name(sight.body_terms.get(int(body), ""), lang)
            for body in snapshot.body[rows]
        ],
        "stage": [say(f"stage.{STAGES[int(stage)]}", lang) for stage in snapshot.stage[rows]],
        "clock": [
            say(f"case.state_{STATES[int(state)]}", lang) for state in sight.states(now)[rows]
        ],
        "open": snapshot.open[rows],
        **{
            f"{step}_at": _local_times(snapshot.steps[rows, place], sight.zone)
            for place, step in enumerate(SIX_STEPS)
        },
        "due_at": _local_times(snapshot.due_at[rows], sight.zone),
        "grid_code": codes[owner],
        "grid_name": names[owner],
        "rule": [say(f"rule.{RULES[int(rule)]}", lang) for rule in snapshot.rule[rows]],
        "near_line": snapshot.near_line[rows],
    }
    frame = geopandas.GeoDataFrame(columns, geometry=points, crs=4326)
    rule = [say("briefing.rule.owner", lang), say("briefing.rule.times", lang, zone=sight.zone)]
    if sight.outside is not None:
        rule.append(say("briefing.rule.scope", lang))
    return _finish("incidents", frame, snapshot.n, rule, lang)


def _make_points(what: str) -> Callable[[Picked], ExportTable]:
    def make(picked: Picked) -> ExportTable:
        sight, lang = picked.sight, picked.lang
        points: geopandas.GeoDataFrame = getattr(sight, what)
        owner = points["owner"].to_numpy(np.int64)
        chosen = points[picked.holds(owner)]
        codes = np.append(sight.grids.finest()["code"].astype(str).to_numpy(), "")
        kept = [name for name in _POINTS[what] if name in chosen]
        frame = geopandas.GeoDataFrame(
            {
                **{name: chosen[name].to_numpy() for name in kept},
                "grid_code": codes[chosen["owner"].to_numpy(np.int64)],
            },
            geometry=chosen.geometry.to_numpy(),
            crs=4326,
        )
        rule = [say("briefing.rule.owner", lang)]
        return _finish(what, frame, len(points), rule, lang)

    return make


_POINTS = {
    "cameras": ("camera_id", "name", "class", "state", "bearing", "angle", "range_m"),
    "places": ("id", "name", "kind", "capacity", "state"),
}
_MAKERS: dict[str, Callable[[Picked], ExportTable]] = {
    "grids": _make_grids,
    "incidents": _make_incidents,
    "cameras": _make_points("cameras"),
    "places": _make_points("places"),
}
TABLES = tuple(_MAKERS)


def _finish(
    what: str, frame: geopandas.GeoDataFrame, whole: int, rule: list[str], lang: Lang
) -> ExportTable:
    headings = {
        str(name): say(f"briefing.column.{name}", lang)
        for name in frame.columns
        if name != frame.geometry.name
    }
    return ExportTable(what=what, frame=frame, headings=headings, whole=whole, rule=tuple(rule))


def _grids_within(picked: Picked) -> Mask:
    uids = picked.sight.grids.grids["uid"].to_numpy()
    if picked.area is None:
        return np.ones(len(uids), np.bool_)
    found = np.isin(uids, list(picked.sight.grids.subtree_uids(picked.area)))
    within: Mask = found | (uids == picked.area)
    return within


def _spoken(numbers: NDArray[Any], names: Mapping[int, str]) -> list[str]:
    return [names.get(int(number), "") for number in numbers]


def _degrees(
    x: NDArray[np.uint32], y: NDArray[np.uint32]
) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
    """Return degrees of tile positions, to 7 places: a centimetre, as exact as they are kept."""
    lon = x.astype(np.float64) / WORLD * 360.0 - 180.0
    north: NDArray[np.float64] = np.pi * (1 - 2 * y.astype(np.float64) / WORLD)
    lat: NDArray[np.float64] = np.degrees(2 * np.arctan(np.exp(north)) - np.pi / 2)
    return np.round(lon, 7), np.round(lat, 7)


def _local_times(seconds: NDArray[np.int64], zone: str) -> list[str]:
    local = ZoneInfo(zone)
    return [
        datetime.fromtimestamp(int(at), UTC).astimezone(local).strftime("%Y-%m-%d %H:%M:%S")
        if at > 0
        else ""
        for at in seconds
    ]


def find_area(sight: Sight, code: str) -> int | None:
    """Return the uid of the outermost grid with this code, None for no code. Raises NotFound."""
    if not code:
        return None
    grids = sight.grids.grids
    level, between, plain = code.partition(":")
    asked = grids["code"].astype(str) == (plain if between else code)
    if between:
        asked &= grids["level"].astype(str) == level
    rows = np.flatnonzero(asked.to_numpy())
    if not len(rows):
        raise NotFound(Fault(key="briefing_area", values={"code": code}))
    return int(grids["uid"].iloc[rows[0]])


def find_category(sight: Sight, name: str) -> Filter:
    """Return the filter of a category by its own or its English name. Raises BadSetting."""
    if not name:
        return Filter()
    for lang in ("zh", "en"):
        for number, text in sight.category_names(lang).items():
            if text == name:
                return Filter(categories=(number,))
    raise BadSetting(Fault(key="briefing_category"))


def as_plain(frame: geopandas.GeoDataFrame) -> pd.DataFrame:
    """Return a table without shapes, points as two columns of degrees."""
    plain = pd.DataFrame(frame.drop(columns=frame.geometry.name))
    if len(frame) and set(frame.geom_type.dropna()) <= {"Point"}:
        plain["lon"], plain["lat"] = frame.geometry.x, frame.geometry.y
    return plain
