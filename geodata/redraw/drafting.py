"""Proposals for a draft: the scope read off its grids, the plan written as ordinary edits."""

from __future__ import annotations

from collections.abc import Collection, Sequence

import numpy as np
import shapely
from scipy.sparse import coo_array
from scipy.sparse.csgraph import connected_components

from geodata.coverage.edges import Ints
from geodata.errors import BadGrid, Fault
from geodata.redraw.blocks import Blocks
from geodata.redraw.changes import Edit
from geodata.redraw.draft import Draft
from geodata.redraw.proposals import NOBODY, Proposal, Proposals, propose
from geodata.redraw.walls import Wall


def own_blocks(draft: Draft) -> Ints:
    """Return the uid of the grid with each block's inner point, -1 for none. Raises BadGrid."""
    if draft.blocks is None:
        raise BadGrid(Fault(key="redraw_no_blocks"))
    uids = sorted(draft.grids)
    block, grid = shapely.STRtree(draft.shapes(uids)).query(
        draft.blocks.inner, predicate="intersects"
    )
    owner = np.full(len(draft.blocks), NOBODY, np.int64)
    # Of several grids that meet at a point the smallest uid has it, as everywhere.
    owner[block[::-1]] = np.array(uids, np.int64)[grid[::-1]]
    return owner


def propose_for_draft(
    draft: Draft,
    *,
    scope: Collection[int] | None = None,
    grids: int | None = None,
    walls: Sequence[Wall] = (),
    band: float = 0.1,
    nested: bool = True,
    weighed: Blocks | None = None,
    seed: int = 0,
) -> Proposals:
    """
    Return three plans for the grids in `scope` (finest uids, or outer ones for all in them).

    `grids` is how many there should be (default: as many as today), `nested` keeps every grid in
    its outer grid. Locked grids keep their blocks. `weighed` are the draft's blocks with other
    loads. Raises BadGrid without blocks, BadSetting.
    """
    home = own_blocks(draft)
    if scope is not None:
        home = np.where(np.isin(home, sorted(find_leaves(draft, scope))), home, NOBODY)
    parents = np.array([draft.grids[uid].parent if uid >= 0 else NOBODY for uid in home.tolist()])
    locked = [uid for uid in np.unique(home[home >= 0]).tolist() if draft.is_locked(uid)]
    assert draft.blocks is not None
    return propose(
        weighed or draft.blocks,
        grids=grids,
        home=home,
        group=parents if nested else None,
        walls=walls,
        band=band,
        locked=locked,
        seed=seed,
    )


def find_leaves(draft: Draft, uids: Collection[int]) -> set[int]:
    """Return the finest grids among some uids and below them. Raises BadGrid for an unknown one."""
    wanted = set(uids)
    for uid in wanted - set(draft.outer):
        draft.grid(uid)
    found = set()
    for uid, grid in draft.grids.items():
        above: set[int] = {uid}
        at = grid.parent
        while at in draft.outer:
            above.add(at)
            at = draft.outer[at].parent
        if above & wanted:
            found.add(uid)
    return found


def write_edits(draft: Draft, proposal: Proposal, *, across: bool = False) -> list[Edit]:
    """
    Return a plan as edits: one `assign` for each group of grids that hand blocks to one another.

    Each can be applied, looked at and undone by itself, in any order. Grids that are new get the
    draft's next uids. Raises BadGrid without blocks.
    """
    today = own_blocks(draft)
    moved = np.flatnonzero((proposal.owner != today) & (proposal.owner != NOBODY) & (today >= 0))
    if not len(moved):
        return []
    before, after = today[moved], proposal.owner[moved]
    new = np.unique(after[after < NOBODY])[::-1]
    after = after.copy()
    for place, name in enumerate(new.tolist()):
        after[after == name] = draft.next_uid + place
    uids, numbers = np.unique(np.concatenate([before, after]), return_inverse=True)
    one, two = np.split(numbers, 2)
    shape = (len(uids), len(uids))
    graph = coo_array((np.ones(len(one)), (one, two)), shape=shape)
    group = connected_components(graph, directed=False)[1][one]
    edits: list[Edit] = []
    for number in np.unique(group).tolist():
        rows = np.flatnonzero(group == number)
        blocks = {
            str(uid): np.sort(moved[rows[after[rows] == uid]]).tolist()
            for uid in np.unique(after[rows]).tolist()
        }
        edits.append({"op": "assign", "blocks": blocks, "across": across})
    return edits
