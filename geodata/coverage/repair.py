"""The boundary repair: hairlines closed, special grids carved out, levels rebuilt in whole mm."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import Any, Literal

import geopandas as gpd
import numpy as np
import shapely
from numpy.typing import NDArray

from geodata.codes import find_duplicates
from geodata.coverage import check_frame
from geodata.coverage.edges import (
    MM2_PER_M2,
    MM_PER_M,
    EdgeProof,
    Floats,
    Geometries,
    Ints,
    edges_match,
    to_m,
)
from geodata.coverage.faces import Faces, build_faces, find_slots, rows_by
from geodata.coverage.findings import GapFindings, OverlapFindings, Sheet, find_gaps, find_overlaps
from geodata.coverage.ownerless import drop_crumbs, fill_gaps, resolve_overlaps
from geodata.coverage.polygons import clean_polygons, wide_area
from geodata.coverage.report import (
    HAIRLINE_M,
    MIN_AREA_M2,
    Gap,
    Limits,
    Overlap,
    Tally,
    duplicate_fault,
    pair_fault,
)
from geodata.errors import BadGrid, Fault
from geodata.levels import (
    LEVELS,
    code_ranks,
    find_parent_rows,
    leaf_mask,
    levels_of,
    special_mask,
)

GRID_MM = 1.0
MAX_CLOSINGS = 5  # passes over the outline; two have been enough on every file seen
Overlaps = Literal["refuse", "cut"]


@dataclass(frozen=True, slots=True, kw_only=True)
class Change:
    """What a repair did to one grid, in m2."""

    code: str
    level: str
    before_m2: float
    after_m2: float
    gained_m2: float
    lost_m2: float

    def as_json(self) -> dict[str, Any]:
        """Return plain values."""
        return {name: getattr(self, name) for name in self.__slots__}


@dataclass(frozen=True, slots=True, kw_only=True)
class RepairReport:
    """Everything a repair did, what it left, and the proof that the finest grids tile."""

    changes: tuple[Change, ...]  # grids whose land changed, largest change first
    closed: Tally  # gaps given to a neighbour
    settled: Tally  # pairs of grids whose small overlap went to the smaller code
    crumbs: Tally  # cut-off parts below the area limit, given to a neighbour
    carved: tuple[Overlap, ...]  # special grids cut out of general ones
    cut: tuple[Overlap, ...]  # overlaps above the limit, given to the smaller code
    gaps_left: tuple[Gap, ...]  # blind zones and enclaves
    overlaps_left: tuple[Overlap, ...]  # only with overlaps="refuse"
    invalid: tuple[str, ...]  # codes of polygons that had to be made valid
    rebuilt: int  # outer grids made anew as the union of their children
    proof: EdgeProof

    @property
    def repaired_area_m2(self) -> float:
        """Return the area that changed hands, each piece once."""
        return self.closed.area_m2 + self.settled.area_m2 + self.crumbs.area_m2

    def faults(self) -> list[Fault]:
        """Return the overlaps that refuse the drawing."""
        return [pair_fault("grid_overlap", found) for found in self.overlaps_left]

    def as_json(self) -> dict[str, Any]:
        """Return plain values."""
        return {
            "changes": [found.as_json() for found in self.changes],
            "closed": self.closed.as_json(),
            "settled": self.settled.as_json(),
            "crumbs": self.crumbs.as_json(),
            "carved": [found.as_json() for found in self.carved],
            "cut": [found.as_json() for found in self.cut],
            "gaps_left": [found.as_json() for found in self.gaps_left],
            "overlaps_left": [found.as_json() for found in self.overlaps_left],
            "invalid": list(self.invalid),
            "rebuilt": self.rebuilt,
            "repaired_area_m2": self.repaired_area_m2,
            "proof": self.proof.as_json(),
        }


@dataclass(frozen=True, slots=True, kw_only=True)
class _Mended:
    """One sheet of grids after its repair; arrays follow the sheet's grids, areas in m2."""

    polygons_mm: Geometries
    gained: Floats
    lost: Floats
    gaps: GapFindings
    overlaps: OverlapFindings
    crumbs: Tally


def repair_coverage(
    grids: gpd.GeoDataFrame,
    *,
    min_area_m2: float = MIN_AREA_M2,
    hairline_m: float = HAIRLINE_M,
    overlaps: Overlaps = "refuse",
) -> tuple[gpd.GeoDataFrame, RepairReport]:
    """
    Return the grids as an exact tiling in whole millimetres, and what was done to get there.

    Takes the columns of `check_coverage`. The lines of all finest grids are noded on the
    millimetre, every face gets one owner, and grids are put together again from their faces, so
    neighbours share the very same vertices. Gaps and overlaps up to `min_area_m2`, or nowhere
    wider than `hairline_m`, are repaired: an overlap goes to the smaller code, a gap to the
    neighbour with the longest border (of two about equal ones to the larger code, so that the line
    of the smaller code stands in both cases). Special grids are carved out of general ones.
    Larger gaps stay gaps; larger overlaps stay overlaps (the proof then fails and `faults()` says
    so), or with `overlaps="cut"` go to the smaller code. Every grid with children is then rebuilt
    as the union of its children. Raises BadGrid for duplicate codes, rows without land, and grids
    that another grid swallows whole.
    """
    check_frame(grids)
    limits = Limits(min_area_m2=min_area_m2, hairline_m=hairline_m)
    polygons, invalid, unusable = clean_polygons(grids.geometry.to_numpy())
    codes = grids["code"].astype(str).to_numpy(dtype=str)
    levels = np.array(levels_of(grids))
    _refuse_unfit(codes, levels, unusable)
    parents = find_parent_rows(grids)
    mended_mm = np.empty(len(grids), dtype=object)
    gained, lost = np.zeros(len(grids)), np.zeros(len(grids))
    sheets: list[_Mended] = []
    for rows in _sheet_rows(levels, parents, code_ranks(grids)):
        sheet = Sheet(
            level=str(levels[rows[-1]]),
            codes=codes[rows],
            special=special_mask(grids)[rows],
            polygons=polygons[rows],
        )
        mended = _mend_sheet(sheet, limits=limits, cut=overlaps == "cut")
        mended_mm[rows], gained[rows], lost[rows] = mended.polygons_mm, mended.gained, mended.lost
        sheets.append(mended)
    finest = leaf_mask(parents)
    proof = edges_match(mended_mm[finest])
    rebuilt = _rebuild_outer(mended_mm, levels, parents, exact=proof.ok)
    after = to_m(mended_mm)
    gained[rebuilt] = shapely.area(shapely.difference(after[rebuilt], polygons[rebuilt]))
    lost[rebuilt] = shapely.area(shapely.difference(polygons[rebuilt], after[rebuilt]))
    areas = (shapely.area(polygons), shapely.area(after), gained, lost)
    report = _report(sheets, _changes(codes, levels, areas), proof, cut=overlaps == "cut")
    repaired = grids.set_geometry(gpd.GeoSeries(after, index=grids.index, crs=grids.crs))
    return repaired, replace(report, invalid=tuple(codes[invalid].tolist()), rebuilt=len(rebuilt))


def _refuse_unfit(
    codes: NDArray[np.str_], levels: NDArray[np.str_], unusable: NDArray[np.bool_]
) -> None:
    faults = [duplicate_fault(found) for found in find_duplicates(codes.tolist(), levels.tolist())]
    faults += [
        Fault(key="grid_no_land", row=row + 1, values={"code": codes[row]})
        for row in np.flatnonzero(unusable).tolist()
    ]
    if faults:
        raise BadGrid(faults)


def _sheet_rows(levels: NDArray[np.str_], parents: Ints, ranks: Ints) -> list[Ints]:
    """Return rows to be repaired together, in code order: all leaves of a tree, else levels."""
    if (parents >= 0).any():
        groups = [np.flatnonzero(leaf_mask(parents))]
    else:
        groups = [np.flatnonzero(levels == level) for level in dict.fromkeys(levels.tolist())]
    return [rows[np.argsort(ranks[rows])] for rows in groups]


def _mend_sheet(sheet: Sheet, *, limits: Limits, cut: bool) -> _Mended:
    faces, slots = _build_mm_faces(sheet, limits)
    in_m = replace(
        faces,
        polygons=to_m(faces.polygons),
        area=faces.area / MM2_PER_M2,
        half_perimeter=faces.half_perimeter / MM_PER_M,
    )
    gaps = find_gaps(sheet, in_m, slots, limits=limits)
    overlaps = find_overlaps(sheet, in_m, limits=limits)
    left = np.zeros(len(overlaps.fault), dtype=bool) if cut else overlaps.fault
    owner, shared = resolve_overlaps(faces, sheet.special, (overlaps, left))
    uncovered = np.flatnonzero(faces.depth == 0)
    fill_gaps(faces, owner, uncovered[~gaps.stays[: len(uncovered)]])
    crumbs = drop_crumbs(faces, owner, shared, limit=limits.min_area_m2 * MM2_PER_M2)
    size = len(sheet.codes)
    held = np.flatnonzero(owner >= 0)
    face, grid = np.concatenate([held, shared[0]]), np.concatenate([owner[held], shared[1]])
    before = faces.cover_face * size + faces.cover_grid
    after = face * size + grid
    lost, gained = ~np.isin(before, after), ~np.isin(after, before)
    return _Mended(
        polygons_mm=_put_together(sheet, faces, face, grid),
        gained=_area_by(grid[gained], faces.area[face[gained]], size),
        lost=_area_by(faces.cover_grid[lost], faces.area[faces.cover_face[lost]], size),
        gaps=gaps,
        overlaps=overlaps,
        crumbs=Tally(count=len(crumbs), area_m2=float(crumbs.sum()) / MM2_PER_M2),
    )


def _build_mm_faces(sheet: Sheet, limits: Limits) -> tuple[Faces, Geometries]:
    """
    Return the faces on the millimetre, and the open slots too large to close, in metres.

    Slots that are to be closed become faces. Rounding them can leave thinner ones, so the outline
    is looked at again until it has none.
    """
    scaled = shapely.transform(sheet.polygons, lambda xy: xy * MM_PER_M)
    scaled, _, _ = clean_polygons(scaled)
    widths = (limits.hairline_m * MM_PER_M, limits.slot_m * MM_PER_M)
    faces = build_faces(scaled, grid_size=GRID_MM)
    for _ in range(MAX_CLOSINGS):
        slots = find_slots(faces, scaled, widths=widths)
        in_m = shapely.transform(slots, lambda xy: xy / MM_PER_M)
        wide = wide_area(in_m, width=limits.hairline_m, above=limits.min_area_m2)
        small = wide <= limits.min_area_m2
        if not small.any():
            break
        lines = np.append(shapely.boundary(slots[small]), faces.lines)
        faces = build_faces(scaled, grid_size=GRID_MM, lines=lines)
    return faces, in_m[~small]


def _put_together(sheet: Sheet, faces: Faces, face: Ints, grid: Ints) -> Geometries:
    """Return the union of each grid's faces; raises BadGrid for grids without any."""
    members = [face[rows] for rows in rows_by(grid, len(sheet.codes))]
    without = [code for code, rows in zip(sheet.codes, members, strict=True) if not len(rows)]
    if without:
        raise BadGrid([Fault(key="grid_swallowed", values={"code": code}) for code in without])
    whole = np.empty(len(members), dtype=object)
    for at, rows in enumerate(members):
        pieces = faces.polygons[rows]
        whole[at] = pieces[0] if len(rows) == 1 else shapely.coverage_union_all(pieces)
    return np.asarray(shapely.orient_polygons(whole, exterior_cw=False), dtype=object)


def _rebuild_outer(
    polygons_mm: Geometries, levels: NDArray[np.str_], parents: Ints, *, exact: bool
) -> Ints:
    """Make every grid with children the union of its children, from inside out; return its row."""
    inward = {level: place for place, level in enumerate(LEVELS)}
    children = rows_by(parents[parents >= 0], len(parents))
    child_rows = np.flatnonzero(parents >= 0)
    rows = [row for row in range(len(parents)) if len(children[row])]
    for row in sorted(rows, key=lambda row: -inward.get(str(levels[row]), 0)):
        parts = polygons_mm[child_rows[children[row]]]
        union = (
            shapely.coverage_union_all(parts)
            if exact
            else shapely.union_all(parts, grid_size=GRID_MM)
        )
        polygons_mm[row] = shapely.orient_polygons(union, exterior_cw=False)
    return np.array(rows, dtype=np.int64)


def _area_by(group: Ints, area_mm2: Floats, size: int) -> Floats:
    return np.asarray(np.bincount(group, weights=area_mm2, minlength=size) / MM2_PER_M2)


def _changes(
    codes: NDArray[np.str_],
    levels: NDArray[np.str_],
    areas: tuple[Floats, Floats, Floats, Floats],
) -> tuple[Change, ...]:
    before, after, gained, lost = areas
    changed = np.flatnonzero(gained + lost > 0)
    order = changed[np.argsort(-(gained + lost)[changed], kind="stable")]
    return tuple(
        Change(
            code=str(codes[row]),
            level=str(levels[row]),
            before_m2=float(before[row]),
            after_m2=float(after[row]),
            gained_m2=float(gained[row]),
            lost_m2=float(lost[row]),
        )
        for row in order.tolist()
    )


def _report(
    sheets: list[_Mended],
    changes: tuple[Change, ...],
    proof: EdgeProof,
    *,
    cut: bool,
) -> RepairReport:
    gaps = [gap for sheet in sheets for gap in sheet.gaps.records]
    closed = [gap for gap in gaps if not gap.fault and gap.kind != "enclave"]
    pairs = [pair for sheet in sheets for pair in sheet.overlaps.records]
    settled = [pair for pair in pairs if not pair.fault and pair.kind == "overlap"]
    large = tuple(pair for pair in pairs if pair.fault)
    return RepairReport(
        changes=changes,
        closed=sum((sheet.gaps.hairlines for sheet in sheets), _tally(closed)),
        settled=sum((sheet.overlaps.hairlines for sheet in sheets), _tally(settled)),
        crumbs=sum((sheet.crumbs for sheet in sheets), Tally()),
        carved=tuple(pair for pair in pairs if pair.kind == "special"),
        cut=large if cut else (),
        gaps_left=tuple(gap for gap in gaps if gap.fault or gap.kind == "enclave"),
        overlaps_left=() if cut else large,
        invalid=(),
        rebuilt=0,
        proof=proof,
    )


def _tally(found: list[Gap] | list[Overlap]) -> Tally:
    return Tally(count=len(found), area_m2=sum(record.area_m2 for record in found))
