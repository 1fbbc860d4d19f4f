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
_MINUTES_OF = {"小时": 60, "时": 60, "hours": 60}  # units that are told in minutes
_THOUSANDS = r"[+-]?\d{1,3}(?:,\d{3})+(?:\.\d+)?"
# By a camera's own words; 0 is north.
_COMPASS = {
    "北": "0", "东北": "45", "东": "90", "东南": "135",
    "南": "180", "西南": "225", "西": "270", "西北": "315",
}  # fmt: skip
_CLASSES = {"一类": "1", "二类": "2", "三类": "3"}
_BODY_WORDS = {"部门": "department", "公司": "company", "企业": "company", "街道": "street"}
_NAME = ("name", "名称", "地点", "点位名称", "场所名称", "单位名称", "机构名称", "description")
_KIND = ("kind", "type", "类型", "类别", "folder")  # a KML sorts its places into folders
_BODY = ("body", "责任单位", "责任部门", "责任岗位", "归属部门", "主管部门", "处置部门")


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
            "camera_id": (
                *("camera_id", "id", "摄像机编码", "设备编码", "国标编码", "设备国标编码"),
                *("国标编号", "国标id", "设备编号", "摄像机编号", "点位编码", "点位编号", "编码"),
            ),
            "name": (*_NAME, "摄像机名称", "监控名称"),
            "class": ("class", "类别", "摄像机类别", "监控类别", "点位类别"),
            "state": ("state", "状态"),
            "bearing": ("bearing", "方位角", "朝向", "方向"),
            "angle": ("angle", "视场角"),
            "range_m": ("range_m", "可视距离"),
        },
        words={"bearing": _COMPASS, "class": _CLASSES},
    ),
    "places": Contract(
        key="id",
        placed=True,
        needed=("kind",),
        names={
            "id": ("id", "code", "编号", "编码", "场所编码", "场所编号", "机构编码"),
            "name": _NAME,
            "kind": (*_KIND, "场所类型", "场所类别", "机构类型", "机构类别"),
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
            "code": ("code", "编码", "代码", "小类编码", "小类代码", "类别编码", "类别代码"),
            "name_zh": ("name_zh", "名称", "小类名称", "小类", "类别名称", "事项名称"),
            "name_en": ("name_en",),
            "category": ("category", "大类名称", "大类", "类别"),
            "body": (*_BODY, "处置单位"),
            "limit": ("limit", "时限", "处置时限", "办理时限", "办结时限"),
            "limit_unit": ("limit_unit", "时限单位"),
            "severity": ("severity", "严重程度"),
            "patrol_found": ("patrol_found",),
            "response": ("response", "处置卡", "处置步骤"),
            "response_en": ("response_en",),
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
            "body": (
                *("body", "编码", "代码", "单位编码", "单位代码", "责任单位编码", "部门编码"),
                "部门代码",
            ),
            "name_zh": (
                *("name_zh", "名称", "单位名称", "责任单位名称", "部门名称", "责任单位"),
                "部门",
            ),
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
            "code": ("code", "网格编码", "网格代码", "网格编号", "编码"),
            "households": (
                *("households", "户数", "总户数", "实有户数", "家庭户数", "常住户数"),
                "户籍户数",
            ),
            "population": (
                *("population", "人口", "人口数", "常住人口", "常住人口数", "实有人口"),
                *("实有人口数", "总人口", "总人口数", "人口总数"),
            ),
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


def translate_cells(table: pd.DataFrame, contract: Contract) -> None:
    """
    Turn, in place, what offices write into what a contract says: words, thousands, hours.

    A limit in hours becomes one in minutes: 4 小时 is 240.
    """
    for name in contract.numbers:
        if name in table:
            plain = table[name].str.normalize("NFKC")
            grouped = plain.str.fullmatch(_THOUSANDS)
            table[name] = plain.where(~grouped, plain.str.replace(",", "", regex=False))
    if {"limit", "limit_unit"} <= {*contract.names, *contract.numbers} & set(table):
        times = table["limit_unit"].map(_MINUTES_OF)
        limit = pd.to_numeric(table["limit"], errors="coerce") * times
        told = limit.notna()
        table.loc[told, "limit"] = limit[told].map("{:g}".format)
        table.loc[told, "limit_unit"] = "minutes"
    for name, ours in contract.words.items():
        if name in table:
            table[name] = table[name].replace(ours)


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
