"""The boundary check of files or of a city: what is wrong, in square metres and grid codes."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from geodata.city import open_city
from geodata.codes import rule_of_setting
from geodata.coverage import check_coverage
from geodata.coverage.report import CoverageReport, format_area, name_codes
from geodata.errors import BadGrid, Fault, NotFound
from geodata.grids.columns import read_columns
from geodata.loading.boundaries import FILE_COLUMN, read_boundaries
from geodata.loading.report import group_notes
from geodata.notes import Note
from geodata.words import Lang, say

SHOWN = 20


@dataclass(frozen=True, slots=True, kw_only=True)
class BoundaryCheck:
    """The check of one drawing, and the row faults of the files it came from."""

    name: str
    crs: str
    report: CoverageReport
    refused: tuple[Fault, ...]
    notes: tuple[Note, ...] = ()

    @property
    def has_faults(self) -> bool:
        """Tell whether anything is wrong that no repair mends."""
        return bool(self.refused) or self.report.has_faults

    def as_json(self, lang: Lang) -> dict[str, Any]:
        """Return the object of contracts.md 2, `check`."""
        plain = self.report.as_json()
        return plain | {
            "file": self.name,
            "crs": self.crs,
            "refused": [fault.as_json(lang) for fault in self.refused],
            "notes": [note.sentence(lang) for note in self.notes],
            "faults": [fault.as_json(lang) for fault in (*self.refused, *self.report.faults())],
        }

    def lines(self, lang: Lang) -> list[str]:
        """Return the findings as sentences for a terminal, the worst first."""
        report = self.report
        faults = [*self.refused, *report.faults()]
        lines = [
            say("check.head", lang, file=self.name, crs=self.crs, grids=f"{report.grids:,}"),
            say(
                "check.counts",
                lang,
                gaps=len([gap for gap in report.gaps if gap.fault]),
                gap_area=format_area(sum(gap.area_m2 for gap in report.gaps if gap.fault)),
                overlaps=len([one for one in report.overlaps if one.fault]),
                overlap_area=format_area(sum(one.area_m2 for one in report.overlaps if one.fault)),
                slivers=len(report.slivers),
                nesting=len(report.nesting),
            ),
            say(
                "check.hairlines",
                lang,
                gaps=report.hairline_gaps.count,
                overlaps=report.hairline_overlaps.count,
                area=format_area(report.repaired_area_m2),
            ),
            say(
                "check.junctions",
                lang,
                good=f"{report.good_junctions:,}",
                apart=len(report.tri_junctions),
            ),
        ]
        if report.invalid:
            codes = name_codes(report.invalid)
            lines.append(say("check.invalid", lang, n=len(report.invalid), codes=codes))
        lines += group_notes(self.notes, lang)
        lines += [f"- {fault.sentence(lang)}" for fault in faults[:SHOWN]]
        if len(faults) > SHOWN:
            more = len(faults) - SHOWN
            lines.append(say("report.more_faults", lang, more=more, of=len(faults)))
        lines.append(say("check.bad" if faults else "check.good", lang, n=len(faults)))
        return lines


def check_files(
    files: Sequence[Path],
    *,
    city: Path | None,
    crs: str | None = None,
    encoding: str | None = None,
    layer: str | None = None,
    mapping: dict[str, str] | None = None,
    level: str | None = None,
    parent: str | None = None,
    now: int,
) -> BoundaryCheck:
    """
    Check boundary files as one drawing, or with `city` the drawing in force there.

    A file without any code is checked by its row numbers. Raises BadFile or BadGrid for files that
    cannot be read at all, NotFound for a city without grids.
    """
    if city is not None:
        opened = open_city(city)
        system = opened.grids_in_force(now)
        if system is None:
            raise NotFound(Fault(key="city_without_grids"), file=str(city))
        rule = rule_of_setting(opened.settings.grid_code_rule)
        report = check_coverage(system.grids, code_rule=rule)
        return BoundaryCheck(name=str(city), crs=opened.crs_text, report=report, refused=())
    found = read_boundaries(files, crs=crs, encoding=encoding, layer=layer)
    frame = found.frame.drop(columns=FILE_COLUMN)
    chosen = dict(mapping or {}) | ({"parent": parent} if parent else {})
    try:
        table, _ = read_columns(frame, level=level, mapping=chosen)
    except BadGrid as error:
        if {fault.key for fault in error.faults} != {"grid_no_code"}:
            raise
        numbered = frame.assign(code=[str(row + 1) for row in range(len(frame))])
        table, _ = read_columns(numbered, level=level, mapping=chosen)
    return BoundaryCheck(
        name=", ".join(path.name for path in files),
        crs=frame.crs.to_string(),
        report=check_coverage(table.rename(columns={"parent_code": "parent"})),
        refused=tuple(found.faults),
        notes=tuple(note for reading in found.readings for note in reading.notes),
    )
