"""What a load says about a file: rows taken, repaired, refused, and why."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from geodata.errors import Fault
from geodata.notes import Note
from geodata.ownership.recorded import Recorded
from geodata.words import Lang, Word, join, say

FAULTS_SHOWN = 20  # kinds of fault on the terminal; `--json` prints every row
ROWS_SHOWN = 5
COPIES = "report.copies"  # the note on rows that were here already: the first line says it
_TORN = "row_ragged"


@dataclass(slots=True, kw_only=True)
class LoadReport:
    """The report of one file; `as_json` has the keys of contracts.md 2."""

    file: str
    rows: int = 0
    accepted: int = 0
    repaired: int = 0
    faults: list[Fault] = field(default_factory=list)
    crs: str | None = None
    encoding: str | None = None
    dropped_columns: list[str] = field(default_factory=list)
    notes: list[Note] = field(default_factory=list)
    recorded: Recorded | None = None
    revision: int | None = None
    account: str = ""

    @property
    def refused(self) -> int:
        """Return how many rows were refused."""
        return len({fault.row for fault in self.faults if fault.row is not None})

    def as_facts(self) -> dict[str, Any]:
        """Return what is kept with its batch: the file, what its rows became, who loaded it."""
        facts = {
            "file": self.file,
            "rows": self.rows,
            "accepted": self.accepted,
            "refused": self.refused,
            "repaired": self.repaired,
        }
        return facts | ({"account": self.account} if self.account else {})

    def settle_faults(self) -> None:
        """Bring the faults into the order of rows; a row torn apart has no other faults to name."""
        torn = {fault.row for fault in self.faults if fault.key == _TORN}
        kept = [fault for fault in self.faults if fault.key == _TORN or fault.row not in torn]
        self.faults = sorted(kept, key=lambda fault: fault.row or 0)

    def note(self, key: str, **values: Any) -> None:
        """Add a sentence that is no fault: what was repaired, assumed or found."""
        self.notes.append(Note(key=key, values=values))

    def tell_columns(
        self,
        found: Mapping[str, str | None],
        place: tuple[str, str] | None = None,
        *,
        have: Iterable[object] = (),
    ) -> None:
        """
        Say which column each field was taken from; `place` are those of the coordinates.

        Of the columns in `have` those that no field took are named: a misspelt one would go unseen.
        """
        taken = {name: column for name, column in found.items() if column is not None}
        if place is not None:
            taken |= dict(zip(("lon", "lat"), place, strict=True))
        if taken:
            pairs = tuple(
                Word("report.column", {"field": Word(f"intake_field.{name}"), "column": column})
                for name, column in taken.items()
            )
            self.note("report.columns", pairs=pairs)
        left = tuple(str(name) for name in have if name not in {*taken.values(), "geometry"})
        if left:
            self.note("report.columns_left", n=len(left), columns=left)

    def as_json(self, lang: Lang = "zh") -> dict[str, Any]:
        """Return the object that `load --json` prints."""
        return {
            "file": self.file,
            "rows": self.rows,
            "accepted": self.accepted,
            "repaired": self.repaired,
            "refused": self.refused,
            "faults": [fault.as_json(lang) for fault in self.faults],
            "crs": self.crs,
            "encoding": self.encoding,
            "dropped_columns": self.dropped_columns,
            "notes": [note.sentence(lang) for note in self.notes],
            "revision": self.revision,
            "recorded": self.recorded.as_json() if self.recorded else None,
        }

    def lines(self, lang: Lang = "zh") -> list[str]:
        """Return the report as sentences for a terminal."""
        known = next((note.values for note in self.notes if note.key == COPIES), {})
        lines = [
            say(
                "report.load_again" if known else "report.load",
                lang,
                file=self.file,
                rows=self.rows,
                accepted=self.accepted,
                repaired=self.repaired,
                refused=self.refused,
                **known,
            )
        ]
        read_as = [
            say(f"report.read_{name}", lang, value=value)
            for name, value in (("crs", self.crs), ("encoding", self.encoding))
            if value
        ]
        if read_as:
            lines.append("  " + say("report.read_as", lang, how=join(read_as, lang)))
        if self.dropped_columns:
            names = join(self.dropped_columns, lang)
            lines.append("  " + say("report.dropped", lang, columns=names))
        told = [note for note in self.notes if note.key != COPIES]
        lines += ["  " + text for text in group_notes(told, lang)]
        if self.recorded:
            lines += self.recorded.lines(lang)
        lines += ["  - " + text for text in group_faults(self.faults, lang)]
        return lines


def merge_reports(reports: Sequence[LoadReport], lang: Lang) -> dict[str, Any]:
    """Return one object for several files: sums and lists, and each file's own under `files`."""
    each = [report.as_json(lang) for report in reports]
    if len(each) == 1:
        return each[0]
    merged: dict[str, Any] = {"file": ", ".join(report.file for report in reports)}
    for name in ("rows", "accepted", "repaired", "refused"):
        merged[name] = sum(plain[name] for plain in each)
    merged["faults"] = [{"file": one["file"], **fault} for one in each for fault in one["faults"]]
    for name in ("crs", "encoding"):
        merged[name] = ", ".join(sorted({one[name] for one in each if one[name]})) or None
    for name in ("dropped_columns", "notes"):
        merged[name] = list(dict.fromkeys(text for one in each for text in one[name]))
    merged["revision"] = max((one["revision"] or 0 for one in each), default=0) or None
    return merged | {"files": each}


def alike(fault: Fault) -> tuple[str, ...]:
    """Return what two faults of different rows share when they are told in the same words."""
    return fault.key, fault.field or "", str(fault.values)


def group_faults(faults: Sequence[Fault], lang: Lang) -> list[str]:
    """Return one line for each way in which rows are wrong: how many, which first, what to do."""
    groups: dict[tuple[str, ...], list[Fault]] = {}
    for fault in faults:
        groups.setdefault(alike(fault), []).append(fault)
    lines = []
    for same in list(groups.values())[:FAULTS_SHOWN]:
        if len(same) == 1 or same[0].row is None:
            lines += [fault.sentence(lang) for fault in same[:1]]
            continue
        rows = join([str(fault.row) for fault in same[:ROWS_SHOWN]], lang)
        place = rows + (" …" if len(same) > ROWS_SHOWN else "")
        column = same[0].field
        lines.append(
            say(
                "report.alike",
                lang,
                n=f"{len(same):,}",
                cause=same[0].cause(lang),
                rows=place,
                column=say("report.at_column", lang, at=column) if column else "",
                remedy=same[0].remedy(lang),
            )
        )
    if len(groups) > FAULTS_SHOWN:
        more = len(groups) - FAULTS_SHOWN
        lines.append(say("report.more_faults", lang, more=more, of=len(groups)))
    return lines


def group_notes(notes: Sequence[Note], lang: Lang) -> list[str]:
    """Return one line for each remark, however many files or rows it was made of."""
    groups: dict[tuple[str, str], list[Note]] = {}
    for note in notes:  # columns alike are named each: a remark on one says nothing of another
        groups.setdefault((say(note.key, lang, **note.values), note.field or ""), []).append(note)
    lines = []
    for (text, _), alike in groups.items():
        rows = [str(note.row) for note in alike if note.row is not None]
        if len(alike) == 1 or not rows:
            lines.append(alike[0].sentence(lang))
            continue
        shown = join(rows[:ROWS_SHOWN], lang) + (" …" if len(rows) > ROWS_SHOWN else "")
        lines.append(say("report.alike_note", lang, n=f"{len(rows):,}", note=text, rows=shown))
    return lines
