"""Gaoshan, the smallest city: five grids of one community."""

from __future__ import annotations

from geodata.demo.cities.jiangdu import NAMES
from geodata.demo.plan import Plan, Road


def plan_gaoshan() -> Plan:
    """Return the smallest city: five grids of one community."""
    return Plan(
        scenario="gaoshan",
        name_zh="高山",
        name_en="Gaoshan",
        names=NAMES,
        origin_m=(463_200, 3_577_400),
        area_m2=9e5,
        radius_m=(620.0, 480.0),
        roads=(
            Road(rank="arterial", name="高山路", course=((-1200, 160), (1200, 190))),
            Road(rank="arterial", name="青石路", course=((-90, -1200), (-60, 1200))),
            Road(rank="collector", name="溪南街", course=((-1200, -230), (1200, -210))),
        ),
        river="龙川河",
        trend=-0.12,
        swing_m=(60.0, 20.0),
        bend_m=(1100.0, 460.0),
        reach_m=500.0,
        river_half_width_m=9.0,
        old_town=(-90.0, 10.0, 220.0, 190.0),
        urban=(-330.0, -230.0, 330.0, 330.0),
        centre=(150.0, -120.0),
        village_share=0.4,
        cell_scale=0.5,
        streets=0,
        communities=1,
        grids=5,
        incidents=240,
        kinds=24,
        cameras=8,
        places=24,
        components=900,
        prefix="GS",
    )
