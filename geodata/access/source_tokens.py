"""What `app.py token` and the page of accounts do: make, list and revoke the tokens of sources."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from geodata.access.scope import Scope
from geodata.audit.log import CONSOLE, write_entry
from geodata.city import City, open_city
from geodata.store.tokens import Token, add_token, list_tokens, revoke_tokens
from geodata.words import Lang, say

ACTIONS = ("add", "list", "revoke")


@dataclass(frozen=True, slots=True, kw_only=True)
class TokenReport:
    """What became of the tokens; `secret` of a new one is shown this once."""

    city: City
    source: str | None
    secret: str | None = None
    revoked: int = 0
    tokens: tuple[Token, ...] = ()

    def lines(self, lang: Lang) -> list[str]:
        """Return the report as sentences for a terminal."""
        if self.secret is not None:
            return [self.secret, say("token.added", lang, source=self.source)]
        if self.revoked:
            return [say("token.revoked", lang, source=self.source, n=self.revoked)]
        lines = []
        for item in self.tokens:
            state = "in_use" if item.revoked_at is None else "taken_back"
            lines.append(
                say("token.row", lang, source=item.source, made=self._day(item.made_at),
                    used=item.used_day or "–", state=say(f"token.{state}", lang))
            )  # fmt: skip
        return lines or [say("token.none", lang)]

    def as_json(self) -> dict[str, Any]:
        """Return the object that `--json` prints."""
        if self.secret is not None:
            return {"source": self.source, "token": self.secret}
        if self.revoked:
            return {"source": self.source, "revoked": self.revoked}
        return {
            "tokens": [
                {
                    "source": item.source,
                    "made_at": item.made_at,
                    "used_day": item.used_day,
                    "revoked_at": item.revoked_at,
                }
                for item in self.tokens
            ]
        }

    def _day(self, at: int) -> str:
        zone = self.city.settings.zone
        return datetime.fromtimestamp(at, UTC).astimezone(zone).date().isoformat()


def change_tokens(folder: Path, action: str, source: str | None, *, now: int) -> TokenReport:
    """Do with the tokens of the city in a folder what `act_on_tokens` does."""
    return act_on_tokens(open_city(folder), action, source, now=now)


def act_on_tokens(
    city: City, action: str, source: str | None, *, now: int, by: Scope | str = CONSOLE
) -> TokenReport:
    """
    Add a token of a source, revoke all of them, or list every source's.

    Raises BadSetting for a name no source can have, NotFound when there is nothing to revoke.
    """
    if action == "list":
        with city.database.read() as connection:
            return TokenReport(city=city, source=None, tokens=tuple(list_tokens(connection)))
    name = (source or "").strip()
    with city.database.transaction() as connection:
        if action == "add":
            secret = add_token(connection, name, now=now)
            write_entry(connection, account=by, act="token.add", target=name, at=now)
            return TokenReport(city=city, source=name, secret=secret)
        revoked = revoke_tokens(connection, name, now=now)
        write_entry(connection, account=by, act="token.revoke", target=name, n=revoked, at=now)
    return TokenReport(city=city, source=name, revoked=revoked)
