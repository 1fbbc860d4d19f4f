"""Grid codes: what their digits mean, whose prefix is whose parent, whether their order holds."""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from geodata.errors import BadSetting, Fault
from geodata.levels import LEVELS, NO_PARENT

Ints = NDArray[np.int64]
Floats = NDArray[np.float64]

MIN_PREFIX = 2  # a shorter code is a serial number, and "1" is no parent of "10"
MAX_LISTED = 20  # codes named per finding; the counts are always whole
_PART = re.compile(r"(?:(?P<name>[a-z]+):)?(?P<digits>\d{1,2})")


@dataclass(frozen=True, slots=True, kw_only=True)
class CodeRule:
    """
    What the digits of a code mean: parts, outermost first, each a level (or other word) and a size.

    A code may stop after any part, or fill the rest with zeros: both then name the level of the
    last part that says something. Parts that are no level (the object class of 20-digit codes)
    take no part in finding parents.
    """

    parts: tuple[tuple[str, int], ...]

    @property
    def digits(self) -> int:
        """Return the length of a full code."""
        return sum(size for _, size in self.parts)

    def split(self, code: str) -> dict[str, str] | None:
        """Return the parts of a code that say something, by name; None when it does not fit."""
        if not code.isalnum():
            return None
        found: dict[str, str] = {}
        rest = code
        for name, size in self.parts:
            if not rest:
                break
            if len(rest) < size:
                return None
            found[name], rest = rest[:size], rest[size:]
        while found and not next(reversed(found.values())).strip("0"):
            found.popitem()
        return None if rest or not any(name in LEVELS for name in found) else found

    def level(self, code: str) -> str | None:
        """Return the level that a code stands for."""
        found = self.split(code)
        return next(name for name in reversed(found) if name in LEVELS) if found else None

    def key(self, code: str, level: str) -> str | None:
        """Return the digits that name the place of `code` at an outer or its own level."""
        found = self.split(code)
        if not found or level not in found:
            return None
        inward = [name for name in found if name in LEVELS]
        return "".join(found[name] for name in inward[: inward.index(level) + 1])

    def __str__(self) -> str:
        return "+".join(f"{name}:{size}" for name, size in self.parts)


@dataclass(frozen=True, slots=True, kw_only=True)
class DuplicateCode:
    """One code on several grids of one level."""

    code: str
    level: str
    rows: tuple[int, ...]  # 1 is the first row

    def as_json(self) -> dict[str, Any]:
        """Return plain values."""
        return {"code": self.code, "level": self.level, "rows": list(self.rows)}


@dataclass(frozen=True, slots=True, kw_only=True)
class CodeOrder:
    """
    How far the serials of one parent's grids run west to east and north to south.

    A step from one serial to the next is against the order when it goes both west and north:
    every reading of the standard's "west to east, north to south" forbids that.
    """

    parent: str
    steps: int
    against: int
    codes: tuple[tuple[str, str], ...]  # the first steps against the order

    def as_json(self) -> dict[str, Any]:
        """Return plain values."""
        return {
            "parent": self.parent,
            "steps": self.steps,
            "against": self.against,
            "codes": [list(pair) for pair in self.codes],
        }


def parse_rule(text: str) -> CodeRule:
    """
    Return the rule that a setting such as "6+3+3+3" or "class:6+district:6+street:3" describes.

    Parts without names are levels, from the district inward; five of them start at the city.
    Raises BadSetting.
    """
    parts = [_PART.fullmatch(part.strip()) for part in text.lower().split("+")]
    if not all(parts) or not 1 <= len(parts) <= 8:
        raise BadSetting(Fault(key="code_rule", values={"rule": text}))
    named = [(part["name"], int(part["digits"])) for part in parts if part]
    start = 0 if len(named) == len(LEVELS) else 1
    if all(name is None for name, _ in named) and start + len(named) <= len(LEVELS):
        names = LEVELS[start : start + len(named)]
        return CodeRule(parts=tuple((n, size) for n, (_, size) in zip(names, named, strict=True)))
    names = tuple(name for name, _ in named if name)
    inward = [LEVELS.index(name) for name in names if name in LEVELS]
    if len(names) < len(named) or len(set(names)) < len(names) or sorted(inward) != inward:
        raise BadSetting(Fault(key="code_rule", values={"rule": text}))
    return CodeRule(parts=tuple((str(name), size) for name, size in named))


def rule_of_setting(text: str) -> CodeRule | None:
    """Return the rule that a city's setting gives, None where it gives none; raises BadSetting."""
    return parse_rule(text) if text.strip() else None


UNIT_GRID_15 = CodeRule(parts=(("district", 6), ("street", 3), ("community", 3), ("grid", 3)))
COMMUNITY_GRID_20 = CodeRule(
    parts=(("class", 6), ("district", 6), ("street", 3), ("community", 3), ("grid", 2))
)


def find_prefix_parents(
    codes: Sequence[str], parents: Sequence[str], *, rule: CodeRule | None = None
) -> Ints:
    """
    Return for each code the row of the parent that its first digits name, -1 where none does.

    With a rule, keys are compared part by part, so zero-filled and classed codes find their
    parents too. Without one, the parents must be codes of one length, at least two characters,
    shorter than the child: then a shared beginning is no accident.
    """
    if rule is not None:
        return _rule_parents(codes, parents, rule)
    sizes = {len(parent) for parent in parents}
    if len(sizes) != 1 or min(sizes) < MIN_PREFIX:
        return np.full(len(codes), NO_PARENT, dtype=np.int64)
    (size,) = sizes
    row_of = {parent: row for row, parent in enumerate(parents)}
    found = [row_of.get(code[:size], NO_PARENT) if len(code) > size else -1 for code in codes]
    return np.array(found, dtype=np.int64)


def find_duplicates(codes: Sequence[str], levels: Sequence[str]) -> list[DuplicateCode]:
    """Return the codes that occur more than once within a level, in order."""
    keys = list(zip(levels, codes, strict=True))
    counts = Counter(keys)
    rows: dict[tuple[str, str], list[int]] = {}
    for row, key in enumerate(keys, start=1):
        if counts[key] > 1:
            rows.setdefault(key, []).append(row)
    return [
        DuplicateCode(code=code, level=level, rows=tuple(found))
        for (level, code), found in sorted(rows.items(), key=lambda item: item[1])
    ]


def check_order(
    codes: Sequence[str], parents: Sequence[str], x: Floats, y: Floats
) -> list[CodeOrder]:
    """
    Return the parents whose grids' codes step against west to east, north to south.

    `x` runs east, `y` north: an inner point or centroid of each grid. Grids whose parent is ""
    are left out. Information, not a fault: new grids take the next free serial, wherever they lie.
    """
    groups: dict[str, list[int]] = {}
    for row in sorted(range(len(codes)), key=lambda row: codes[row]):
        if parents[row]:
            groups.setdefault(parents[row], []).append(row)
    found = []
    for parent, rows in sorted(groups.items()):
        step_x, step_y = np.diff(x[rows]), np.diff(y[rows])
        against = np.flatnonzero((step_x < 0) & (step_y > 0))
        if len(against):
            pairs = tuple((codes[rows[i]], codes[rows[i + 1]]) for i in against[:MAX_LISTED])
            found.append(
                CodeOrder(parent=parent, steps=len(step_x), against=len(against), codes=pairs)
            )
    return found


def _rule_parents(codes: Sequence[str], parents: Sequence[str], rule: CodeRule) -> Ints:
    row_of: dict[tuple[str, str], int] = {}
    for row, parent in enumerate(parents):
        level = rule.level(parent)
        key = rule.key(parent, level) if level else None
        if level and key:
            row_of[level, key] = row
    return np.array([_climb(code, rule, row_of) for code in codes], dtype=np.int64)


def _climb(code: str, rule: CodeRule, row_of: dict[tuple[str, str], int]) -> int:
    """Return the nearest outer place of `code` that is known."""
    found = rule.split(code)
    inward = [name for name in found or () if name in LEVELS]
    for level in reversed(inward[:-1]):
        row = row_of.get((level, rule.key(code, level) or ""))
        if row is not None:
            return row
    return NO_PARENT
