"""The command `plan`: drawings on their way into force, from the machine of the city."""

from __future__ import annotations

import argparse
import getpass
import sys
from pathlib import Path
from typing import TYPE_CHECKING, Any

from commands import plan_draft
from commands.options import Commands, read_clock
from commands.output import Output
from commands.plan_tables import LOOK_BACK, look_back
from geodata.errors import BadSetting, Fault, NotAllowed
from geodata.words import say

if TYPE_CHECKING:
    from geodata.access.scope import Scope
    from geodata.city import City

ACTIONS = (
    "new", "list", "show", "edit", "propose", "loads", "check", "impact", "submit", "return",
    "approve", "publish", "rollback", "drop", "history", "renumber", *LOOK_BACK,
)  # fmt: skip


def add_commands(commands: Commands) -> None:
    """Add `plan`."""
    plan = commands.add("plan", run_plan, commands.city)
    plan.add_argument("action", choices=ACTIONS)
    plan.add_argument(
        "plan", nargs="?", metavar="PLAN", help="or DRAWING: rollback, lineage, transfers"
    )
    plan.add_argument(
        "edits", nargs="?", type=Path, metavar="FILE", help="edits, one JSON a line; or boundaries"
    )
    plan.add_argument("--name", default="", help="new: what the plan is called")
    plan.add_argument("--from", dest="start", type=int, metavar="DRAWING", help="new: start there")
    plan.add_argument("--reason", default="")
    plan.add_argument("--document", default="", help="new: the number of the paper behind it")
    plan.add_argument("--effective", metavar="DATE", help="approve, rollback: from this day on")
    plan.add_argument("--account", metavar="NAME", help="who approves; the password is asked for")
    plan.add_argument("--out", type=Path, metavar="FILE.csv|FILE.gpkg")
    plan.add_argument("--at", metavar="LON,LAT", help="own: the place")
    plan.add_argument("--on", metavar="DATE", help="own: the day, else today")
    plan.add_argument("--by", default="today", help="figures: event, today or a DRAWING")
    plan.add_argument("--since", metavar="DATE", help="figures: reported from this day on")
    plan.add_argument("--until", metavar="DATE", help="figures: reported before this day")
    plan.add_argument("--with", dest="other", metavar="NAME|NUMBER", help="crosswalk, merge")
    plan.add_argument("--layer", metavar="NAME", help="import: of a file with several")
    plan.add_argument("--codes", action="store_true", help="impact: the table of codes instead")
    plan_draft.add_options(plan)


def run_plan(arguments: argparse.Namespace, out: Output) -> int:
    """Do one thing with plans; whatever is refused changes nothing."""
    from geodata.city import open_city

    if arguments.drawing is not None:
        return plan_draft.run_on_files(arguments, out)
    city = open_city(arguments.city)
    answers = {
        "new": _make, "list": _list, "show": _show, "edit": _edit, "propose": _propose,
        "loads": _weigh, "check": _check, "impact": _measure, "publish": _publish,
        "rollback": _roll_back, "history": _tell, "renumber": _renumber,
        **dict.fromkeys(LOOK_BACK, _look),
    }  # fmt: skip
    return answers.get(arguments.action, _act)(arguments, city, out)


def _make(arguments: argparse.Namespace, city: City, out: Output) -> int:
    from geodata.plans.plan import make_plan

    now = read_clock()
    plan = make_plan(
        city,
        _who(arguments, city, out, now=now),
        name=arguments.name or say("plan.unnamed", out.lang),
        start=arguments.start,
        reason=arguments.reason,
        document=arguments.document,
        now=now,
    )
    out.line("plan.made", plan=plan.plan, base=plan.base)
    out.result(_plain(plan))
    return 0


def _list(_: argparse.Namespace, city: City, out: Output) -> int:
    from geodata.store.plans import list_plans

    with city.database.read() as connection:
        plans = list_plans(connection)
    for plan in plans:
        out.line("plan.row", plan=plan.plan, name=plan.name, state=_state(plan.state, out),
                 author=plan.author, base=plan.base)  # fmt: skip
    out.result({"plans": [_plain(plan) for plan in plans]})
    return 0


def _show(arguments: argparse.Namespace, city: City, out: Output) -> int:
    from geodata.plans.workshop import find_plan
    from geodata.store.plans import count_edits, read_acts

    number = _number(arguments)
    with city.database.read() as connection:
        plan = find_plan(connection, number)
        acts, edits = read_acts(connection, number), count_edits(connection, number)
    out.line("plan.row", plan=plan.plan, name=plan.name, state=_state(plan.state, out),
             author=plan.author, base=plan.base)  # fmt: skip
    for act in acts:
        out.line("plan.act", at=_moment(act.at, city), what=say(f"plan.did_{act.what}", out.lang),
                 account=act.account)  # fmt: skip
    out.result({**_plain(plan), "edits": edits,
                "acts": [{"at": one.at, "what": one.what, "account": one.account, **one.detail}
                         for one in acts]})  # fmt: skip
    return 0


def _edit(arguments: argparse.Namespace, city: City, out: Output) -> int:
    import orjson

    from geodata.plans.workshop import Workshop

    number, now = _number(arguments), read_clock()
    text = sys.stdin.read() if arguments.edits is None else arguments.edits.read_text("utf-8")
    edits = []
    for row, line in enumerate(text.splitlines(), start=1):
        if line.strip():
            try:
                edits.append(orjson.loads(line))
            except orjson.JSONDecodeError:
                raise BadSetting(Fault(key="plan_line", row=row)) from None
    shop = Workshop(city)
    _, done = shop.edit(number, edits, scope=_who(arguments, city, out, now=now), now=now)
    out.line("plan.edited", n=len(done), grids=len({uid for one in done for uid in one.uids}))
    out.result({"plan": number, "changes": [change.as_json() for change in done]})
    return 0


def _propose(arguments: argparse.Namespace, city: City, out: Output) -> int:
    """Print three plans for a plan's draft; with `--take` append one of them to its edits."""
    from geodata.plans.workshop import Workshop

    number, now, shop = _number(arguments), read_clock(), Workshop(city)
    piece = shop.open(number, now=now)
    edits = plan_draft.propose_for_plan(arguments, city, piece, out)
    if edits:
        who = _who(arguments, city, out, now=now)
        _, done = shop.edit(number, edits, scope=who, now=now)
        out.line("plan.edited", n=len(done), grids=len({uid for one in done for uid in one.uids}))
    return 0


def _weigh(arguments: argparse.Namespace, city: City, out: Output) -> int:
    from geodata.plans.checks import BAND, WEIGHTS, rate_grids
    from geodata.plans.workshop import Workshop

    piece = Workshop(city).open(_number(arguments), now=read_clock())
    loads = {uid: piece.holdings.load(piece.draft, uid) for uid in piece.draft.grids}
    rows = rate_grids(piece, loads, WEIGHTS)
    beyond = [row for row in rows if abs(row.off) > BAND]
    out.line("plan.band", n=len(beyond), of=len(rows), band=f"{BAND:.0%}")
    for row in beyond[:20]:
        out.line("plan.band_row", code=row.code, off=f"{row.off:+.0%}", word=row.word,
                 cases=f"{row.load.cases:,}", homes=f"{row.load.households:,.0f}")  # fmt: skip
    out.result({"grids": [{"uid": row.uid, "code": row.code, "off": round(row.off, 4),
                           **row.load.as_json()} for row in rows]})  # fmt: skip
    return 0


def _check(arguments: argparse.Namespace, city: City, out: Output) -> int:
    from geodata.plans.checks import find_breaches, find_faults
    from geodata.plans.publish import finish_drawing
    from geodata.plans.workshop import Workshop

    piece = Workshop(city).open(_number(arguments), now=read_clock())
    faults = find_faults(city, piece, finish_drawing(city, piece).grids)
    changed = {uid for uid in piece.differing() if uid in piece.draft.grids}
    breaches = find_breaches(
        city, piece, {uid: piece.holdings.load(piece.draft, uid) for uid in changed}
    )
    for fault in faults:
        out.text(fault.sentence(out.lang))
    for breach in breaches:
        out.text(breach.sentence(out.lang))
    out.line("plan.checked", faults=len(faults), breaches=len(breaches), grids=len(changed))
    out.result({"faults": [fault.as_json(out.lang) for fault in faults],
                "breaches": [breach.as_json(out.lang) for breach in breaches]})  # fmt: skip
    return 1 if faults else 0


def _measure(arguments: argparse.Namespace, city: City, out: Output) -> int:
    from geodata.plans.impact import measure_impact
    from geodata.plans.workshop import Workshop

    piece = Workshop(city).open(_number(arguments), now=read_clock())
    impact = measure_impact(piece.draft, piece.holdings, piece.base)
    for flow in impact.flows:
        out.line("plan.flow", one=flow.from_code, other=flow.to_code,
                 cases=f"{flow.load.cases:,}", opened=f"{flow.load.open_cases:,}",
                 homes=f"{flow.load.households:,.0f}",
                 area=f"{flow.load.area_ha:,.2f}")  # fmt: skip
    out.line("plan.impact", grids=len(impact.changed), cases=f"{impact.total.cases:,}",
             opened=f"{impact.total.open_cases:,}")  # fmt: skip
    if arguments.out is not None:
        sheet = impact.codes_csv if arguments.codes else impact.flows_csv
        arguments.out.write_bytes(sheet(out.lang))
    out.result(impact.as_json())
    return 0


def _act(arguments: argparse.Namespace, city: City, out: Output) -> int:
    """Submit, return, approve or drop a plan."""
    from geodata.plans.plan import approve_plan, drop_plan, parse_effective, return_plan
    from geodata.plans.submission import hand_in
    from geodata.plans.workshop import Workshop

    number, now = _number(arguments), read_clock()
    if arguments.action == "approve" and not arguments.account:
        raise NotAllowed(Fault(key="plan_approver"))
    who = _who(arguments, city, out, now=now)
    if arguments.action == "submit":
        plan = hand_in(city, who, number, workshop=Workshop(city), now=now)
    elif arguments.action == "return":
        plan = return_plan(city, who, number, reason=arguments.reason, now=now)
    elif arguments.action == "approve":
        day = parse_effective(arguments.effective, city, now=now)
        plan = approve_plan(city, who, number, effective=day, now=now)
    else:
        plan = drop_plan(city, who, number, now=now)
    out.line("plan.now", plan=plan.plan, state=_state(plan.state, out))
    out.result(_plain(plan))
    return 0


def _publish(arguments: argparse.Namespace, city: City, out: Output) -> int:
    from geodata.plans.publish import publish_plan
    from geodata.plans.workshop import Workshop

    now = read_clock()
    made = publish_plan(
        city, _who(arguments, city, out, now=now), _number(arguments),
        workshop=Workshop(city), now=now,
    )  # fmt: skip
    return _say_published(made, city, out)


def _roll_back(arguments: argparse.Namespace, city: City, out: Output) -> int:
    from geodata.plans.plan import parse_effective
    from geodata.plans.publish import roll_back

    now = read_clock()
    if not arguments.account:
        raise NotAllowed(Fault(key="plan_approver"))
    made = roll_back(
        city,
        _who(arguments, city, out, now=now),
        _number(arguments),
        effective=parse_effective(arguments.effective, city, now=now),
        reason=arguments.reason,
        now=now,
    )
    return _say_published(made, city, out)


def _say_published(made: Any, city: City, out: Output) -> int:
    key = "plan.in_force_now" if made.taken else "plan.in_force_from"
    out.line(key, drawing=made.drawing, day=_moment(made.effective_from, city),
             cases=f"{made.taken.transfers if made.taken else 0:,}")  # fmt: skip
    out.result(made.as_json())
    return 0


def _tell(_: argparse.Namespace, city: City, out: Output) -> int:
    from geodata.plans.history import list_drawings

    found = list_drawings(city)
    for row in found:
        out.line("plan.drawing_row", drawing=row.drawing, since=_moment(row.valid_from, city),
                 until=_moment(row.valid_to, city), grids=f"{row.grids:,}",
                 moved=f"{row.transfers:,}")  # fmt: skip
    out.result({"drawings": [row.as_json() for row in found]})
    return 0


def _renumber(arguments: argparse.Namespace, city: City, out: Output) -> int:
    from geodata.plans.renumber import make_renumbering

    now = read_clock()
    plan = make_renumbering(
        city, _who(arguments, city, out, now=now),
        name=arguments.name or say("plan.renumbering", out.lang), now=now,
    )  # fmt: skip
    out.line("plan.made", plan=plan.plan, base=plan.base)
    out.result(_plain(plan))
    return 0


def _look(arguments: argparse.Namespace, city: City, out: Output) -> int:
    return look_back(arguments, city, out, who=lambda now: _who(arguments, city, out, now=now))


def _number(arguments: argparse.Namespace) -> int:
    if arguments.plan is None:
        raise BadSetting(Fault(key="plan_number"))
    if not (arguments.plan.isascii() and arguments.plan.isdigit() and len(arguments.plan) < 10):
        raise BadSetting(Fault(key="plan_number"))
    return int(arguments.plan)


def _who(arguments: argparse.Namespace, city: City, out: Output, *, now: int) -> Scope:
    """
    Return who acts: the console of this machine, or an account whose password is typed or piped in.

    The console may draw and publish what is approved; approving takes an account.
    """
    from geodata.access.accounts import find_reach, scope_of
    from geodata.access.passwords import check_password
    from geodata.access.scope import Scope
    from geodata.audit.log import CONSOLE
    from geodata.store.accounts import find_account

    if not arguments.account:
        may = ("read", "read.rows", "plan", "approve", "export")
        return Scope.whole_city(CONSOLE, may, role=CONSOLE)
    with city.database.read() as connection:
        found = find_account(connection, arguments.account)
    if sys.stdin.isatty():
        typed = getpass.getpass(say("account.prompt", out.lang))
    else:
        typed = sys.stdin.readline().rstrip("\r\n")
    right = check_password(typed, found[1] if found else None)
    if not right or found is None or found[0].disabled_at is not None or found[0].one_time:
        raise NotAllowed(Fault(key="plan_sign"))
    account = found[0]
    return scope_of(account, find_reach(account.areas, city.grids_in_force(now)))


def _plain(plan: Any) -> dict[str, Any]:
    return {name: getattr(plan, name) for name in plan.__slots__}


def _state(state: str, out: Output) -> str:
    return say(f"plan_state.{state}", out.lang)


def _moment(at: int | None, city: City) -> str:
    from datetime import UTC, datetime

    if at is None:
        return "…"
    return datetime.fromtimestamp(at, UTC).astimezone(city.settings.zone).strftime("%Y-%m-%d %H:%M")
