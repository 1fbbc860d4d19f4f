"""A briefing: every figure that its paper prints, by key, as of one moment and revision."""

from __future__ import annotations

import hashlib
from collections.abc import Mapping
from dataclasses import asdict, dataclass
from typing import Any

import numpy as np
import orjson

from geodata.access.sight import Sight
from geodata.access.suppression import Span
from geodata.audit.log import describe_scope
from geodata.briefing.tables import find_area, find_category
from geodata.briefing.wish import Dates, Wish
from geodata.errors import Fault, NotFound
from geodata.events.clock import RED
from geodata.figures.area import AreaFigures, Count, count_area
from geodata.figures.counts import Change, Rate
from geodata.figures.tally import order_leaves
from geodata.snapshots.snapshot import Filter
from geodata.words import say

VERSION = 1  # of the form in which a file carries its figures
WORST = 3
_BODIES = 8
_CATEGORIES = 12
_DAY_S = 86_400


@dataclass(frozen=True, slots=True, kw_only=True)
class Figure:
    """
    One number as it is printed: a count, bounds, a rate or a change.

    A count is `a`; bounds are `a` to `b`, both None where nothing is told; a rate is `a` of `b`; a
    change is from `b` to `a`.
    """

    kind: str
    a: int | None
    b: int | None = None

    @property
    def told(self) -> bool:
        """Tell whether there is a number to print."""
        return self.text != NOT_TOLD

    @property
    def text(self) -> str:
        """Return it as every screen prints it, the same in both languages."""
        if self.a is None:
            return NOT_TOLD
        if self.kind == "count":
            return f"{self.a:,}"
        assert self.b is not None
        if self.kind == "bounds":
            return Span(low=self.a, high=self.b).text
        if self.kind == "rate":
            percent = Rate(part=self.a, of=self.b).percent()
            return f"{percent} % ({self.a:,}/{self.b:,})" if percent else NOT_TOLD
        percent = Change(now=self.a, before=self.b).percent()
        return f"{percent} % ({self.b:,} → {self.a:,})" if percent else f"{self.b:,} → {self.a:,}"


NOT_TOLD = "–"


@dataclass(frozen=True, slots=True, kw_only=True)
class Briefing:
    """
    What one paper says; `names` has the words of what figures are of (areas, bodies, categories).

    Times are UTC seconds. `sight` tells which grids were seen, `drawing` by which grids.
    """

    city: Mapping[str, str]
    wish: Wish
    dates: Dates
    as_of: int
    zone: str
    revision: int
    drawing: int
    drawing_from: int | None
    crs: str
    sight: str
    area_name: str
    names: Mapping[str, str]
    figures: Mapping[str, Figure]
    days: tuple[tuple[int, int], ...]  # local midnight, reports

    def as_json(self) -> dict[str, Any]:
        """Return the briefing as plain data: what is frozen, and what a file carries."""
        return {
            "getu": VERSION,
            "city": dict(self.city),
            "wish": self.wish.as_json(),
            "dates": asdict(self.dates),
            "as_of": self.as_of,
            "zone": self.zone,
            "revision": self.revision,
            "drawing": self.drawing,
            "drawing_from": self.drawing_from,
            "crs": self.crs,
            "sight": self.sight,
            "area_name": self.area_name,
            "names": dict(self.names),
            "figures": {key: [one.kind, one.a, one.b] for key, one in self.figures.items()},
            "days": [list(day) for day in self.days],
        }

    @property
    def digest(self) -> str:
        """Return the SHA-256 of all that it says."""
        plain = orjson.dumps(self.as_json(), option=orjson.OPT_SORT_KEYS)
        return hashlib.sha256(plain).hexdigest()


def read_briefing(plain: Mapping[str, Any]) -> Briefing:
    """Return the briefing of `as_json`; raises NotFound for data of another form."""
    try:
        given = dict(plain)
        if given.pop("getu") != VERSION:
            raise NotFound(Fault(key="briefing_no_figures"))
        return Briefing(
            **given
            | {
                "wish": Wish(**given["wish"]),
                "dates": Dates(**given["dates"]),
                "figures": {
                    key: Figure(kind=kind, a=a, b=b)
                    for key, (kind, a, b) in given["figures"].items()
                },
                "days": tuple((int(at), int(n)) for at, n in given["days"]),
            }
        )
    except (KeyError, TypeError, ValueError) as error:
        raise NotFound(Fault(key="briefing_no_figures")) from error


def describe_sight(sight: Sight) -> str:
    """Return which grids a sight shows, and whether single incidents: equal for equal scopes."""
    return f"{describe_scope(sight.scope)}{'+rows' if sight.rows else ''}"


def make_briefing(sight: Sight, wish: Wish, dates: Dates) -> Briefing:
    """
    Count everything that a paper prints of a wish; the sight is that of the cut-off.

    Raises NotFound for an unknown area, BadSetting for an unknown category, NotFound where the
    scope hides everything or the period holds nothing.
    """
    area = find_area(sight, wish.area)
    chosen = find_category(sight, wish.category)
    figures = count_area(
        sight,
        grid=area,
        period=dates.period,
        filter=Filter(categories=chosen.categories, state=wish.state),
        now=dates.cut_off,
    )
    if figures.total is None and not figures.own.total:
        raise NotFound(Fault(key="briefing_hidden"))
    if figures.total == 0:
        raise NotFound(Fault(key="briefing_empty"))
    found, names = _Collector(sight, figures, wish).collect()
    settings = sight.city.settings
    return Briefing(
        city={"zh": _clean(settings.name_zh), "en": _clean(settings.name_en)},
        wish=wish,
        dates=dates,
        as_of=sight.as_of,
        zone=sight.zone,
        revision=sight.revision,
        drawing=sight.grids.drawing,
        drawing_from=sight.grids.valid_from,
        crs=sight.city.crs_text,
        sight=describe_sight(sight),
        area_name="" if area is None else _name_of(sight, area),
        names=names,
        figures=found,
        days=tuple(
            zip(figures.days.midnights.tolist(), figures.days.counts.tolist(), strict=False)
        ),
    )


class _Collector:
    """Takes the figures of an area apart into single ones, each under its key."""

    def __init__(self, sight: Sight, figures: AreaFigures, wish: Wish) -> None:
        self._sight, self._of, self._lang = sight, figures, wish.lang
        self._found: dict[str, Figure] = {}
        self._names: dict[str, str] = {}

    def collect(self) -> tuple[dict[str, Figure], dict[str, str]]:
        """Return the figures and the names of what they are of."""
        of, own = self._of, self._of.own
        for key in ("total", "open", "overdue"):
            self._put(key, getattr(of, key))
        self._put("grids", len(order_leaves(self._sight).order) if of.grid is None else None)
        if of.hidden_grids:
            self._put("hidden_grids", of.hidden_grids)
        if own.total or of.complete:
            self._collect_own()
        for child in of.children:
            key = f"child.{child.code}" if child.uid is not None else "unowned"
            self._names[key] = _clean(child.name)
            self._put(f"{key}.total", child.total)
            self._put(f"{key}.open", child.open)
            self._put(f"{key}.overdue", child.overdue)
            if child.uid is not None and not child.hidden:
                self._rate(f"{key}.closing", child.own.closing)
        return self._found, self._names

    def _collect_own(self) -> None:
        of, own, sight = self._of, self._of.own, self._sight
        self._put("own", own.total)
        if of.total is None:  # of what is hidden nothing is told for such a period
            self._put("own_open", own.open)
            self._put("own_overdue", own.overdue)
        self._put("whole", own.whole)
        for key in ("due_soon", "suspended", "near_line"):
            self._put(key, getattr(own, key))
        for key in ("completion", "closing", "on_time", "returned", "reopened"):
            self._rate(key, getattr(own, key))
        for key in ("previous", "last_year"):
            change: Change | None = getattr(of, key)
            if change is not None:
                self._found[key] = Figure(kind="change", a=change.now, b=change.before)
        for place, n in enumerate(own.ageing):
            self._put(f"ageing.{place}", n)
        for step, n in own.steps.items():
            self._put(f"step.{step}", n)
        for part in of.categories[:_CATEGORIES]:
            self._names[f"category.{part.code}"] = self._category(part.code)
            self._put(f"category.{part.code}.total", part.total)
            self._put(f"category.{part.code}.overdue", part.overdue)
        late = sorted((part for part in of.bodies if part.overdue), key=lambda p: -p.overdue)
        self._put("late_bodies", len(late))
        for place, part in enumerate(late[:_BODIES], start=1):
            body = sight.body_terms.get(part.code, "")
            self._names[f"body.{place}"] = _clean(sight.body_name(body, self._lang)) or self._say(
                "no_body"
            )
            self._put(f"body.{place}.overdue", part.overdue)
        self._put("sources", len(of.sources))
        self._collect_late()

    def _collect_late(self) -> None:
        """Put the oldest overdue case, and the three worst grids: by overdue, then open, total."""
        of, sight, snapshot = self._of, self._sight, self._sight.snapshot
        tree = order_leaves(sight)
        mask = sight.select(of.filter, of.now)
        if of.grid is not None:
            inside = np.zeros(len(tree.order) + 1, np.bool_)
            inside[tree.leaves(of.grid)] = True
            mask = mask & inside[snapshot.owner]
        late = mask & snapshot.open & (sight.states(of.now) == RED)
        if late.any():
            oldest = int((of.now - snapshot.due_at[late].min()) // _DAY_S)
            self._put("oldest_days", oldest)
        grids = sight.grids.finest()
        n = len(grids)

        def count(rows: Any) -> Any:
            owner = snapshot.owner[rows]
            return np.bincount(owner[owner >= 0], minlength=n)

        overdue, opened, total = count(late), count(mask & snapshot.open), count(mask)
        order = np.lexsort((grids["uid"].to_numpy(), -total, -opened, -overdue))
        for place, row in enumerate(order[:WORST].tolist(), start=1):
            if not overdue[row] and not opened[row]:
                break
            key = f"worst.{place}"
            self._names[key] = _name_of(sight, int(grids["uid"].iloc[row]))
            self._names[f"{key}.code"] = str(grids["code"].iloc[row])
            self._put(f"{key}.overdue", int(overdue[row]))
            self._put(f"{key}.open", int(opened[row]))
            self._put(f"{key}.total", int(total[row]))
            here = late if overdue[row] else mask & snapshot.open
            self._put_main(key, here & (snapshot.owner == row), oldest=bool(overdue[row]))

    def _put_main(self, key: str, rows: Any, *, oldest: bool) -> None:
        """Put what most of some incidents are, and how long the oldest is past its deadline."""
        snapshot = self._sight.snapshot
        kinds = np.bincount(snapshot.category[rows])
        most = int(kinds.argmax())
        self._names[f"{key}.main"] = self._category(most)
        self._put(f"{key}.main", int(kinds[most]))
        if oldest:
            days = (self._of.now - int(snapshot.due_at[rows].min())) // _DAY_S
            self._put(f"{key}.oldest_days", int(days))

    def _category(self, code: int) -> str:
        name = self._sight.category_names(self._lang).get(code, "")
        return _clean(name) or self._say("no_category")

    def _say(self, key: str) -> str:
        return say(f"briefing.{key}", self._lang)

    def _put(self, key: str, count: Count) -> None:
        if isinstance(count, Span):
            self._found[key] = Figure(kind="bounds", a=count.low, b=count.high)
        elif count is not None:
            self._found[key] = Figure(kind="count", a=count)

    def _rate(self, key: str, rate: Rate) -> None:
        self._found[key] = Figure(kind="rate", a=rate.part, b=rate.of)


def _name_of(sight: Sight, uid: int) -> str:
    """Return the name of a grid behind those of the areas above it, without the city's root."""
    grids = sight.grids.grids.set_index("uid")
    names = [str(grids.at[uid, "name"])]
    parent = int(grids.at[uid, "parent"])
    while parent in grids.index and len(names) < _NAME_LEVELS:
        names.append(str(grids.at[parent, "name"]))
        parent = int(grids.at[parent, "parent"])
    return _clean(" · ".join(reversed(names)))


_NAME_LEVELS = 3


def _clean(text: str) -> str:
    """Return a name without what no paper can print: controls, and halves of characters."""
    return "".join(sign if sign.isprintable() else "\ufffd" for sign in text)
