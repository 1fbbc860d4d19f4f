"""The boundary check: gaps, overlaps, slivers, nesting, tri-junctions, codes of a set of grids."""

from __future__ import annotations

from collections import Counter

import geopandas as gpd
import numpy as np
import shapely
from numpy.typing import NDArray

from geodata.codes import CodeRule, check_order, find_duplicates, find_prefix_parents
from geodata.coverage.edges import Geometries, Ints
from geodata.coverage.faces import build_faces, find_slots
from geodata.coverage.findings import GapFindings, OverlapFindings, Sheet, find_gaps, find_overlaps
from geodata.coverage.junctions import find_junctions
from geodata.coverage.nesting import check_nesting
from geodata.coverage.polygons import clean_polygons, inner_xy
from geodata.coverage.report import (
    HAIRLINE_M,
    JUNCTION_M,
    MIN_AREA_M2,
    NEST_SHARE,
    SLIVER_M,
    CodeReport,
    CoverageReport,
    Limits,
    Sliver,
    Tally,
    TriJunction,
)
from geodata.errors import BadGrid, Fault
from geodata.levels import LEVELS, find_parent_rows, leaf_mask, levels_of, special_mask


def check_coverage(
    grids: gpd.GeoDataFrame,
    *,
    min_area_m2: float = MIN_AREA_M2,
    hairline_m: float = HAIRLINE_M,
    sliver_m: float = SLIVER_M,
    junction_m: float = JUNCTION_M,
    nest_share: float = NEST_SHARE,
    code_rule: CodeRule | None = None,
) -> CoverageReport:
    """
    Check whether grids cover their land once, nest in their parents and have good codes.

    Needs a metric CRS and the columns code, geometry; level, parent (codes, or uids beside a uid
    column) and kind are read where present. Invalid polygons are repaired for the check and named;
    rows without usable geometry are named and left out. Each level is checked by itself, together
    with the branches that end further out. Raises BadGrid for a missing column or CRS.
    """
    limits = Limits(
        min_area_m2=min_area_m2,
        hairline_m=hairline_m,
        sliver_m=sliver_m,
        junction_m=junction_m,
        nest_share=nest_share,
    )
    check_frame(grids)
    polygons, invalid, unusable = clean_polygons(grids.geometry.to_numpy())
    codes = grids["code"].astype(str).to_numpy(dtype=str)
    levels = np.array(levels_of(grids))
    parents = find_parent_rows(grids)
    special = special_mask(grids)
    gaps: list[GapFindings] = []
    overlaps: list[OverlapFindings] = []
    junctions: list[tuple[int, tuple[TriJunction, ...]]] = []
    for level, rows in coverage_rows(levels, parents, ~unusable):
        sheet = Sheet(
            level=level, codes=codes[rows], special=special[rows], polygons=polygons[rows]
        )
        faces = build_faces(sheet.polygons)
        slots = find_slots(faces, sheet.polygons, widths=(limits.hairline_m, limits.slot_m))
        gaps.append(find_gaps(sheet, faces, slots, limits=limits))
        overlaps.append(find_overlaps(sheet, faces, limits=limits))
        junctions.append(find_junctions(sheet, faces, limits=limits))
    return CoverageReport(
        limits=limits,
        grids=len(grids),
        levels=dict(Counter(levels.tolist())),
        gaps=tuple(gap for here in gaps for gap in here.records),
        overlaps=tuple(overlap for here in overlaps for overlap in here.records),
        hairline_gaps=sum((here.hairlines for here in gaps), Tally()),
        hairline_overlaps=sum((here.hairlines for here in overlaps), Tally()),
        slivers=_find_slivers(polygons, codes, levels, limits),
        nesting=check_nesting(polygons, codes, levels, parents, limits=limits),
        tri_junctions=tuple(place for _, places in junctions for place in places),
        good_junctions=sum(good for good, _ in junctions),
        codes=_check_codes(polygons, codes, levels, parents, code_rule),
        invalid=tuple(codes[invalid].tolist()),
        unusable=tuple(codes[unusable].tolist()),
    )


def check_frame(grids: gpd.GeoDataFrame) -> None:
    """Raise BadGrid unless the frame has codes and geometry in a CRS that counts in metres."""
    faults = []
    if "code" not in grids.columns:
        faults.append(Fault(key="grid_no_code", values={"columns": tuple(grids.columns)}))
    crs = grids.crs
    if crs is None or not crs.is_projected or crs.axis_info[0].unit_conversion_factor != 1.0:
        name = "-" if crs is None else crs.name
        faults.append(Fault(key="grid_crs_not_metric", values={"crs": name}))
    if faults:
        raise BadGrid(faults)


def coverage_rows(
    levels: NDArray[np.str_], parents: Ints, usable: NDArray[np.bool_]
) -> list[tuple[str, Ints]]:
    """
    Return, level by level from outside, the rows that should tile the land together.

    Where the grids form a tree, a branch that ends at an outer level (a community without grids)
    stands in for its missing inner ones.
    """
    present = set(levels.tolist())
    names = [level for level in LEVELS if level in present] + sorted(present - set(LEVELS))
    ends_here = leaf_mask(parents) if (parents >= 0).any() else np.zeros(len(levels), dtype=bool)
    found = []
    for level in names:
        outside = LEVELS[: LEVELS.index(level)] if level in LEVELS else ()
        member = (levels == level) | (np.isin(levels, outside) & ends_here)
        rows = np.flatnonzero(member & usable)
        if len(rows):
            found.append((level, rows))
    return found


def _find_slivers(
    polygons: Geometries, codes: NDArray[np.str_], levels: NDArray[np.str_], limits: Limits
) -> tuple[Sliver, ...]:
    parts, row = shapely.get_parts(polygons, return_index=True)
    area = shapely.area(parts)
    length = shapely.length(parts)
    width = np.divide(2 * area, length, out=np.zeros_like(area), where=length > 0)
    thin = np.flatnonzero((area > 0) & (width < limits.sliver_m))
    part_count = np.bincount(row, minlength=len(polygons))
    xy = inner_xy(parts[thin])
    return tuple(
        Sliver(
            level=str(levels[row[part]]),
            code=str(codes[row[part]]),
            area_m2=float(area[part]),
            width_m=float(width[part]),
            whole=bool(part_count[row[part]] == 1),
            fault=bool(area[part] > limits.min_area_m2 or part_count[row[part]] == 1),
            x=float(x),
            y=float(y),
        )
        for part, (x, y) in zip(thin.tolist(), xy, strict=True)
    )


def _check_codes(
    polygons: Geometries,
    codes: NDArray[np.str_],
    levels: NDArray[np.str_],
    parents: Ints,
    rule: CodeRule | None,
) -> CodeReport:
    texts = codes.tolist()
    parent_codes = [texts[row] if row >= 0 else "" for row in parents.tolist()]
    if rule is not None and not any(parent_codes):
        keys = [rule.split(code) for code in texts]
        parent_codes = ["".join(list(key.values())[:-1]) if key else "" for key in keys]
    centre = shapely.get_coordinates(shapely.centroid(shapely.envelope(polygons)))
    usable = ~shapely.is_empty(polygons)
    rows = np.flatnonzero(usable)
    order = check_order(
        [texts[row] for row in rows], [parent_codes[row] for row in rows], *centre.T
    )
    unread = tuple(code for code in texts if rule is not None and rule.level(code) is None)
    return CodeReport(
        duplicates=tuple(find_duplicates(texts, levels.tolist())),
        unread=unread,
        order=tuple(order),
        prefix_breaks=_prefix_breaks(texts, parents, rule),
    )


def _prefix_breaks(
    texts: list[str], parents: Ints, rule: CodeRule | None
) -> tuple[tuple[str, str], ...]:
    """Return code, parent where the rule's digits name another parent than the tree does."""
    if rule is None:
        return ()
    named = find_prefix_parents(texts, texts, rule=rule)
    differ = np.flatnonzero((named >= 0) & (parents >= 0) & (named != parents))
    return tuple((texts[row], texts[parents[row]]) for row in differ.tolist())
