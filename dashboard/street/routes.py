"""The routes of a street page: the frame once, then one answer for each step that is taken."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, replace
from typing import Any

import numpy as np
import orjson
from flask import Flask, Response, render_template, request

from dashboard import trail
from dashboard.guard import current_scope, guarded
from dashboard.services import Services
from dashboard.street import choices, ground, panel, responsible
from dashboard.street.view import StreetView, parse_street, read_text
from dashboard.view import View
from geodata.access.sight import Sight
from geodata.errors import GetuError, NotFound
from geodata.figures.area import AreaFigures, count_area, find_root
from geodata.figures.definitions import DEFINITIONS, describe_figure
from geodata.figures.tally import order_leaves
from geodata.retired_codes import find_retired
from geodata.search.city import search_city
from geodata.words import Lang, parse_lang, say
from layers.registry import LAYERS

_LONGEST_CODE = 40


@dataclass(frozen=True, slots=True, kw_only=True)
class Asked:
    """What one request asks: the sight of its account, the view, the area's uid, and when."""

    sight: Sight
    street: StreetView
    uid: int | None
    now: int

    @property
    def lang(self) -> Lang:
        """Return the language of the answer."""
        return self.street.view.lang

    def count(self) -> AreaFigures:
        """Return the area's figures."""
        sight, now = self.sight, self.now
        return count_area(
            sight,
            grid=self.uid,
            period=self.street.period(sight, now),
            filter=self.street.filter(sight, now),
            now=now,
        )


class Asking:
    """Reads requests of street pages; raises NotFound for a city or a code that is not there."""

    def __init__(self, services: Services) -> None:
        self._services = services
        self._start = View(lang=parse_lang(services.city.settings.lang))

    def lang(self) -> Lang:
        """Return the language that this request asks for."""
        return parse_street(request.args, start=self._start).view.lang

    def of_city(self, sight: Sight) -> Asked:
        """Return what this request would ask of the whole city."""
        street = parse_street(request.args, start=self._start)
        return Asked(sight=sight, street=street, uid=None, now=self._services.now())

    def read(self, *, own: bool = True) -> Asked:
        """Return what this request asks; without a code its account's own area, or the city."""
        sight = self._services.pictures.facts(current_scope())
        code = read_text(request.args.get("code"), _LONGEST_CODE)
        level = read_text(request.args.get("level"), _LONGEST_CODE)
        uid = find_area(sight, code, level) if code else find_own_area(sight) if own else None
        return replace(self.of_city(sight), uid=uid)


def find_area(sight: Sight, code: str, level: str) -> int | None:
    """Return the uid of a code, None for the one grid that is the whole city. Raises NotFound."""
    known = level if level in sight.grids.levels else None
    uid = sight.grids.find_uid(code, level=known)
    return None if uid == find_root(sight) else uid


def find_own_area(sight: Sight) -> int | None:
    """Return the smallest area that holds all grids of the scope; None for the whole city."""
    if sight.scope.grids is None:
        return None
    tree = order_leaves(sight)
    uids = sight.grids.finest()["uid"].to_numpy()[tree.order]
    mine = np.flatnonzero(np.isin(uids, list(sight.scope.grids)))
    if not len(mine):
        return None
    above = sight.grids.path(int(uids[mine[0]]))
    for uid in reversed(above):
        first, end = tree.reach(uid)
        if first <= mine[0] and mine[-1] < end:
            return None if uid == find_root(sight) else uid
    return None


def add_routes(server: Flask, services: Services) -> None:
    """Add `/area/...` below the base path: what the pages of areas ask for."""
    asking = Asking(services)

    @guarded("read")
    def frame() -> Response:
        asked = asking.read(own=False)
        return as_json(draw_frame(asked, services))

    @guarded("read", logs="view.area")
    def area() -> Response:
        trail.show(n=0)  # the lists say themselves how many single cases they show
        try:
            asked = asking.read()
        except NotFound:
            return _draw_missing(services, asking)
        return as_json(draw_area(asked, services))

    @guarded("read")
    def hot() -> Response:
        asked = asking.read()
        return as_json({"html": panel.draw_hot(asked.sight, asked.count(), asked.lang)})

    @guarded("read")
    def whose() -> Response:
        asked = asking.read()
        kind = read_text(request.args.get("whose"))
        with services.city.database.read() as connection:
            html = responsible.draw_one(
                asked.sight, asked.uid, kind, connection, lang=asked.lang, now=asked.now
            )
        return as_json({"html": html})

    @guarded("read")
    def search() -> Response:
        asked = asking.read(own=False)
        text = read_text(request.args.get("q"))
        with services.city.database.read() as connection:
            found = search_city(asked.sight, connection, text)
        return as_json(
            {"q": text, "found": [_describe_found(one, asked.sight, asked.lang) for one in found]}
        )

    rules: tuple[tuple[str, Callable[[], Response]], ...] = (
        ("frame.json", frame),
        ("panel.json", area),
        ("search.json", search),
        ("hot.json", hot),
        ("whose.json", whose),
    )
    for rule, view in rules:
        name = f"getu_area_{rule.partition('.')[0]}"
        server.add_url_rule(f"{services.base_path}/area/{rule}", name, view)


def draw_frame(asked: Asked, services: Services) -> dict[str, Any]:
    """Return what a page needs once: its controls, the map's ground, the tree, the dictionary."""
    sight, street, lang = asked.sight, asked.street, asked.lang
    settings = services.city.settings
    city = settings.name_zh if lang == "zh" else settings.name_en

    def speak(key: str, **named: Any) -> str:
        return say(key, lang, **named)

    layers = ground.describe_layers(sight, street)
    controls = render_template(
        "street_controls.html",
        say=speak,
        street=street,
        categories=choices.list_categories(sight, lang),
        kinds=choices.list_kinds(sight, lang),
        texts=choices.list_texts(sight, lang),
        switches=[(one["id"], one["title"], one["visible"]) for one in layers[:-1]],
        rows=sight.rows,
    )
    return {
        "version": sight.version,
        "controls": controls,
        "city": city,
        "title": f"{city} · {say('product.mark', lang)}",
        "whole": say("street.whole_city", lang),
        "rows": sight.rows,
        "map": {
            "layers": layers,
            "words": ground.read_words(lang),
            "bounds": list(sight.bounds),
            "lang": lang,
        },
        "tree": ground.describe_tree(sight, lang),
        "labels": {
            "crumbs": say("street.crumbs", lang),
            "side": say("street.page", lang),
            "street-legend": say("control.legend", lang),
            "theme-switch": say("control.theme-switch", lang),
        },
        "definitions": {key: describe_figure(key, lang) for key in DEFINITIONS},
        "words": {
            name: say(f"street.{name}", lang, n="{n}")
            for name in (
                "formula", "numerator", "denominator", "window", "rounding", "rows", "failed",
                "nothing_found", "circle_hint", "asked_hint", "polygon_hint", "close", "compare",
                "loading",
            )
        },
    }  # fmt: skip


def draw_area(asked: Asked, services: Services) -> dict[str, Any]:
    """Return one step: the panel, what the map shows, and who this area is."""
    sight, street = asked.sight, asked.street
    figures = asked.count()
    with services.city.database.read() as connection:
        html = panel.draw_panel(sight, figures, street, connection)
    code = level = ""
    if asked.uid is not None:
        grids = sight.grids.grids
        row = int(np.flatnonzero(grids["uid"].to_numpy() == asked.uid)[0])
        code, level = str(grids["code"].iat[row]), str(grids["level"].iat[row])
    return {
        "html": html,
        "uid": asked.uid,
        "code": code,
        "level": level if code and _is_doubtful(sight, code) else "",
        **_draw_map(asked),
    }


def _draw_map(asked: Asked) -> dict[str, Any]:
    """Return what the map shows under the filter; no figures to a page that holds them."""
    sight, street, now = asked.sight, asked.street, asked.now
    mark = f"{sight.snapshot.revision} {now // 600} {street.link()}"
    shown: dict[str, Any] = {
        "query": street.query(sight, now),
        "revision": sight.snapshot.revision,
        "version": sight.version,
        "mark": mark,
    }
    values = ground.read_values(sight, street, now=now)
    if request.args.get("held") != mark:
        shown["values"] = ground_values(asked, values)
    shown["legend"] = _draw_legend(asked, values)
    return shown


def ground_values(asked: Asked, values: Any) -> dict[str, Any]:
    """Return the figures of every layer that has some, the measured grids' among them."""
    picture = ground.frame_picture(asked.sight, asked.street, now=asked.now)
    permissions = asked.sight.scope.permissions
    found = {
        layer.id: layer.read_values(picture).as_json()
        for layer in LAYERS
        if layer.read_values and layer.id != "grid-risk" and layer.source.needs in permissions
    }
    return {**found, ground.GRIDS: values.as_json()}


def _draw_legend(asked: Asked, values: Any) -> str:
    street = asked.street
    # What is counted beside a class are the grids of the area that the page stands on.
    leaves = None if asked.uid is None else order_leaves(asked.sight).leaves(asked.uid)
    return render_template(
        "street_legend.html",
        title=street.name_measure(),
        unit=say("legend.unit_incidents", asked.lang),
        counted=say("street.legend_grids", asked.lang),
        rows=ground.describe_legend(values, street, leaves=leaves),
        signs=ground.describe_signs(street) if asked.sight.rows else [],
    )


def _draw_missing(services: Services, asking: Asking) -> Response:
    """Answer a code that the drawing in force does not have: its successors, or a sentence."""
    lang = asking.lang()
    code = read_text(request.args.get("code"), _LONGEST_CODE)
    sight = services.pictures.newest(current_scope())
    retired = None
    if sight is not None:
        with services.city.database.read() as connection:
            timeline = services.city.drawings.timeline(connection)
        retired = find_retired(timeline, sight.grids, code)

    def speak(key: str, **named: Any) -> str:
        return say(key, lang, **named)

    successors = []
    if sight is not None and retired is not None:
        grids = sight.grids.grids.set_index("uid")
        successors = [
            {
                "uid": uid,
                "code": str(grids.at[uid, "code"]),
                "name": str(grids.at[uid, "name"]),
                "share": round(100 * share),
            }
            for uid, share in retired.successors
        ]
    html = render_template(
        "street_missing.html",
        say=speak,
        base=services.base_path,
        code=code,
        retired=retired,
        successors=successors,
        no_grids=sight is None,
    )
    # The map stays the city's: a dead link shows where one may go from it.
    shown = {} if sight is None else _draw_map(asking.of_city(sight))
    answer = as_json({"html": html, "missing": True, **shown})
    answer.status_code = 404
    return answer


def _is_doubtful(sight: Sight, code: str) -> bool:
    return int((sight.grids.grids["code"] == code).sum()) > 1


def _describe_found(one: Any, sight: Sight, lang: Lang) -> dict[str, Any]:
    more = say(f"street.found_{one.kind}", lang)
    if one.kind == "area" and one.uid is not None:
        more = " › ".join(sight.grids.path_names(one.uid)[:-1]) or more
    found: dict[str, Any] = {"kind": one.kind, "name": one.name, "code": one.code, "more": more}
    found |= {"uid": one.uid, "source": one.source}
    if one.lon is not None:
        found |= {"lon": one.lon, "lat": one.lat}
    return found


def as_json(plain: Any) -> Response:
    """Return plain data as an answer."""
    return Response(
        orjson.dumps(plain, option=orjson.OPT_SERIALIZE_NUMPY), mimetype="application/json"
    )


def refuse_softly(error: GetuError, lang: Lang) -> Response:
    """Answer a fault of the one who asks as a sentence that the page shows in its place."""
    answer = as_json({"error": error.sentence(lang)})
    answer.status_code = 422
    return answer
