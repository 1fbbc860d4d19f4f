"""The commands `demo` and `serve`: a made-up city, and a city on screen."""

from __future__ import annotations

import argparse
import time
from pathlib import Path

from commands.options import Commands, read_clock
from commands.output import Output
from geodata.errors import BadSetting, Fault

SCENARIOS = (
    "gaoshan", "jiangdu", "xianlin", "dongcheng", "wuhu", "dari", "dengzhou", "worst",
)  # fmt: skip


def add_commands(commands: Commands) -> None:
    """Add `demo` and `serve`."""
    demo = commands.add("demo", run_demo, commands.city, commands.serving)
    demo.add_argument("scenario", metavar="SCENARIO", help=", ".join(SCENARIOS))
    demo.add_argument("--seed", type=int, default=7)
    demo.add_argument("--serve", action="store_true")
    commands.add("serve", run_serve, commands.city, commands.serving)


def run_demo(arguments: argparse.Namespace, out: Output) -> int:
    """Make a demo city, and serve it when asked."""
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
    demo = make_city(
        arguments.scenario, seed=arguments.seed, now=read_clock(), progress=out.progress
    )
    city: City = create_city(folder, demo_settings(demo))
    with writing(city):
        save_demo(city, demo, now=read_clock(), progress=out.progress)
    seconds = f"{time.perf_counter() - started:.1f}"
    out.line("command.demo_made", name=arguments.scenario, folder=str(folder), seconds=seconds)
    if arguments.serve:
        return run_serve(arguments, out)
    out.result({"city": str(folder), "seconds": float(seconds)})
    return 0


def run_serve(arguments: argparse.Namespace, out: Output) -> int:
    """Serve a city until the process ends."""
    from dashboard.server import check_host, check_port, make_app, rehearse, serve
    from geodata.access.keys import check_keys
    from geodata.audit.settings_log import log_settings
    from geodata.city import open_city, serving
    from geodata.intake.watched import Watcher
    from geodata.plans.takeover import Takeover
    from geodata.store.accounts import has_accounts

    city = open_city(arguments.city)
    with city.database.read() as connection:
        known = has_accounts(connection)
    check_host(arguments.host, has_accounts=known)
    check_port(arguments.host, arguments.port)
    check_keys(city.folder)
    with serving(city):
        log_settings(city, now=read_clock())
        app = make_app(city)
        rehearse(app)
        address = f"http://{arguments.host}:{arguments.port}{city.settings.base_path}/"
        out.line("command.serving", address=address, city=str(arguments.city))
        out.result({"address": address})
        # A post holds its thread until its commit: those have threads of their own.
        threads = city.settings.server_threads + city.settings.api_waiting
        watcher = Watcher(city, now=read_clock) if city.settings.watched_folder else None
        if watcher is not None:
            watcher.start()
        takeover = Takeover(city, now=read_clock)
        takeover.start()
        try:
            serve(app, host=arguments.host, port=arguments.port, threads=threads)
        finally:
            takeover.stop()
            if watcher is not None:
                watcher.stop()
    return 0
