"""What every command may build on: shared options, the clock, and how a command is added."""

from __future__ import annotations

import argparse
import time
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from commands.output import Output
from geodata.words import LANGS, say

DEFAULT_CITY = Path("city")
DEFAULT_PORT = 8050

Run = Callable[[argparse.Namespace, Output], int]


@dataclass(frozen=True, slots=True, kw_only=True)
class Commands:
    """
    The sub-commands, and the groups of options that several of them share.

    `family` leads the words of those that are verbs of another: `export_` for `export map`.
    """

    parsers: Any
    common: argparse.ArgumentParser
    city: argparse.ArgumentParser
    files: argparse.ArgumentParser
    serving: argparse.ArgumentParser
    family: str = ""

    def add(self, name: str, run: Run, *groups: argparse.ArgumentParser) -> argparse.ArgumentParser:
        """Add a command that `run` carries out, with the options of these groups."""
        made: argparse.ArgumentParser = self.parsers.add_parser(
            name, parents=[self.common, *groups], help=say(f"command.{self.family}{name}", "en")
        )
        made.set_defaults(run=run, refused=None)
        return made


def begin_commands(parser: argparse.ArgumentParser) -> Commands:
    """Return the empty set of commands of a parser."""
    common = argparse.ArgumentParser(add_help=False)
    common.add_argument("--lang", choices=LANGS, help="zh or en; else the locale")
    common.add_argument("--json", action="store_true", help="print one JSON object")
    city = argparse.ArgumentParser(add_help=False)
    city.add_argument("--city", type=Path, default=DEFAULT_CITY, metavar="DIR")
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
    return Commands(
        parsers=parser.add_subparsers(required=True, metavar="COMMAND"),
        common=common,
        city=city,
        files=files,
        serving=serving,
    )


def read_clock() -> int:
    """Return now (UTC seconds): the only place where a command asks for it."""
    return int(time.time())
