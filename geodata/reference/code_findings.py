"""What is wrong with the codes of the components and cameras that the city holds."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator, Sequence
from dataclasses import dataclass

import numpy as np
import pandas as pd

from geodata.city import City
from geodata.coordinates import to_lonlat
from geodata.errors import Fault, NotFound
from geodata.loading.code_checks import (
    CODED,
    DOUBLED,
    judge_camera,
    known_parts,
    owner_codes,
    print_rule,
)
from geodata.object_codes import judge_component_code, parse_component_rule
from geodata.reference.kept import KeptWithTables
from geodata.store.reference_rows import list_cells
from geodata.words import Lang, say

FINDINGS = ("misfit", "doubled", "orphan", "elsewhere", "no_camera")
COLUMNS = ("code", "finding", "rows", "kind", "name", "lon", "lat", "grid")
_CELLS = ("kind", "name", DOUBLED)


@dataclass(frozen=True, slots=True, kw_only=True)
class CodeFinding:
    """
    One thing wrong with one code; degrees NaN without a place, `grid` the code of where it stands.

    `rows` tells how many rows of its file had the code.
    """

    code: str
    finding: str
    rows: int
    kind: str
    name: str
    lon: float
    lat: float
    grid: str

    def cells(self, lang: Lang) -> list[str]:
        """Return the finding as texts, in the order of `COLUMNS`."""
        place = ["" if np.isnan(value) else f"{value:.7f}" for value in (self.lon, self.lat)]
        what = say(f"code_wrong.{self.finding}", lang)
        return [self.code, what, str(self.rows), self.kind, self.name, *place, self.grid]


@dataclass(frozen=True, slots=True, kw_only=True)
class CodeReview:
    """Every finding of one table, by kind of finding and code; `total` codes were looked at."""

    total: int
    rule: str
    found: tuple[CodeFinding, ...]

    @property
    def counts(self) -> dict[str, int]:
        """Return how many codes have each finding."""
        counted = Counter(one.finding for one in self.found)
        return {name: counted[name] for name in FINDINGS if counted[name]}

    def only(self, finding: str) -> Sequence[CodeFinding]:
        """Return the findings of one kind; all where it is none."""
        if finding not in FINDINGS:
            return self.found
        return [one for one in self.found if one.finding == finding]


class CodeReviews:
    """The reviews of one city's coded tables, each made once while the tables stand."""

    def __init__(self, city: City) -> None:
        self._city = city
        self._kept = {table: KeptWithTables[CodeReview]() for table in CODED}

    def find(self, table: str, *, now: int) -> CodeReview:
        """Return the review of a table; raises NotFound for one whose ids mean nothing."""
        if table not in self._kept:
            raise NotFound(Fault(key="table_unknown"))
        with self._city.database.read() as connection:
            return self._kept[table].find(
                connection,
                lambda: _review(
                    self._city, table, list_cells(connection, table, _CELLS, at=now), now=now
                ),
                now=now,
            )


def list_lines(found: Sequence[CodeFinding], lang: Lang) -> Iterator[list[str]]:
    """Yield the header and the findings as texts."""
    yield [say(f"code_column.{name}", lang) for name in COLUMNS]
    yield from (one.cells(lang) for one in found)


def _review(city: City, table: str, rows: Sequence[tuple[object, ...]], *, now: int) -> CodeReview:
    frame = pd.DataFrame(rows, columns=["id", "x_mm", "y_mm", *_CELLS])
    frame = frame.astype({"x_mm": float, "y_mm": float})
    for column in ("kind", "name"):
        frame[column] = frame[column].fillna("").astype(str)
    owners = owner_codes(city, frame, now=now)
    rule = parse_component_rule(city.settings.component_rule)
    known = known_parts(city, now=now) if table == "components" else {}
    wrong: list[tuple[int, str]] = []
    for place, (code, owner) in enumerate(zip(frame["id"].tolist(), owners, strict=True)):
        if table == "components":
            findings = judge_component_code(code, rule, known=known, owner=owner)
        else:
            found = judge_camera(code, owner)
            findings = (found,) if found else ()
        wrong += [(place, finding) for finding in findings]
    times = pd.to_numeric(frame[DOUBLED]).fillna(1).astype(int).tolist()
    wrong += [(place, "doubled") for place, n in enumerate(times) if n > 1]
    wrong.sort(key=lambda one: (FINDINGS.index(one[1]), one[0]))
    part = frame.iloc[[place for place, _ in wrong]]
    lon, lat = _degrees(city, part)
    return CodeReview(
        total=len(frame),
        rule=print_rule(rule) if table == "components" else "GB/T 28181",
        found=tuple(
            CodeFinding(
                code=code,
                finding=finding,
                rows=times[place],
                kind=kind,
                name=name,
                lon=east,
                lat=north,
                grid=owners[place],
            )
            for (place, finding), code, kind, name, east, north in zip(
                wrong, part["id"], part["kind"], part["name"], lon, lat, strict=True
            )
        ),
    )


def _degrees(city: City, frame: pd.DataFrame) -> tuple[list[float], list[float]]:
    x, y = (frame[name].to_numpy(float) / 1000 for name in ("x_mm", "y_mm"))
    if not len(x):
        return [], []
    lon, lat = to_lonlat(x, y, city.crs)
    return lon.tolist(), lat.tolist()
