"""The verbs of maps: `export map|atlas|html`, each a file that is there whole or not at all."""

from __future__ import annotations

import argparse
import hashlib
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING, Any

from commands.options import Commands, read_clock
from commands.output import Output

if TYPE_CHECKING:
    from geodata.access.scope import Scope
    from geodata.access.sight import Sight
    from geodata.city import City
    from geodata.snapshots.facts import Facts
    from layers.print.margin import Imprint
    from layers.print.view import PrintView

_DPI = 300
_MINUTE_S = 60


def add_verbs(commands: Commands) -> None:
    """Add the verbs of the map sheet, the atlas and the stand-alone map."""
    view = argparse.ArgumentParser(add_help=False)
    view.add_argument("--view", default="", metavar="URL-OR-JSON", help="an address of a screen")
    view.add_argument("--area", default="", metavar="CODE", help="a grid's code of any level")
    view.add_argument("--period", default="", help="2026-10, 2026-Q3, last-month, 90d, all, …")
    view.add_argument("--cut-off", default="run", metavar="WHEN", help="run, a moment, or +DAYS")
    view.add_argument("--layers", default="", metavar="ID,ID", help="instead of the view's")
    view.add_argument("--title", default="", help="instead of one made from the view")
    view.add_argument("--as", dest="as_account", default="", metavar="ACCOUNT", help="whose scope")
    view.add_argument("--out", type=Path, required=True, metavar="FILE")
    page = argparse.ArgumentParser(add_help=False)
    page.add_argument("--page", default="A4", help="A4, A3 or 16:9, or with -portrait")
    mark = argparse.ArgumentParser(add_help=False)
    mark.add_argument("--approval", default="", metavar="NUMBER", help="the map approval number")
    mark.add_argument("--public", action="store_true", help="without the mark 内部资料")
    sheet = commands.add("map", run_map, commands.city, view, page, mark)
    sheet.add_argument("--dpi", type=int, default=_DPI, help="of a PNG, 150 to 600")
    atlas = commands.add("atlas", run_atlas, commands.city, view, page, mark)
    atlas.add_argument("--level", default="street", help="street, community or grid")
    atlas.add_argument("--before", default="", metavar="PERIOD", help="what changes are told of")
    commands.add("html", run_html, commands.city, view, mark)


def run_map(arguments: argparse.Namespace, out: Output) -> int:
    """Write one map sheet as PDF, SVG or PNG."""
    from geodata.errors import BadSetting, Fault
    from layers.print.page import check_dpi, find_page
    from layers.print.sheet import draw_sheet

    suffix = arguments.out.suffix.lower()
    if suffix not in (".pdf", ".svg", ".png"):
        raise BadSetting(Fault(key="sheet_suffix"), file=arguments.out.name)
    page, dpi = find_page(arguments.page), check_dpi(arguments.dpi)
    city, facts, scope = open_facts(arguments)
    sight, view, now = _read_view(arguments, facts, scope)
    sheet = draw_sheet(
        sight, view, page=page, lang=out.lang, now=now, imprint=_imprint(arguments, city, now)
    )
    body = {".pdf": sheet.pdf, ".svg": sheet.svg, ".png": lambda: sheet.png(dpi)}[suffix]()
    return _deliver(arguments, out, city, scope, body, what="map", grid=view.area)


def run_atlas(arguments: argparse.Namespace, out: Output) -> int:
    """Write an atlas: a sheet for each area of a level, with contents and index, as one PDF."""
    from geodata.errors import BadSetting, Fault
    from layers.print.atlas import AtlasWish, draw_atlas
    from layers.print.page import find_page

    if arguments.out.suffix.lower() != ".pdf":
        raise BadSetting(Fault(key="atlas_suffix"), file=arguments.out.name)
    page = find_page(arguments.page)
    city, facts, scope = open_facts(arguments)
    sight, view, now = _read_view(arguments, facts, scope)
    wish = AtlasWish(
        view=view, level=arguments.level, page=page, before=_find_before(arguments, facts)
    )
    body = draw_atlas(
        sight,
        wish,
        lang=out.lang,
        now=now,
        imprint=_imprint(arguments, city, now),
        progress=out.progress,
    )
    return _deliver(arguments, out, city, scope, body, what="atlas", grid=view.area)


def run_html(arguments: argparse.Namespace, out: Output) -> int:
    """Write the stand-alone map: one HTML file that opens anywhere and asks nobody."""
    from geodata.errors import BadSetting, Fault
    from layers.portable.portable_map import draw_portable

    if arguments.out.suffix.lower() not in (".html", ".htm"):
        raise BadSetting(Fault(key="html_suffix"), file=arguments.out.name)
    city, facts, scope = open_facts(arguments)
    sight, view, now = _read_view(arguments, facts, scope)
    body = draw_portable(
        sight, view, lang=out.lang, now=now, imprint=_imprint(arguments, city, now)
    )
    return _deliver(arguments, out, city, scope, body, what="html", grid=view.area)


def open_facts(arguments: argparse.Namespace) -> tuple[City, Facts, Scope]:
    """
    Open the city and its newest facts, for the console or for one account's eyes (`--as`).

    The class breaks are those that the screens use. Raises NotFound for an unknown account and
    NotAllowed for one that may not export.
    """
    from dashboard.pictures import Pictures
    from geodata.access.accounts import find_reach, scope_of
    from geodata.access.scope import ROWS, Scope
    from geodata.audit.log import CONSOLE
    from geodata.city import open_city
    from geodata.errors import Fault, NotAllowed, NotFound
    from geodata.snapshots.facts import FactsKeeper
    from geodata.store.accounts import get_account
    from layers.tile_cache import TileCache

    city = open_city(arguments.city)
    scope = Scope.whole_city(CONSOLE, ("read", ROWS, "export"))
    pictures = Pictures(keeper=FactsKeeper(city), cache=TileCache(limit_bytes=0), now=read_clock)
    pictures.facts(scope)  # keeps the breaks
    facts = pictures.keeper.current(read_clock())
    assert facts is not None
    if not arguments.as_account:
        return city, facts, scope
    with city.database.read() as connection:
        account = get_account(connection, arguments.as_account)
    if account.disabled_at is not None:
        raise NotFound(Fault(key="account_missing", values={"name": arguments.as_account}))
    scope = scope_of(account, find_reach(account.areas, facts.grids))
    if not scope.has("export"):
        raise NotAllowed(Fault(key="not_allowed", values={"need": "export"}))
    return city, facts, scope


def _read_view(
    arguments: argparse.Namespace, facts: Facts, scope: Scope
) -> tuple[Sight, PrintView, int]:
    """Return what to draw: sight and view as of the cut-off, and that moment."""
    from dashboard.sheet_view import read_sheet_view
    from geodata.briefing.cut_off import see_at
    from geodata.briefing.wish import AT_RUN, find_dates, parse_wish
    from layers.registry import find_layer

    now = read_clock()
    raw = {"period": arguments.period or "all", "cut_off": arguments.cut_off}
    dates = find_dates(parse_wish(raw), now=now, zone=facts.zone, newest=facts.risk_from)
    moment = now - now % _MINUTE_S if arguments.cut_off == AT_RUN else dates.cut_off
    sight = see_at(facts, scope, cut_off=moment)
    view = read_sheet_view(arguments.view, sight, now=moment)
    if arguments.period:
        chosen = replace(view.filter, since=dates.since, until=dates.until)
        view = replace(view, filter=chosen)
    if arguments.area:
        level, _, code = arguments.area.rpartition(":")
        uid = sight.grids.find_uid(code, level=level or None)
        view = replace(view, area=uid, bounds=None)
    if arguments.layers:
        names = tuple(find_layer(name.strip()).id for name in arguments.layers.split(","))
        view = replace(view, shown=names)
    if arguments.title:
        view = replace(view, title=arguments.title)
    return sight, view, moment


def _find_before(arguments: argparse.Namespace, facts: Facts) -> Any:
    """Return the period that `--before` names, None where the one before is meant."""
    from geodata.briefing.wish import find_dates, parse_wish

    if not arguments.before:
        return None
    wish = parse_wish({"period": arguments.before})
    return find_dates(wish, now=read_clock(), zone=facts.zone, newest=facts.risk_from).period


def _imprint(arguments: argparse.Namespace, city: City, now: int) -> Imprint:
    from geodata.briefing.leaving import read_head_then
    from layers.print.margin import Imprint

    return Imprint(
        head=read_head_then(city, now), internal=not arguments.public, approval=arguments.approval
    )


def _deliver(
    arguments: argparse.Namespace,
    out: Output,
    city: City,
    scope: Scope,
    body: bytes,
    *,
    what: str,
    grid: int | None,
) -> int:
    """Note in the log what leaves, by its hash, then write it; print the log's new head."""
    from geodata.audit.log import print_head, write_entry
    from geodata.whole_file import write_whole

    digest = hashlib.sha256(body).hexdigest()
    with city.database.transaction() as connection:
        head = write_entry(
            connection,
            account=scope,
            act=f"export.{what}",
            target=digest,
            grid=grid,
            at=read_clock(),
            detail={"bytes": len(body)},
        )
    write_whole(arguments.out, body)
    printed = print_head(head)
    out.line("command.export_written", file=arguments.out, size=f"{len(body):,}")
    out.line("command.export_head", head=printed)
    out.result(
        {"files": [str(arguments.out)], "bytes": len(body), "sha256": digest, "head": printed}
    )
    return 0
