"""A drawing made elsewhere comes into an open plan, with the checks of every other load."""

from __future__ import annotations

import tempfile
from contextlib import closing
from pathlib import Path

from flask import Response, current_app, request

from dashboard.guard import LIMITS, current_scope
from dashboard.planner.answering import Handler, as_json, read_lang
from dashboard.planner.bench import Bench, tell_changes
from geodata.errors import BadFile, Fault
from geodata.intake.limits import MEGABYTE, limits_of
from geodata.intake.watched import clean_name
from geodata.loading.report import group_notes
from geodata.loading.request import LoadRequest
from geodata.plans.exchange import read_into
from geodata.words import say

_FORM_BYTES = 64_000


def make_arrival(bench: Bench) -> Handler:
    """Return what takes a file that a planner brings into a plan's draft."""
    settings = bench.city.settings

    def take_file(number: int) -> Response:
        request.max_content_length = settings.upload_mb * MEGABYTE + _FORM_BYTES
        brought, now, lang = request.files.get("file"), bench.services.now(), read_lang()
        if brought is None or not brought.filename:
            raise BadFile(Fault(key="upload_none"))
        before, scope = bench.weigh_before(number), current_scope()
        turn = current_app.extensions[LIMITS].exporting()
        with turn, tempfile.TemporaryDirectory() as folder, closing(brought):
            path = Path(folder) / clean_name(Path(brought.filename.replace("\\", "/")).name)
            brought.save(path)
            asked = LoadRequest(
                now=now, isolated=True, limits=limits_of(settings), account=scope.account
            )
            taken = read_into(
                bench.workshop, scope, number, [path], asked,
                across=request.form.get("across") == "1", progress=_say_nothing,
            )  # fmt: skip
        told = tell_changes(bench, taken.piece, taken.changes, before, scope=scope, lang=lang)
        changed = {uid for change in taken.changes for uid in change.uids}
        told["taken"] = say("planner.brought_done", lang, n=f"{len(changed):,}")
        told["found"] = group_notes(taken.report.notes, lang)
        return as_json(told)

    return take_file


def _say_nothing(_step: str, _share: float) -> None:
    """Show no progress: the page waits for the answer."""
