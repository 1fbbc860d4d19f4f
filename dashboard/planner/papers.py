"""What leaves the planner as files: tables, the sheets to walk with, the draft for QGIS."""

from __future__ import annotations

import tempfile
from pathlib import Path

from flask import Response, current_app

from dashboard.guard import EXPORT, LIMITS, current_scope
from dashboard.planner.answering import Handler, as_csv, as_file, read_lang
from dashboard.planner.bench import Bench
from dashboard.trail import show
from geodata.errors import Fault, NotFound
from geodata.plans.exchange import write_draft
from geodata.plans.impact import measure_impact
from geodata.plans.plan import need, need_all
from geodata.plans.walks import list_walks
from layers.print.walk import Walking, draw_walks

_TABLES = ("impact", "codes")


def make_papers(bench: Bench) -> dict[str, tuple[str, Handler]]:
    """Return what can be taken away of a plan by name: (rule, handler)."""
    city = bench.city

    def table(number: int, name: str) -> Response:
        if name not in _TABLES:
            raise NotFound(Fault(key="plan_no_table", values={"known": _TABLES}))
        piece = bench.open(number)
        _check()
        with piece.lock:
            found = measure_impact(piece.draft, piece.holdings, piece.base)
        sheet = found.codes_csv if name == "codes" else found.flows_csv
        show(target=f"{number}/{name}", n=max(len(found.flows), 1), act="export.plan")
        return as_csv(sheet(read_lang()), f"plan-{number}-{name}")

    def walk(number: int) -> Response:
        piece = bench.open(number)
        _check()
        with piece.lock:
            walks = list_walks(piece)
        sight = bench.services.pictures.newest(current_scope())
        assert sight is not None  # a plan stands on a drawing in force
        walking = Walking(
            plan=number,
            name=piece.plan.name,
            sight=sight,
            lang=read_lang(),
            now=bench.services.now(),
        )
        with current_app.extensions[LIMITS].exporting():  # one of the places for making a paper
            body = draw_walks(walking, walks)
        pieces = sum(len(one.pieces) for one in walks)
        show(target=f"{number}/walk", n=max(pieces, 1), act="export.plan")
        return as_file(body, f"plan-{number}-walk.pdf", "application/pdf")

    def geopackage(number: int) -> Response:
        piece = bench.open(number)
        _check()
        turn = current_app.extensions[LIMITS].exporting()
        with turn, tempfile.TemporaryDirectory() as folder, piece.lock:
            path = Path(folder) / "draft.gpkg"
            n = write_draft(city, piece, path)
            body = path.read_bytes()
        show(target=f"{number}/gpkg", n=max(n, 1), act="export.plan")
        return as_file(body, f"plan-{number}.gpkg", "application/geopackage+sqlite3")

    return {
        "table": ("/<int:number>/<name>.csv", table),
        "walk": ("/<int:number>/walk.pdf", walk),
        "geopackage": ("/<int:number>/draft.gpkg", geopackage),
    }


def _check() -> None:
    """Raise NotAllowed for who may not export, or does not see the whole city."""
    need(current_scope(), EXPORT)
    need_all(current_scope())
