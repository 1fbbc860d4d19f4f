"""What a reader did or assumed that a person should know, though nothing is wrong."""

from __future__ import annotations

import dataclasses
from dataclasses import dataclass
from typing import Any

from geodata.words import Lang, join, say


@dataclass(frozen=True, slots=True, kw_only=True)
class Note:
    """
    One remark of a report: a repair, an assumption, something left out.

    `key` names one sentence, filled from `values`. As with faults, never a cell's own text.
    """

    key: str
    row: int | None = None  # 1 is the first data row or feature
    field: str | None = None
    values: dict[str, Any] = dataclasses.field(default_factory=dict)

    def sentence(self, lang: Lang = "zh") -> str:
        """Return the remark and its place as one line."""
        place = join(
            [
                say(f"report.at_{name}", lang, at=value)
                for name, value in (("row", self.row), ("field", self.field))
                if value is not None
            ],
            lang,
        )
        where = say("report.at", lang, place=place) if place else ""
        return where + say(self.key, lang, **self.values)

    def as_json(self, lang: Lang = "zh") -> dict[str, Any]:
        """Return the form that `--json` prints."""
        return {
            "row": self.row,
            "field": self.field,
            "key": self.key,
            "note": say(self.key, lang, **self.values),
        }
