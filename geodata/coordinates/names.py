"""Coordinate systems by the names that people give them: shifted maps, national systems, zones."""

from __future__ import annotations

import re
from typing import Literal

# Written without blanks, hyphens and brackets, in lower case.
SHIFTED_NAMES: dict[str, Literal["gcj02", "bd09"]] = {
    **dict.fromkeys(("gcj02", "gcj2", "火星", "amap", "gaode", "高德", "高德地图"), "gcj02"),
    **dict.fromkeys(("火星坐标系", "火星坐标", "高德坐标", "腾讯坐标", "tencent"), "gcj02"),
    **dict.fromkeys(("腾讯", "腾讯地图"), "gcj02"),
    **dict.fromkeys(("bd09", "bd9", "bd09ll", "baidu", "百度", "百度地图"), "bd09"),
    **dict.fromkeys(("百度坐标系", "百度坐标"), "bd09"),
}
_NATIONAL = {
    "EPSG:4326": ("wgs84", "crs84", "wgs84坐标系", "wgs1984"),
    "EPSG:4490": (
        *("cgcs2000", "cgcs2000坐标系", "2000国家大地坐标系", "国家2000", "国家2000坐标系"),
        *("国家大地2000", "2000坐标系", "大地2000"),
    ),
    "EPSG:4610": ("xian80", "xian1980", "西安80", "西安80坐标系", "西安1980", "1980西安坐标系"),
    "EPSG:4214": (
        "beijing54",
        "beijing1954",
        "北京54",
        "北京54坐标系",
        "北京1954",
        "1954北京坐标系",
    ),
}
_NAMES = {name: code for code, names in _NATIONAL.items() for name in names}
# CGCS2000 in zones of three degrees: by central meridian (EPSG:4534 is 75° E) or zone (4513: 25).
_ZONES = re.compile(
    r"(?:cgcs2000|国家2000|2000国家大地坐标系|大地2000)/?(?:三度分带|三度带|3度分带|3度带"
    r"|3degree(?:gausskruger|gk))?,?"
    r"(?:(?:中央经线|中央子午线|cm)?(\d{2,3})(?:度|°|e)|(?:第|zone)?(\d{2})(?:带|度带)?)"
)
_FIRST_MERIDIAN, _LAST_MERIDIAN, _FIRST_ZONE, _LAST_ZONE = 75, 135, 25, 45


def find_named_crs(plain: str) -> str | None:
    """
    Return the EPSG name of a system by what people call it, None for what is no such name.

    `plain` has no blanks, hyphens or brackets and is in lower case. A zone of CGCS2000 is named by
    its central meridian ("cgcs2000120度": eastings without a prefix) or its number ("40带": with).
    """
    if plain in _NAMES:
        return _NAMES[plain]
    found = _ZONES.fullmatch(plain)
    if found is None:
        return None
    if found[1]:
        meridian = int(found[1])
        known = _FIRST_MERIDIAN <= meridian <= _LAST_MERIDIAN and meridian % 3 == 0
        return f"EPSG:{4534 + (meridian - _FIRST_MERIDIAN) // 3}" if known else None
    zone = int(found[2])
    return f"EPSG:{4513 + zone - _FIRST_ZONE}" if _FIRST_ZONE <= zone <= _LAST_ZONE else None
