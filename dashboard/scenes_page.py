"""The page of the wall's scenes: what each shows, where, of which days, for how long."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from flask import Flask, redirect, request
from werkzeug.wrappers import Response as WsgiResponse

from dashboard.guard import current_scope, guarded
from dashboard.plain import draw_plain, find_page_lang
from dashboard.services import Services
from dashboard.trail import show
from geodata.errors import BadSetting, Fault
from geodata.events.periods import PERIODS_DAYS
from geodata.wall.scenes import (
    ADMIN,
    CITY,
    LATE,
    LEAST_DWELL_S,
    LONGEST_NAME,
    MOST_DWELL_S,
    MOST_SCENES,
    NOW,
    SHOWS,
    Scene,
    read_scenes,
    save_scenes,
)
from geodata.words import Lang, say
from layers.registry import WALL_LAYERS

_FORM_BYTES = 64_000
_SEE_OTHER = 303
_BAD = 422


def add_scenes_page(server: Flask, services: Services) -> None:
    """Add `/scenes` below the base path: shown and saved whole."""
    city, base = services.city, services.base_path

    @guarded(ADMIN, logs="")
    def show_scenes() -> WsgiResponse:
        return _draw(services, [_plain(one) for one in read_scenes(city, find_page_lang()).scenes])

    @guarded(ADMIN, writes="wall.scenes")
    def save() -> WsgiResponse:
        request.max_content_length = _FORM_BYTES
        lang = find_page_lang()
        rows = read_rows(request.form)
        grids = services.grids()
        codes = set() if grids is None else set(grids.grids["code"])
        known = {layer.id for layer in WALL_LAYERS}
        try:
            save_scenes(city, current_scope(), rows, layers=known, codes=codes, now=services.now())
        except BadSetting as error:
            return _draw(services, rows, wrong=[_tell(one, lang) for one in error.faults])
        return redirect(f"{base}/scenes?lang={lang}&saved=1", _SEE_OTHER)

    server.add_url_rule(f"{base}/scenes", "getu_scenes", show_scenes)
    server.add_url_rule(f"{base}/scenes", "getu_scenes_save", save, methods=["POST"])


def read_rows(form: Mapping[str, Any]) -> list[dict[str, Any]]:
    """Return the scenes that a form holds, in the order of their numbers; emptied ones are gone."""
    rows = []
    for row in range(MOST_SCENES + 1):
        name = str(form.get(f"name-{row}", "")).strip()
        if not name or form.get(f"gone-{row}"):
            continue
        layers = [layer.id for layer in WALL_LAYERS if form.get(f"layer-{row}-{layer.id}")]
        order = str(form.get(f"order-{row}", ""))
        rows.append(
            {
                "order": int(order) if order.isascii() and order.isdigit() else MOST_SCENES,
                "name": name,
                "layers": layers,
                "place": str(form.get(f"place-{row}", "")).strip(),
                "show": str(form.get(f"show-{row}", NOW)),
                "days": str(form.get(f"days-{row}", "")),
                "dwell_s": str(form.get(f"dwell-{row}", "")),
            }
        )
    return sorted(rows, key=lambda one: one["order"])


def _draw(
    services: Services, rows: list[dict[str, Any]], *, wrong: list[str] | None = None
) -> WsgiResponse:
    lang = find_page_lang()
    found = read_scenes(services.city, lang)
    empty = {
        "name": "",
        "layers": ["base-map", "grid-edges", "grid-names"],
        "place": CITY,
        "show": NOW,
    }
    show(n=0)
    return draw_plain(
        "scenes.html",
        status=_BAD if wrong else 200,
        rows=[*rows, {**empty, "days": PERIODS_DAYS[0], "dwell_s": 30}][: MOST_SCENES + 1],
        wrong=wrong or [],
        found=found,
        saved=request.args.get("saved") == "1",
        layers=[(layer.id, say(layer.title, lang)) for layer in WALL_LAYERS],
        periods=[
            (days, say("filter.days", lang, n=days) if days else say("filter.all_time", lang))
            for days in PERIODS_DAYS
        ],
        shows=[(name, say(f"scene.show_{name}", lang)) for name in SHOWS],
        limits={"name": LONGEST_NAME, "low": LEAST_DWELL_S, "high": MOST_DWELL_S},
        places=_list_places(services, lang),
    )


def _list_places(services: Services, lang: Lang) -> list[tuple[str, str]]:
    """Return the places to choose from: the moving ones, then every area above the grids."""
    found = [(CITY, say("scene.place_city", lang)), (LATE, say("scene.place_late", lang))]
    grids = services.grids()
    if grids is None:
        return found
    finest = set(grids.finest()["uid"])
    rows = grids.grids
    areas = rows[~rows["uid"].isin(finest)]
    return [*found, *zip(areas["code"].astype(str), areas["name"].astype(str), strict=True)]


def _plain(scene: Scene) -> dict[str, Any]:
    return {
        "name": scene.name,
        "layers": list(scene.layers),
        "place": scene.place,
        "days": scene.days,
        "dwell_s": scene.dwell_s,
        "show": scene.show,
    }


def _tell(fault: Fault, lang: Lang) -> str:
    """Return a fault as a sentence, with the number of its scene in front."""
    row = say("scene.number", lang, n=fault.row) if fault.row else ""
    return f"{row} {fault.cause(lang)} {fault.remedy(lang)}".strip()
