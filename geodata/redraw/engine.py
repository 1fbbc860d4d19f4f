"""The engine of proposals: where plans start, and how border flips bring them to their end."""

from __future__ import annotations

import math
from dataclasses import dataclass
from functools import partial
from operator import itemgetter

import numpy as np
from scipy.optimize import linear_sum_assignment

from geodata.coverage.edges import Floats, Ints
from geodata.errors import BadSetting, Fault
from geodata.redraw.adjacency import Adjacency, Flags
from geodata.redraw.bisection import bisect_blocks, mend_labels
from geodata.redraw.flips import flip_borders
from geodata.redraw.reaches import reach_out, send_home
from geodata.redraw.reaches import warm as warm_reaches

STEPS_A_BLOCK = 2000
_LEAST_STEPS, _MOST_STEPS = 500_000, 30_000_000
# Flips aim inside the band, for they settle a little outside what they aim at; where few large
# blocks make a grid it takes more heat to leave a first plan. One try for each pair.
_AIMS = ((0.96, 0.12), (0.9, 0.3), (0.8, 0.6), (0.6, 1.0))
_SMALL = 1000  # blocks up to which every try is made
_EVEN = 0.016  # the band that "best balance" aims at
_GOOD = 0.02  # and with which it is content
_TRIES, _SMALL_TRIES = 2, 4
_LOAD_PRICE, _LOAD_PRICE_LAST = 100.0, 2e5
_HEAT = 0.12
# From today, a try for each row: whether it begins where grids with room have reached out, the
# share of the band aimed at, the prices of shape and of moving a grid's whole load, the price of
# load at the start, the heat, the steps a block, the seed. Cheap shape and a narrow aim move the
# least where whole quarters have grown; what reached out knows ways that flips do not find.
_FEW_MOVES = (
    (True, 0.95, 0.2, 40.0, 1000.0, 0.1, 1500, 0),
    (True, 0.95, 0.2, 40.0, 1000.0, 0.1, 1500, 1),
    (True, 0.96, 0.1, 40.0, 1000.0, 0.2, 1500, 2),
    (True, 0.95, 0.3, 40.0, 500.0, 0.2, 1500, 0),
)
_MANY_MOVES = (
    (True, 0.95, 0.05, 40.0, 500.0, 0.3, 1500, 0),
    (False, 0.95, 0.3, 60.0, 100.0, 0.5, 2500, 2),
    (False, 0.9, 0.1, 60.0, 500.0, 0.3, 1500, 2),
)
_FEW = 0.15  # of the grids out of band
_FEW_REACHES, _MANY_REACHES = 30, 3  # how often ways are sought anew
_MOVE_HOPS = 2  # how far from a grid out of band others may change
_NONE = -1
_NOTHING = 1e-300  # load: what each grid is due where nobody and nothing is


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class Terrain:
    """
    Blocks in the scope of a proposal: their graph, loads, centres (mm).

    `part` numbers the connected parts of the land, which no grid can join; `seats` says how many
    grids each of them gets.
    """

    graph: Adjacency
    loads: Floats
    xy: Floats
    part: Ints
    seats: Ints

    def targets(self, label: Ints) -> Floats:
        """Return the load that each of the labels 0..k-1 should have: its part's, shared evenly."""
        k = int(label.max()) + 1
        part_of = np.zeros(k, np.int64)
        part_of[label] = self.part
        load = np.bincount(self.part, weights=self.loads)
        count = np.bincount(part_of, minlength=len(load))
        return np.maximum((load / np.maximum(count, 1))[part_of], _NOTHING)

    def shares(self, label: Ints) -> Floats:
        """Return each block's load as a share of what a grid should have where it lies."""
        return np.asarray(self.loads / self.targets(label)[label], np.float64)

    def name_grids(self, label: Ints, today: Ints | None) -> Ints:
        """
        Return a uid for each label: today's, so that as little load as can be changes its grid.

        Labels beyond today's grids are called -2, -3, ...
        """
        k = int(label.max()) + 1
        names = -2 - np.arange(k, dtype=np.int64)
        if today is None:
            return names
        uids, old = np.unique(today, return_inverse=True)
        common = np.zeros((k, len(uids)))
        np.add.at(common, (label, old), self.loads + 1e-9)
        rows, columns = linear_sum_assignment(-common)
        kept = common[rows, columns] > 0
        names[rows[kept]] = uids[columns[kept]]
        new = np.flatnonzero(names < 0)
        names[new] = -2 - np.arange(len(new))
        return names

    def fit_home(self, today: Ints) -> Ints:
        """
        Return today's grids as labels 0..k-1, each connected and in one part, as many as seats.

        Pieces cut off join a neighbour; where there are too few grids the heaviest is halved,
        where there are too many the lightest joins a neighbour.
        """
        label = mend_home(self.graph, self.loads, today)
        for part, seats in enumerate(self.seats.tolist()):
            rows = np.flatnonzero(self.part == part)
            label = self._fit_part(label, rows, seats)
        return np.unique(label, return_inverse=True)[1].astype(np.int64)

    def _fit_part(self, label: Ints, rows: Ints, seats: int) -> Ints:
        while len(found := np.unique(label[rows])) != seats:
            load = np.bincount(label[rows], weights=self.loads[rows] + 1e-9)[found]
            if len(found) < seats:
                size = np.bincount(label[rows])[found]
                inside = np.flatnonzero(label == found[np.where(size > 1, load, -1.0).argmax()])
                part = self.graph.take(inside)
                half = bisect_blocks(part, self.loads[inside], self.xy[inside], 2)
                half = mend_labels(part, self.loads[inside], half)
                label[inside[half == 1]] = label.max() + 1
            else:
                label = self._dissolve(label, int(found[load.argmin()]))
        return label

    def _dissolve(self, label: Ints, grid: int) -> Ints:
        start = self.graph.start
        out = (label[start] == grid) & (label[self.graph.beside] != grid)
        border = np.bincount(label[self.graph.beside[out]], weights=self.graph.shared_m[out] + 1e-9)
        label = label.copy()
        label[label == grid] = int(border.argmax())
        return label


def seat_groups(part: Ints, loads: Floats, grids: int) -> Ints:
    """
    Return how many grids each part gets: one at least, the others by highest averages.

    Sainte-Lague's divisors 1, 3, 5, ...; no part gets more grids than it has blocks. Raises
    BadSetting where there are more parts than grids.
    """
    count = np.bincount(part)
    load = np.bincount(part, weights=loads) + 1e-9
    if len(count) > grids:
        values = {"parts": len(count), "grids": grids}
        raise BadSetting(Fault(key="propose_parts", field="grids", values=values))
    seats = np.ones(len(count), np.int64)
    for _ in range(grids - len(count)):
        seats[np.where(seats < count, load / (2 * seats + 1), -1.0).argmax()] += 1
    return seats


def mend_home(graph: Adjacency, loads: Floats, today: Ints) -> Ints:
    """Return today's grids as labels, connected: one for each part of the land a grid lies in."""
    label = np.unique(today, return_inverse=True)[1].astype(np.int64)
    return graph.find_parts(mend_labels(graph, loads, label))


def start_fresh(terrain: Terrain) -> Ints:
    """Return labels of a plan that knows nothing of today: each part of the land bisected."""
    label = np.zeros(len(terrain.loads), np.int64)
    first = 0
    for part, seats in enumerate(terrain.seats.tolist()):
        rows = np.flatnonzero(terrain.part == part)
        graph, loads = terrain.graph.take(rows), terrain.loads[rows]
        found = mend_labels(graph, loads, bisect_blocks(graph, loads, terrain.xy[rows], seats))
        label[rows] = first + found
        first += seats
    return terrain.fit_home(label)


def shape_up(terrain: Terrain, today: Ints | None, band: float, *, seed: int) -> Ints:
    """Return labels of the roundest grids within the band; never less round than today's."""
    fresh = start_fresh(terrain)
    best, best_key = None, (math.inf, 0.0)
    for inner, heat in _AIMS:
        found = _anneal(terrain, fresh, band * inner, seed=seed, heat=heat)
        key = _shape_key(terrain, found, band)
        if key < best_key:
            best, best_key = found, key
        if best_key[0] == 0 and len(fresh) > _SMALL:
            break
    assert best is not None
    if today is not None and _shape_key(terrain, today, band) <= best_key:
        return today
    return best


def even_out(terrain: Terrain, today: Ints | None, *, seed: int) -> Ints:
    """Return labels of the most even grids; never less even than today's."""
    fresh = start_fresh(terrain)
    tried = []
    for attempt in range(_TRIES if len(fresh) > _SMALL else _SMALL_TRIES):
        heat = _HEAT if len(fresh) > _SMALL else _AIMS[attempt][1]
        tried.append(_anneal(terrain, fresh, _EVEN, seed=seed + attempt, heat=heat))
        if largest_off(terrain, tried[-1]) <= max(_GOOD, _least_off(terrain)):
            break
    if today is not None:
        tried.insert(0, today)
    return min(tried, key=lambda label: _unevenness(terrain, label))


def least_change(terrain: Terrain, today: Ints | None, band: float, *, seed: int) -> Ints:
    """
    Return labels that bring today's grids into the band and move as little load as can be found.

    Only grids out of band and those near them change. What stays out of band (a block that is too
    heavy) stays. Without a plan of today it is an even plan within half the band.
    """
    if today is None:
        return _anneal(terrain, start_fresh(terrain), band / 2, seed=seed)

    def key_of(label: Ints) -> tuple[float, float]:
        return _total_excess(terrain, label, band), float(terrain.loads[label != today].sum())

    best, best_key = today, key_of(today)
    if best_key[0] == 0:
        return today
    shares = terrain.shares(today)
    few = float((_offs(terrain, today) > band).mean()) <= _FEW
    rounds = _FEW_REACHES if few else _MANY_REACHES
    reach = partial(reach_out, terrain.graph, shares, band=band, rounds=rounds, seed=seed)
    far = reach(today, today)
    near = _active_grids(terrain, today, band, hops=_MOVE_HOPS)
    wide = near | _active_grids(terrain, far, band, hops=1)
    wide[far[far != today]] = wide[today[far != today]] = True
    moves = _FEW_MOVES if few else _MANY_MOVES
    for reached, aim, shape, move, load, heat, steps, more in moves:
        work = min(steps * len(today), _MOST_STEPS)
        knobs = [work, band * aim, load, _LOAD_PRICE_LAST, shape, move, heat]
        start, free = (far, wide) if reached else (today, near)
        found = _flip(terrain, start, today, free, knobs, seed + more)
        found = send_home(terrain.graph, shares, found, today, band=band)
        best, best_key = min(((best, best_key), (found, key_of(found))), key=itemgetter(1))
    last = reach(best, today)
    return last if key_of(last) < best_key else best


def largest_off(terrain: Terrain, label: Ints) -> float:
    """Return the largest difference of a grid's load from its target, as a share."""
    return float(_offs(terrain, label).max())


def measure_roundness(graph: Adjacency, label: Ints) -> Floats:
    """Return the Polsby-Popper measure of each grid: 4 pi area / perimeter^2."""
    start, k = graph.start, int(label.max()) + 1
    same = label[start] == label[graph.beside]
    inner = np.bincount(label[start[same]], weights=graph.shared_m[same], minlength=k)
    rim = np.bincount(label, weights=graph.rim_m, minlength=k) - inner
    area = np.bincount(label, weights=graph.area_m2, minlength=k)
    return np.asarray(4 * math.pi * area / rim**2, np.float64)


def _offs(terrain: Terrain, label: Ints) -> Floats:
    """Return the difference of each grid's load from its target, as a share."""
    load = np.bincount(label, weights=terrain.loads).astype(np.float64)
    return measure_offs(load, terrain.targets(label))


def measure_offs(load: Floats, target: Floats) -> Floats:
    """Return the difference of loads from their targets, as a share; where none is due, none."""
    due = target > _NOTHING
    share = load / np.where(due, target, 1.0)
    return np.asarray(np.where(due, np.abs(share - 1), 0.0), np.float64)


def _total_excess(terrain: Terrain, label: Ints, band: float) -> float:
    """Return by how much all grids together lie outside the band, in thousandths rounded up."""
    return math.ceil(float(np.maximum(_offs(terrain, label) - band - 1e-9, 0).sum()) * 1000) / 1000


def _unevenness(terrain: Terrain, label: Ints) -> tuple[float, float]:
    """Return the largest difference, to a ten-thousandth, then the mean square of all."""
    off = _offs(terrain, label)
    return round(float(off.max()), 4), float((off**2).mean())


def _least_off(terrain: Terrain) -> float:
    """Return the difference that the heaviest block alone makes: no plan is more even."""
    target = np.bincount(terrain.part, weights=terrain.loads) / terrain.seats
    share = terrain.loads / np.maximum(target[terrain.part], np.finfo(float).tiny)
    return float(share.max()) - 1 + 1e-4


def warm() -> None:
    """Compile the kernels, so that the first proposal does not wait for them."""
    warm_reaches()
    one = np.zeros(1, np.int64)
    flip_borders(
        np.zeros(2, np.int64), one, np.ones(1), np.ones((3, 1)), one, one - 1,
        np.ones(1, np.bool_), np.ones(1), np.ones(7), 1,
    )  # fmt: skip


def _shape_key(terrain: Terrain, label: Ints, band: float) -> tuple[float, float]:
    """Return what lies outside the band, then minus the mean roundness: less is better."""
    excess = _total_excess(terrain, label, band)
    return excess, -float(measure_roundness(terrain.graph, label).mean())


def _active_grids(terrain: Terrain, label: Ints, band: float, *, hops: int) -> Flags:
    """Return which grids are out of band, or so near to one."""
    active: Flags = _offs(terrain, label) > band
    one, two = label[terrain.graph.start], label[terrain.graph.beside]
    for _ in range(hops):
        near = active.copy()
        near[two[active[one]]] = True
        active = near
    return active


def _anneal(terrain: Terrain, label: Ints, band: float, *, seed: int, heat: float = _HEAT) -> Ints:
    steps = min(max(STEPS_A_BLOCK * len(label), _LEAST_STEPS), _MOST_STEPS)
    knobs = [steps, band, _LOAD_PRICE, _LOAD_PRICE_LAST, 1.0, 0.0, heat]
    everywhere = np.ones(int(label.max()) + 1, np.bool_)
    return _flip(terrain, label, np.full(len(label), _NONE, np.int64), everywhere, knobs, seed)


def _flip(
    terrain: Terrain, label: Ints, home: Ints, free: Flags, knobs: list[float], seed: int
) -> Ints:
    graph, found = terrain.graph, label.astype(np.int64)
    flip_borders(
        graph.begin,
        graph.beside,
        graph.shared_m,
        np.vstack([terrain.loads, graph.rim_m, graph.area_m2]),
        found,
        home.astype(np.int64),
        free,
        terrain.targets(label),
        np.array(knobs, np.float64),
        seed,
    )
    return found
