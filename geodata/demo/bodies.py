"""Responsible bodies: departments, companies and streets, with made-up duty desks."""

from __future__ import annotations

import pandas as pd

from geodata.demo.plan import Plan

_LEVELS = {"区": "District", "县": "County", "市": "City"}
_DEPARTMENTS = (
    ("CG", "城市管理局", "Urban Management Bureau"),
    ("ZJ", "住房和城乡建设局", "Housing and Construction Bureau"),
    ("JT", "交通运输局", "Transport Bureau"),
    ("JJ", "交警大队", "Traffic Police Brigade"),
    ("GA", "公安分局", "Public Security Branch"),
    ("XF", "消防救援大队", "Fire and Rescue Brigade"),
    ("YJ", "应急管理局", "Emergency Management Bureau"),
    ("SW", "水务局", "Water Affairs Bureau"),
    ("HB", "生态环境局", "Ecology and Environment Bureau"),
    ("SC", "市场监督管理局", "Market Regulation Bureau"),
    ("MZ", "民政局", "Civil Affairs Bureau"),
    ("RS", "人力资源和社会保障局", "Human Resources and Social Security Bureau"),
    ("JY", "教育局", "Education Bureau"),
    ("WJ", "卫生健康委员会", "Health Commission"),
    ("SF", "司法局", "Justice Bureau"),
    ("ZR", "自然资源和规划局", "Natural Resources and Planning Bureau"),
    ("NY", "农业农村局", "Agriculture and Rural Affairs Bureau"),
    ("SJ", "商务局", "Commerce Bureau"),
    ("WL", "文化体育和旅游局", "Culture, Sports and Tourism Bureau"),
    ("XX", "信访局", "Petitions Bureau"),
    ("YL", "园林绿化中心", "Parks and Greening Centre"),
    ("HW", "环境卫生管理处", "Sanitation Office"),
    ("SZ", "市政设施管理处", "Municipal Works Office"),
    ("ZF", "综合行政执法局", "Administrative Enforcement Bureau"),
)
_COMPANIES = (
    ("GD", "供电公司", "Power Supply Company"),
    ("GS", "自来水公司", "Water Supply Company"),
    ("RQ", "燃气公司", "Gas Company"),
    ("RL", "热力公司", "Heating Company"),
    ("PS", "排水公司", "Drainage Company"),
    ("DX", "通信发展公司", "Telecom Network Company"),
    ("TT", "通信铁塔公司", "Telecom Tower Company"),
    ("GX", "广电网络公司", "Cable Network Company"),
    ("GJ", "公共交通公司", "Bus Company"),
    ("TC", "城市停车公司", "City Parking Company"),
    ("ZM", "照明管理公司", "Street Lighting Company"),
    ("DC", "共享单车服务公司", "Shared Bicycle Company"),
    ("WY", "物业服务集团", "Property Services Group"),
    ("YZ", "邮政公司", "Postal Company"),
    ("CT", "城市建设投资公司", "City Construction Company"),
)


def list_bodies(plan: Plan, streets: pd.DataFrame) -> pd.DataFrame:
    """
    Return the bodies table: body, name_zh, name_en, kind, duty_line.

    `streets` holds code and name of each street of the city.
    """
    if not plan.streets:
        rows = [
            ("S101", f"{plan.name_zh}社区网格工作站", f"{plan.name_en} Grid Station", "street"),
            ("CG", "镇综合行政执法局", "Town Enforcement Bureau", "department"),
        ]
    else:
        level = plan.district_zh[-1]
        rows = [
            (code, level + name, f"{_LEVELS[level]} {english}", "department")
            for code, name, english in _DEPARTMENTS
        ]
        rows += [
            (code, plan.name_zh + name, f"{plan.name_en} {english}", "company")
            for code, name, english in _COMPANIES
        ]
        rows += [
            (street_body(int(code[-3:])), name, plan.names.english_of(name), "street")
            for code, name in zip(streets["code"], streets["name"], strict=True)
        ]
    frame = pd.DataFrame(rows, columns=["body", "name_zh", "name_en", "kind"])
    frame["duty_line"] = [
        f"{plan.dialling}-8600{100 + 7 * number:04d}" for number in range(len(frame))
    ]
    return frame


def street_body(serial: int) -> str:
    """Return the body code of the street with a serial."""
    return f"S{serial:03d}"
