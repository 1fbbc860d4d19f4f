"""What leaves the briefing page: papers, tables, the atlas, and the templates they are set into."""

from __future__ import annotations

from typing import Any
from urllib.parse import quote, urlencode

from flask import Flask, Response, redirect, request
from werkzeug.wrappers import Response as WsgiResponse

from dashboard.atlas_jobs import AtlasJobs
from dashboard.guard import current_scope, guarded
from dashboard.plain import PRIVATE, draw_plain, find_page_lang
from dashboard.services import Services
from dashboard.trail import show
from geodata.briefing.wish import Wish, parse_wish
from geodata.errors import BadFile, Fault
from geodata.words import Lang
from layers.office.pack import SHEET_PAGE, name_stem
from layers.office.templates import LARGEST
from layers.print.page import Page, find_page

FIELDS = ("area", "period", "cut_off", "category", "state", "layer")
_FORM_BYTES = 64_000
_REFRESH_S = 1
_OFFICE = "application/vnd.openxmlformats-officedocument."
_TYPES = {
    "docx": _OFFICE + "wordprocessingml.document",
    "pptx": _OFFICE + "presentationml.presentation",
    "xlsx": _OFFICE + "spreadsheetml.sheet",
    "pdf": "application/pdf",
    "svg": "image/svg+xml",
    "png": "image/png",
    "html": "text/html",
    "zip": "application/zip",
    "csv": "application/zip",  # with its sidecar
    "gpkg": "application/geopackage+sqlite3",
    "parquet": "application/vnd.apache.parquet",
}


def add_briefing_files(server: Flask, services: Services) -> None:
    """Add the downloads of the briefing page, its templates and the atlas behind it."""
    _add_files(server, services)
    _add_templates(server, services)
    _add_atlas(server, services)


def _add_files(server: Flask, services: Services) -> None:
    base = services.base_path

    @guarded("export", writes="export.page")
    def file(paper: str) -> Response:
        wish = read_wish(find_page_lang())
        name, body = services.bureau(current_scope()).make(paper, wish, read_page())
        return answer_file(body, paper, name=name)

    @guarded("export", writes="export.issue")
    def again(number: int, paper: str) -> Response:
        name, body = services.bureau(current_scope()).make_again(paper, number, read_page())
        return answer_file(body, paper, name=name)

    server.add_url_rule(f"{base}/briefing/file/<paper>", "getu_briefing_file", file)
    server.add_url_rule(f"{base}/briefing/issue/<int:number>/<paper>", "getu_briefing_again", again)


def _add_templates(server: Flask, services: Services) -> None:
    base = services.base_path

    @guarded("export", writes="template.save")
    def keep() -> WsgiResponse:
        request.max_content_length = LARGEST + _FORM_BYTES
        brought = request.files.get("file")
        if brought is None or not brought.filename:
            raise BadFile(Fault(key="briefing_no_template"))
        services.bureau(current_scope()).keep_template(brought.filename, brought.stream.read())
        return go_back(base, read_fields(request.form))

    @guarded("export", writes="template.drop")
    def remove() -> WsgiResponse:
        services.bureau(current_scope()).drop_template(str(request.form.get("kind", "")))
        return go_back(base, read_fields(request.form))

    place = f"{base}/briefing/template"
    server.add_url_rule(place, "getu_briefing_template", keep, methods=["POST"])
    server.add_url_rule(f"{place}/drop", "getu_briefing_plain", remove, methods=["POST"])


def _add_atlas(server: Flask, services: Services) -> None:
    base = services.base_path
    jobs = AtlasJobs()

    @guarded("export", logs="")
    def show_atlas() -> Response:
        job = jobs.find(current_scope())
        refresh = _REFRESH_S if job is not None and job.busy else 0
        return draw_plain("briefing_atlas.html", job=job, refresh=refresh)

    @guarded("export", logs="atlas.bind")
    def bind() -> WsgiResponse:
        scope, lang = current_scope(), find_page_lang()
        wish = parse_wish({**read_fields(request.form), "lang": lang})
        level = str(request.form.get("level", ""))
        page = find_page(request.form.get("page") or SHEET_PAGE)
        plan = services.bureau(scope).plan_atlas(wish, level, page)
        jobs.start(scope, f"{name_stem('atlas', level)}.pdf", plan)
        show(target=f"{wish.area or 'city'} {level}")
        return redirect(f"{base}/briefing/atlas?{_shown()}", code=303)

    @guarded("export", logs="atlas.stop")
    def stop() -> WsgiResponse:
        jobs.stop(current_scope())
        return redirect(f"{base}/briefing/atlas?{_shown()}", code=303)

    @guarded("export", writes="export.atlas")
    def fetch() -> Response:
        name, body = jobs.take(current_scope())
        services.bureau(current_scope()).note_atlas(body)
        return answer_file(body, "pdf", name=name)

    place = f"{base}/briefing/atlas"
    server.add_url_rule(place, "getu_briefing_atlas", show_atlas)
    server.add_url_rule(place, "getu_briefing_bind", bind, methods=["POST"])
    server.add_url_rule(f"{place}/stop", "getu_briefing_stop", stop, methods=["POST"])
    server.add_url_rule(f"{place}.pdf", "getu_briefing_bound", fetch)


def read_wish(lang: Lang) -> Wish:
    """Return the wish of this request's address. Raises BadSetting."""
    return parse_wish({**read_fields(request.args), "lang": lang})


def read_fields(given: Any) -> dict[str, str]:
    """Return the options of a briefing that a form or an address gives, empty where it does not."""
    return {name: given.get(name, "") for name in FIELDS}


def read_page() -> Page:
    """Return the page of the map sheet that this request's address names. Raises BadSetting."""
    return find_page(request.args.get("page") or SHEET_PAGE)


def go_back(base: str, fields: dict[str, str]) -> WsgiResponse:
    """Return to the page in its language and theme, with the options that were set."""
    query = urlencode({name: value for name, value in fields.items() if value})
    return redirect(f"{base}/briefing?{'&'.join(part for part in (query, _shown()) if part)}", 303)


def answer_file(body: bytes, paper: str, *, name: str | None = None) -> Response:
    """Return a file that no cache keeps, to be saved under a name where one is given."""
    kind = _TYPES.get(paper.rpartition(".")[2], "application/octet-stream")
    response = Response(body, mimetype=kind)
    response.headers["Cache-Control"] = PRIVATE
    if name is not None:
        plain = name.encode("ascii", "replace").decode().replace("?", "_")
        response.headers["Content-Disposition"] = (
            f"attachment; filename=\"{plain}\"; filename*=UTF-8''{quote(name)}"
        )
    return response


def _shown() -> str:
    return urlencode({one: request.args[one] for one in ("lang", "theme") if one in request.args})
