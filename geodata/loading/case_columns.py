"""The columns of cases as offices head them, and what a file without one of them cannot tell."""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Callable, Collection, Mapping
from typing import Any
from zoneinfo import ZoneInfo

import pandas as pd
from pandas.api.types import is_numeric_dtype

from geodata.events.moments import parse_moments
from geodata.loading.headers import find_header
from geodata.loading.report import LoadReport
from geodata.loading.request import find_column
from geodata.words import Word

# Headers by which a column is known, the surest first. Not among them, because they mean another
# thing elsewhere: 序号 (the row), 核实时间 (before a case is registered), 联系地址 (a person's).
COLUMNS: dict[str, tuple[str, ...]] = {
    "incident_id": (
        "incident_id", "案件编号", "事件编号", "工单号", "工单编号", "受理编号", "任务号",
        "任务编号", "案卷编号", "案卷号", "问题编号", "案件号", "案号", "工单号码", "诉求编号",
        "投诉编号", "来电编号", "受理单号", "受理号", "投诉单号", "任务单号", "工单流水号",
        "案件流水号", "事件流水号", "事件号", "案件代码", "案件id", "事件id", "工单id", "案卷id",
        "登记编号", "派单编号", "派单号", "事项编号", "流水号", "单号", "case_enquiry_id", "编号",
    ),
    "reported_at": (
        "reported_at", "上报时间", "发生时间", "受理时间", "接报时间", "发现时间", "来电时间",
        "登记时间", "上报日期", "受理日期", "接报日期", "发现日期", "来电日期", "登记日期",
        "来件时间", "收件时间", "接件时间", "投诉时间", "举报时间", "反映时间", "诉求时间",
        "报送时间", "案发时间", "事发时间", "发生日期", "采集时间", "呼入时间", "建单时间",
        "工单创建时间", "提交时间", "创建时间", "录入时间", "时间", "上报", "受理", "open_dt",
        "month", "date",
    ),
    "kind": (
        "kind", "事件类型", "事件类别", "案件类型", "案件类别", "小类", "小类名称", "案件小类",
        "事件小类", "问题小类", "事项小类", "诉求小类", "问题类型", "问题类别", "诉求分类",
        "诉求类型", "诉求类别", "工单类型", "工单类别", "案卷类型", "案卷类别", "事项类型",
        "事项类别", "投诉类型", "投诉类别", "事项名称", "类别名称", "类型", "类别", "crime_type",
        "case_title", "type",
    ),
    "source": (
        "source", "来源", "案件来源", "问题来源", "事件来源", "案卷来源", "工单来源", "诉求来源",
        "来源渠道", "上报渠道",
    ),
    "due_at": (
        "due_at", "截止时间", "办结时限", "处置截止", "处置截止时间", "处置截止日期", "截止日期",
        "办结截止时间", "办理截止时间", "处理截止时间", "办理截止", "处理截止", "到期时间",
        "到期日期", "应办结时间", "应结案时间", "应完成时间", "应办结日期", "要求办结时间",
        "要求完成时间", "规定办结时间", "规定完成时间", "限办时间", "限办日期", "最晚办结时间",
        "截止", "处置时限", "办理时限", "处理时限", "完成时限", "办理期限", "处置期限", "办结期限",
        "时限", "target_dt",
    ),
    "body": (
        "body", "责任单位", "处置单位", "处置部门", "承办单位", "承办部门", "责任部门", "主办单位",
        "主办部门", "主责单位", "主责部门", "办理单位", "办理部门", "处理单位", "处理部门",
        "经办单位", "经办部门", "承办机构", "责任单位名称", "责任部门名称", "承办单位名称",
        "处置单位名称", "处置部门名称", "处置责任单位", "责任主体", "牵头单位", "归口单位",
        "归口部门", "专业部门", "department",
    ),
    "address": (
        "address", "地址", "事发地址", "事发地点", "案发地址", "案发地点", "事件地址", "事件地点",
        "事件位置", "案件地址", "案件地点", "问题地址", "问题位置", "发生地址", "发生地点",
        "发生位置", "事发位置", "诉求地址", "诉求地点", "投诉地址", "反映地址", "详细地址",
        "具体地址", "具体位置", "地点", "位置", "位置描述", "地址描述", "所在位置",
    ),
    "recorded_grid": ("recorded_grid", "登记网格", "登记网格编码"),
    "registered_at": ("registered_at", "立案时间", "立案日期", "立项时间", "立案"),
    "dispatched_at": (
        "dispatched_at", "派遣时间", "派单时间", "派件时间", "交办时间", "派遣日期", "派单日期",
        "交办日期", "派发时间", "分派时间", "下派时间", "转办时间", "任务派遣时间", "派遣", "派单",
    ),
    "handled_at": (
        "handled_at", "处置完成时间", "处理完成时间", "处置时间", "处理时间", "办结时间",
        "完成时间", "办结日期", "处置完成日期", "处理完成日期", "办理完成时间", "处置结束时间",
        "实际办结时间", "实际完成时间", "处置反馈时间", "处理反馈时间", "完成日期", "办结", "处置",
    ),
    "closed_at": (
        "closed_at", "结案时间", "结案日期", "结单时间", "关闭时间", "归档时间", "结案",
        "closed_dt",
    ),
    "evaluated_at": ("evaluated_at", "评价时间", "评价日期", "回访时间", "回访日期"),
    "checked_at": ("checked_at", "核查时间", "核查日期", "核查完成时间", "复核时间"),
    "returned_at": ("returned_at", "退回时间", "退回日期", "退单时间", "退件时间"),
    "reopened_at": ("reopened_at", "重开时间", "重办时间", "返工时间"),
}  # fmt: skip
# Headers of moments that are as often those of a duration, a state or a text: taken for a moment
# only where the cells are moments.
_DOUBTFUL = frozenset(
    {
        "上报", "受理", "立案", "派遣", "派单", "处置", "办结", "结案", "截止", "时限", "办结时限",
        "处置时限", "办理时限", "处理时限", "完成时限", "办理期限", "处置期限", "办结期限",
    }
)  # fmt: skip
# Headers of a case's number that are as often those of the row, counted anew in every file.
_COUNTED = frozenset({"编号", "流水号", "单号", "登记编号"})
_ROW_NUMBER = re.compile(r"(?:no\.?|第|#)?\s*(\d+)\s*(?:号|件|[.、)])?", re.IGNORECASE)
_MOST_DIGITS = 5  # a bare number of no more says which row, or nothing that holds in two files
_FEW, _NEARLY_ALL = 0.01, 0.9
_TRIED = 200  # cells
# Fields whose lack bends a figure, or makes a second export count twice.
GAPS = ("incident_id", "kind", "due_at", "body", "registered_at", "closed_at")


def find_case_columns(frame: pd.DataFrame, mapping: Mapping[str, str]) -> dict[str, str | None]:
    """
    Return the column that each field of a case is taken from, None for none.

    A header that may as well be that of a duration or of a state (处置时限, 办结) counts where
    nearly all of its cells are moments, unless `mapping` names it; 编号 as `find_case_number` says.
    """
    found = {
        name: find_moments(frame, name, mapping.get(name))
        if name.endswith("_at")
        else find_column(frame, headers, mapping.get(name))
        for name, headers in COLUMNS.items()
    }
    return found | {"incident_id": find_case_number(frame, mapping.get("incident_id"))}


def find_moments(frame: pd.DataFrame, name: str, mapped: str | None) -> str | None:
    """Return the column of a moment: as mapped, by a sure header, a doubtful one above moments."""
    if mapped is not None:
        return find_column(frame, (), mapped)
    return _find_sure(frame, COLUMNS[name], _DOUBTFUL, _holds_moments)


def is_doubtful(column: str) -> bool:
    """Tell whether a header may as well be that of a duration, a state or a text."""
    return find_header([column], tuple(_DOUBTFUL)) is not None


def find_case_number(
    frame: pd.DataFrame, mapped: str | None, *, repeats: bool = False
) -> str | None:
    """
    Return the column of a case's number; `repeats`: each stands in several rows, one an event.

    A header that is as often the row's (编号, 流水号) counts only where its cells are no numbering
    of the file: taken for the case's, the first row of two months would be one case.
    """
    headers = COLUMNS["incident_id"]
    if mapped is not None:
        return find_column(frame, headers, mapped)
    return _find_sure(frame, headers, _COUNTED, lambda cells: _tells_cases(cells, repeats=repeats))


def find_numbering(frame: pd.DataFrame, taken: Collection[str | None]) -> str | None:
    """Return a column that may be of the case's number and was left, being a numbering of rows."""
    found = find_column(frame, tuple(h for h in COLUMNS["incident_id"] if h in _COUNTED), None)
    return None if found in taken else found


def list_gaps(fields: Mapping[str, str | None]) -> tuple[str, ...]:
    """Return the fields that matter and have no column."""
    return tuple(name for name in GAPS if fields.get(name) is None)


def note_gaps(table: pd.DataFrame, report: LoadReport) -> None:
    """Say of how many of the accepted cases a field is empty, and which figures leave them out."""
    for name in GAPS[1:]:  # cases without a number have been given one
        n = int(_is_empty(table[name]).sum()) if name in table else len(table)
        if n and not (name == "closed_at" and n < len(table)):  # that some are open is no lack
            report.note(
                "columns.lacking",
                field=Word(f"intake_field.{name}"),
                n=f"{n:,}",
                of=f"{len(table):,}",
                means=Word(f"columns.gap_{name}"),
            )


def _is_empty(cells: pd.Series[Any]) -> pd.Series[bool]:
    return cells.fillna(0) == 0 if is_numeric_dtype(cells) else cells.isna() | (cells == "")


def _find_sure(
    frame: pd.DataFrame,
    headers: tuple[str, ...],
    doubtful: Collection[str],
    fits: Callable[[pd.Series[str]], bool],
) -> str | None:
    """Return the column of a sure header, else that of a doubtful one whose cells fit."""
    sure = find_column(frame, tuple(one for one in headers if one not in doubtful), None)
    if sure is not None:
        return sure
    for header in headers:
        column = find_column(frame, (header,), None) if header in doubtful else None
        if column is not None and fits(frame[column]):
            return column
    return None


def _list_filled(cells: pd.Series[str]) -> pd.Series[str]:
    filled = cells.dropna().astype(str).str.strip()
    return filled[filled != ""]


def _holds_moments(cells: pd.Series[str]) -> bool:
    """Return whether nearly all of the first filled cells are moments."""
    filled = _list_filled(cells).head(_TRIED)
    if not len(filled):
        return True
    return bool((~parse_moments(filled, ZoneInfo("UTC")).bad).mean() >= _NEARLY_ALL)


def _tells_cases(cells: pd.Series[str], *, repeats: bool) -> bool:
    """Return whether cells tell cases apart, in this file and from those of any other."""
    filled = _list_filled(cells)
    if not len(filled) or (not repeats and filled.nunique() < _NEARLY_ALL * len(filled)):
        return False
    told = (_ROW_NUMBER.fullmatch(unicodedata.normalize("NFKC", text)) for text in filled)
    # By its digits: one of thousands of digits is no number that Python would read.
    counted = sum(one is not None and len(one[1].lstrip("0")) <= _MOST_DIGITS for one in told)
    return counted < _FEW * len(filled)
