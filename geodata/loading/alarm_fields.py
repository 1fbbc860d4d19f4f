"""What an event or a row of a file says of an alarm, checked and brought into its one writing."""

from __future__ import annotations

import unicodedata
from collections.abc import Callable, Mapping
from typing import Any

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from geodata.errors import Fault
from geodata.events.alarms import CLEARED, CLEARED_AT, DEVICE, DRILL, LEVEL, parse_level, parse_yes

LONGEST_DEVICE = 200
# Headers of files, the surest first.
ALARM_NAMES: dict[str, tuple[str, ...]] = {
    LEVEL: (LEVEL, "告警级别", "报警级别", "预警级别", "告警等级", "报警等级"),
    DEVICE: (DEVICE, "设备编号", "设备编码", "设备id"),
    CLEARED_AT: (CLEARED_AT, "解除时间", "恢复时间", "消警时间"),
    CLEARED: (CLEARED, "已解除", "是否解除", "已恢复"),
    DRILL: (DRILL, "演练", "是否演练"),
}


def read_alarm(
    said: Mapping[str, Any], *, at: int | None, moment: Callable[[Any], int | None]
) -> tuple[dict[str, str], list[tuple[str, str]]]:
    """
    Return what is said of an alarm as attributes in one writing, and (fault key, field) pairs.

    "2", 2, "Ⅱ" and "橙色" are all level "2"; `cleared` without a time means the event's own; what
    is no drill says nothing. `moment` reads a time, None for what is none.
    """
    texts: dict[str, str] = {}
    faults: list[tuple[str, str]] = []
    if _given(said, LEVEL):
        level = parse_level(said[LEVEL])
        if level is None:
            faults.append(("alarm_level", LEVEL))
        texts[LEVEL] = str(level)
    if _given(said, DEVICE):
        device = _device(said[DEVICE])
        if not device:
            faults.append(("alarm_device", DEVICE))
        texts[DEVICE] = device
    if _given(said, CLEARED_AT):
        cleared_at = moment(said[CLEARED_AT])
        if cleared_at is None or cleared_at <= 0:
            faults.append(("post_moment", CLEARED_AT))
        texts[CLEARED_AT] = str(cleared_at)
    for name in (CLEARED, DRILL):
        yes = parse_yes(said.get(name))
        if yes is None:
            faults.append(("alarm_yes", name))
        if yes and name == DRILL:
            texts[DRILL] = "true"
        if yes and name == CLEARED and at:
            texts.setdefault(CLEARED_AT, str(at))
    return texts, faults


def read_alarm_columns(
    frame: pd.DataFrame, columns: Mapping[str, str], *, at: NDArray[np.int64], moments: pd.Series
) -> tuple[pd.DataFrame, list[Fault]]:
    """
    Return the alarm columns of a file in their one writing, and the faults of its rows.

    `columns` names the file's column of each alarm field it has; `at` is each row's own time,
    `moments` its cleared_at in UTC seconds (0 for none, -1 for unreadable).
    """
    texts: list[dict[str, str]] = []
    faults: list[Fault] = []
    cells = {name: frame[column].fillna("").astype(str) for name, column in columns.items()}
    for place, row in enumerate(frame.index):
        said: dict[str, Any] = {name: column.iloc[place].strip() for name, column in cells.items()}
        if said.get(CLEARED_AT):
            said[CLEARED_AT] = int(moments.iloc[place])
        found, wrong = read_alarm(said, at=int(at[place]), moment=int)
        texts.append(found)
        faults += [
            Fault(key=key, row=int(row), field=columns[name], value_kind="text")
            for key, name in wrong
        ]
    return pd.DataFrame(texts, index=frame.index).fillna(""), faults


def _given(said: Mapping[str, Any], name: str) -> bool:
    return said.get(name) not in (None, "")


def _device(value: Any) -> str:
    """Return a device's id, "" for what is none."""
    if isinstance(value, int) and not isinstance(value, bool):
        value = str(value)
    if not isinstance(value, str) or len(value) > LONGEST_DEVICE:
        return ""
    text = unicodedata.normalize("NFC", value).strip()
    bad = any(unicodedata.category(sign) in ("Cc", "Cs") for sign in text)
    return "" if bad else text
