"""The command that writes files for people outside the screens: `export WHAT`."""

from __future__ import annotations

import argparse
from collections.abc import Callable
from dataclasses import replace

from commands import export_map, export_paper
from commands.options import Commands
from geodata.words import say

# Each adds its verbs, in the order of the help.
VERBS: tuple[Callable[[Commands], None], ...] = (export_map.add_verbs, export_paper.add_verbs)


def add_commands(commands: Commands) -> None:
    """Add `export` with its verbs."""
    export: argparse.ArgumentParser = commands.parsers.add_parser(
        "export", help=say("command.export", "en")
    )
    parsers = export.add_subparsers(required=True, metavar="WHAT")
    verbs = replace(commands, parsers=parsers, family="export_")
    for add_verbs in VERBS:
        add_verbs(verbs)
