"""What `app.py audit` says: the sealed head, what the check found, the rows asked for."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import UTC, date, datetime, time, timedelta
from typing import Any
from zoneinfo import ZoneInfo

from geodata.audit.check import Checked
from geodata.audit.log import print_head
from geodata.errors import BadSetting, Fault
from geodata.store.audit import Head
from geodata.store.audit_rows import LogFilter, LogRow
from geodata.words import Lang, has_words, say


@dataclass(frozen=True, slots=True, kw_only=True)
class SealReport:
    """The head that was sealed."""

    head: Head
    zone: ZoneInfo

    def lines(self, lang: Lang) -> list[str]:
        """Return the report as sentences for a terminal."""
        values = {"head": print_head(self.head), "hash": self.head.hash.hex()}
        at = print_moment(self.head.at, self.zone)
        return [say("audit.sealed", lang, row=self.head.entry, at=at, **values)]

    def as_json(self) -> dict[str, Any]:
        """Return the object that `--json` prints."""
        return {
            "head": print_head(self.head),
            "row": self.head.entry,
            "hash": self.head.hash.hex(),
            "at": self.head.at,
        }


@dataclass(frozen=True, slots=True, kw_only=True)
class CheckReport:
    """What the check of the log found."""

    checked: Checked
    zone: ZoneInfo

    def lines(self, lang: Lang) -> list[str]:
        """Return the report as sentences for a terminal."""
        head, broken = self.checked.head, self.checked.broken
        if broken is not None:
            return [
                say("audit.broken", lang),
                say(f"audit.break.{broken.kind}", lang, row=broken.entry),
                say("audit.good_until", lang, rows=head.entry),
            ]
        if not head.entry:
            return [say("audit.empty", lang)]
        at = print_moment(head.at, self.zone)
        seals = self.checked.seals
        return [
            say("audit.whole", lang, rows=head.entry, head=print_head(head), at=at, seals=seals)
        ]

    def as_json(self) -> dict[str, Any]:
        """Return the object that `--json` prints."""
        checked, broken = self.checked, self.checked.broken
        return {
            "whole": checked.whole,
            "rows": checked.head.entry,
            "head": print_head(checked.head),
            "at": checked.head.at,
            "seals": checked.seals,
            "break": None if broken is None else {"kind": broken.kind, "row": broken.entry},
        }


@dataclass(frozen=True, slots=True, kw_only=True)
class LogReport:
    """Rows of the log, newest first; `total` is how many there are of these."""

    rows: list[LogRow]
    total: int
    codes: dict[int, str]  # of grids, by uid
    zone: ZoneInfo

    def lines(self, lang: Lang) -> list[str]:
        """Return the report as sentences for a terminal."""
        lines = [self._line(row, lang) for row in reversed(self.rows)]
        return [*lines, say("audit.listed", lang, n=len(self.rows), total=self.total)]

    def as_json(self) -> dict[str, Any]:
        """Return the object that `--json` prints."""
        return {
            "total": self.total,
            "rows": [
                {
                    "row": row.number,
                    "at": row.entry.at,
                    "account": row.entry.account,
                    "role": row.entry.role,
                    "act": row.entry.act,
                    "target": row.entry.target,
                    "scope": row.entry.scope,
                    "grid": self.codes.get(row.entry.grid or 0),
                    "n": row.entry.n,
                    "revision": row.entry.revision,
                    "detail": row.entry.detail,
                }
                for row in self.rows
            ],
        }

    def _line(self, row: LogRow, lang: Lang) -> str:
        entry = row.entry
        return say(
            "audit.row",
            lang,
            row=row.number,
            at=print_moment(entry.at, self.zone),
            account=entry.account,
            act=name_act(entry.act, lang),
            target=entry.target or self.codes.get(entry.grid or 0, "–"),
            n=entry.n,
        )


def name_act(act: str, lang: Lang) -> str:
    """Return what an act is called, or its own name where no words are kept for it."""
    name = act.replace(".", "_")
    return say(f"audit_act.{name}", lang) if has_words(f"audit_act.{name}") else act


def print_moment(at: int, zone: ZoneInfo) -> str:
    """Return a moment (UTC s) to the second, in the city's own time."""
    return datetime.fromtimestamp(at, UTC).astimezone(zone).strftime("%Y-%m-%d %H:%M:%S")


def wish_rows(
    *,
    account: str | None = None,
    act: str | None = None,
    target: str | None = None,
    grids: frozenset[int] | None = None,
    from_day: str | None = None,
    to_day: str | None = None,
    zone: ZoneInfo,
) -> LogFilter:
    """
    Return the filter for rows of whole local days, both of them included.

    Raises BadSetting for a day that is none.
    """
    return LogFilter(
        account=account or None,
        act=act or None,
        target=target or None,
        grids=grids,
        from_at=_begin(from_day, zone),
        to_at=_begin(to_day, zone, days=1),
    )


def _begin(day: str | None, zone: ZoneInfo, *, days: int = 0) -> int | None:
    if not day:
        return None
    try:
        at = datetime.combine(date.fromisoformat(day) + timedelta(days), time(), zone)
        return int(at.timestamp())
    except (ValueError, OverflowError) as error:
        raise BadSetting(Fault(key="audit_day")) from error
