"""The proof of a draft: it tiles what its base tiled, edge by edge, and every grid is whole."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np
import shapely

from geodata.coverage.edges import MM2_PER_M2, EdgeProof, edges_match, to_mm
from geodata.levels import find_parent_rows, leaf_mask
from geodata.redraw.draft import Draft
from geodata.redraw.patch import keeps_outline

OUTLINE_MM = 10.0  # nodes set between nodes are each rounded, so a few millimetres may add up


@dataclass(frozen=True, slots=True, kw_only=True)
class DraftProof:
    """
    What holds of a draft. All but `drift` is decided on whole numbers.

    `outline_kept`: the open lines, those of gaps too, are the base's, but for nodes set into them.
    Where they are not, `new_gap_m2` is how much more land inside the outline no grid covers.
    `drift` is the change of all grids' area, as a share: nodes set into the outer line are rounded
    to the millimetre. `broken` are the uids of grids that are no valid polygon.
    """

    edges: EdgeProof
    outline_kept: bool
    new_gap_m2: float
    drift: float
    broken: tuple[int, ...]

    @property
    def ok(self) -> bool:
        """Tell whether the draft may be published as far as its lines go."""
        return self.edges.ok and self.outline_kept and not self.broken

    def as_json(self) -> dict[str, Any]:
        """Return plain values."""
        return {
            "ok": self.ok,
            "outline_kept": self.outline_kept,
            "new_gap_m2": self.new_gap_m2,
            "drift": self.drift,
            "broken": list(self.broken),
            "edges": self.edges.as_json(),
        }


def prove_draft(draft: Draft) -> DraftProof:
    """
    Prove that the finest grids of a draft tile their land: no gap, no overlap.

    Every inner edge meets its reverse and the rest encloses exactly the area of all grids (the
    chain test of `geodata.coverage.edges.edges_match`), and what they enclose is the base's land.
    """
    uids = sorted(draft.grids)
    shapes = draft.shapes(uids)
    leaf = leaf_mask(find_parent_rows(draft.base))
    base = to_mm(draft.base.geometry.to_numpy()[leaf])
    was, now = edges_match(base), edges_match(shapes)
    sound = shapely.is_valid(shapes) & ~shapely.is_empty(shapes)
    kept = keeps_outline(base, shapes, within_mm=OUTLINE_MM)
    gap = 0.0 if kept else max(now.gap_mm2 - was.gap_mm2, 0.0)
    return DraftProof(
        edges=now,
        outline_kept=kept,
        new_gap_m2=gap / MM2_PER_M2,
        drift=abs(now.grids_mm2 - was.grids_mm2) / was.grids_mm2 if was.grids_mm2 else 0.0,
        broken=tuple(np.array(uids, np.int64)[~sound].tolist()),
    )
