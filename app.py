"""The door: reads the city's settings, builds store, layers and dashboard, runs a sub-command."""

from __future__ import annotations

import argparse
import io
import os
import sys
from collections.abc import Sequence

from commands import (
    account,
    audit,
    backup,
    benchmark,
    city,
    decisions,
    demo,
    export,
    load,
    own,
    plan,
    source,
    watch,
)
from commands.options import begin_commands
from commands.output import Output
from geodata.errors import GetuError, explain_system
from geodata.words import find_lang, parse_lang, say

# Each adds its commands, in the order of the help.
SUBJECTS = (
    demo,
    city,
    account,
    audit,
    backup,
    source,
    load,
    watch,
    decisions,
    own,
    plan,
    export,
    benchmark,
)


def main(argv: Sequence[str] | None = None) -> int:
    """Run one sub-command; return its exit code (contracts.md 2)."""
    parser = argparse.ArgumentParser("app.py", description=say("command.about", "en"))
    commands = begin_commands(parser)
    for subject in SUBJECTS:
        subject.add_commands(commands)
    arguments = parser.parse_args(argv)
    lang = parse_lang(arguments.lang, find_lang(os.environ))
    for stream in (sys.stdout, sys.stderr):
        if isinstance(stream, io.TextIOWrapper):
            stream.reconfigure(errors="backslashreplace")  # a console that has no Chinese
    out = Output(lang, as_json=arguments.json)
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


def _refuse(arguments: argparse.Namespace, out: Output, error: GetuError) -> int:
    """Say what is wrong; return the exit code, which for some commands is 1 for any refusal."""
    out.error(error)
    return arguments.refused or error.exit_code


if __name__ == "__main__":
    sys.exit(main())
