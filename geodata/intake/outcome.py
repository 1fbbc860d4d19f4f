"""What a load came to, told in sentences; what it refused row by row lies in a file beside it."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from pathlib import Path

import orjson

from geodata.errors import Fault, GetuError
from geodata.loading.addressed import UNSURE
from geodata.loading.report import LoadReport, alike, group_faults
from geodata.words import LANGS, Lang, say

REFUSED_FILE = ".refused.json"  # no upload begins with a dot (`clean_name`)


@dataclass(frozen=True, slots=True, kw_only=True)
class Outcome:
    """
    What a load came to, as a page shows it; nothing in it grows with the rows that were refused.

    `lines` are those of the reports, `wrong` of files refused as a whole; `refused` counts rows.
    `unsure` tells that addresses wait for a person.
    """

    loaded: bool
    lines: dict[Lang, list[str]]
    wrong: dict[Lang, list[str]]
    refused: int
    unsure: bool = False


def settle_outcome(
    reports: Sequence[LoadReport], errors: Sequence[GetuError], *, folder: Path
) -> Outcome:
    """Say what a load came to, and keep the reasons of every refused row in `folder`."""
    wrong = [fault for error in errors for fault in error.faults]
    faults = [*(fault for report in reports for fault in report.faults), *wrong]
    _keep_reasons(faults, folder)
    return Outcome(
        loaded=bool(reports),
        lines={lang: [line for one in reports for line in one.lines(lang)] for lang in LANGS},
        wrong={lang: group_faults(wrong, lang) for lang in LANGS},
        refused=sum(one.refused for one in reports)  # row 3 of two files is two rows
        + sum(len({fault.row for fault in error.faults} - {None}) for error in errors),
        unsure=any(note.key == UNSURE for report in reports for note in report.notes),
    )


def read_reasons(folder: Path, lang: Lang) -> dict[int, list[str]]:
    """Return why each refused row was refused, with its remedies; empty where none is kept."""
    path = folder / REFUSED_FILE
    reasons: dict[int, list[str]] = {}
    for group in orjson.loads(path.read_bytes()) if path.exists() else ():
        for row in group["rows"]:
            reasons.setdefault(row, []).append(group[lang])
    return reasons


def _keep_reasons(faults: Iterable[Fault], folder: Path) -> None:
    groups: dict[tuple[str, ...], dict[str, str | list[int]]] = {}
    rows: dict[tuple[str, ...], list[int]] = {}
    for fault in faults:
        if fault.row is None:
            continue
        name = alike(fault)
        if name not in rows:
            groups[name] = {lang: _tell(fault, lang) for lang in LANGS}
            rows[name] = []
        rows[name].append(fault.row)
    if not folder.is_dir():  # thrown away meanwhile: nobody asks
        return
    told = [group | {"rows": rows[name]} for name, group in groups.items()]
    (folder / REFUSED_FILE).write_bytes(orjson.dumps(told))


def _tell(fault: Fault, lang: Lang) -> str:
    field = say("report.at_field", lang, at=fault.field) if fault.field else ""
    return f"{field} {fault.cause(lang)} {fault.remedy(lang)}".strip()
