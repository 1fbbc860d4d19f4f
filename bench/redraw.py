"""Benchmark: redrawing the grids, edits and proposals, beside what others propose with."""

from __future__ import annotations

import gc
import time
from collections import Counter
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import Any

import numpy as np
import shapely

from bench.contest import Row, find_peer, make_row
from bench.made_up_land import Land, make_land
from bench.random_edits import random_edit
from geodata.errors import BadGrid
from geodata.redraw import Blocks, Draft, apply_edit, open_draft, prove_draft
from geodata.redraw.adjacency import find_adjacency
from geodata.redraw.engine import least_change, shape_up, warm
from geodata.redraw.measures import Measures, measure_labels
from geodata.redraw.proposals import Proposal, propose, survey_blocks

BLOCKS, GRIDS, COMMUNITIES = 5000, 1100, 120
PROPOSED = 100
SEEDS = 5
LONG_RUN = 10_000
_DRIFT = 1e-8
_P50_S, _P99_S, _WORST_S = 0.005, 0.020, 0.050
_PROPOSAL_S, _REBALANCE_S = 2.0, 1.5
_BAND, _ROUND = 0.05, 0.57
_MOVED = {0.1: 0.05, 0.2: 0.02}  # band: the share of the load that may move
_CHAIN_STEPS = 200


@dataclass(frozen=True, kw_only=True)
class Walk:
    """What a run of random edits took (s of processor each), and what held at its end."""

    taken: np.ndarray
    elapsed: np.ndarray
    refused: Counter[str]
    exact: bool
    drift: float
    vertices: float  # at the end, as a share of those at the start
    undone: bool


def run_redraw(*, edits: int, rounds: int) -> Iterator[Row]:
    """
    Measure edits and proposals; yield the rows of `bench --json`.

    Seconds are of the processor, for the machine is shared; the note says the elapsed ones and the
    load. `equal` tells whether every proof held: the tiling, the drift, undo to the same bytes.
    """
    land = make_land(blocks=BLOCKS, grids=GRIDS, communities=COMMUNITIES)
    warm()
    # As a server should once it has started: else now and then one edit waits for the collector to
    # walk over every module of the process, some 100 to 200 ms.
    gc.collect()
    gc.freeze()
    walks = [walk_draft(open_land(land), edits, seed=seed) for seed in range(rounds)]
    yield from _tell_walks(walks, edits)
    yield from _tell_walks([walk_draft(open_land(land), LONG_RUN, seed=99)], LONG_RUN)
    yield from measure_proposals(land, seeds=rounds)
    yield from measure_rebalance(land)


def open_land(land: Land) -> Draft:
    """Return a draft of made-up land with its blocks."""
    return open_draft(land.frame, blocks=Blocks(shapes=land.blocks, loads=land.loads))


def walk_draft(draft: Draft, edits: int, *, seed: int) -> Walk:
    """Make so many accepted random edits, prove the draft, and take them all back."""
    rng = np.random.default_rng(seed)
    start, corners = _read_bytes(draft), _count_corners(draft)
    taken, elapsed, refused = [], [], Counter[str]()
    while len(draft.done) < edits:
        edit = random_edit(draft, rng)
        began, clock = time.process_time(), time.perf_counter()
        try:
            apply_edit(draft, edit)
        except BadGrid as error:
            refused[error.faults[0].key] += 1
            continue
        taken.append(time.process_time() - began)
        elapsed.append(time.perf_counter() - clock)
    proof, vertices = prove_draft(draft), _count_corners(draft) / corners
    while draft.done:
        draft.undo()
    return Walk(
        taken=np.array(taken),
        elapsed=np.array(elapsed),
        refused=refused,
        exact=proof.ok,
        drift=proof.drift,
        vertices=vertices,
        undone=_read_bytes(draft) == start,
    )


def measure_proposals(land: Land, *, seeds: int, grids: int = PROPOSED) -> list[Row]:
    """Measure three plans from nothing with each seed, and what peers propose."""
    blocks = Blocks(shapes=land.blocks, loads=land.loads)
    rows, worst = [], (1.0, 0.0)
    for seed in range(seeds):
        taken, plans = _time(lambda seed=seed: propose(blocks, grids=grids, band=_BAND, seed=seed))
        plan: Proposal = plans.plan("best_shape")
        good = plan.measures.max_dev <= _BAND and plan.measures.roundness >= _ROUND
        worst = min(worst, (plan.measures.roundness, plan.measures.max_dev))
        rows.append(
            _row(
                f"three plans, {len(blocks):,} blocks to {grids} grids, seed {seed}",
                n=len(blocks), seconds=taken, asked=_PROPOSAL_S, good=good,
                equal=plan.measures.parts_over == 0, note=_tell_plans(plans.plans),
            )
        )  # fmt: skip
    ours = float(np.median([_time(lambda seed=seed: _one_plan(blocks, grids, seed))[0]
                            for seed in range(seeds)]))  # fmt: skip
    for name, propose_with in _PEERS.items():
        rows.append(_meet_peer(name, propose_with, land, grids, ours, worst))
    return rows


def _one_plan(blocks: Blocks, grids: int, seed: int) -> np.ndarray:
    """Return the labels of the best shape alone: peers propose one plan, not three."""
    terrain = survey_blocks(
        blocks, np.arange(len(blocks)), walls=(), group=None, grids=grids, today=None
    )
    return shape_up(terrain, None, _BAND, seed=seed)


def measure_rebalance(land: Land, *, grids: int = PROPOSED) -> list[Row]:
    """Measure how little moves when the load has drifted since the grids were drawn."""
    today = (
        propose(Blocks(shapes=land.blocks, loads=land.loads), grids=grids, band=0.03, seed=0)
        .plan("best_shape")
        .owner
        + grids
        + 2
    )  # uids that are no marks
    rows = []
    for band, most in _MOVED.items():
        found = [_rebalance(land, today, band, drift=drift) for drift in range(SEEDS)]
        moved = [least.moved for _, least, _ in found]
        rows.append(
            _row(
                f"rebalance from today, {band:.0%} band, {SEEDS} drifts",
                n=len(land.blocks), seconds=max(taken for taken, _, _ in found),
                asked=_REBALANCE_S,
                good=max(moved) <= most,
                equal=all(least.parts_over == 0 for _, least, _ in found),
                note=f"moves {max(moved):.2%} of the load at most (asked {most:.0%}), half the time"
                f" {float(np.median(moved)):.2%}; each: "
                + ", ".join(
                    f"{least.moved:.2%} of at least {floor:.2%}, {least.outside} out of band,"
                    f" {least.changed} changed, roundness {least.roundness:.3f}"
                    for _, least, floor in found
                ),
            )
        )  # fmt: skip
    return rows


def drift_loads(land: Land, *, seed: int) -> np.ndarray:
    """Return the loads some years on: noise everywhere, four quarters that have grown."""
    rng = np.random.default_rng(seed)
    loads = land.loads * rng.lognormal(0, 0.25, len(land.loads))
    xy = shapely.get_coordinates(shapely.centroid(land.blocks)) / 1000
    for place in xy[rng.integers(0, len(xy), 4)]:
        loads = loads * (1 + 0.8 * np.exp(-((xy - place) ** 2).sum(axis=1) / (2 * 350**2)))
    return loads


def _rebalance(
    land: Land, today: np.ndarray, band: float, *, drift: int
) -> tuple[float, Measures, float]:
    """Return the seconds that the least change took, its measures, and what must move at least."""
    loads = drift_loads(land, seed=drift)
    began = time.process_time()
    terrain = survey_blocks(
        Blocks(shapes=land.blocks, loads=loads), np.arange(len(loads)), walls=(), group=None,
        grids=None, today=today,
    )  # fmt: skip
    label = least_change(terrain, terrain.fit_home(today), band, seed=1)
    taken = time.process_time() - began
    names = terrain.name_grids(label, today)
    measures = measure_labels(terrain, label, band=band, before=today, names=names)
    share = np.bincount(np.unique(today, return_inverse=True)[1], weights=loads) / loads.sum()
    mean = 1 / len(share)
    over, under = share - mean * (1 + band), mean * (1 - band) - share
    floor = max(float(np.maximum(over, 0).sum()), float(np.maximum(under, 0).sum()))
    return taken, measures, floor


# --- how it is told ------------------------------------------------------------------------------


def _tell_walks(walks: list[Walk], edits: int) -> list[Row]:
    taken = np.concatenate([walk.taken for walk in walks])
    elapsed = np.concatenate([walk.elapsed for walk in walks])
    held = all(walk.exact and walk.undone and walk.drift <= _DRIFT for walk in walks)
    refused = sum((walk.refused for walk in walks), Counter[str]())
    said = (
        f"drift {max(walk.drift for walk in walks):.1e}, vertices x"
        f" {max(walk.vertices for walk in walks):.2f}, {refused.total():,} refused"
    )
    asked = (("half", 0.5, _P50_S), ("99 of 100", 0.99, _P99_S), ("the slowest", 1.0, _WORST_S))
    return [
        _row(
            f"{edits:,} edits x {len(walks)} seeds, {GRIDS:,} grids: {name} within",
            n=len(taken), seconds=float(np.quantile(taken, share)), asked=most, equal=held,
            note=f"elapsed {np.quantile(elapsed, share) * 1e3:.1f} ms; {said}",
        )
        for name, share, most in asked
    ]  # fmt: skip


def _tell_plans(plans: tuple[Proposal, ...]) -> str:
    return "; ".join(
        f"{plan.kind.replace('_', ' ')} {plan.measures.max_dev:.1%} {plan.measures.roundness:.3f}"
        for plan in plans
    )


def _row(case: str, **measured: Any) -> Row:
    return make_row("redraw", case, **measured)


def _meet_peer(
    name: str,
    propose_with: Callable[[Land, int], np.ndarray | None],
    land: Land,
    grids: int,
    ours: float,
    best: tuple[float, float],
) -> Row:
    """Return the row of one peer: reached where ours is faster, rounder and within the band."""
    began = time.process_time()
    label = propose_with(land, grids)
    taken = time.process_time() - began
    round_, off = best
    row = _row(
        f"one plan, {len(land.blocks):,} blocks to {grids} grids: beside {name}",
        n=len(land.blocks), seconds=ours, asked=_PROPOSAL_S, equal=True, note="",
    )  # fmt: skip
    row |= {"peer": name, "equal": None}
    if label is None:
        return row | {"note": f"peer not installed{row['note']}", "reached": False}
    theirs_off, theirs_round, over = measure_plan(land, label)
    note = (
        f"ours {off:.1%} {round_:.3f}, theirs {theirs_off:.1%} {theirs_round:.3f},"
        f" {over} parts too many{row['note']}"
    )
    better = ours <= taken and round_ >= theirs_round and off <= max(theirs_off, _BAND)
    return row | {
        "note": note, "peer_s": round(taken, 3), "ratio": round(taken / ours, 2),
        "reached": better,
    }  # fmt: skip


def measure_plan(land: Land, label: np.ndarray) -> tuple[float, float, int]:
    """Return the largest difference from the mean load, the mean roundness, parts too many."""
    graph = find_adjacency(land.blocks)
    number = np.unique(label, return_inverse=True)[1]
    load = np.bincount(number, weights=land.loads)
    start, k = graph.start, int(number.max()) + 1
    same = number[start] == number[graph.beside]
    inner = np.bincount(number[start[same]], weights=graph.shared_m[same], minlength=k)
    rim = np.bincount(number, weights=graph.rim_m, minlength=k) - inner
    area = np.bincount(number, weights=graph.area_m2, minlength=k)
    round_ = float((4 * np.pi * area / rim**2).mean())
    off = float(np.abs(load / load.mean() - 1).max())
    return off, round_, graph.count_parts(number) - k


def _time(work: Callable[[], Any]) -> tuple[float, Any]:
    began = time.process_time()
    answer = work()
    return time.process_time() - began, answer


def _read_bytes(draft: Draft) -> dict[int, bytes]:
    return {uid: shapely.to_wkb(grid.shape) for uid, grid in draft.grids.items()}


def _count_corners(draft: Draft) -> int:
    return int(shapely.get_num_coordinates(draft.shapes(draft.grids)).sum())


# --- who takes part ------------------------------------------------------------------------------


def _propose_with_gerrychain(land: Land, grids: int) -> np.ndarray | None:
    """Return GerryChain's tree seed and some greedy ReCom steps for fewer cut edges."""
    gerrychain = find_peer("gerrychain")
    if gerrychain is None:
        return None
    from functools import partial

    import networkx

    graph = find_adjacency(land.blocks)
    plain = networkx.Graph()
    for node, load in enumerate(land.loads.tolist()):
        plain.add_node(node, load=load)
    plain.add_edges_from(zip(graph.start.tolist(), graph.beside.tolist(), strict=True))
    whole = gerrychain.Graph.from_networkx(plain)
    target = float(land.loads.sum()) / grids
    seed = gerrychain.partition.recursive_tree_part(
        whole, range(grids), pop_target=target, pop_col="load", epsilon=_BAND, rng=1
    )
    parts = gerrychain.Partition(
        whole,
        assignment=seed,
        updaters={
            "load": gerrychain.updaters.Tally("load", alias="load"),
            "cut_edges": gerrychain.updaters.cut_edges,
        },
    )
    recom = partial(
        gerrychain.proposals.recom, pop_col="load", pop_target=target, epsilon=_BAND,
        node_repeats=0,
        # Two grids that no tree parts evenly are left: it would try a hundred thousand trees.
        bipartition_tree_fn=partial(
            gerrychain.tree.bipartition_tree, max_attempts=100, allow_pair_reselection=True
        ),
    )  # fmt: skip
    chain = gerrychain.MarkovChain(
        proposal_fn=recom, constraints=[],
        acceptance_fn=_cuts_less,
        initial_partition=parts, total_steps=_CHAIN_STEPS, rng=1,
    )  # fmt: skip
    for state in chain:
        parts = state
    return np.array([parts.assignment[node] for node in range(len(land.loads))])


def _cuts_less(new: Any, *, rng: Any) -> bool:
    del rng
    return len(new["cut_edges"]) <= len(new.parent["cut_edges"])


def _propose_with_spopt(land: Land, grids: int) -> np.ndarray | None:
    """Return spopt's fastest regions of so many grids: Ward's, which knows no sum of loads."""
    region = find_peer("spopt.region")
    if region is None:
        return None
    import geopandas
    import libpysal

    graph = find_adjacency(land.blocks)
    beside = {
        block: graph.beside[graph.begin[block] : graph.begin[block + 1]].tolist()
        for block in range(len(graph))
    }
    frame = geopandas.GeoDataFrame({"load": land.loads}, geometry=land.blocks)
    model = region.WardSpatial(frame, libpysal.weights.W(beside), ["load"], grids)
    model.solve()
    return np.asarray(model.labels_)


_PEERS: dict[str, Callable[[Land, int], np.ndarray | None]] = {
    "GerryChain": _propose_with_gerrychain,
    "spopt": _propose_with_spopt,
}
