"""What `plan` tells of other days, other nets and other programs."""

from __future__ import annotations

import argparse
from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING

from commands.options import read_clock
from commands.output import Output
from geodata.errors import BadSetting, Fault

if TYPE_CHECKING:
    from datetime import date

    from geodata.access.scope import Scope
    from geodata.city import City

LOOK_BACK = (
    "own", "figures", "crosswalk", "lineage", "transfers", "walk", "merge", "export",
    "import",
)  # fmt: skip
Who = Callable[[int], "Scope"]


def look_back(arguments: argparse.Namespace, city: City, out: Output, *, who: Who) -> int:
    """Do one of LOOK_BACK."""
    answers = {
        "own": _own, "figures": _count, "crosswalk": _cross, "lineage": _trace,
        "transfers": _list_transfers, "walk": _walk, "merge": _merge, "export": _export,
        "import": _import,
    }  # fmt: skip
    return answers[arguments.action](arguments, city, out, who)


def _own(arguments: argparse.Namespace, city: City, out: Output, _: Who) -> int:
    from geodata.drawings import owner_on

    lon, lat = _place(arguments.at)
    day = _day(arguments.on, city)
    found = owner_on(city, lon, lat, day)
    code = found.code if found else ""
    out.line("plan.owned", day=day.isoformat(), code=code or "–", name=found.name if found else "")
    out.result({"day": day.isoformat(), "code": code, "uid": found.uid if found else None,
                "rule": found.rule if found else None,
                "drawing": found.drawing if found else None})  # fmt: skip
    return 0


def _count(arguments: argparse.Namespace, city: City, out: Output, who: Who) -> int:
    from geodata.plans.history import count_cases_by

    found = count_cases_by(
        city,
        who(read_clock()),
        arguments.by,
        since=_moment(arguments.since, city, otherwise=0),
        until=_moment(arguments.until, city, otherwise=2**40),
    )
    out.line("plan.figures_by", by=found.by)
    for code, n, opened in found.rows:
        out.line("plan.figures_row", code=code or "–", n=f"{n:,}", opened=f"{opened:,}")
    out.result(found.as_json())
    return 0


def _cross(arguments: argparse.Namespace, city: City, out: Output, who: Who) -> int:
    from geodata.plans.crosswalk import cross_drawings, cross_systems

    other, now = arguments.other or "", read_clock()
    if not other:
        raise BadSetting(Fault(key="plan_with"))
    if other.isascii() and other.isdigit():
        force = city.grids_in_force(now)
        one = int(arguments.plan) if arguments.plan else force.drawing if force else 0
        found = cross_drawings(city, who(now), one, int(other), now=now)
    else:
        found = cross_systems(city, who(now), other, now=now)
    out.line("plan.crossed", rows=len(found.rows), straddling=len(found.straddling))
    if arguments.out is not None:
        arguments.out.write_bytes(found.as_csv(out.lang))
    out.result(found.as_json())
    return 0


def _trace(arguments: argparse.Namespace, city: City, out: Output, _: Who) -> int:
    from collections import Counter

    from geodata.plans.history import lineage_csv, list_lineage

    rows = list_lineage(city, _whole(arguments.plan))
    kinds = Counter(row.kind for row in rows)
    out.line("plan.traced", rows=len(rows), **{kind: kinds[kind] for kind in "USMX"})
    if arguments.out is not None:
        arguments.out.write_bytes(lineage_csv(rows, out.lang))
    out.result({"lineage": [row.as_json() for row in rows]})
    return 0


def _list_transfers(arguments: argparse.Namespace, city: City, out: Output, who: Who) -> int:
    from dataclasses import asdict

    from geodata.plans.history import list_transfers, transfers_csv

    rows = list_transfers(city, who(read_clock()), _whole(arguments.plan))
    for row in rows[:20]:
        out.line("plan.transfer_row", source=row.source, case=row.incident_id,
                 one=row.old or "–", other=row.new or "–")  # fmt: skip
    out.line("plan.transfers", n=f"{len(rows):,}")
    if arguments.out is not None:
        arguments.out.write_bytes(transfers_csv(rows, city, out.lang))
    out.result({"transfers": [asdict(row) for row in rows]})
    return 0


def _walk(arguments: argparse.Namespace, city: City, out: Output, who: Who) -> int:
    """Write the sheets that posts take along the new lines, one community each."""
    from dashboard.pictures import Pictures
    from geodata.audit.log import write_entry
    from geodata.plans.walks import list_walks
    from geodata.plans.workshop import Workshop
    from geodata.snapshots.facts import FactsKeeper
    from layers.print.walk import Walking, draw_walks
    from layers.tile_cache import TileCache

    if arguments.out is None or arguments.out.suffix.lower() != ".pdf":
        raise BadSetting(Fault(key="plan_out_pdf"))
    now, number = read_clock(), _whole(arguments.plan)
    scope = who(now)
    pictures = Pictures(keeper=FactsKeeper(city), cache=TileCache(limit_bytes=0), now=read_clock)
    sight = pictures.newest(scope)
    piece = Workshop(city).open(number, now=now)
    walks = list_walks(piece)
    assert sight is not None  # a plan stands on a drawing in force
    walking = Walking(plan=number, name=piece.plan.name, sight=sight, lang=out.lang, now=now)
    arguments.out.write_bytes(draw_walks(walking, walks))
    n = sum(len(walk.pieces) for walk in walks)
    with city.database.transaction() as connection:
        write_entry(
            connection, account=scope, act="export.plan", target=f"{number}/walk", n=n, at=now
        )
    out.line("plan.walks", n=len(walks), pieces=n, file=str(arguments.out))
    out.result({"plan": number, "sheets": len(walks), "pieces": n, "out": str(arguments.out)})
    return 0


def _merge(arguments: argparse.Namespace, city: City, out: Output, who: Who) -> int:
    from geodata.plans.merging import merge_plans
    from geodata.plans.workshop import Workshop

    now = read_clock()
    other = _whole(arguments.other)
    found = merge_plans(city, Workshop(city), who(now), _whole(arguments.plan), other, now=now)
    out.line("plan.merged", n=found.applied, both=len(found.both), refused=len(found.refused))
    out.result(found.as_json())
    return 1 if found.refused else 0


def _export(arguments: argparse.Namespace, city: City, out: Output, _: Who) -> int:
    from geodata.audit.log import CONSOLE, write_entry
    from geodata.plans.exchange import write_draft
    from geodata.plans.workshop import Workshop

    if arguments.out is None or arguments.out.suffix.lower() != ".gpkg":
        raise BadSetting(Fault(key="plan_out"))
    now, number = read_clock(), _whole(arguments.plan)
    n = write_draft(city, Workshop(city).open(number, now=now), arguments.out)
    with city.database.transaction() as connection:
        write_entry(connection, account=CONSOLE, act="export.plan", target=str(number), n=n, at=now)
    out.line("plan.exported", n=n, file=str(arguments.out))
    out.result({"plan": number, "grids": n, "out": str(arguments.out)})
    return 0


def _import(arguments: argparse.Namespace, city: City, out: Output, who: Who) -> int:
    """Take a drawing made elsewhere into an open plan, or without one make a plan of it."""
    from geodata.city import writing
    from geodata.loading.request import LoadRequest
    from geodata.plans.exchange import read_draft, read_into
    from geodata.plans.workshop import Workshop

    if not arguments.plan:
        raise BadSetting(Fault(key="plan_file"))
    now = read_clock()
    request = LoadRequest(now=now, crs=arguments.crs, layer=arguments.layer)
    if arguments.edits is not None:
        taken = read_into(
            Workshop(city), who(now), _whole(arguments.plan), [arguments.edits], request,
            across=arguments.across, progress=out.progress,
        )  # fmt: skip
        grids = {uid for change in taken.changes for uid in change.uids}
        out.line("plan.edited", n=len(taken.changes), grids=len(grids))
        out.result({"plan": taken.piece.plan.plan,
                    "changes": [change.as_json() for change in taken.changes]})  # fmt: skip
        return 0
    file = Path(arguments.plan)
    with writing(city):
        plan = read_draft(
            city, who(now), [file], request, name=arguments.name or file.stem,
            progress=out.progress,
        )  # fmt: skip
    out.line("plan.made", plan=plan.plan, base=plan.base)
    out.result({"plan": plan.plan, "base": plan.base, "start": plan.start})
    return 0


def _whole(text: str | None) -> int:
    if not text or not (text.isascii() and text.isdigit() and len(text) < 10):
        raise BadSetting(Fault(key="plan_number"))
    return int(text)


def _place(text: str | None) -> tuple[float, float]:
    lon, _, lat = (text or "").partition(",")
    try:
        return float(lon), float(lat)
    except ValueError:
        raise BadSetting(Fault(key="plan_place", field="at")) from None


def _day(text: str | None, city: City) -> date:
    from datetime import date, datetime

    if not text:
        return datetime.fromtimestamp(read_clock(), city.settings.zone).date()
    try:
        return date.fromisoformat(text)
    except ValueError:
        raise BadSetting(Fault(key="plan_day", field="on")) from None


def _moment(text: str | None, city: City, *, otherwise: int) -> int:
    from datetime import datetime, time

    if not text:
        return otherwise
    return int(datetime.combine(_day(text, city), time(), city.settings.zone).timestamp())
