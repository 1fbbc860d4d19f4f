"""Templates of an office: kept for an account, whose papers are set into them from then on."""

from __future__ import annotations

from geodata.access.scope import Scope
from geodata.audit.log import write_entry
from geodata.city import City
from geodata.errors import Fault, NotFound
from geodata.store.briefings import drop_template, list_templates, read_template, save_template

KINDS = ("docx", "pptx")
_LONGEST_NAME = 120


def keep(city: City, scope: Scope, kind: str, *, name: str, body: bytes, at: int) -> None:
    """Keep a template that was checked, in the place of the account's last one of the kind."""
    shown = "".join(sign for sign in name if sign.isprintable())[:_LONGEST_NAME]
    with city.database.transaction() as connection:
        save_template(connection, scope.account, kind, name=shown, body=body, at=at)
        write_entry(
            connection, account=scope, act="template.save", target=f"{kind}: {shown}", at=at
        )


def drop(city: City, scope: Scope, kind: str, *, at: int) -> None:
    """Remove the account's template of a kind. Raises NotFound."""
    with city.database.transaction() as connection:
        if not drop_template(connection, scope.account, kind):
            raise NotFound(Fault(key="briefing_no_template"))
        write_entry(connection, account=scope, act="template.drop", target=kind, at=at)


def read_names(city: City, scope: Scope) -> dict[str, str]:
    """Return the file names of the account's templates by kind."""
    with city.database.read() as connection:
        return list_templates(connection, scope.account)


def read_bodies(city: City, scope: Scope) -> dict[str, bytes | None]:
    """Return the account's templates by kind, None where it has none."""
    with city.database.read() as connection:
        return {kind: read_template(connection, scope.account, kind) for kind in KINDS}
