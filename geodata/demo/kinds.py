"""Kinds of incidents: things and what can be wrong with them, in six categories."""

from __future__ import annotations

import pandas as pd

from geodata.demo.plan import Plan
from geodata.demo.responses import write_card
from geodata.demo.things import CATEGORIES, CATEGORIES_EN, GROUPS, Group

LIMITS = {
    "m30": (30, "minutes"), "m120": (120, "minutes"), "h4": (4, "working_hours"),
    "h8": (8, "working_hours"), "h16": (16, "working_hours"), "w1": (1, "working_days"),
    "w3": (3, "working_days"), "w5": (5, "working_days"), "w7": (7, "working_days"),
    "w10": (10, "working_days"), "d1": (1, "days"), "d3": (3, "days"), "d15": (15, "days"),
}  # fmt: skip
_FEWER_SUBJECTS, _FEWER_FAULTS = 0.7, 0.8  # how fast the later ones get rarer


def list_kinds(plan: Plan) -> pd.DataFrame:
    """
    Return the kinds table, exactly `plan.kinds` rows.

    Columns beyond the contract, for the generator only, start with an underscore: `_season`,
    `_sensed`, `_chance`. Where more kinds are possible than wanted, the rarest things go.
    """
    rows = [row for group in GROUPS for row in _kinds_of(group)]
    frame = pd.DataFrame(rows)
    rarity = frame.groupby("_group").cumcount() / frame.groupby("_group")["_group"].transform(
        "size"
    )
    keep = rarity.sort_values(kind="stable").index[: plan.kinds]
    frame = frame.loc[sorted(keep)].reset_index(drop=True)
    if not plan.streets:
        frame["body"] = ["CG" if category == "1" else "S101" for category in frame["category_code"]]
    serial = frame.groupby("category_code").cumcount() + 1
    frame.insert(0, "code", frame.pop("category_code") + serial.map("{:03d}".format))
    total = frame.groupby("_group")["_weight"].transform("sum")
    frame["_chance"] = frame["_weight"] / total * frame["_share"]
    return frame.drop(columns=["_group", "_weight", "_share"])


def _kinds_of(group: Group) -> list[dict[str, object]]:
    rows: list[dict[str, object]] = []
    for i, subject in enumerate(group.subjects.split(";")):
        subject_zh, subject_en, *own_body = subject.split("|")
        for j, fault in enumerate(group.faults.split(";")):
            fault_zh, fault_en, limit_key, severity, patrol, *season = fault.split("|")
            limit, unit = LIMITS[limit_key]
            card_zh, card_en = write_card(fault_zh, severity=int(severity))
            rows.append(
                {
                    "category_code": group.category,
                    "name_zh": subject_zh + fault_zh,
                    "name_en": f"{subject_en[:1].upper()}{subject_en[1:]}: {fault_en}",
                    "category": CATEGORIES[group.category],
                    "category_en": CATEGORIES_EN[group.category],
                    "body": own_body[0] if own_body else group.body,
                    "limit": limit,
                    "limit_unit": unit,
                    "severity": int(severity),
                    "patrol_found": patrol == "1",
                    "response": card_zh,
                    "response_en": card_en,
                    "_season": season[0] if season else "",
                    "_sensed": group.sensed,
                    "_weight": (i + 1.0) ** -_FEWER_SUBJECTS * (j + 1.0) ** -_FEWER_FAULTS,
                    "_share": group.share,
                    "_group": f"{group.category}{group.body}{group.faults[:9]}",
                }
            )
    return rows
