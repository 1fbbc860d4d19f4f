"""What can go wrong: faults of rows and files, and the one tree of errors."""

from __future__ import annotations

import dataclasses
import errno
from dataclasses import dataclass
from functools import partial
from typing import Any

from geodata.words import Lang, join, say


@dataclass(frozen=True, slots=True, kw_only=True)
class Fault:
    """
    One thing that is wrong with a row, a feature or a file: what, where, what to do.

    `key` names two sentences, `fault.<key>.cause` and `fault.<key>.remedy`, which are filled from
    `values`. Never put a cell's own text into `values`: it may be personal. `value_kind` says what
    the cell looked like instead ("empty", "text of 11 digits", "date").
    """

    key: str
    row: int | None = None  # 1 is the first data row or feature
    field: str | None = None
    value_kind: str | None = None
    values: dict[str, Any] = dataclasses.field(default_factory=dict)

    def cause(self, lang: Lang = "zh") -> str:
        """Say what is wrong."""
        return say(f"fault.{self.key}.cause", lang, **self.values)

    def remedy(self, lang: Lang = "zh") -> str:
        """Say what a person can do about it."""
        return say(f"fault.{self.key}.remedy", lang, **self.values)

    def as_json(self, lang: Lang = "zh") -> dict[str, Any]:
        """Return the form that `--json` prints (contracts.md 2)."""
        return {
            "row": self.row,
            "field": self.field,
            "value_kind": self.value_kind,
            "key": self.key,
            "cause": self.cause(lang),
            "remedy": self.remedy(lang),
        }

    def sentence(self, lang: Lang = "zh") -> str:
        """Return cause, place and remedy as one line."""
        field = "setting" if self.key.startswith("settings_") else "field"
        place = join(
            [
                say(f"report.at_{name}", lang, at=value)
                for name, value in (("row", self.row), (field, self.field))
                if value is not None
            ],
            lang,
        )
        where = say("report.at", lang, place=place) if place else ""
        return where + say("report.fault", lang, cause=self.cause(lang), remedy=self.remedy(lang))


class GetuError(Exception):
    """The root of every error a user can cause; carries all its faults at once."""

    exit_code = 1

    def __init__(self, faults: Fault | list[Fault], *, file: str | None = None) -> None:
        self.faults = [faults] if isinstance(faults, Fault) else list(faults)
        self.file = file
        super().__init__(self.sentence("en"))

    def __reduce__(self) -> tuple[Any, ...]:
        """Go whole from one process to another: an exception by itself takes its text alone."""
        return partial(type(self), file=self.file), (self.faults,)

    def sentence(self, lang: Lang = "zh") -> str:
        """Return every fault, one a line, led by the file's name."""
        lead = say("report.at", lang, place=self.file) if self.file else ""
        return "\n".join(lead + fault.sentence(lang) for fault in self.faults)


class BadFile(GetuError):
    """Nothing of the file was loaded."""


class BadGrid(GetuError):
    """The grids contradict themselves or one another."""


class BadSetting(GetuError):
    """A setting or an argument is unknown or impossible."""

    exit_code = 2


class NotFound(GetuError):
    """What was asked for does not exist, or not for this account."""


class NotAllowed(GetuError):
    """The account may not do this."""


class Overtaken(GetuError):
    """Someone else changed what was to be changed, after it was read."""


class NotSignedIn(NotAllowed):
    """Nobody is signed in, or not any more."""


class TooMany(GetuError):
    """More than the limits allow; a fault says in how many `seconds` to try again."""


class Busy(GetuError):
    """Another process holds what is needed; try again."""


class StoreFull(GetuError):
    """The disk has no room; nothing was written."""


class StoreDamaged(GetuError):
    """The store's file is no store, or none that this program knows."""


def explain_system(error: OSError, *, file: str | None = None) -> GetuError:
    """Return what the operating system refused as an error a person understands."""
    name = file or (str(error.filename) if error.filename else None)
    if isinstance(error, PermissionError):
        return NotAllowed(Fault(key="system_denied"), file=name)
    if isinstance(error, IsADirectoryError):
        return BadFile(Fault(key="system_folder"), file=name)
    if isinstance(error, FileExistsError | NotADirectoryError):
        return BadFile(Fault(key="system_no_folder"), file=name)
    if error.errno in (errno.ENOSPC, errno.EDQUOT):
        return StoreFull(Fault(key="store_full"), file=name)
    reason = error.strerror or type(error).__name__
    return BadFile(Fault(key="system_refused", values={"reason": reason}), file=name)


# One table from error to HTTP status; a class missing here inherits its parent's row.
HTTP_STATUS: dict[type[GetuError], int] = {
    GetuError: 400,
    BadFile: 422,
    BadGrid: 422,
    BadSetting: 422,
    NotFound: 404,
    NotAllowed: 403,
    NotSignedIn: 401,
    TooMany: 429,
    Overtaken: 409,
    Busy: 503,
    StoreFull: 507,
    StoreDamaged: 500,
}


def http_status(error: GetuError) -> int:
    """Return the HTTP status of an error by its class."""
    return next(HTTP_STATUS[kind] for kind in type(error).__mro__ if kind in HTTP_STATUS)
