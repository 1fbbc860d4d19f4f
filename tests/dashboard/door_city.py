"""A city behind its door: accounts of every role, a clock that tests move, clients signed in."""

from __future__ import annotations

import functools
import shutil
from pathlib import Path
from typing import Any

from argon2 import PasswordHasher
from argon2.profiles import CHEAPEST
from dash import Dash
from flask.testing import FlaskClient

from dashboard.guard import APPS, UPDATE
from dashboard.server import make_app
from geodata.access.accounts import ROLES
from geodata.city import City
from geodata.settings import SETTINGS_FILE
from geodata.store.accounts import add_account
from tests.city import NOW
from tests.dashboard.callers import list_calls

PASSWORD = "seven grey herons waiting"
CITY_WORDS = ("小城", "网格", "3210", "路口", "小学", "占道")
HOME = "127.0.0.1"
ASKED_AT_MOST = 100_000


class Clock:
    """A clock that stands still until a test moves it."""

    def __init__(self) -> None:
        self.now = NOW

    def __call__(self) -> int:
        return self.now


class Door:
    """One city with accounts, its app and its clock."""

    def __init__(self, tiny: City, folder: Path, **settings: Any) -> None:
        shutil.copytree(tiny.folder, folder, ignore=shutil.ignore_patterns("*.lock"))
        # Every route is asked at once, as fast as the machine can: no haste of an account's.
        wanted = {"requests_burst": ASKED_AT_MOST} | settings
        said = (folder / SETTINGS_FILE).read_text("utf-8").splitlines()
        kept = [line for line in said if line.split(" = ")[0] not in wanted]
        lines = [*kept, *(f"{name} = {value}" for name, value in wanted.items())]
        (folder / SETTINGS_FILE).write_text("\n".join(lines) + "\n", "utf-8")
        self.city = City(folder)
        self.clock = Clock()
        self.app: Dash = make_app(self.city, now=self.clock)

    def add(
        self,
        name: str,
        *,
        role: str = "viewer",
        areas: tuple[str, ...] = (),
        address: str = "",
        one_time: bool = False,
        password: str | None = None,
    ) -> str:
        """Add an account with the password of all (or this hash of one); return its name."""
        with self.city.database.transaction() as connection:
            add_account(
                connection, name, role=role, areas=areas, address=address,
                password=password or hash_of_all(), one_time=one_time, now=self.clock.now,
            )  # fmt: skip
        return name

    def add_every_role(self) -> None:
        """Add an account for each role, called as the role is."""
        for role in ROLES:
            self.add(role, role=role)

    def client(self, name: str | None = None, *, address: str = HOME) -> FlaskClient:
        """Return a client at an address, signed in where a name is given."""
        client = self.app.server.test_client()
        client.environ_base["REMOTE_ADDR"] = address
        if name is not None:
            answer = sign_in(client, name)
            assert answer.status_code == 303, answer.get_data(as_text=True)
        return client


def sign_in(client: FlaskClient, name: str, password: str = PASSWORD, **options: Any) -> Any:
    """Send the form of the sign-in page."""
    form = {"name": name, "password": password}
    return client.post("/sign-in", data=form, **options)


@functools.cache
def hash_of_all() -> str:
    """Return a hash of the password that all accounts of a test have, quick to check."""
    return PasswordHasher.from_parameters(CHEAPEST).hash(PASSWORD)


def says_nothing(answer: Any, *, but: tuple[str, ...] = ()) -> bool:
    """Tell whether an answer has no word of the city in it, but these."""
    text = answer.get_data(as_text=True)
    return not any(word in text for word in CITY_WORDS if word not in but)


def list_all_calls(app: Dash) -> list[tuple[str, dict[str, Any]]]:
    """Return for each callback of every screen its address and the body a page would send."""
    return [
        (f"{screen.config.routes_pathname_prefix}{UPDATE}", call)
        for screen in app.server.extensions[APPS]
        for call in list_calls(screen).values()
    ]


def is_file_path(path: str) -> bool:
    """Tell whether an address is one of styles, scripts and signs: the same for everybody."""
    return any(part in path for part in ("/assets/", "/_dash-component-suites/", "/_favicon.ico"))
