"""Levels above a file's own that its columns name: 街道, 街道代码, 社区 beside each grid."""

from __future__ import annotations

import re
from collections.abc import Collection, Mapping
from dataclasses import dataclass
from itertools import pairwise

import geopandas as gpd
import pandas as pd
import shapely

from geodata.grids.columns import find_columns, frame_geometry
from geodata.levels import LEVELS, outer_levels

_WORDS = {
    "district": "区县|县区|县市区|县|区|district|county",
    "street": "街道|乡镇|镇街|街镇|乡镇街道|街道乡镇|镇|street|town",
    "community": "社区|村居|村社区|社区村|村|行政村|community|village",
}
_CODE = "(?:所属|所在)?(?:{words})(?:行政)?(?:区划)?(?:编码|代码|编号|code)"
_NAME = "(?:所属|所在)?(?:{words})(?:名称|名|name)?"
_PUNCTUATION = re.compile(r"[\s_\-()（）/、]+")
_PARENT = ":parent"
# Digits of a code that stand for a level, where names have no codes of their own beside them.
_DIGITS = {"district": 6, "street": 9, "community": 12}


@dataclass(frozen=True, slots=True, kw_only=True)
class NamedLevel:
    """A level that a file's columns name: how many areas it has, and which columns say so."""

    level: str
    areas: int
    columns: tuple[str, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class RaisedLevels:
    """
    A frame a level, the outermost first, and the columns to read them by (field -> column).

    Both are empty where nothing is raised; `left` are then the columns that name levels all the
    same, and `why` they were left: `nest`, `cells` or `parent`.
    """

    frames: dict[str, gpd.GeoDataFrame]
    mapping: dict[str, str]
    named: tuple[NamedLevel, ...]
    left: tuple[str, ...] = ()
    why: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class _Areas:
    """Each grid's area of one level: its code and name, and the columns that say so."""

    codes: pd.Series[str]
    names: pd.Series[str]
    columns: tuple[str, ...]


def raise_levels(
    frame: gpd.GeoDataFrame,
    *,
    level: str,
    mapping: Mapping[str, str],
    known: Collection[str] = (),
    parent: str | None = None,
) -> RaisedLevels:
    """
    Return the levels above `level` that columns of its file name, made of its grids.

    A level counts where every grid has its code, each code has one name and lies in one area of the
    level above. Names without codes count where the first 6, 9 or 12 digits of the grids' own
    codes part the grids just as they do: those are then their codes. Levels in `known` are left as
    they are. A column that names each grid's parent, the file's own or `parent` told by hand, is
    never overruled: what else it means nobody knows. Raises BadGrid where the file has no code
    column.
    """
    own = find_columns(frame, mapping)
    outer = set(outer_levels(level)) - set(known)
    wanted = [name for name in LEVELS if name in _WORDS and name in outer]
    found, unfit = ({}, ()) if "level" in own else _find_levels(frame, wanted, own)
    columns = tuple(column for one in found.values() for column in one.columns)
    if not found:
        return _leave(unfit, "cells")
    keys = list(found)
    if any(not _nests(found[b].codes, found[a].codes) for a, b in pairwise(keys)):
        return _leave(columns, "nest")
    inner = found[keys[-1]].codes
    if not _goes_with(frame, parent or own.get("parent"), inner, columns, told=parent is not None):
        return _leave(columns, "parent")
    frames: dict[str, gpd.GeoDataFrame] = {}
    above: pd.Series[str] | None = None
    for name, one in found.items():
        frames[name] = _dissolve(frame, one.codes, one.names, above, own)
        above = one.codes
    frames[level] = frame.assign(**{_PARENT: above})
    return RaisedLevels(
        frames=frames,
        mapping={**{f: own[f] for f in ("code", "name") if f in own}, "parent": _PARENT},
        named=tuple(
            NamedLevel(level=name, areas=one.codes.nunique(), columns=one.columns)
            for name, one in found.items()
        ),
        left=unfit,
        why="cells" if unfit else "",
    )


def _leave(columns: tuple[str, ...], why: str) -> RaisedLevels:
    return RaisedLevels(frames={}, mapping={}, named=(), left=columns, why=why if columns else "")


def _goes_with(
    frame: gpd.GeoDataFrame,
    parent: str | None,
    inner: pd.Series[str],
    columns: Collection[str],
    *,
    told: bool,
) -> bool:
    """Tell whether a column of parents, if there is one, means the innermost level found."""
    if parent is None or parent in columns:
        return True
    if told:
        return False
    cells = _text(frame, parent)
    return bool((cells == "").all()) or (_nests(cells, inner) and _nests(inner, cells))


def _find_levels(
    frame: gpd.GeoDataFrame, wanted: Collection[str], own: Mapping[str, str]
) -> tuple[dict[str, _Areas], tuple[str, ...]]:
    """Return the areas of each level that columns name, and the columns that part no areas."""
    taken = {column for field, column in own.items() if field != "parent"}
    free = [str(c) for c in frame.columns if c not in taken and c != frame_geometry(frame)]
    found: dict[str, _Areas] = {}
    unfit: list[str] = []
    above: pd.Series[str] | None = None
    for level in wanted:
        code, name = _named(free, _CODE, level), _named(free, _NAME, level)
        columns = tuple(column for column in (code, name) if column)
        if not columns:
            continue
        names = _text(frame, name or code)
        codes = _text(frame, code) if code else _text(frame, own["code"]).str[: _DIGITS[level]]
        # Two streets may each have a 新华社区: a name is one area within the area above.
        within = names if above is None else above + "\0" + names
        fits = name is None or (
            _nests(codes, names) and (code is not None or _nests(within, codes))
        )
        filled = (codes != "").all() and (code is not None or (names != "").all())
        if fits and filled and codes.nunique() < len(frame):
            found[level] = _Areas(codes=codes, names=names, columns=columns)
            above = codes
        elif not names.is_unique:  # else each grid is such an area itself
            unfit += columns
    return found, tuple(unfit)


def _named(columns: list[str], pattern: str, level: str) -> str | None:
    known = re.compile(pattern.format(words=_WORDS[level]), re.IGNORECASE)
    return next((c for c in columns if known.fullmatch(_PUNCTUATION.sub("", c))), None)


def _nests(inner: pd.Series[str], outer: pd.Series[str]) -> bool:
    """Tell whether all rows of one inner value have one outer value."""
    return bool((outer.groupby(inner).nunique() <= 1).all())


def _dissolve(
    frame: gpd.GeoDataFrame,
    codes: pd.Series[str],
    names: pd.Series[str],
    above: pd.Series[str] | None,
    own: Mapping[str, str],
) -> gpd.GeoDataFrame:
    first = ~codes.duplicated()
    shapes = frame.geometry.groupby(codes, sort=False).agg(shapely.union_all)
    table = {column: "" for field, column in own.items() if field != "parent"}
    plain = pd.DataFrame(table, index=frame.index[first])
    plain[own["code"]] = codes[first]
    plain[own.get("name", "name")] = names[first]
    plain[_PARENT] = "" if above is None else above[first]
    return gpd.GeoDataFrame(plain, geometry=shapes.to_numpy(), crs=frame.crs)


def _text(frame: gpd.GeoDataFrame, column: str | None) -> pd.Series[str]:
    assert column is not None, "one of code and name was found"
    return frame[column].fillna("").astype(str).str.strip()
