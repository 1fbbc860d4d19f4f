"""The data page: a clerk brings a file, sees what it is taken for, corrects it, and loads it."""

from __future__ import annotations

from contextlib import ExitStack
from dataclasses import replace
from typing import Any

from flask import Flask, Response, redirect, request
from werkzeug.wrappers import Response as WsgiResponse

from dashboard.data_map import DataMap
from dashboard.data_systems import (
    list_choices,
    list_offers,
    list_readings,
    pick_system,
    read_system,
)
from dashboard.guard import current_scope, guarded
from dashboard.plain import PRIVATE, draw_plain, find_page_lang
from dashboard.services import Services
from dashboard.trail import show
from geodata.audit.log import write_entry
from geodata.city import City
from geodata.errors import BadFile, Fault, GetuError
from geodata.intake.jobs import IntakeJobs, Job
from geodata.intake.limits import MEGABYTE, is_large
from geodata.intake.looking import Looks, Preview
from geodata.intake.shelf import Shelf, Upload
from geodata.levels import LEVELS
from geodata.loading import KINDS
from geodata.loading.case_columns import list_gaps
from geodata.loading.contracts import RECORD_KINDS
from geodata.loading.report import group_faults
from geodata.store.mappings import find_mapping, list_batches, was_withdrawn
from geodata.store.tokens import clean_source
from geodata.words import Lang, has_words, say

LOAD = "load"  # the permission
BATCHES_SHOWN = 50
_FORM_BYTES = 64_000
_BUSY_REFRESH_S = 1
_LARGEST = 2**63  # above it SQLite has no number
_ENCODINGS = ("utf-8", "gb18030", "big5", "utf-16")
_WORKBOOK = "application/vnd.openxmlformats-officedocument.spreadsheetml.sheet"
_OPTIONS = ("encoding", "layer", "level", "parent", "recorded", "overlaps")


def add_data_page(server: Flask, services: Services) -> IntakeJobs:
    """Add `/data` and what belongs to an upload; return the loads that run behind it."""
    shelf = Shelf(services.city)
    # A city of its own: the terms it interns must not mix with those of a reader beside it.
    jobs = IntakeJobs(City(services.city.folder), shelf, now=services.now)
    _add_overview(server, services, shelf, jobs)
    _add_upload(server, services, shelf, jobs)
    _add_acts(server, services, shelf, jobs)
    return jobs


def _add_overview(server: Flask, services: Services, shelf: Shelf, jobs: IntakeJobs) -> None:
    city, base = services.city, services.base_path

    @guarded(LOAD, logs="view.loads")
    def show_data() -> Response:
        lang, account = find_page_lang(), current_scope().account
        with city.database.read() as connection:
            batches, total = list_batches(connection, most=BATCHES_SHOWN)
            withdrawn = request.args.get("withdrawn", 0, type=int)
            known = 0 < withdrawn < _LARGEST and was_withdrawn(connection, withdrawn)
            gone = withdrawn if known else None
        show(n=max(len(batches), 1))
        return draw_plain(
            "data.html",
            kinds=[(kind, _name_kind(kind, lang)) for kind in KINDS],
            uploads=[(one, _name_state(jobs.find(one.id), lang)) for one in shelf.all_of(account)],
            batches=[(one, _name_kind(one.what, lang)) for one in batches],
            total=total,
            withdrawn=gone,
            limit_mb=city.settings.upload_mb,
            objects_mb=city.settings.upload_objects_mb,
        )

    @guarded(LOAD, logs="upload.keep")
    def keep() -> WsgiResponse:
        request.max_content_length = city.settings.upload_mb * MEGABYTE + _FORM_BYTES
        source = clean_source(request.form["source"]) if request.form.get("source") else ""
        kind = request.form.get("kind", "")
        scope, now = current_scope(), services.now()
        with ExitStack() as after:
            brought = request.files.getlist("file")
            for one in brought:  # a large one lies in a file of its own until it is closed
                after.callback(one.close)
            files = [(one.filename or "", one.stream) for one in brought]
            upload = shelf.keep(files, kind=kind, source=source, account=scope.account, now=now)
        with city.database.read() as connection:
            options = find_mapping(connection, source, kind) if source else {}
        shelf.save(replace(upload, options=options))
        show(target=f"{kind}: {', '.join(upload.files)}")
        return _go(base, upload, remembered=bool(options))

    server.add_url_rule(f"{base}/data", "getu_data", show_data)
    server.add_url_rule(f"{base}/data/upload", "getu_data_upload", keep, methods=["POST"])


def _add_upload(server: Flask, services: Services, shelf: Shelf, jobs: IntakeJobs) -> None:
    city, base = services.city, services.base_path
    maps, looks = DataMap(services), Looks(city)

    @guarded(LOAD, logs="view.upload")
    def show_upload(id: str) -> Response:
        lang = find_page_lang()
        upload = shelf.find(id, account=current_scope().account)
        job = jobs.find(upload.id)
        show(target=upload.id)
        values: dict[str, Any] = {"preview": None, "wrong": []}
        looking: Job | None = None
        if job is None or not job.busy:
            try:
                seen = jobs.look(upload, looks)
                if isinstance(seen, Job):
                    job = looking = seen
                else:
                    values = {"preview": seen, "wrong": [], **_describe(seen, upload.kind, lang)}
                    values["map"] = maps.draw(seen)
            except GetuError as error:
                values["wrong"] = group_faults(error.faults, lang)
                paths, now = shelf.paths(upload), services.now()
                if not is_large(paths, city.settings):
                    values["offers"] = list_offers(looks, paths, upload, error, lang, now=now)
        return draw_plain(
            "upload.html",
            upload=upload,
            job=job,
            looking=looking,
            ended=_describe_job(job, lang),
            state=_name_state(job, lang),
            step=say(job.step, lang) if job else "",
            refresh=_BUSY_REFRESH_S if job and job.busy else 0,
            kinds=[(kind, _name_kind(kind, lang)) for kind in KINDS],
            kind_name=_name_kind(upload.kind, lang),
            encodings=_ENCODINGS,
            systems=list_choices(city, upload, lang, now=services.now()),
            levels=LEVELS,
            needed=_list_needed(upload.kind),
            remembered=request.args.get("remembered") == "1",
            **values,
        )

    @guarded(LOAD, logs="view.refused")
    def refused(id: str) -> Response:
        lang = find_page_lang()
        upload = shelf.find(id, account=current_scope().account)
        job = jobs.find(upload.id)
        if job is None or job.busy:
            raise BadFile(Fault(key="intake_not_run"))
        book = jobs.refused_book(upload, lang)
        show(target=upload.id, n=max(job.outcome.refused if job.outcome else 0, 1))
        response = Response(book, mimetype=_WORKBOOK)
        response.headers["Content-Disposition"] = f"attachment; filename=refused-{upload.id}.xlsx"
        response.headers["Cache-Control"] = PRIVATE
        return response

    place = f"{base}/data/upload/<id>"
    server.add_url_rule(place, "getu_data_show", show_upload)
    server.add_url_rule(f"{place}/refused.xlsx", "getu_data_refused", refused)


def _add_acts(server: Flask, services: Services, shelf: Shelf, jobs: IntakeJobs) -> None:
    city, base = services.city, services.base_path

    def find(id: str) -> Upload:
        """Return an upload as the form that was sent says; one button is as good as another."""
        request.max_content_length = _FORM_BYTES
        upload = shelf.find(id, account=current_scope().account)
        if "kind" in request.form:
            kind = request.form["kind"]
            upload = replace(
                upload, kind=kind if kind in KINDS else upload.kind, options=_read_options()
            )
            shelf.save(upload)
        if "pick" in request.form:  # beside what else the form says: a column chosen is kept
            upload = replace(upload, options=pick_system(upload.options, request.form["pick"]))
            shelf.save(upload)
        return upload

    @guarded(LOAD, logs="upload.correct")
    def correct(id: str) -> WsgiResponse:
        upload = find(id)
        show(target=upload.id)
        return _go(base, upload)

    @guarded(LOAD, logs="upload.check")
    def check(id: str) -> WsgiResponse:
        upload = find(id)
        jobs.start(upload, dry_run=True)
        show(target=upload.id)
        return _go(base, upload)

    @guarded(LOAD, writes="upload.load")
    def load(id: str) -> WsgiResponse:
        upload = find(id)
        with city.database.transaction() as connection:
            write_entry(
                connection,
                account=current_scope(),
                act="upload.load",
                target=f"{upload.kind}: {', '.join(upload.files)}",
                at=services.now(),
            )
        jobs.start(upload, dry_run=False)
        return _go(base, upload)

    @guarded(LOAD, logs="upload.cancel")
    def cancel(id: str) -> WsgiResponse:
        upload = find(id)
        jobs.cancel(upload)
        show(target=upload.id)
        return _go(base, upload)

    @guarded(LOAD, logs="upload.drop")
    def drop(id: str) -> WsgiResponse:
        upload = find(id)
        jobs.cancel(upload)
        shelf.drop(upload)
        show(target=upload.id)
        return redirect(f"{base}/data?{_shown()}", 303)

    @guarded(LOAD, logs="batch.withdraw")
    def withdraw(batch: int) -> WsgiResponse:
        with city.database.read() as connection:
            known = {one.batch for one in list_batches(connection, most=BATCHES_SHOWN)[0]}
        if batch not in known:
            raise BadFile(Fault(key="batch_gone"))
        jobs.withdraw(batch, account=current_scope())
        show(target=str(batch))
        return redirect(f"{base}/data?{_shown()}&withdrawn={batch}", 303)

    place = f"{base}/data/upload/<id>"
    for name, view in (
        ("correct", correct), ("check", check), ("load", load), ("cancel", cancel), ("drop", drop),
    ):  # fmt: skip
        server.add_url_rule(f"{place}/{name}", f"getu_data_{name}", view, methods=["POST"])
    server.add_url_rule(
        f"{base}/data/batch/<int:batch>/withdraw", "getu_data_withdraw", withdraw, methods=["POST"]
    )


def _describe(preview: Preview, kind: str, lang: Lang) -> dict[str, Any]:
    return {
        "faults": preview.faults[lang],
        "notes": preview.notes[lang],
        "refused": preview.refused,
        "evidence": preview.evidence,
        "outline": preview.outline,
        "readings": list_readings(preview, lang),
        "warnings": preview.warnings[lang],
        "fields": [
            (name, _name_field(name, lang), column) for name, column in preview.fields.items()
        ],
        "left": preview.left if kind != "grids" else (),
        "gaps": [
            (_name_field(name, lang), say(f"columns.gap_{name}", lang))
            for name in (list_gaps(preview.fields) if kind == "incidents" else ())
        ],
    }


def _describe_job(job: Job | None, lang: Lang) -> dict[str, Any]:
    if job is None or job.busy:
        return {}
    outcome = job.outcome
    return {
        "state": job.state,
        "lines": outcome.lines[lang] if outcome else [],
        "faults": outcome.wrong[lang] if outcome else group_faults(list(job.faults), lang),
        "refused": outcome.refused if outcome else 0,
        "unsure": outcome is not None and outcome.unsure and not job.dry_run,
    }


def _name_state(job: Job | None, lang: Lang) -> str:
    if job is None:
        return ""
    if job.dry_run and job.state == "done":
        return say("intake.dry", lang)
    return say(f"intake_state.{job.state}", lang)


def _read_options() -> dict[str, Any]:
    options: dict[str, Any] = {name: request.form.get(name, "").strip() for name in _OPTIONS}
    mapping = {
        name.removeprefix("map."): column
        for name, column in request.form.items()
        if name.startswith("map.") and column
    } | {
        taken: name.removeprefix("take.")
        for name, taken in request.form.items()
        if name.startswith("take.") and taken
    }
    return (
        {name: value for name, value in options.items() if value}
        | ({"mapping": mapping} if mapping else {})
        | read_system(request.form)
    )


def _name_kind(kind: str, lang: Lang) -> str:
    return say(f"intake_kind.{kind}", lang) if has_words(f"intake_kind.{kind}") else kind


def _name_field(name: str, lang: Lang) -> str:
    return say(f"intake_field.{name}", lang) if has_words(f"intake_field.{name}") else name


def _shown() -> str:
    theme = "light" if request.args.get("theme") == "light" else "dark"
    return f"lang={find_page_lang()}&theme={theme}"


def _go(base: str, upload: Upload, *, remembered: bool = False) -> WsgiResponse:
    told = "&remembered=1" if remembered else ""
    return redirect(f"{base}/data/upload/{upload.id}?{_shown()}{told}", 303)


def _list_needed(kind: str) -> tuple[str, ...]:
    """Return the fields without which no row of a kind is taken, but for its place."""
    if kind == "incidents":
        return ("reported_at",)
    contract = RECORD_KINDS.get(kind)
    if contract is None:
        return ()
    keyless = contract.placed or contract.key_of is not None
    return contract.needed if keyless else (contract.key, *contract.needed)
