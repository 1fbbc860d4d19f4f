"""Codes of grids: new ones follow the last of their community, none is ever given twice."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

import geopandas as gpd
import numpy as np
import shapely

from geodata.errors import BadGrid, Fault
from geodata.levels import NO_PARENT, find_parent_rows, leaf_mask

_NEW = "+"  # what a new grid of a draft is called until it has a code
_DIGITS = 3

Used = Mapping[tuple[str, str], set[int]]


def is_new(code: str) -> bool:
    """Tell whether a grid has no code yet but the mark of a new one."""
    return code.startswith(_NEW)


def give_codes(grids: gpd.GeoDataFrame, used: Used) -> gpd.GeoDataFrame:
    """
    Return the grids with a code for each new one: its parent's, then the next serial never used.

    A new grid that has no name of its own is called by its code. One for which a code was kept
    when its plan was submitted before gets that.
    """
    new = [row for row, code in enumerate(grids["code"]) if is_new(str(code))]
    if not new:
        return grids
    codes, names = grids["code"].astype(str).tolist(), grids["name"].astype(str).tolist()
    levels, uids = grids["level"].tolist(), grids["uid"].tolist()
    code_of = dict(zip(uids, codes, strict=True))
    taken = {code for _, code in used} | set(codes)
    for row in sorted(new, key=lambda row: int(uids[row])):
        parent = int(grids["parent"].iat[row])
        prefix = code_of.get(parent, "") if parent != NO_PARENT else ""
        peers = [code for level, code in [*used, *zip(levels, codes, strict=True)]
                 if level == levels[row]]  # fmt: skip
        kept = (code for (level, code), holders in used.items()
                if level == levels[row] and holders == {uids[row]} and code.startswith(prefix)
                and code not in codes)  # fmt: skip
        code = next(kept, None) or _next_code(prefix, peers, taken)
        taken.add(code)
        if names[row] == codes[row]:
            names[row] = code
        codes[row] = code
    return grids.assign(code=codes, name=names)


def find_code_faults(grids: gpd.GeoDataFrame, used: Used) -> list[Fault]:
    """Return the codes that two grids have, or that another grid had before."""
    faults = []
    seen: dict[tuple[str, str], int] = {}
    for level, code, uid in zip(grids["level"], grids["code"], grids["uid"], strict=True):
        key = (str(level), str(code))
        if key in seen:
            faults.append(Fault(key="plan_code_twice", values={"code": code}))
        seen[key] = int(uid)
        if used.get(key, {int(uid)}) - {int(uid)}:
            faults.append(Fault(key="plan_code_used", values={"code": code}))
    return faults


def number_by_place(grids: gpd.GeoDataFrame, used: Used) -> dict[int, str]:
    """
    Return a new code for each finest grid: west to east, north to south within its parent.

    Rows of the standard's order: grids whose middles lie within a row's height of each other count
    as one row. Serials that were ever used are left out, so every code is new. Raises BadGrid where
    a parent has no serials left of the digits its grids use.
    """
    leaf = leaf_mask(find_parent_rows(grids))
    finest = grids[leaf]
    inner = shapely.centroid(finest.geometry.to_numpy())
    high = np.sqrt(shapely.area(finest.geometry.to_numpy()))
    code_of = dict(zip(grids["uid"].tolist(), grids["code"].astype(str).tolist(), strict=True))
    codes: dict[int, str] = {}
    taken = {code for _, code in used} | set(grids["code"].astype(str))
    uids, parents = finest["uid"].to_numpy(), finest["parent"].to_numpy()
    peers = finest["code"].astype(str).tolist()
    for parent in np.unique(parents).tolist():
        rows = np.flatnonzero(parents == parent)
        order = _rows_first(shapely.get_x(inner[rows]), shapely.get_y(inner[rows]), high[rows])
        for row in rows[order]:
            code = _next_code(code_of.get(parent, ""), peers, taken)
            taken.add(code)
            codes[int(uids[row])] = code
    return codes


def _rows_first(
    x: np.ndarray[tuple[int], np.dtype[np.float64]],
    y: np.ndarray[tuple[int], np.dtype[np.float64]],
    high: np.ndarray[tuple[int], np.dtype[np.float64]],
) -> list[int]:
    """Return the order north to south in rows of a grid's height, west to east within a row."""
    band = float(np.median(high)) if len(high) else 1.0
    row = np.floor((y.max() - y) / max(band, 1.0))
    return [int(at) for at in np.lexsort((x, row))]


def _next_code(prefix: str, peers: Sequence[str], taken: set[str]) -> str:
    """Return the first free code after a parent's last one, with as many digits as its peers."""
    own = [code[len(prefix) :] for code in peers if code.startswith(prefix) and code != prefix]
    serials = [text for text in own if text.isascii() and text.isdigit()]
    digits = max((len(text) for text in serials), default=_DIGITS)
    same = [int(text) for text in serials if len(text) == digits]
    start = max(same, default=0) + 1
    for number in [*range(start, 10**digits), *range(1, start)]:
        code = f"{prefix}{number:0{digits}d}"
        if code not in taken:
            return code
    raise BadGrid(Fault(key="plan_codes_spent", values={"prefix": prefix, "digits": digits}))
