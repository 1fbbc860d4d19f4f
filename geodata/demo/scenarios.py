"""The made-up cities by name."""

from __future__ import annotations

from collections.abc import Callable

from geodata.demo.cities.dari import plan_dari
from geodata.demo.cities.dengzhou import plan_dengzhou, plan_worst
from geodata.demo.cities.dongcheng import plan_dongcheng
from geodata.demo.cities.gaoshan import plan_gaoshan
from geodata.demo.cities.jiangdu import plan_jiangdu
from geodata.demo.cities.wuhu import plan_wuhu
from geodata.demo.cities.xianlin import plan_xianlin
from geodata.demo.plan import Plan

_PLANS: dict[str, Callable[[], Plan]] = {
    "gaoshan": plan_gaoshan,
    "jiangdu": plan_jiangdu,
    "xianlin": plan_xianlin,
    "dongcheng": plan_dongcheng,
    "wuhu": plan_wuhu,
    "dari": plan_dari,
    "dengzhou": plan_dengzhou,
    "worst": plan_worst,
}
SCENARIOS: tuple[str, ...] = tuple(_PLANS)


def find_plan(scenario: str) -> Plan:
    """Return the plan of a scenario; KeyError for an unknown one."""
    return _PLANS[scenario]()
