"""What `plan` does with a drawing in memory: proposals, and edits of files without a city."""

from __future__ import annotations

import argparse
import sys
from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

from commands.options import read_clock
from commands.output import Output
from geodata.errors import BadSetting, Fault
from geodata.words import say

if TYPE_CHECKING:
    from geodata.city import City
    from geodata.plans.workshop import Workpiece
    from geodata.redraw import Blocks, Draft
    from geodata.redraw.proposals import Proposals
    from geodata.redraw.walls import Wall

ON_FILES = ("edit", "propose", "check")
KINDS = ("least_change", "best_balance", "best_shape")
_FLOORS_SAID = 10


def add_options(plan: argparse.ArgumentParser) -> None:
    """Add what proposals and drawings in files take."""
    plan.add_argument("--drawing", type=Path, nargs="+", metavar="FILE",
                      help="edit, propose, check: boundary files instead of a plan")  # fmt: skip
    plan.add_argument(
        "--lines", type=Path, metavar="FILE", help="with --drawing: edits, else stdin"
    )
    plan.add_argument("--blocks", type=Path, metavar="FILE", help="with --drawing")
    plan.add_argument("--load", metavar="COLUMN", help="of the blocks; else their area")
    plan.add_argument("--roads", type=Path, metavar="FILE", help="with --drawing: to snap to")
    plan.add_argument("--crs", help="with --drawing, import: EPSG:n, GCJ-02, BD-09 or WKT")
    plan.add_argument("--scope", nargs="+", default=[], metavar="CODE", help="propose: only these")
    plan.add_argument("--grids", type=int, metavar="N", help="propose: else as many as there are")
    plan.add_argument("--band", type=float, default=0.1, metavar="SHARE", help="propose")
    plan.add_argument("--hard", type=Path, nargs="+", default=[], metavar="FILE",
                      help="propose: walls no grid may cross")  # fmt: skip
    plan.add_argument("--soft", type=Path, nargs="+", default=[], metavar="FILE",
                      help="propose: walls grids should not cross")  # fmt: skip
    plan.add_argument("--walls", nargs="+", default=[], metavar="NAME=hard|soft",
                      help="propose: the city's own: water, rail, or another net")  # fmt: skip
    plan.add_argument("--weigh", nargs="+", default=[], metavar="NAME=WEIGHT",
                      help="propose: cases households components ...")  # fmt: skip
    plan.add_argument(
        "--across", action="store_true", help="propose, import: across outer grids' lines"
    )
    plan.add_argument("--seed", type=int, default=0)
    plan.add_argument("--take", choices=KINDS, help="propose: write this plan as edits")


def run_on_files(arguments: argparse.Namespace, out: Output) -> int:
    """Edit, check or propose for a drawing that stands in files; no city is touched."""
    from geodata.redraw.files import read_draft

    if arguments.action not in ON_FILES:
        raise BadSetting(Fault(key="plan_on_files", values={"known": ON_FILES}))
    draft = read_draft(
        arguments.drawing,
        blocks=arguments.blocks,
        load=arguments.load,
        roads=arguments.roads,
        crs=arguments.crs,
    )
    if arguments.action == "check":
        return _check(draft, out)
    if arguments.action == "edit":
        return _edit(draft, arguments, out)
    edits = _propose(draft, arguments, out)
    return _finish(draft, edits, arguments)


def propose_for_plan(
    arguments: argparse.Namespace, city: City, piece: Workpiece, out: Output
) -> list[Any]:
    """Print three plans for a plan's draft; return the edits of the one that is taken, if any."""
    from geodata.plans.city_walls import raise_walls

    named = {
        name: strength for name, _, strength in (one.rpartition("=") for one in arguments.walls)
    }
    walls = raise_walls(city, named, now=read_clock())
    weighed = piece.weigh(_read_weights(arguments.weigh)) if arguments.weigh else None
    return _propose(piece.draft, arguments, out, walls, weighed)


def _read_weights(given: Sequence[str]) -> dict[str, float]:
    """Return weights as they are written: `cases=1 places=0.5`. Raises BadSetting."""
    named = [one.partition("=") for one in given]
    try:
        return {name: float(weight) for name, _, weight in named}
    except ValueError:
        raise BadSetting(Fault(key="plan_weights_read", field="weigh")) from None


def _check(draft: Draft, out: Output) -> int:
    from geodata.redraw import prove_draft

    proof = prove_draft(draft)
    out.line("redraw.proved" if proof.ok else "redraw.not_proved", grids=len(draft.grids),
             edges=f"{proof.edges.edges:,}", gaps=proof.edges.gap_count)  # fmt: skip
    out.result(proof.as_json())
    return 0 if proof.ok else 1


def _edit(draft: Draft, arguments: argparse.Namespace, out: Output) -> int:
    from geodata.redraw import apply_edit
    from geodata.redraw.files import read_edits

    lines = arguments.lines
    text = sys.stdin.buffer.read() if lines is None else lines.read_bytes()
    done = [apply_edit(draft, edit) for edit in read_edits(text)]
    for change in done:
        for key in change.notes:
            out.line(key)
    out.line("plan.edited", n=len(done), grids=len({uid for one in done for uid in one.uids}))
    out.result({"changes": [change.as_json() for change in done]})
    return _finish(draft, [], arguments)


def _finish(draft: Draft, edits: Sequence[Any], arguments: argparse.Namespace) -> int:
    """Apply edits and write the drawing where `--out` says."""
    from geodata.redraw import apply_edit
    from geodata.redraw.files import write_geojson

    for edit in edits:
        apply_edit(draft, edit)
    if arguments.out is not None:
        write_geojson(arguments.out, draft.to_frame())
    return 0


def _propose(
    draft: Draft,
    arguments: argparse.Namespace,
    out: Output,
    walls: Sequence[Wall] = (),
    weighed: Blocks | None = None,
) -> list[Any]:
    from geodata.redraw.drafting import propose_for_draft, write_edits

    plans = propose_for_draft(
        draft,
        scope=_find_scope(draft, arguments.scope),
        grids=arguments.grids,
        walls=[*walls, *_read_walls(draft, arguments)],
        band=arguments.band,
        nested=not arguments.across,
        weighed=weighed,
        seed=arguments.seed,
    )
    edits = []
    if arguments.take:
        edits = write_edits(draft, plans.plan(arguments.take), across=arguments.across)
    _tell(plans, out)
    out.result({**plans.as_json(), "edits": edits})
    return edits


def _tell(plans: Proposals, out: Output) -> None:
    rows = [(plan.kind, plan.measures) for plan in plans.plans]
    if plans.today is not None:
        rows.insert(0, ("today", plans.today))
    for kind, row in rows:
        out.line("redraw.plan_row", kind=say(f"redraw.plan_{kind}", out.lang), grids=row.grids,
                 off=f"{row.max_dev:.1%}", outside=row.outside, round=f"{row.roundness:.2f}",
                 moved=f"{row.moved:.1%}", changed=row.changed)  # fmt: skip
    if plans.expected:
        said = {name: f"{value:,.0f}" for name, value in plans.sum_expected().items()}
        out.line("redraw.expected", **said)
    for floor in plans.floors[:_FLOORS_SAID]:
        out.line(f"redraw.floor_{floor.kind}", number=floor.number, share=f"{floor.share:.0%}")


def _find_scope(draft: Draft, codes: Sequence[str]) -> list[int] | None:
    """Return the uids of grids of any level by their codes, None for all of them."""
    if not codes:
        return None
    rows = [*draft.outer.values(), *draft.grids.values()]
    uid_of = {grid.code: grid.uid for grid in rows}
    unknown = [code for code in codes if code not in uid_of]
    if unknown:
        raise BadSetting(Fault(key="grid_unknown", values={"grid": unknown[0]}))
    return [uid_of[code] for code in codes]


def _read_walls(draft: Draft, arguments: argparse.Namespace) -> list[Wall]:
    from geodata.redraw.files import read_lines
    from geodata.redraw.walls import make_wall

    named = [(path, True) for path in arguments.hard] + [(path, False) for path in arguments.soft]
    return [
        make_wall(read_lines(path, draft.crs, crs=arguments.crs), hard=hard) for path, hard in named
    ]
