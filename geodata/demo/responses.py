"""Response cards of the made-up cities: what is done first about what cannot wait."""

from __future__ import annotations

GRAVE = 7  # from this severity on, of ten, a kind has a card
_CLOSE = ("现场设警戒，劝离围观的人", "Cordon off, keep onlookers away")
_REPORT = ("到场后 10 分钟内回报现场情况", "Report from the spot within 10 minutes")
_OWNER = ("通知权属单位带工具到场", "Call in the body that owns it")
_GAS = (
    ("禁火禁电，疏散 100 米内和下风向的住户", "No flame or switches, clear 100 m and downwind"),
    ("通知燃气单位关阀并测浓度", "Gas company closes the valve and measures"),
)
_WATER = (
    ("封闭路段，安排车辆绕行", "Close the road, lead traffic round"),
    ("通知排水单位开泵强排", "Drainage company sets up pumps"),
    ("逐户查看低处和地下空间有无被困", "Check basements for anyone trapped"),
)
# By fault, as `things` words it.
_STEPS: dict[str, tuple[tuple[str, str], ...]] = {
    "泄漏": (_CLOSE, *_GAS, _REPORT),
    "破裂": (_CLOSE, ("通知权属单位关阀止漏", "Have its owner close the valve"), _REPORT),
    "施工挖损": (("叫停施工", "Stop the digging"), *_GAS, _REPORT),
    "燃气隐患": (*_GAS, _REPORT),
    "违规动火": (
        ("叫停动火，清走可燃物", "Stop the hot work and clear what can burn"),
        ("确认灭火器材在手边", "See that extinguishers are at hand"),
        _REPORT,
    ),
    "疏散通道堵塞": (
        ("当场清开通道", "Clear the way at once"),
        ("告知消防并约复查", "Tell the fire brigade and agree on a check"),
    ),
    "内涝": (*_WATER, _REPORT),
    "塌陷": (_CLOSE, _WATER[0], ("查清地下管线有无受损", "Find out which pipes are hit"), _REPORT),
    "沉陷": (_CLOSE, ("查清地下管线有无受损", "Find out which pipes are hit"), _REPORT),
    "结冰": (("撒盐铺垫，设提示牌", "Spread salt and put up signs"), _WATER[0]),
    "疑似排污": (
        ("在排口上下游各取水样", "Take samples above and below the outfall"),
        ("通知生态环境部门", "Call the environment authority"),
        _REPORT,
    ),
}
_ELSE = (_CLOSE, _OWNER, _REPORT)


def write_card(fault: str, *, severity: int) -> tuple[str, str]:
    """Return the card of a fault in Chinese and English, ";" between its steps; "" for none."""
    if severity < GRAVE:
        return "", ""
    steps = _STEPS.get(fault, _ELSE)
    return "; ".join(one[0] for one in steps), "; ".join(one[1] for one in steps)
