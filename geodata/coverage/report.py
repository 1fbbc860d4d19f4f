"""What the boundary check found: small records, their sentences and their JSON."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import shapely

from geodata.codes import CodeOrder, DuplicateCode
from geodata.errors import Fault

MAX_NAMED = 6  # codes in one sentence
LEAST_NAMED_M2 = 0.001  # smaller areas are no number a person can picture

MIN_AREA_M2 = 1.0  # a gap or overlap of at most this is repaired
HAIRLINE_M = 0.05  # and so is one nowhere wider than this
SLIVER_M = 0.5  # a polygon thinner than this on average is a sliver
SLOT_M = 1.0  # a slot open to the outside is looked for up to this width
JUNCTION_M = 1.0  # three grids that come this close were meant to meet
EXACT_M = 0.002  # rounding to whole millimetres may part a point by this much
NEST_SHARE = 0.99  # so much of a grid lies in its parent at least


@dataclass(frozen=True, slots=True, kw_only=True)
class Limits:
    """Where a finding turns from a repair into a fault. Lengths in m, areas in m2."""

    min_area_m2: float = MIN_AREA_M2
    hairline_m: float = HAIRLINE_M
    sliver_m: float = SLIVER_M
    slot_m: float = SLOT_M
    junction_m: float = JUNCTION_M
    exact_m: float = EXACT_M
    nest_share: float = NEST_SHARE


@dataclass(frozen=True, slots=True, kw_only=True)
class Tally:
    """A number of things and their area."""

    count: int = 0
    area_m2: float = 0.0

    def __add__(self, other: Tally) -> Tally:
        return Tally(count=self.count + other.count, area_m2=self.area_m2 + other.area_m2)

    def as_json(self) -> dict[str, Any]:
        """Return plain values."""
        return {"count": self.count, "area_m2": self.area_m2}


@dataclass(frozen=True, slots=True, kw_only=True)
class Gap:
    """
    Land inside the outline that no grid covers.

    `kind`: "gap" (a hole between grids), "slot" (open to the outside), "enclave" (a hole in one
    grid alone, wide enough to be meant; never a fault). A gap that is no fault and no enclave is
    closed by the repair.
    """

    level: str
    kind: str
    area_m2: float
    width_m: float
    between: tuple[str, ...]
    fault: bool
    x: float
    y: float
    geometry: shapely.Geometry

    def as_json(self) -> dict[str, Any]:
        """Return plain values."""
        return {**_plain(self), "between": list(self.between)}


@dataclass(frozen=True, slots=True, kw_only=True)
class Overlap:
    """
    Land that two grids claim.

    `kind`: "overlap", or "special" where a special grid lies over a general one: no fault, the
    special grid is carved out.
    """

    level: str
    kind: str
    area_m2: float
    width_m: float
    pieces: int
    between: tuple[str, str]
    fault: bool
    x: float
    y: float
    geometry: shapely.Geometry

    def as_json(self) -> dict[str, Any]:
        """Return plain values."""
        return {**_plain(self), "between": list(self.between)}


@dataclass(frozen=True, slots=True, kw_only=True)
class Sliver:
    """A grid, or one part of a grid, that is thinner than land can be governed."""

    level: str
    code: str
    area_m2: float
    width_m: float
    whole: bool  # the grid has no other part
    fault: bool  # a cut-off crumb below the area limit is not: the repair gives it away
    x: float
    y: float

    def as_json(self) -> dict[str, Any]:
        """Return plain values."""
        return _plain(self)


@dataclass(frozen=True, slots=True, kw_only=True)
class Nesting:
    """
    Where a grid and its parent disagree.

    `kind`: "outside" (land of the child outside its parent; `share` of the child's area) or
    "uncovered" (land of the parent that no child covers; `share` of the parent's area).
    """

    level: str
    kind: str
    code: str
    parent: str
    area_m2: float
    share: float
    fault: bool
    x: float
    y: float

    def as_json(self) -> dict[str, Any]:
        """Return plain values."""
        return _plain(self)


@dataclass(frozen=True, slots=True, kw_only=True)
class TriJunction:
    """A place where three or more grids nearly meet, but not at one point."""

    level: str
    codes: tuple[str, ...]
    miss_m: float
    repairable: bool
    x: float
    y: float

    def as_json(self) -> dict[str, Any]:
        """Return plain values."""
        return {**_plain(self), "codes": list(self.codes)}


@dataclass(frozen=True, slots=True, kw_only=True)
class CodeReport:
    """What is wrong or remarkable about the codes; only duplicates are faults."""

    duplicates: tuple[DuplicateCode, ...]
    unread: tuple[str, ...]  # codes that do not fit the city's rule
    order: tuple[CodeOrder, ...]
    prefix_breaks: tuple[tuple[str, str], ...]  # code, parent, where the digits name another one

    def as_json(self) -> dict[str, Any]:
        """Return plain values."""
        return {
            "duplicates": [found.as_json() for found in self.duplicates],
            "unread": list(self.unread),
            "order": [found.as_json() for found in self.order],
            "prefix_breaks": [list(pair) for pair in self.prefix_breaks],
        }


@dataclass(frozen=True, slots=True, kw_only=True)
class CoverageReport:
    """Everything the boundary check found. Points are x, y in the CRS of the grids."""

    limits: Limits
    grids: int
    levels: dict[str, int]
    gaps: tuple[Gap, ...]  # largest first within a level; hairlines are only counted
    overlaps: tuple[Overlap, ...]
    hairline_gaps: Tally
    hairline_overlaps: Tally
    slivers: tuple[Sliver, ...]
    nesting: tuple[Nesting, ...]
    tri_junctions: tuple[TriJunction, ...]
    good_junctions: int
    codes: CodeReport
    invalid: tuple[str, ...]  # codes of polygons that had to be made valid
    unusable: tuple[str, ...]  # codes of rows without land

    @property
    def repaired_area_m2(self) -> float:
        """Return the area that a repair would give to one grid: hairlines and small ones."""
        small = [gap for gap in self.gaps if not gap.fault and gap.kind != "enclave"]
        shared = [found for found in self.overlaps if not found.fault and found.kind == "overlap"]
        return (
            self.hairline_gaps.area_m2
            + self.hairline_overlaps.area_m2
            + sum(gap.area_m2 for gap in small)
            + sum(found.area_m2 for found in shared)
        )

    @property
    def has_faults(self) -> bool:
        """Tell whether anything is wrong that a repair does not mend: `check` then exits 1."""
        return bool(self.faults())

    def faults(self, *, refusing_only: bool = False) -> list[Fault]:
        """
        Return a fault for each finding that no repair mends.

        With `refusing_only`: those that refuse a file. Gaps, slivers and nesting do not; they are
        loaded and shown as they are.
        """
        refusing = [
            *(duplicate_fault(found) for found in self.codes.duplicates),
            *(Fault(key="grid_no_land", values={"code": code}) for code in self.unusable),
            *(pair_fault("grid_overlap", found) for found in self.overlaps if found.fault),
        ]
        if refusing_only:
            return refusing
        return [
            *refusing,
            *(pair_fault("grid_gap", found) for found in self.gaps if found.fault),
            *(_sliver_fault(found) for found in self.slivers if found.fault),
            *(_nesting_fault(found) for found in self.nesting if found.fault),
        ]

    def as_json(self) -> dict[str, Any]:
        """Return the keys of `check --json` (contracts.md 2) and what stands behind them."""
        apart = [found for found in self.tri_junctions if not found.repairable]
        return {
            "grids": self.grids,
            "levels": self.levels,
            "gaps": [found.as_json() for found in self.gaps],
            "overlaps": [found.as_json() for found in self.overlaps],
            "slivers": [found.as_json() for found in self.slivers],
            "nesting": [found.as_json() for found in self.nesting],
            "codes": self.codes.as_json(),
            "repaired_area_m2": self.repaired_area_m2,
            "junctions": {
                "good": self.good_junctions,
                "repairable": len(self.tri_junctions) - len(apart),
                "apart": [found.as_json() for found in apart],
            },
            "hairlines": {
                "gaps": self.hairline_gaps.as_json(),
                "overlaps": self.hairline_overlaps.as_json(),
            },
            "invalid": list(self.invalid),
            "unusable": list(self.unusable),
            "faults": len(self.faults()),
        }


def name_codes(codes: tuple[str, ...]) -> tuple[str, ...]:
    """Return codes as a list for a sentence, cut short when it is long."""
    rest = len(codes) - MAX_NAMED
    return (*codes[:MAX_NAMED], f"… +{rest}") if rest > 0 else codes


def format_area(area_m2: float) -> str:
    """Return an area in m2 with the digits that matter."""
    if 0 < area_m2 < LEAST_NAMED_M2:
        return f"< {LEAST_NAMED_M2}"
    return f"{area_m2:,.0f}" if area_m2 >= 100 else f"{area_m2:.3g}"


def _plain(record: Any) -> dict[str, Any]:
    return {name: getattr(record, name) for name in record.__slots__ if name != "geometry"}


def pair_fault(key: str, found: Gap | Overlap) -> Fault:
    """Return the fault of a gap or an overlap: which grids, how much land."""
    values = {"codes": name_codes(found.between), "area_m2": format_area(found.area_m2)}
    return Fault(key=key, values=values)


def duplicate_fault(found: DuplicateCode) -> Fault:
    """Return the fault of a code that several rows of one level have."""
    rows = name_codes(tuple(str(row) for row in found.rows))
    return Fault(
        key="grid_code_twice", row=found.rows[1], values={"code": found.code, "rows": rows}
    )


def _sliver_fault(found: Sliver) -> Fault:
    return Fault(key="grid_sliver", values={"code": found.code, "width_m": f"{found.width_m:.2f}"})


def _nesting_fault(found: Nesting) -> Fault:
    return Fault(
        key=f"grid_{found.kind}",
        values={
            "code": found.code,
            "parent": found.parent,
            "share": f"{found.share:.1%}",
            "area_m2": format_area(found.area_m2),
        },
    )
