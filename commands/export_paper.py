"""The verbs of paper: `export table|page|slides|pack|verify`, and the recipes they repeat."""

from __future__ import annotations

import argparse
from pathlib import Path
from typing import TYPE_CHECKING

from commands.options import Commands, read_clock
from commands.output import Output

if TYPE_CHECKING:
    from geodata.access.scope import Scope
    from geodata.briefing.wish import Wish
    from geodata.snapshots.facts import Facts
    from layers.office.paper import Paper

_WISH = ("area", "period", "cut_off", "category", "state", "layer")


def add_verbs(commands: Commands) -> None:
    """Add the verbs of tables, the written page, slides, packs and the check of a file."""
    wish = _wish_options()
    table = commands.add("table", run_table, commands.city, wish)
    table.add_argument("--what", default="grids", help="grids, incidents, cameras or places")
    table.add_argument("--out", type=Path, required=True, metavar="FILE")
    page = commands.add("page", run_page, commands.city, wish)
    page.add_argument("--out", type=Path, required=True, metavar="FILE", help=".docx or .pdf")
    page.add_argument("--template", type=Path, metavar="DOCX", help="the office's own")
    slides = commands.add("slides", run_slides, commands.city, wish)
    slides.add_argument("--out", type=Path, required=True, metavar="FILE", help=".pptx")
    slides.add_argument("--template", type=Path, metavar="PPTX", help="the office's own")
    slides.add_argument("--vector", action="store_true", help="the map as SVG beside it too")
    pack = commands.add("pack", run_pack, commands.city, wish)
    pack.add_argument("--recipe", required=True, metavar="NAME", help="a saved one")
    pack.add_argument("--out", type=Path, required=True, metavar="DIR")
    pack.add_argument("--docx", type=Path, metavar="FILE", help="the office's template of the page")
    pack.add_argument("--pptx", type=Path, metavar="FILE", help="the office's template of slides")
    pack.add_argument("--vector", action="store_true", help="the map as SVG too")
    recipe = commands.add("recipe", run_recipe, commands.city, wish)
    recipe.add_argument("action", choices=("save", "list", "drop", "issues"))
    recipe.add_argument("name", nargs="?", default="")
    verify = commands.add("verify", run_verify, commands.city)
    verify.add_argument("file", type=Path)
    verify.add_argument(
        "--as", dest="as_account", default="", metavar="ACCOUNT", help="whose scope"
    )


def _wish_options() -> argparse.ArgumentParser:
    wish = argparse.ArgumentParser(add_help=False)
    wish.add_argument("--area", default="", metavar="CODE", help="a grid's code of any level")
    wish.add_argument("--period", default="", help="2026-10, 2026-Q3, last-month, 90d, all, …")
    wish.add_argument("--cut-off", default="", metavar="WHEN", help="run, a moment, or +DAYS")
    wish.add_argument("--category", default="", help="one category by its name")
    wish.add_argument("--state", default="", help="all, open, overdue or closed")
    wish.add_argument("--layer", default="", help="what the map shows")
    wish.add_argument("--as", dest="as_account", default="", metavar="ACCOUNT", help="whose scope")
    return wish


def run_table(arguments: argparse.Namespace, out: Output) -> int:
    """Write one table with what it says of itself."""
    from layers.office.paper import tell_table
    from layers.office.table_files import write_table

    facts, scope = _open(arguments)
    told = tell_table(
        facts,
        scope,
        arguments.what,
        _wish(arguments, out, period="all"),
        now=read_clock(),
        target=arguments.out.name,
    )
    written = write_table(told, arguments.out)
    _say_written(out, written, n=len(told.table.frame), whole=told.table.whole)
    return 0


def run_page(arguments: argparse.Namespace, out: Output) -> int:
    """Write the written page as DOCX or PDF."""
    from geodata.whole_file import write_whole
    from layers.office.pack import Style, make_docx, make_pdf

    _check_suffix(arguments.out, (".docx", ".pdf"))
    style = Style(docx=_read(arguments.template))
    paper = _paper(arguments, out, "page")
    body = make_pdf(paper) if _suffix(arguments.out) == ".pdf" else make_docx(paper, style)
    write_whole(arguments.out, body)
    _say_written(out, [arguments.out], figures=len(paper.briefing.figures))
    return 0


def run_slides(arguments: argparse.Namespace, out: Output) -> int:
    """Write the slides, and the map's vector twin where it is asked for."""
    from geodata.whole_file import write_whole
    from layers.office.map_picture import draw_picture
    from layers.office.pack import Style, make_slides
    from layers.office.slides import MAP_MM

    _check_suffix(arguments.out, (".pptx",))
    style = Style(pptx=_read(arguments.template))
    paper = _paper(arguments, out, "slides")
    write_whole(arguments.out, make_slides(paper, style))
    files = [arguments.out]
    if arguments.vector:
        files.append(arguments.out.with_suffix(".svg"))
        drawn = draw_picture(paper, width_mm=MAP_MM[0], height_mm=MAP_MM[1])
        write_whole(files[-1], drawn.svg())
    _say_written(out, files, figures=len(paper.briefing.figures))
    return 0


def run_pack(arguments: argparse.Namespace, out: Output) -> int:
    """Issue a recipe's briefing and write all its papers; a second run writes the same bytes."""
    from geodata.briefing.leaving import note_export
    from geodata.briefing.recipes import get_recipe
    from geodata.briefing.sentences import name_days
    from layers.office.pack import Style, name_stem, write_pack
    from layers.office.paper import issue_paper

    facts, scope = _open(arguments)
    wish = get_recipe(facts.city, arguments.recipe)
    if (asked := _asked(arguments)) != {}:
        wish = _wish_with(wish, asked)
    style = Style(docx=_read(arguments.docx), pptx=_read(arguments.pptx), vector=arguments.vector)
    now = read_clock()
    paper = issue_paper(facts, scope, arguments.recipe, wish, now=now)
    stem = name_stem(arguments.recipe, name_days(paper.briefing))
    note_export(
        facts.city, scope, "pack", target=arguments.recipe, n=len(paper.briefing.figures), at=now,
        detail={"issue": paper.issue},
    )  # fmt: skip
    files = write_pack(paper, arguments.out, stem=stem, style=style, progress=out.progress)
    out.line("command.export_issued", recipe=arguments.recipe, issue=paper.issue)
    for sentence in paper.sections[-1].sentences if paper.changed else ():
        out.text(f"  {sentence.text}")
    _say_written(out, files, issue=paper.issue, figures=len(paper.briefing.figures))
    return 0


def run_recipe(arguments: argparse.Namespace, out: Output) -> int:
    """Save, list or drop recipes, or list what was issued by one."""
    from geodata.briefing.recipes import describe_issues, describe_recipes, drop, save

    facts, scope = _open(arguments)
    city = facts.city
    if arguments.action == "save":
        save(city, scope, arguments.name, _wish(arguments, out), at=read_clock())
        out.line("command.export_recipe_saved", name=arguments.name)
    elif arguments.action == "drop":
        drop(city, scope, arguments.name, at=read_clock())
        out.line("command.export_recipe_dropped", name=arguments.name)
    issues = arguments.action == "issues"
    report = (
        describe_issues(facts, scope, arguments.name, now=read_clock())
        if issues
        else describe_recipes(city)
    )
    for line in report.lines(out.lang):
        out.text(line)
    out.result(report.as_json())
    return 0


def run_verify(arguments: argparse.Namespace, out: Output) -> int:
    """Say which figures of a file still match their revision; exit with 1 where one does not."""
    from geodata.briefing.verifying import verify_carried
    from layers.office.table_files import read_file_figures

    facts, scope = _open(arguments)
    report = verify_carried(facts, scope, read_file_figures(arguments.file))
    for line in report.lines(out.lang):
        out.text(line)
    out.result(report.as_json())
    return 0 if report.whole else 1


def _paper(arguments: argparse.Namespace, out: Output, what: str) -> Paper:
    from layers.office.paper import make_paper

    facts, scope = _open(arguments)
    wish = _wish(arguments, out)
    return make_paper(facts, scope, wish, now=read_clock(), what=what, target=arguments.out.name)


def _suffix(path: Path) -> str:
    return path.suffix.lower()


def _check_suffix(path: Path, known: tuple[str, ...]) -> None:
    from geodata.errors import BadSetting, Fault

    if _suffix(path) not in known:
        values = {"suffix": path.suffix, "known": ", ".join(known)}
        raise BadSetting(Fault(key="out_format", values=values), file=str(path))


def _read(path: Path | None) -> bytes | None:
    return None if path is None else path.read_bytes()


def _asked(arguments: argparse.Namespace) -> dict[str, str]:
    return {name: value for name in _WISH if (value := getattr(arguments, name))}


def _wish_with(wish: Wish, asked: dict[str, str]) -> Wish:
    from geodata.briefing.wish import parse_wish

    return parse_wish({**wish.as_json(), **asked})


def _wish(arguments: argparse.Namespace, out: Output, *, period: str = "") -> Wish:
    from geodata.briefing.wish import parse_wish

    return parse_wish({"period": period, **_asked(arguments), "lang": out.lang})


def _open(arguments: argparse.Namespace) -> tuple[Facts, Scope]:
    """Return the newest facts with the screens' class breaks, and for whom they are."""
    from commands.export_map import open_facts

    _, facts, scope = open_facts(arguments)
    return facts, scope


def _say_written(out: Output, files: list[Path], **counts: int | None) -> None:
    for file in files:
        out.line("command.export_written", file=file, size=f"{file.stat().st_size:,}")
    out.result({"files": [str(file) for file in files], **counts})
