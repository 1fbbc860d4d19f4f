"""The tree of grids out of files: who is whose parent, and which uid each grid has."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, Literal, TypeAlias

import geopandas as gpd
import numpy as np
import pandas as pd
import shapely
from pyproj import CRS

from geodata.codes import CodeRule, find_duplicates, find_prefix_parents
from geodata.coordinates import parse_crs, to_metric
from geodata.coverage.edges import Geometries, Ints
from geodata.coverage.nesting import nesting_shares
from geodata.coverage.polygons import clean_polygons
from geodata.coverage.report import NEST_SHARE, duplicate_fault
from geodata.errors import BadGrid, Fault
from geodata.grids.columns import read_columns
from geodata.levels import LEVELS, NO_PARENT, code_ranks, outer_levels

GRID_COLUMNS = (
    "uid", "code", "name", "level", "parent", "kind", "body", "households", "population",
)  # fmt: skip
# A prefix whose parent holds less than this share of the grid contradicts the map.
PREFIX_SHARE = 0.5

Frames: TypeAlias = gpd.GeoDataFrame | Mapping[str, gpd.GeoDataFrame] | Sequence[gpd.GeoDataFrame]


@dataclass(frozen=True, slots=True, kw_only=True)
class Orphan:
    """A grid for which no parent was found, and the nearest thing to one."""

    code: str
    level: str
    parent: str  # code of the outer grid with the largest share, "" for none
    share: float

    def as_json(self) -> dict[str, Any]:
        """Return plain values."""
        return {name: getattr(self, name) for name in self.__slots__}


@dataclass(frozen=True, slots=True, kw_only=True)
class TreeReport:
    """How a tree was found."""

    columns: tuple[dict[str, str], ...]  # per file: field -> column
    found_by: dict[str, int]  # "column", "prefix", "overlap" -> number of grids
    made: tuple[str, ...]  # codes of parents made from their children
    orphans: tuple[Orphan, ...]
    straddling: tuple[Orphan, ...]  # special grids in several parents: the largest has them
    contradicted: tuple[str, ...]  # codes whose prefix names a parent that the map denies
    kept: int  # uids taken over from the previous drawing
    new: int

    def as_json(self) -> dict[str, Any]:
        """Return plain values."""
        return {
            "columns": list(self.columns),
            "found_by": self.found_by,
            "made": list(self.made),
            "orphans": [orphan.as_json() for orphan in self.orphans],
            "straddling": [orphan.as_json() for orphan in self.straddling],
            "contradicted": list(self.contradicted),
            "kept": self.kept,
            "new": self.new,
        }


@dataclass(frozen=True, slots=True, kw_only=True)
class Tree:
    """Grids with the contract's columns in uid order, and how they were put together."""

    grids: gpd.GeoDataFrame
    report: TreeReport


@dataclass(slots=True)
class _Growing:
    """A tree while parents are looked for; arrays follow `table`."""

    table: gpd.GeoDataFrame
    polygons: Geometries
    parent: Ints
    how: Counter[str] = field(default_factory=Counter)
    made: list[str] = field(default_factory=list)
    orphans: list[Orphan] = field(default_factory=list)
    straddling: list[Orphan] = field(default_factory=list)
    contradicted: list[str] = field(default_factory=list)

    def rows_at(self, level: str) -> Ints:
        return np.flatnonzero((self.table["level"] == level).to_numpy())

    def codes_at(self, rows: Ints) -> list[str]:
        return [str(code) for code in self.table["code"].to_numpy()[rows]]

    def accept(self, how: str, child: Ints, parent: Ints) -> None:
        self.parent[child] = parent
        if len(child):
            self.how[how] += len(child)


def build_tree(
    frames: Frames,
    *,
    crs: CRS | str | None = None,
    mapping: Mapping[str, str] | None = None,
    parent_level: str | None = None,
    code_rule: CodeRule | None = None,
    nest_share: float = NEST_SHARE,
    orphans: Literal["refuse", "keep"] = "refuse",
    previous: gpd.GeoDataFrame | None = None,
    next_uid: int = 1,
) -> Tree:
    """
    Put boundary files together as one tree of grids with the contract's columns.

    `frames` is one frame (its level and parent columns are read), several such frames, or one frame
    per level by its name. `mapping` names columns (field -> column). Geometry is brought to the
    metric `crs` (default: the first frame's) and made valid, not repaired: `repair_coverage` does
    that. A parent is found by the parent column, else by the code's prefix (unless the map
    contradicts it), else as the outer grid with the largest share of the grid's area, at least
    `nest_share`; a special grid goes to the largest share in any case. Parents that only a parent
    column names, at a level no file has, are made from their children: at `parent_level`, else
    where `code_rule` says, else one level out.

    uids run in one order over all levels, that of codes as text (a parent before its children), so
    that of two finest grids of any level the smaller uid is the smaller code. Grids whose level and
    code stand in `previous` keep its uid; new ones follow from `next_uid` or the largest so far.

    Raises BadGrid with all faults: codes missing, doubled or unreadable, parents unknown, and
    grids without a parent (unless `orphans="keep"`).
    """
    tables, columns = _read_frames(frames, mapping, code_rule)
    metric = CRS.from_user_input(crs) if crs is not None else tables[0].crs
    table = _stack([_to_crs(part, metric) for part in tables], metric)
    doubles = find_duplicates(table["code"].tolist(), table["level"].tolist())
    if doubles:
        raise BadGrid([duplicate_fault(found) for found in doubles])
    polygons, _, _ = clean_polygons(table.geometry.to_numpy())
    tree = _Growing(table, polygons, np.full(len(table), NO_PARENT, dtype=np.int64))
    faults = _follow_columns(tree, parent_level, code_rule)
    _find_others(tree, code_rule, nest_share)
    faults += _orphan_faults(tree)
    if faults and orphans == "refuse":
        raise BadGrid(faults)
    return _finish(tree, tuple(columns), previous, next_uid)


def add_levels(previous: gpd.GeoDataFrame, frames: Frames, **options: Any) -> Tree:
    """
    Return a drawing's grids with the levels of `frames` added, or put in place of its own.

    `options` are those of `build_tree`; every grid of `previous` that stays keeps its uid.
    """
    tables, _ = _read_frames(frames, options.pop("mapping", None), options.get("code_rule"))
    added = {level for table in tables for level in table["level"]}
    code_of = dict(zip(previous["uid"], previous["code"], strict=True))
    kept = previous[~previous["level"].isin(added)].copy()
    kept["parent"] = [code_of.get(uid, "") for uid in kept["parent"]]
    options.setdefault("crs", previous.crs)
    return build_tree([kept.drop(columns="uid"), *tables], previous=previous, **options)


def _read_frames(
    frames: Frames, mapping: Mapping[str, str] | None, rule: CodeRule | None
) -> tuple[list[gpd.GeoDataFrame], list[dict[str, str]]]:
    named: list[tuple[str | None, gpd.GeoDataFrame]]
    if isinstance(frames, gpd.GeoDataFrame):
        named = [(None, frames)]
    elif isinstance(frames, Mapping):
        named = list(frames.items())
    else:
        named = [(None, frame) for frame in frames]
    read = [
        read_columns(frame, level=level, mapping=mapping, code_rule=rule) for level, frame in named
    ]
    return [table for table, _ in read], [columns for _, columns in read]


def _to_crs(table: gpd.GeoDataFrame, metric: CRS | None) -> gpd.GeoDataFrame:
    """Return the table in the metric system; raises BadGrid where it names none."""
    if table.crs is None or metric is None or not CRS(metric).is_projected:
        name = "-" if metric is None else CRS(metric).name
        raise BadGrid(Fault(key="grid_crs_not_metric", values={"crs": name}))
    if table.crs == metric:
        return table
    source = parse_crs(table.crs.to_wkt())
    flat = shapely.force_2d(table.geometry.to_numpy())
    moved = shapely.transform(
        flat, lambda xy: np.column_stack(to_metric(xy[:, 0], xy[:, 1], source, metric))
    )
    return table.set_geometry(gpd.GeoSeries(moved, index=table.index, crs=metric))


def _stack(tables: Sequence[gpd.GeoDataFrame], metric: CRS) -> gpd.GeoDataFrame:
    stacked = pd.concat([pd.DataFrame(table) for table in tables], ignore_index=True)
    return gpd.GeoDataFrame(stacked, geometry="geometry", crs=metric)


def _follow_columns(tree: _Growing, parent_level: str | None, rule: CodeRule | None) -> list[Fault]:
    """Link grids to the parents their column names; make parents of a level no file has."""
    levels, codes = tree.table["level"].tolist(), tree.table["code"].tolist()
    parents = tree.table["parent_code"].tolist()
    row_of = {key: row for row, key in enumerate(zip(levels, codes, strict=True))}
    present = set(levels)
    faults: list[Fault] = []
    missing: dict[tuple[str, str], list[int]] = {}
    for row, (level, parent) in enumerate(zip(levels, parents, strict=True)):
        if not parent or level == LEVELS[0]:
            continue
        found = (row_of.get((outer, parent)) for outer in outer_levels(level))
        there = next((at for at in found if at is not None), None)
        if there is not None:
            tree.accept("column", np.array([row]), np.array([there]))
            continue
        by_rule = rule.level(parent) if rule else None
        made_level = parent_level or by_rule or outer_levels(level)[0]
        if made_level in present or made_level not in outer_levels(level):
            values = {"code": codes[row], "parent": parent}
            faults.append(Fault(key="grid_parent_unknown", row=row + 1, values=values))
        else:
            missing.setdefault((made_level, parent), []).append(row)
    if missing:
        _make_parents(tree, missing)
    return faults


def _make_parents(tree: _Growing, missing: dict[tuple[str, str], list[int]]) -> None:
    made = [shapely.union_all(tree.polygons[rows]) for rows in missing.values()]
    new = gpd.GeoDataFrame(
        {
            "code": [code for _, code in missing],
            "name": [code for _, code in missing],
            "level": [level for level, _ in missing],
            "parent_code": "",
            "kind": "general",
            "body": "",
            "households": np.nan,
            "population": np.nan,
        },
        geometry=np.array(made, dtype=object),
        crs=tree.table.crs,
    )
    first = len(tree.table)
    tree.table = _stack([tree.table, new], tree.table.crs)
    tree.polygons = np.concatenate([tree.polygons, np.array(made, dtype=object)])
    tree.parent = np.append(tree.parent, np.full(len(made), NO_PARENT, dtype=np.int64))
    for at, rows in enumerate(missing.values()):
        tree.accept("column", np.array(rows), np.full(len(rows), first + at))
    tree.made += [code for _, code in missing]


def _find_others(tree: _Growing, rule: CodeRule | None, nest_share: float) -> None:
    """Find parents for grids without one, level by level, by prefix, then by overlap."""
    present = set(tree.table["level"])
    for level in LEVELS[1:]:
        outer = [name for name in outer_levels(level) if name in present]
        open_rows = tree.rows_at(level)
        open_rows = open_rows[tree.parent[open_rows] == NO_PARENT]
        if not outer or not len(open_rows):
            continue
        for name in outer:
            _by_prefix(tree, open_rows, tree.rows_at(name), rule)
            open_rows = open_rows[tree.parent[open_rows] == NO_PARENT]
        nearest: dict[int, Orphan] = {}
        for name in outer:
            nearest = {**_by_overlap(tree, open_rows, tree.rows_at(name), nest_share), **nearest}
            open_rows = open_rows[tree.parent[open_rows] == NO_PARENT]
        codes = tree.codes_at(open_rows)
        tree.orphans += [
            nearest.get(row, Orphan(code=code, level=level, parent="", share=0.0))
            for row, code in zip(open_rows.tolist(), codes, strict=True)
        ]


def _by_prefix(tree: _Growing, child: Ints, parent: Ints, rule: CodeRule | None) -> None:
    found = find_prefix_parents(tree.codes_at(child), tree.codes_at(parent), rule=rule)
    child, parent = child[found >= 0], parent[found[found >= 0]]
    cut = shapely.intersection(tree.polygons[child], tree.polygons[parent])
    share = shapely.area(cut) / np.maximum(shapely.area(tree.polygons[child]), np.finfo(float).tiny)
    drawn = ~(shapely.is_empty(tree.polygons[child]) | shapely.is_empty(tree.polygons[parent]))
    denied = drawn & (share < PREFIX_SHARE)
    tree.accept("prefix", child[~denied], parent[~denied])
    tree.contradicted += tree.codes_at(child[denied])


def _by_overlap(tree: _Growing, child: Ints, parent: Ints, nest_share: float) -> dict[int, Orphan]:
    """Link what nests; return by row what does not, with its largest share."""
    at, there, share = nesting_shares(tree.polygons[child], tree.polygons[parent])
    best = np.lexsort((parent[there], -share, at))
    best = best[np.unique(at[best], return_index=True)[1]]
    row, over, share = child[at[best]], parent[there[best]], share[best]
    special = (tree.table["kind"].to_numpy()[row] == "special") & (share < nest_share)
    fits = (share >= nest_share) | special
    tree.accept("overlap", row[fits], over[fits])
    levels = tree.table["level"].to_numpy()
    near = [
        Orphan(code=code, level=str(levels[r]), parent=outer, share=float(s))
        for r, code, outer, s in zip(
            row, tree.codes_at(row), tree.codes_at(over), share, strict=True
        )
    ]
    tree.straddling += [orphan for orphan, flag in zip(near, special, strict=True) if flag]
    return {int(r): o for r, o, fit in zip(row, near, fits, strict=True) if not fit}


def _orphan_faults(tree: _Growing) -> list[Fault]:
    return [
        Fault(
            key="grid_orphan" if orphan.parent else "grid_orphan_alone",
            values={
                "code": orphan.code,
                "parent": orphan.parent,
                "share": f"{orphan.share:.1%}",
            },
        )
        for orphan in tree.orphans
    ]


def _finish(
    tree: _Growing,
    columns: tuple[dict[str, str], ...],
    previous: gpd.GeoDataFrame | None,
    next_uid: int,
) -> Tree:
    table = tree.table
    order = np.argsort(code_ranks(table))
    uids, kept = _give_uids(table.iloc[order], previous, next_uid)
    uid_of_row = np.empty(len(table), dtype=np.int64)
    uid_of_row[order] = uids
    parent = np.where(tree.parent >= 0, uid_of_row[tree.parent], NO_PARENT)
    names = [name or code for name, code in zip(table["name"], table["code"], strict=True)]
    grids = table.drop(columns="parent_code").assign(uid=uid_of_row, parent=parent, name=names)
    grids = grids.set_geometry(gpd.GeoSeries(tree.polygons, index=table.index, crs=table.crs))
    extra = [name for name in grids.columns if name not in (*GRID_COLUMNS, "geometry")]
    grids = grids[[*GRID_COLUMNS, *extra, "geometry"]].sort_values("uid", ignore_index=True)
    report = TreeReport(
        columns=columns,
        found_by=dict(tree.how),
        made=tuple(tree.made),
        orphans=tuple(tree.orphans),
        straddling=tuple(tree.straddling),
        contradicted=tuple(tree.contradicted),
        kept=kept,
        new=len(table) - kept,
    )
    return Tree(grids=grids, report=report)


def _give_uids(
    ordered: pd.DataFrame, previous: gpd.GeoDataFrame | None, next_uid: int
) -> tuple[Ints, int]:
    """Return a uid for each row in code order, and how many of them are old."""
    old: dict[tuple[str, str], int] = {}
    if previous is not None and len(previous):
        keys = zip(previous["level"], previous["code"], strict=True)
        old = dict(zip(keys, previous["uid"].tolist(), strict=True))
        next_uid = max(next_uid, int(previous["uid"].max()) + 1)
    keys = zip(ordered["level"], ordered["code"], strict=True)
    known = np.array([old.get(key, NO_PARENT) for key in keys], dtype=np.int64)
    fresh = known == NO_PARENT
    known[fresh] = next_uid + np.arange(int(fresh.sum()))
    return known, int((~fresh).sum())
