"""The door: reads the city's settings, builds store, layers and dashboard, runs a sub-command."""

from __future__ import annotations

import argparse
import io
import json
import os
import sys
import time
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from geodata.errors import BadSetting, Fault, GetuError, explain_system
from geodata.words import LANGS, Lang, find_lang, parse_lang, say

DEFAULT_CITY = Path("city")
DEFAULT_PORT = 8050
SCENARIOS = ("gaoshan", "jiangdu")
PROGRESS_STEP = 0.05  # a line is drawn anew when a step has moved on by this share


def main(argv: Sequence[str] | None = None) -> int:
    """Run one sub-command; return its exit code (contracts.md 2)."""
    arguments = _parser().parse_args(argv)
    lang = parse_lang(arguments.lang, find_lang(os.environ))
    for stream in (sys.stdout, sys.stderr):
        if isinstance(stream, io.TextIOWrapper):
            stream.reconfigure(errors="backslashreplace")  # a console that has no Chinese
    out = _Output(lang, as_json=arguments.json)
    try:
        code: int = arguments.run(arguments, out)
    except GetuError as error:
        return _refuse(arguments, out, error)
    except BrokenPipeError:  # whoever read our output has gone: nobody is left to tell
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
        return 1
    except OSError as error:
        return _refuse(arguments, out, explain_system(error))
    except KeyboardInterrupt:
        return 130
    return code


def _refuse(arguments: argparse.Namespace, out: _Output, error: GetuError) -> int:
    """Say what is wrong; return the exit code, which for some commands is 1 for any refusal."""
    out.error(error)
    return arguments.refused or error.exit_code


class _Output:
    """Where a command's words go: sentences for people, one object for `--json`."""

    def __init__(self, lang: Lang, *, as_json: bool) -> None:
        self.lang = lang
        self.as_json = as_json
        self._drawn: tuple[str, float] = ("", -1.0)

    def line(self, key: str, **values: Any) -> None:
        """Print one sentence for people."""
        self.text(say(key, self.lang, **values))

    def text(self, text: str) -> None:
        """Print a line for people."""
        if not self.as_json:
            print(text, flush=True)

    def result(self, plain: Any) -> None:
        """Print the object that `--json` promises."""
        if self.as_json:
            print(json.dumps(plain, ensure_ascii=False), flush=True)

    def progress(self, key: str, share: float) -> None:
        """Draw how far a step is, on the error stream so that output stays clean."""
        name, last = self._drawn
        if key == name and share < 1 and share - last < PROGRESS_STEP:
            return
        self._drawn = (key, share)
        if self.as_json or not sys.stderr.isatty():
            if share >= 1 and not self.as_json:
                print(f"  {say(key, self.lang)}", file=sys.stderr, flush=True)
            return
        end = "\n" if share >= 1 else ""
        print(f"\r  {say(key, self.lang)} {share:4.0%}", end=end, file=sys.stderr, flush=True)

    def error(self, error: GetuError) -> None:
        """Print every kind of fault: what is wrong, where, what to do."""
        from geodata.loading.report import group_faults

        if self.as_json:
            faults = [fault.as_json(self.lang) for fault in error.faults]
            print(json.dumps({"file": error.file, "faults": faults}, ensure_ascii=False))
            return
        lead = say("report.at", self.lang, place=error.file) if error.file else ""
        for line in group_faults(error.faults, self.lang):
            print(lead + line, file=sys.stderr)


def _now() -> int:
    return int(time.time())


def _demo(arguments: argparse.Namespace, out: _Output) -> int:
    from geodata.city import City, check_no_city, create_city, writing
    from geodata.demo import make_city
    from geodata.loading.demo_city import demo_settings, save_demo

    if arguments.scenario not in SCENARIOS:
        known = ", ".join(SCENARIOS)
        raise BadSetting(
            Fault(key="scenario_unknown", values={"name": arguments.scenario, "known": known})
        )
    folder: Path = arguments.city
    check_no_city(folder)
    started = time.perf_counter()
    demo = make_city(arguments.scenario, seed=arguments.seed, now=_now(), progress=out.progress)
    city: City = create_city(folder, demo_settings(demo))
    with writing(city):
        save_demo(city, demo, now=_now(), progress=out.progress)
    seconds = f"{time.perf_counter() - started:.1f}"
    out.line("command.demo_made", name=arguments.scenario, folder=str(folder), seconds=seconds)
    if arguments.serve:
        return _serve(arguments, out)
    out.result({"city": str(folder), "seconds": float(seconds)})
    return 0


def _init(arguments: argparse.Namespace, out: _Output) -> int:
    from geodata.city import create_city

    values: dict[str, Any] = {"name_zh": arguments.name, "name_en": arguments.name_en}
    values = {name: value for name, value in values.items() if value}
    if arguments.timezone:
        values["timezone"] = arguments.timezone
    if arguments.crs:
        values["crs"] = arguments.crs
    create_city(arguments.folder, values)
    out.line("command.init_done", folder=str(arguments.folder))
    out.result({"city": str(arguments.folder)})
    return 0


def _serve(arguments: argparse.Namespace, out: _Output) -> int:
    from dashboard.server import check_host, check_port, make_app, rehearse, serve
    from geodata.city import open_city, serving

    check_host(arguments.host)
    check_port(arguments.host, arguments.port)
    city = open_city(arguments.city)
    with serving(city):
        app = make_app(city)
        rehearse(app)
        address = f"http://{arguments.host}:{arguments.port}{city.settings.base_path}/"
        out.line("command.serving", address=address, city=str(arguments.city))
        out.result({"address": address})
        serve(app, host=arguments.host, port=arguments.port, threads=city.settings.server_threads)
    return 0


def _load(arguments: argparse.Namespace, out: _Output) -> int:
    from geodata.city import open_city, writing
    from geodata.loading import load_files
    from geodata.loading.report import LoadReport, merge_reports
    from geodata.loading.request import LoadRequest, parse_day, parse_mapping

    city = open_city(arguments.city)
    request = LoadRequest(
        now=_now(),
        crs=arguments.crs,
        encoding=arguments.encoding,
        layer=arguments.layer,
        mapping=parse_mapping(arguments.map),
        source=arguments.source,
        level=arguments.level,
        parent=arguments.parent,
        parent_level=arguments.parent_level,
        system=arguments.system,
        valid_from=parse_day(arguments.valid_from, city.settings.zone),
        recorded=arguments.recorded,
        overlaps=arguments.overlaps,
        dry_run=arguments.dry_run,
        strict=arguments.strict,
    )
    with writing(city):
        reports, errors = load_files(
            city, arguments.kind, arguments.files, request, progress=out.progress
        )
    for report in reports:
        for line in report.lines(out.lang):
            out.text(line)
    for error in errors:
        if not out.as_json:
            out.error(error)
    nothing = [LoadReport(file=error.file or "", faults=error.faults) for error in errors]
    out.result(merge_reports([*reports, *nothing], out.lang))
    if any(report.accepted for report in reports):
        return 0
    return max(error.exit_code for error in errors)


def _check(arguments: argparse.Namespace, out: _Output) -> int:
    from geodata.boundary import check_files
    from geodata.loading.request import parse_mapping

    checked = check_files(
        arguments.files,
        city=arguments.city if not arguments.files else None,
        crs=arguments.crs,
        encoding=arguments.encoding,
        layer=arguments.layer,
        mapping=parse_mapping(arguments.map),
        level=arguments.level,
        parent=arguments.parent,
        now=_now(),
    )
    for line in checked.lines(out.lang):
        out.text(line)
    out.result(checked.as_json(out.lang))
    return 1 if checked.has_faults else 0


def _own(arguments: argparse.Namespace, out: _Output) -> int:
    from geodata.loading.request import parse_mapping
    from geodata.ownership.assignment import OwnRequest, own_files

    report = own_files(
        OwnRequest(
            grids=tuple(arguments.grids),
            points=tuple(arguments.points),
            out=arguments.out,
            crs=arguments.crs,
            grids_crs=arguments.grids_crs,
            encoding=arguments.encoding,
            layer=arguments.layer,
            grid_code=arguments.grid_code,
            recorded=arguments.recorded,
            near_m=arguments.near,
            near_line_m=arguments.near_line,
            mapping=parse_mapping(arguments.map),
        ),
        progress=out.progress,
    )
    for line in report.lines(out.lang):
        out.text(line)
    out.result(report.as_json(out.lang))
    return 0


def _info(arguments: argparse.Namespace, out: _Output) -> int:
    from geodata.city import open_city
    from geodata.inventory import describe_city

    inventory = describe_city(open_city(arguments.city), now=_now())
    out.text("\n".join(inventory.lines(out.lang)))
    out.result(inventory.as_json())
    return 0


def _rebuild(arguments: argparse.Namespace, out: _Output) -> int:
    from geodata.city import open_city, writing
    from geodata.derive import derive_incidents

    city = open_city(arguments.city)
    with writing(city):
        revision = derive_incidents(city, now=_now())
    out.line("command.rebuilt", revision=revision)
    out.result({"revision": revision})
    return 0


def _token(arguments: argparse.Namespace, out: _Output) -> int:
    from geodata.source_tokens import change_tokens

    report = change_tokens(arguments.city, arguments.action, arguments.source, now=_now())
    out.text("\n".join(report.lines(out.lang)))
    out.result(report.as_json())
    return 0


def _bench(arguments: argparse.Namespace, out: _Output) -> int:
    from bench.ownership import run_ownership

    results = run_ownership(points=arguments.points, rounds=arguments.rounds)
    for row in results:
        out.text("  ".join(f"{name}={value}" for name, value in row.items()))
    out.result({"results": results})
    return 0


def _parser() -> argparse.ArgumentParser:
    common = argparse.ArgumentParser(add_help=False)
    common.add_argument("--lang", choices=LANGS, help="zh or en; else the locale")
    common.add_argument("--json", action="store_true", help="print one JSON object")
    place = argparse.ArgumentParser(add_help=False)
    place.add_argument("--city", type=Path, default=DEFAULT_CITY, metavar="DIR")
    files = argparse.ArgumentParser(add_help=False)
    files.add_argument("--crs", help="EPSG:n, GCJ-02, BD-09 or WKT")
    files.add_argument("--encoding", help="of text; else strict UTF-8, else GB18030")
    files.add_argument("--layer", metavar="NAME", help="of a file that holds several")
    files.add_argument("--map", action="append", default=[], metavar="FIELD=COLUMN")
    files.add_argument("--level", help="city, district, street, community or grid")
    files.add_argument("--parent", metavar="COLUMN", help="the column with the parent's code")
    files.add_argument("--parent-level", help="of parents that only the column names")
    serving = argparse.ArgumentParser(add_help=False)
    serving.add_argument("--host", default="127.0.0.1")
    serving.add_argument("--port", type=int, default=DEFAULT_PORT)

    parser = argparse.ArgumentParser("app.py", description=say("command.about", "en"))
    commands = parser.add_subparsers(required=True, metavar="COMMAND")

    def command(name: str, run: Any, *parents: argparse.ArgumentParser) -> argparse.ArgumentParser:
        made = commands.add_parser(
            name, parents=[common, *parents], help=say(f"command.{name}", "en")
        )
        made.set_defaults(run=run, refused=None)
        return made

    _add_city_commands(command, place, files, serving)
    _add_file_commands(command, place, files)
    return parser


def _add_city_commands(command: Any, place: Any, files: Any, serving: Any) -> None:
    demo = command("demo", _demo, place, serving)
    demo.add_argument("scenario", metavar="SCENARIO", help=", ".join(SCENARIOS))
    demo.add_argument("--seed", type=int, default=7)
    demo.add_argument("--serve", action="store_true")

    init = command("init", _init)
    init.add_argument("folder", type=Path, metavar="DIR")
    init.add_argument("--crs", help="the metric CRS, e.g. EPSG:4549")
    init.add_argument("--name", help="the city's name in Chinese")
    init.add_argument("--name-en", help="the city's name in English")
    init.add_argument("--timezone", help="IANA name, e.g. Asia/Shanghai")

    command("serve", _serve, place, serving)

    load = command("load", _load, place, files)
    load.add_argument("kind", metavar="KIND", help="grids, incidents, events, cameras, places, ...")
    load.add_argument("files", nargs="+", type=Path, metavar="FILE")
    load.add_argument("--source", metavar="NAME")
    load.add_argument("--system", default="grid", metavar="NAME")
    load.add_argument("--valid-from", metavar="DATE")
    load.add_argument("--recorded", metavar="COLUMN")
    load.add_argument("--overlaps", choices=("refuse", "cut"), default="refuse")
    load.add_argument("--dry-run", action="store_true")
    load.add_argument("--strict", action="store_true")

    command("info", _info, place)
    command("rebuild", _rebuild, place)
    token = command("token", _token, place)
    token.add_argument("action", choices=("add", "list", "revoke"))
    token.add_argument("source", nargs="?", metavar="SOURCE")


def _add_file_commands(command: Any, place: Any, files: Any) -> None:
    check = command("check", _check, place, files)
    check.add_argument("files", nargs="*", type=Path, metavar="FILE")
    check.set_defaults(refused=1)

    own = command("own", _own, files)
    own.set_defaults(refused=1)
    own.add_argument("--grids", nargs="+", type=Path, required=True, metavar="FILE")
    own.add_argument("--points", nargs="+", type=Path, required=True, metavar="FILE")
    own.add_argument("--out", type=Path, required=True, metavar="FILE")
    own.add_argument("--grids-crs", help="where it differs from the points' --crs")
    own.add_argument("--grid-code", metavar="COLUMN")
    own.add_argument("--recorded", metavar="COLUMN")
    own.add_argument("--near", type=float, default=0.0, metavar="M")
    own.add_argument("--near-line", type=float, default=15.0, metavar="M")

    bench = command("bench", _bench)
    bench.add_argument("works", nargs="*", metavar="WORK")
    bench.add_argument("--points", type=int, default=1_000_000)
    bench.add_argument("--rounds", type=int, default=5)


if __name__ == "__main__":
    sys.exit(main())
