"""Where a command's words go: sentences for people, one object for `--json`."""

from __future__ import annotations

import json
import sys
from typing import Any

from geodata.errors import GetuError
from geodata.words import Lang, say

PROGRESS_STEP = 0.05  # a line is drawn anew when a step has moved on by this share


class Output:
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
