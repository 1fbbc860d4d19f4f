"""Open311 GeoReport v2: the way in and back for civic clients, in JSON and in XML."""

from __future__ import annotations

import functools
from collections.abc import Callable
from typing import Any

import orjson
from flask import Flask, Response, g, request
from werkzeug.exceptions import HTTPException

from dashboard.events_api import admit_stranger, wait_of
from dashboard.guard import OPEN, guarded
from dashboard.open311_answers import TYPES, answer_civic
from dashboard.services import Services
from geodata.access.scope import Scope
from geodata.errors import (
    BadFile,
    BadSetting,
    Busy,
    Fault,
    GetuError,
    NotAllowed,
    NotFound,
    TooMany,
    http_status,
)
from geodata.events.civic_requests import (
    MOST_REQUESTS,
    CivicRequest,
    Query,
    find_service,
    list_requests,
    list_services,
    parse_query,
    read_civic_request,
)
from geodata.events.inflow import Inflow
from geodata.loading.posted_events import LONGEST_TEXT, read_posted
from geodata.store.tokens import find_token
from geodata.words import Lang, join, parse_lang, say

FORM = "application/x-www-form-urlencoded"
MOST_BYTES = 100_000
CHANGESET = "2026-11-22T00:00:00Z"  # of what is spoken here, not of what is known
_WRITE = "events.write"
_BAD_REQUEST, _FORBIDDEN, _CREATED = 400, 403, 201

View = Callable[..., Response]


def add_open311(server: Flask, services: Services, inflow: Inflow) -> None:
    """Add `/api/open311/v2/...` and its discovery below the base path."""
    civic = _Civic(services, inflow)
    base = f"{services.base_path}/api/open311"
    for rule, name, view, method in (
        ("/discovery.<form>", "discovery", civic.discovery, "GET"),
        ("/v2/services.<form>", "services", civic.services, "GET"),
        ("/v2/services/<path:code>.<form>", "service", civic.service, "GET"),
        ("/v2/requests.<form>", "requests", civic.get_requests, "GET"),
        ("/v2/requests.<form>", "post_request", civic.post_request, "POST"),
        ("/v2/requests/<path:code>.<form>", "request", civic.get_request, "GET"),
        ("/v2/tokens/<path:code>.<form>", "token", civic.get_token, "GET"),
    ):
        # Open to the guard: the key may stand in the form, and each handler asks for it itself.
        server.add_url_rule(
            base + rule, f"getu_open311_{name}", _answering(guarded(OPEN)(view)), methods=[method],
            provide_automatic_options=False,
        )  # fmt: skip


class _Civic:
    """The handlers of one city; `form` is the format asked for, `code` what the address names."""

    def __init__(self, services: Services, inflow: Inflow) -> None:
        self._city = services.city
        self._feed = services.feed
        self._now = services.now
        self._base = services.base_path
        self._inflow = inflow

    def discovery(self, form: str) -> Response:
        """Say which versions of GeoReport are spoken here, and where."""
        address = f"{request.host_url.rstrip('/')}{self._base}/api/open311/v2"
        endpoint = {
            "specification": "http://wiki.open311.org/GeoReport_v2",
            "url": address,
            "changeset": CHANGESET,
            "type": "production",
            "formats": ["text/xml", "application/json"],
        }
        plain = {"changeset": CHANGESET, "contact": "", "key_service": "", "endpoints": [endpoint]}
        return answer_civic(plain, "discovery", form)

    def services(self, form: str) -> Response:
        """List the kinds that can be reported."""
        self._check_jurisdiction(request.args)
        found = list_services(self._city, now=self._now(), lang=_lang())
        return answer_civic(found, "services", form)

    def service(self, code: str, form: str) -> Response:
        """Say what one kind asks for beyond the common fields: nothing."""
        self._check_jurisdiction(request.args)
        found = find_service(self._city, code, now=self._now())
        plain = {"service_code": found, "attributes": []}
        return answer_civic(plain, "service_definition", form)

    def post_request(self, form: str) -> Response:
        """Take a report, and say what of it was not kept."""
        values, city, now = _read_form(), self._city, self._now()
        scope, token = self._source_of(values)
        self._check_jurisdiction(values)
        with self._inflow.waiting(scope.account):
            wanted = read_civic_request(values, city=city, source=scope.account, now=now)
            rows = read_posted(
                orjson.dumps(wanted.event),
                lines=False,
                city=city,
                source=scope.account,
                now=now,
                most=1,
            )
            self._inflow.take(scope.account, 1)
            self._feed.post(rows, token=token)
        plain = {
            "service_request_id": wanted.request_id,
            "service_notice": _notice(wanted),
            "account_id": None,
        }
        return answer_civic([plain], "service_requests", form, status=_CREATED)

    def get_requests(self, form: str) -> Response:
        """List the requests of the source that asks, the newest first."""
        scope, _ = self._source_of(request.args)
        self._check_jurisdiction(request.args)
        query = parse_query(request.args, now=self._now())
        found, more = list_requests(self._city, scope, query, now=self._now(), lang=_lang())
        answer = answer_civic(found, "service_requests", form)
        answer.headers["X-Result-Limit"] = str(MOST_REQUESTS if query.ids else query.size)
        answer.headers["X-Result-Count"] = str(len(found))
        answer.headers["X-Result-More"] = "yes" if more else "no"
        return answer

    def get_request(self, code: str, form: str) -> Response:
        """Return one request of the source that asks."""
        return answer_civic([self._find(code)], "service_requests", form)

    def get_token(self, code: str, form: str) -> Response:
        """Return the id that a token stands for: every request has its own at once."""
        found = self._find(code)
        plain = {"service_request_id": found["service_request_id"], "token": code}
        return answer_civic([plain], "service_requests", form)

    def _find(self, code: str) -> dict[str, Any]:
        scope, _ = self._source_of(request.args)
        self._check_jurisdiction(request.args)
        now = self._now()
        query = Query(ids=(code,), start=0, end=now)
        found, _ = list_requests(self._city, scope, query, now=now, lang=_lang())
        if not found:
            raise NotFound(Fault(key="civic_unknown", field="service_request_id"))
        return found[0]

    def _source_of(self, values: Any) -> tuple[Scope, int]:
        """Return the source behind a request and its token; raises NotAllowed for nobody."""
        if _WRITE in g.scope.permissions:
            return g.scope, g.token
        with self._city.database.read() as connection:
            token = find_token(connection, values.get("api_key", "").strip())
        if token is None:
            raise NotAllowed(Fault(key="civic_key", field="api_key"))
        permissions = frozenset({_WRITE})
        found = Scope(account=token.source, grids=frozenset(), permissions=permissions)
        return found, token.token

    def _check_jurisdiction(self, values: Any) -> None:
        ours, named = self._city.settings.jurisdiction_id, values.get("jurisdiction_id", "").strip()
        if ours and named and named != ours:
            raise NotFound(Fault(key="civic_jurisdiction", field="jurisdiction_id"))


def _answering(view: View) -> View:
    """Answer every error as GeoReport writes them, in the format that was asked for."""

    @functools.wraps(view)
    def answered(**named: str) -> Response:
        form = named["form"]
        if form not in TYPES:
            fault = Fault(key="civic_address")
            return _refuse(404, [fault], "json")
        try:
            admit_stranger()
            return view(**named)
        except NotAllowed as error:
            return _refuse(_FORBIDDEN, error.faults, form)
        except (BadSetting, BadFile) as error:
            return _refuse(_BAD_REQUEST, error.faults, form)
        except GetuError as error:
            answer = _refuse(http_status(error), error.faults, form)
            if isinstance(error, Busy | TooMany):
                answer.headers["Retry-After"] = str(wait_of(error))
            return answer
        except HTTPException:  # a body that is too large or breaks off
            return _refuse(_BAD_REQUEST, [_no_form()], form)

    return answered


def _read_form() -> Any:
    if request.mimetype != FORM or request.content_encoding:
        raise BadSetting(_no_form())
    request.max_content_length = MOST_BYTES
    return request.form


def _no_form() -> Fault:
    return Fault(key="civic_form", values={"limit": MOST_BYTES})


def _notice(wanted: CivicRequest) -> str:
    lang = _lang()
    notice = [say("civic.notice", lang)]
    if wanted.dropped:
        notice.append(say("civic.dropped", lang, names=join(wanted.dropped, lang)))
    if wanted.cut:
        names = join(wanted.cut, lang)
        notice.append(say("civic.cut", lang, limit=LONGEST_TEXT, names=names))
    return " ".join(notice)


def _lang() -> Lang:
    return parse_lang(request.args.get("lang") or request.accept_languages.best)


def _refuse(status: int, faults: list[Fault], form: str) -> Response:
    lang = _lang()
    plain = [{"code": status, "description": fault.sentence(lang)} for fault in faults]
    return answer_civic(plain, "errors", form, status=status)
