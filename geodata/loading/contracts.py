"""What each kind of record needs (contracts.md 3): its columns, their names, what they may hold."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field

import pandas as pd

from geodata.errors import Fault
from geodata.events.clock import UNITS

# What offices write instead of our own words.
_UNIT_WORDS = {
    "分钟": "minutes",
    "工作小时": "working_hours",
    "工作时": "working_hours",
    "工作日": "working_days",
    "天": "days",
    "日": "days",
    "自然日": "days",
}
_BODY_WORDS = {"部门": "department", "公司": "company", "企业": "company", "街道": "street"}
_NAME = ("name", "名称", "地点", "点位名称", "description")
_KIND = ("kind", "type", "类型", "类别")
_BODY = ("body", "责任单位", "责任岗位", "归属部门")


@dataclass(frozen=True, slots=True, kw_only=True)
class Contract:
    """
    One kind of record: its key, what else it needs, and whether it has a place.

    `names` gives the headers that mean a column. `key_of` makes the key of a record that has none
    of its own. `numbers` may not be negative; `choices` are the only texts of a column; both may be
    empty. `words` turns what offices write into ours. `dated`: a column `valid_from` says from
    which day each row holds. `shaped`: a line or an area, which is kept beside the place.
    """

    key: str
    placed: bool
    needed: tuple[str, ...] = ()
    names: dict[str, tuple[str, ...]]
    key_of: Callable[[pd.DataFrame], pd.Series[str]] | None = None
    numbers: tuple[str, ...] = ()
    choices: dict[str, tuple[str, ...]] = field(default_factory=dict)
    words: dict[str, dict[str, str]] = field(default_factory=dict)
    dated: bool = False
    shaped: bool = False


RECORD_KINDS: dict[str, Contract] = {
    "cameras": Contract(
        key="camera_id",
        placed=True,
        names={
            "camera_id": ("camera_id", "id", "摄像机编码", "设备编码", "国标编码", "编码"),
            "name": _NAME,
            "class": ("class", "类别", "摄像机类别"),
            "state": ("state", "状态"),
            "bearing": ("bearing", "方位角"),
            "angle": ("angle", "视场角"),
            "range_m": ("range_m", "可视距离"),
        },
    ),
    "places": Contract(
        key="id",
        placed=True,
        needed=("kind",),
        names={
            "id": ("id", "code", "编号", "编码"),
            "name": _NAME,
            "kind": _KIND,
            "capacity": ("capacity", "容量"),
            "state": ("state", "状态"),
        },
    ),
    "components": Contract(
        key="id",
        placed=True,
        needed=("kind",),
        names={
            "id": ("id", "code", "部件编码", "编码"),
            "name": _NAME,
            "kind": _KIND,
            "state": ("state", "状态"),
            "body": _BODY,
        },
    ),
    "devices": Contract(
        key="id",
        placed=True,
        needed=("kind",),
        names={
            "id": ("id", "device_id", "code", "设备编号", "设备编码", "编码"),
            "name": _NAME,
            "kind": ("kind", "type", "设备类型", "类型", "类别"),
            "state": ("state", "状态"),
            "body": _BODY,
        },
    ),
    "lines": Contract(
        key="id",
        placed=True,
        shaped=True,
        needed=("kind",),
        names={
            "id": ("id", "line_id", "code", "线路编号", "编号", "编码"),
            "name": _NAME,
            "kind": _KIND,
            "state": ("state", "状态"),
            "body": (*_BODY, "河长", "负责岗位"),
            "checked_at": ("checked_at", "检查时间", "核查日期"),
        },
    ),
    "blocks": Contract(
        key="id",
        placed=True,
        shaped=True,
        names={
            "id": ("id", "block_id", "code", "地块编号", "编号", "编码"),
            "name": _NAME,
            "households": ("households", "户数"),
            "population": ("population", "人口", "人口数"),
        },
        numbers=("households", "population"),
    ),
    "kinds": Contract(
        key="code",
        placed=False,
        needed=("name_zh", "category"),
        names={
            "code": ("code", "编码"),
            "name_zh": ("name_zh", "名称"),
            "name_en": ("name_en",),
            "category": ("category", "大类", "类别"),
            "body": _BODY,
            "limit": ("limit", "时限"),
            "limit_unit": ("limit_unit", "时限单位"),
            "severity": ("severity", "严重程度"),
            "patrol_found": ("patrol_found",),
        },
        numbers=("limit",),
        choices={"limit_unit": UNITS},
        words={"limit_unit": _UNIT_WORDS},
    ),
    "bodies": Contract(
        key="body",
        placed=False,
        needed=("name_zh",),
        names={
            "body": ("body", "编码"),
            "name_zh": ("name_zh", "名称"),
            "name_en": ("name_en",),
            "kind": _KIND,
            "duty_line": ("duty_line", "值班电话"),
        },
        words={"kind": _BODY_WORDS},
    ),
    "matrix": Contract(
        key="id",
        placed=False,
        needed=("kind", "area", "body"),
        names={
            "kind": ("kind", "类别", "类型", "案件类别"),
            "area": ("area", "grid", "code", "网格编码", "网格", "区域", "区域编码"),
            "body": _BODY,
        },
        key_of=lambda table: table["kind"] + "@" + table["area"],
        dated=True,
    ),
    "counts": Contract(
        key="code",
        placed=False,
        names={
            "code": ("code", "网格编码", "编码"),
            "households": ("households", "户数"),
            "population": ("population", "人口", "人口数"),
            "buildings": ("buildings", "楼栋数"),
            "floor_area": ("floor_area", "建筑面积"),
            "road_km": ("road_km", "道路里程"),
            "students": ("students", "学生数"),
            "patrol_hours": ("patrol_hours", "巡查工时"),
        },
        numbers=(
            "households", "population", "buildings", "floor_area", "road_km", "students",
            "patrol_hours",
        ),
        dated=True,
    ),
    "calendar": Contract(
        key="date",
        placed=False,
        needed=("working",),
        names={
            "date": ("date", "日期"),
            "working": ("working", "是否工作日"),
            "name": _NAME,
        },
    ),
    "kind_aliases": Contract(
        key="alias",
        placed=False,
        needed=("kind",),
        names={"alias": ("alias", "写法", "别名", "原类别"), "kind": (*_KIND, "类别编码")},
        dated=True,
    ),
    "body_aliases": Contract(
        key="alias",
        placed=False,
        needed=("body",),
        names={"alias": ("alias", "写法", "别名", "原单位"), "body": (*_BODY, "单位编码")},
        dated=True,
    ),
    "addresses": Contract(
        key="address",
        placed=True,
        names={
            "address": ("address", "标准地址", "地址", "地址全称"),
            "level": ("level", "地址级别"),
            "code": ("code", "地址编码", "编码"),
        },
    ),
}  # fmt: skip


def check_cells(table: pd.DataFrame, contract: Contract, columns: dict[str, str]) -> list[Fault]:
    """Return a fault for each cell that holds no number where one belongs, or an unknown choice."""
    faults: list[Fault] = []
    for name in contract.numbers:
        if name in table:
            values = pd.to_numeric(table[name], errors="coerce")
            wrong = (table[name] != "") & ~(values >= 0)
            faults += _faults(table, wrong, "number_unreadable", columns[name])
    for name, known in contract.choices.items():
        if name in table:
            wrong = (table[name] != "") & ~table[name].isin(known)
            values = {"known": ", ".join(known)}
            faults += _faults(table, wrong, "choice_unknown", columns[name], values)
    return faults


def _faults(
    table: pd.DataFrame,
    wrong: pd.Series[bool],
    key: str,
    column: str,
    values: dict[str, object] | None = None,
) -> list[Fault]:
    return [
        Fault(key=key, row=int(row), field=column, value_kind="text", values=values or {})
        for row in table.index[wrong.to_numpy(bool)]
    ]
