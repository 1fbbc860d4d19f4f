"""Gaps and overlaps read off the faces of a set of grids, and which of them are faults."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import shapely
from numpy.typing import NDArray

from geodata.coverage.edges import Floats, Geometries, Ints
from geodata.coverage.faces import Faces, join_pairs, rows_by, sum_by
from geodata.coverage.polygons import inner_xy, wide_area
from geodata.coverage.report import Gap, Limits, Overlap, Tally

Mask = NDArray[np.bool_]


@dataclass(frozen=True, slots=True, kw_only=True)
class Sheet:
    """A set of grids that should tile the land: polygons in metres, codes, who is special."""

    level: str
    codes: NDArray[np.str_]
    special: Mask
    polygons: Geometries


@dataclass(frozen=True, slots=True, kw_only=True)
class GapFindings:
    """The gaps of a sheet. The masks follow the uncovered faces, then the slots."""

    shapes: Geometries
    hairline: Mask
    fault: Mask
    enclave: Mask
    records: tuple[Gap, ...]

    @property
    def stays(self) -> Mask:
        """Tell which gaps no repair closes."""
        return self.fault | self.enclave

    @property
    def hairlines(self) -> Tally:
        """Return number and area of the hairlines, which have no record each."""
        area = shapely.area(self.shapes[self.hairline])
        return Tally(count=len(area), area_m2=float(area.sum()))


@dataclass(frozen=True, slots=True, kw_only=True)
class OverlapFindings:
    """The overlaps of a sheet, pair by pair; `face` and `pair` link faces to rows of the others."""

    face: Ints
    pair: Ints
    first: Ints  # the grid with the smaller code
    second: Ints
    fault: Mask
    special: Mask  # a special grid over a general one
    hairlines: Tally
    records: tuple[Overlap, ...]


def find_gaps(sheet: Sheet, faces: Faces, slots: Geometries, *, limits: Limits) -> GapFindings:
    """
    Sort uncovered faces and open slots into faults, enclaves and repairs. All in metres.

    A gap is a fault when the part of it that is wider than a hairline is above the area limit;
    when it lies in one grid alone it is an enclave instead.
    """
    rows = np.flatnonzero(faces.depth == 0)
    shapes = np.concatenate([faces.polygons[rows], slots])
    is_slot = np.arange(len(shapes)) >= len(rows)
    row, grid = faces.grids_beside(rows)
    at, who = shapely.STRtree(sheet.polygons).query(
        slots, predicate="dwithin", distance=limits.hairline_m
    )
    row, grid = np.concatenate([row, at + len(rows)]), np.concatenate([grid, who])
    area = shapely.area(shapes)
    width = 2 * area / shapely.length(shapes)
    wide = wide_area(shapes, width=limits.hairline_m, above=limits.min_area_m2)
    too_large = wide > limits.min_area_m2
    enclave = too_large & ~is_slot & (np.bincount(row, minlength=len(shapes)) == 1)
    hairline = ~too_large & (width < limits.hairline_m)
    beside = [sheet.codes[grid[rows]].tolist() for rows in rows_by(row, len(shapes))]
    keep = np.flatnonzero(~hairline)
    keep = keep[np.argsort(-area[keep], kind="stable")]
    records = tuple(
        Gap(
            level=sheet.level,
            kind="slot" if is_slot[at] else "enclave" if enclave[at] else "gap",
            area_m2=float(area[at]),
            width_m=float(width[at]),
            between=tuple(sorted(beside[at])),
            fault=bool(too_large[at] and not enclave[at]),
            x=x,
            y=y,
            geometry=shapes[at],
        )
        for at, (x, y) in zip(keep.tolist(), inner_xy(shapes[keep]).tolist(), strict=True)
    )
    return GapFindings(
        shapes=shapes,
        hairline=hairline,
        fault=too_large & ~enclave,
        enclave=enclave,
        records=records,
    )


def find_overlaps(sheet: Sheet, faces: Faces, *, limits: Limits) -> OverlapFindings:
    """
    Sum what each pair of grids claims twice. All in metres.

    Many small pieces are one large overlap when they add up, so the limits hold for the pair.
    """
    face, first, second = _covering_pairs(faces)
    ordered = sheet.codes[first] <= sheet.codes[second]
    first, second = np.where(ordered, first, second), np.where(ordered, second, first)
    size = max(len(sheet.codes), 1)
    keys, pair = np.unique(first * size + second, return_inverse=True)
    area = sum_by(pair, faces.area[face], len(keys))
    half_perimeter = sum_by(pair, faces.half_perimeter[face], len(keys))
    width = area / half_perimeter
    large = area > limits.min_area_m2
    wide = np.zeros(len(face))
    wide[large[pair]] = wide_area(faces.polygons[face[large[pair]]], width=limits.hairline_m)
    too_large = sum_by(pair, wide, len(keys)) > limits.min_area_m2
    special = sheet.special[keys // size] != sheet.special[keys % size]
    hairline = ~too_large & (width < limits.hairline_m)
    found = OverlapFindings(
        face=face,
        pair=pair.astype(np.int64),
        first=keys // size,
        second=keys % size,
        fault=too_large & ~special,
        special=special,
        hairlines=Tally(count=int(hairline.sum()), area_m2=float(area[hairline].sum())),
        records=(),
    )
    keep: Ints = np.flatnonzero(~hairline)
    keep = keep[np.argsort(-area[keep], kind="stable")]
    return OverlapFindings(
        **{name: getattr(found, name) for name in found.__slots__ if name != "records"},
        records=_overlap_records(sheet, faces, found, (keep, area, width)),
    )


def _overlap_records(
    sheet: Sheet, faces: Faces, found: OverlapFindings, wanted: tuple[Ints, Floats, Floats]
) -> tuple[Overlap, ...]:
    keep, area, width = wanted
    pieces = [found.face[rows] for rows in rows_by(found.pair, len(found.first))]
    biggest = np.array([rows[np.argmax(faces.area[rows])] for rows in pieces], dtype=np.int64)
    xy = inner_xy(faces.polygons[biggest[keep]])
    return tuple(
        Overlap(
            level=sheet.level,
            kind="special" if found.special[pair] else "overlap",
            area_m2=float(area[pair]),
            width_m=float(width[pair]),
            pieces=len(pieces[pair]),
            between=(str(sheet.codes[found.first[pair]]), str(sheet.codes[found.second[pair]])),
            fault=bool(found.fault[pair]),
            x=x,
            y=y,
            geometry=shapely.multipolygons(faces.polygons[pieces[pair]]),
        )
        for pair, (x, y) in zip(keep.tolist(), xy.tolist(), strict=True)
    )


def _covering_pairs(faces: Faces) -> tuple[Ints, Ints, Ints]:
    """Return face, grid, grid for each two grids that cover one face."""
    crowded = faces.depth[faces.cover_face] > 1
    face, grid = faces.cover_face[crowded], faces.cover_grid[crowded]
    entry, second = join_pairs(np.arange(len(face)), face, face, grid)
    face, first = face[entry], grid[entry]
    once = first < second
    return face[once], first[once], second[once]
