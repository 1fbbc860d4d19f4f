"""The briefing page: the sheet itself, options around it, files, recipes and what was issued."""

from __future__ import annotations

from dataclasses import dataclass
from urllib.parse import urlencode

from flask import Flask, Response, request
from werkzeug.wrappers import Response as WsgiResponse

from dashboard.briefing_files import (
    FIELDS,
    add_briefing_files,
    answer_file,
    go_back,
    read_fields,
    read_page,
    read_wish,
)
from dashboard.guard import current_scope, guarded
from dashboard.plain import draw_plain, find_page_lang
from dashboard.services import Services
from dashboard.trail import show
from geodata.access.sight import Sight
from geodata.briefing.recipes import describe_issue, describe_recipes, drop, get_recipe, save
from geodata.briefing.sentences import Section, name_title
from geodata.briefing.tables import TABLES
from geodata.briefing.wish import PERIODS, Wish, parse_wish
from geodata.errors import GetuError
from geodata.levels import LEVELS
from geodata.words import say
from layers.office.bureau import MADE, ROWS_MADE
from layers.office.pack import SHEET_PAGE
from layers.print.page import PAGES
from layers.registry import LAYERS

_STATES = ("all", "open", "overdue", "closed")
_LISTED = 12
_MOST_AREAS = 200
_KINDS = {"csv": "CSV", "xlsx": "XLSX", "gpkg": "GPKG", "parquet": "Parquet"}


@dataclass(frozen=True, slots=True, kw_only=True)
class Shown:
    """What the page shows of a wish: its sentences, or why there are none."""

    title: str = ""
    sections: tuple[Section, ...] = ()
    fault: str = ""


def add_briefing_page(server: Flask, services: Services) -> None:
    """Add `/briefing`, its picture and files, and the buttons that save recipes and issue."""
    _add_page(server, services)
    _add_buttons(server, services)
    add_briefing_files(server, services)


def _add_page(server: Flask, services: Services) -> None:
    pictures, base = services.pictures, services.base_path

    @guarded("export", logs="view.briefing")
    def show_briefing() -> Response:
        lang, scope = find_page_lang(), current_scope()
        sight = pictures.facts(scope)
        bureau = services.bureau(scope)
        asked = {name: request.args.get(name, "") for name in (*FIELDS, "page")}
        page_name = SHEET_PAGE
        try:
            wish, page_name = read_wish(lang), read_page().name
            paper = bureau.look(wish)
            shown = Shown(title=name_title(paper.briefing), sections=paper.sections)
        except GetuError as error:
            wish, shown = Wish(lang=lang), Shown(fault=error.sentence(lang))
        show(target=asked["area"] or "city", n=1)
        issues = bureau.issues(most=_LISTED).found
        return draw_plain(
            "briefing.html",
            wish=wish,
            page=page_name,
            pages=tuple(PAGES),
            result=shown,
            query=urlencode({**{k: v for k, v in asked.items() if v}, "lang": lang}),
            templates=bureau.templates(),
            atlas_levels=[one for one in sight.grids.levels if one in LEVELS[2:]],
            areas=_list_areas(sight),
            periods=PERIODS,
            states=_STATES,
            categories=sorted(name for name in sight.category_names(lang).values() if name),
            layers=[(one.id, say(one.title, lang)) for one in LAYERS if one.read_values],
            papers=tuple(MADE),
            tables=[
                (what, [name for name in ROWS_MADE if name.startswith(f"{what}.")])
                for what in TABLES
                if sight.rows or what != "incidents"
            ],
            kinds=_KINDS,
            recipes=describe_recipes(services.city).recipes,
            issues=[
                (one.issue, describe_issue(one.issue, lang), one.sentences(lang)) for one in issues
            ],
        )

    @guarded("export", logs="view.briefing")
    def picture() -> Response:
        lang = find_page_lang()
        wish = read_wish(lang)
        show(target=wish.area or "city", n=1)
        return answer_file(services.bureau(current_scope()).draw(wish, read_page()), "png")

    server.add_url_rule(f"{base}/briefing", "getu_briefing", show_briefing)
    server.add_url_rule(f"{base}/briefing/sheet.png", "getu_briefing_sheet", picture)


def _add_buttons(server: Flask, services: Services) -> None:
    city, base = services.city, services.base_path

    @guarded("export", writes="recipe.save")
    def keep() -> WsgiResponse:
        wish = parse_wish({**read_fields(request.form), "lang": find_page_lang()})
        save(city, current_scope(), _name_asked(), wish, at=services.now())
        return go_back(base, read_fields(request.form))

    @guarded("export", writes="recipe.drop")
    def remove() -> WsgiResponse:
        drop(city, current_scope(), _name_asked(), at=services.now())
        return go_back(base, {})

    @guarded("export", writes="briefing.issue")
    def issue() -> WsgiResponse:
        name = _name_asked()
        wish = get_recipe(city, name)
        services.bureau(current_scope()).issue(name, wish)
        return go_back(base, {field: getattr(wish, field) for field in FIELDS})

    for path, endpoint, view in (
        ("recipe", "keep", keep),
        ("recipe/drop", "drop", remove),
        ("issue", "issue", issue),
    ):
        server.add_url_rule(
            f"{base}/briefing/{path}", f"getu_briefing_{endpoint}", view, methods=["POST"]
        )


def _name_asked() -> str:
    return str(request.form.get("name", "")).strip()


def _list_areas(sight: Sight) -> list[tuple[str, str]]:
    """Return code and name of the areas above the finest grids, indented by level."""
    grids = sight.grids.grids
    finest = sight.grids.levels[-1]
    above = grids[grids["level"] != finest].head(_MOST_AREAS)
    depth = {level: place for place, level in enumerate(sight.grids.levels)}
    codes = (above[name].astype(str) for name in ("code", "name", "level"))
    return [
        (code, f"{'　' * depth.get(level, 0)}{name}")
        for code, name, level in sorted(zip(*codes, strict=True))
    ]
