"""Moments as people write them, read into UTC seconds."""

from __future__ import annotations

import re
import unicodedata
from dataclasses import dataclass, replace
from functools import lru_cache
from zoneinfo import ZoneInfo

import numpy as np
import pandas as pd
from numpy.typing import NDArray

BAD = np.iinfo(np.int64).min
PRECISIONS = ("second", "day", "month")
_TEXTS_AT_ONCE = 200_000

# Tried in turn on what the earlier ones left; the first that fits a cell wins.
_FORMS: tuple[tuple[str, str, str], ...] = (
    (r"\d{4}-\d{1,2}-\d{1,2} \d{1,2}:\d{1,2}:\d{1,2}", "%Y-%m-%d %H:%M:%S", "second"),
    (r"\d{4}-\d{1,2}-\d{1,2} \d{1,2}:\d{1,2}", "%Y-%m-%d %H:%M", "second"),
    (r"\d{4}-\d{1,2}-\d{1,2}", "%Y-%m-%d", "day"),
    (r"\d{4}-\d{1,2}", "%Y-%m", "month"),
    (r"\d{8}", "%Y%m%d", "day"),
    (r"\d{14}", "%Y%m%d%H%M%S", "second"),
)
_HALF_DAY = re.compile(r"\s*(上午|下午|晚上)\s*(\d{1,2})(?=[时点:])")
_HALF_DAY_HOURS, _DAY_HOURS = 12, 24
_ZONED = r"\d{4}-\d{2}-\d{2} \d{2}:\d{2}:\d{2} ?(Z|[+-]\d{2}:?\d{2})"


@dataclass(frozen=True, slots=True, kw_only=True)
class Moments:
    """UTC seconds of each text (BAD where none fits, 0 where empty) and the coarsest precision."""

    seconds: NDArray[np.int64]
    precision: str

    @property
    def bad(self) -> NDArray[np.bool_]:
        """Return which texts are no moment."""
        return np.equal(self.seconds, BAD)

    def without(self, rows: NDArray[np.bool_]) -> Moments:
        """Return the same moments with none in some rows."""
        return replace(self, seconds=np.where(rows, 0, self.seconds))


@dataclass(frozen=True, slots=True, kw_only=True)
class _Part:
    """Some of the texts: where each begins and ends, which may be days, which months surely are."""

    begins: NDArray[np.int64]
    ends: NDArray[np.int64]
    day: NDArray[np.bool_]
    month: NDArray[np.bool_]
    coarsest: int


def parse_moments(texts: pd.Series[str], zone: ZoneInfo, *, day_ends: bool = False) -> Moments:
    """
    Read times as text: ISO 8601, 2026.3.5, 2026/3/5, 2024年1月1日 8时5分, 20240101, month only.

    Naive times are the city's own (`zone`); an ambiguous hour at the end of summer time is its
    first occurrence, an hour that does not exist moves forward. With `day_ends` a day alone is its
    end, the midnight after it, and a month alone its end: what is due on a day is not late while it
    lasts. Sheets write days as midnights and midnights as days, so the column decides: its cells
    are days where no cell has an hour other than midnight.
    """
    # Some at a time: while they are read, texts take many times the room of their seconds.
    parts = [
        _parse_some(texts.iloc[start : start + _TEXTS_AT_ONCE], zone, day_ends)
        for start in range(0, max(len(texts), 1), _TEXTS_AT_ONCE)
    ]
    seconds = begins = np.concatenate([part.begins for part in parts])
    if day_ends:
        day = np.concatenate([part.day for part in parts])
        month = np.concatenate([part.month for part in parts])
        days = bool((day | month | (begins == 0) | (begins == BAD)).all())
        ends = np.concatenate([part.ends for part in parts])
        seconds = np.where(month | (day & days), ends, begins)
    return Moments(seconds=seconds, precision=PRECISIONS[max(part.coarsest for part in parts)])


@lru_cache(maxsize=4096)
def end_day(text: str, zone: ZoneInfo) -> int:
    """Return the UTC second at which a day alone ("2026-07-04") ends, as `parse_moments` has it."""
    return int(parse_moments(pd.Series([text]), zone, day_ends=True).seconds[0])


def _parse_some(texts: pd.Series[str], zone: ZoneInfo, day_ends: bool) -> _Part:
    plain = _plain(texts)
    begins = np.full(len(plain), BAD, np.int64)
    begins[(plain == "").to_numpy()] = 0
    ends, day, month = begins.copy(), np.zeros(len(plain), bool), np.zeros(len(plain), bool)
    coarsest = 0
    open_rows = begins == BAD
    zoned = open_rows & plain.str.fullmatch(_ZONED).to_numpy(bool)
    if zoned.any():
        parsed = pd.to_datetime(plain[zoned], utc=True, errors="coerce")
        begins[zoned] = ends[zoned] = _to_seconds(parsed)
        open_rows &= ~zoned
    for pattern, form, precision in _FORMS:
        if not open_rows.any():
            break
        rows = open_rows & plain.str.fullmatch(pattern).to_numpy(bool)
        if not rows.any():
            continue
        parsed = pd.to_datetime(plain[rows], format=form, errors="coerce")
        begins[rows] = _localize(parsed, zone)
        if day_ends:
            whole = pd.DateOffset(months=1) if precision == "month" else pd.Timedelta(days=1)
            ends[rows] = _localize(parsed + whole, zone)
            day[rows] = (parsed == parsed.dt.normalize()).to_numpy() & (precision != "month")
            month[rows] = (precision == "month") & parsed.notna().to_numpy()
        open_rows &= ~rows
        coarsest = max(coarsest, PRECISIONS.index(precision))
    return _Part(begins=begins, ends=ends, day=day, month=month, coarsest=coarsest)


def _localize(naive: pd.Series[pd.Timestamp], zone: ZoneInfo) -> NDArray[np.int64]:
    first = np.ones(len(naive), bool)
    return _to_seconds(naive.dt.tz_localize(zone, ambiguous=first, nonexistent="shift_forward"))


def _tell_hour(found: re.Match[str]) -> str:
    """
    Return an hour of the day for 上午8, 下午3 and 下午15; what is no hour of a half day stays.

    So does 上午12: some mean noon by it, some midnight.
    """
    hour, later = int(found[2]), found[1] in ("下午", "晚上")
    if later and _HALF_DAY_HOURS < hour < _DAY_HOURS:
        return f" {hour}"
    noon = hour == _HALF_DAY_HOURS and found[1] != "下午"
    if hour > _HALF_DAY_HOURS or noon:
        return found[0]
    return f" {hour % 12 + 12 * later}"


def _plain(texts: pd.Series[str]) -> pd.Series[str]:
    """Bring dates to one writing: half-width, dashes, colons, a single space."""
    one = texts.fillna("").astype(str)
    if not one.map(str.isascii).all():
        one = one.map(lambda text: unicodedata.normalize("NFKC", text))
        one = one.str.replace(_HALF_DAY, _tell_hour, regex=True)
        one = one.str.replace(r"[年月]", "-", regex=True).str.replace(r"[日号]", " ", regex=True)
        one = one.str.replace(r"[时点分]", ":", regex=True).str.replace("秒", "")
    one = one.str.strip().str.replace(r"[./]", "-", regex=True).str.replace("T", " ")
    one = one.str.replace(r"(:\d{2})-\d+", r"\1", regex=True)  # fractions of a second
    return one.str.replace(r"\s+", " ", regex=True).str.strip(" :-")


def _to_seconds(values: pd.Series[pd.Timestamp]) -> NDArray[np.int64]:
    utc = values.dt.tz_convert("UTC").dt.tz_localize(None).to_numpy("datetime64[s]")
    seconds = utc.astype(np.int64)
    return np.where(np.isnat(utc), BAD, seconds)
