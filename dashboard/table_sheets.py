"""Lists of the city's tables as files to keep: CSV or Excel, each logged as an export."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from datetime import UTC, datetime

from flask import Response, current_app

from dashboard.guard import current_scope
from dashboard.limits import LIMITS
from dashboard.plain import PRIVATE
from dashboard.services import Services
from geodata.audit.log import print_head, write_entry
from geodata.csv_sheet import write_csv
from geodata.errors import Fault, NotFound
from geodata.reference.sheets import write_book

_FORMATS = {
    "csv": "text/csv",
    "xlsx": "application/vnd.openxmlformats-officedocument.spreadsheetml.sheet",
}


def send_sheet(
    services: Services,
    name: str,
    form: str,
    read: Callable[[], tuple[Iterable[Sequence[str]], int]],
    *,
    act: str,
) -> Response:
    """
    Answer with lines of text as CSV or Excel, logged as an export under the name of its act.

    `read` returns the lines, the header first, and how many rows they tell of; the log's head
    stands in the file's name. Raises NotFound for any other form.
    """
    if form not in _FORMATS:
        raise NotFound(Fault(key="table_unknown"))
    city, limits = services.city, current_app.extensions[LIMITS]
    with limits.exporting():
        now = services.now()
        lines, n = read()
        with city.database.transaction() as connection:
            head = print_head(
                write_entry(connection, account=current_scope(), act=act, target=name, n=n, at=now)
            )
        body = write_csv(lines) if form == "csv" else write_book(name, lines, head=head)
    day = datetime.fromtimestamp(now, UTC).astimezone(city.settings.zone).date()
    file = f"{name}-{day}-{head.replace(':', '-')}.{form}"
    response = Response(body, mimetype=_FORMATS[form])
    response.headers["Content-Disposition"] = f'attachment; filename="{file}"'
    response.headers["Cache-Control"] = PRIVATE
    return response
