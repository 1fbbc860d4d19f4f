"""Promise: whatever is sent to the described API, it answers as described and never fails."""

from __future__ import annotations

import itertools
import re
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
import schemathesis

# Loaded here and not at first use: while the server's threads run, Python 3.11 may fail to parse.
import schemathesis.specs.openapi.stateful.dependencies
from flask import Flask
from hypothesis import HealthCheck, given, settings
from schemathesis.checks import not_a_server_error
from schemathesis.specs.openapi.checks import (
    content_type_conformance,
    response_schema_conformance,
    status_code_conformance,
)

from dashboard.openapi import describe_api
from dashboard.server import FEED, make_app
from geodata.access.source_tokens import change_tokens
from geodata.city import City
from tests.city import NOW, make_tiny_city

EXAMPLES, MANY = 6, 300
CHECKS = [
    not_a_server_error, content_type_conformance, response_schema_conformance,
    status_code_conformance,
]  # fmt: skip


@pytest.fixture(scope="module")
def city(tmp_path_factory: pytest.TempPathFactory) -> City:
    folder: Path = tmp_path_factory.mktemp("described") / "city"
    made = make_tiny_city(folder)
    for name in ("api_posts_per_s", "api_events_per_s"):
        object.__setattr__(made.settings, name, 10**9)
    return made


@pytest.fixture(scope="module")
def secret(city: City) -> str:
    return str(change_tokens(city.folder, "add", "described", now=NOW).secret)


@pytest.fixture(scope="module")
def server(city: City) -> Iterator[Flask]:
    app = make_app(city, now=lambda: NOW)
    yield app.server
    app.server.extensions[FEED].close()


def operations(server: Flask) -> list[Any]:
    schema = schemathesis.openapi.from_wsgi("/api/openapi.json", server)
    return [found.ok() for found in schema.get_all_operations()]


@pytest.mark.parametrize("examples", [EXAMPLES, pytest.param(MANY, marks=pytest.mark.long)])
@pytest.mark.parametrize("known", [True, False], ids=["with a token", "without"])
def test_every_answer_is_one_that_was_described(server, secret, known, examples):
    counted = itertools.count()
    for operation in operations(server):
        strategy = operation.as_strategy()

        @settings(
            max_examples=examples, deadline=None, database=None,
            suppress_health_check=list(HealthCheck),
        )  # fmt: skip
        @given(case=strategy)
        def ask(case: Any) -> None:
            headers = {"Authorization": f"Bearer {secret}"} if known else {}
            answer = case.call(headers=headers)
            next(counted)
            case.validate_response(answer, checks=CHECKS)

        ask()
    asked = next(counted)
    print(f"asked {asked} times")
    assert asked >= examples


def test_every_address_of_the_api_is_described(server, city):
    described = {
        (method.upper(), _shape(path))
        for path, methods in describe_api(city.settings)["paths"].items()
        for method in methods
    }
    served = {
        (method, _shape(rule.rule))
        for rule in server.url_map.iter_rules()
        if rule.rule.startswith(("/api/", "/live/")) and not rule.endpoint.endswith("_other")
        for method in rule.methods or ()
        if method not in ("HEAD", "OPTIONS")
    }
    assert served - described <= {("GET", "/api/openapi.json")}
    assert not described - served


def _shape(path: str) -> str:
    """Return an address with its arguments all called alike."""
    return re.sub(r"<[^>]+>|\{[^}]+\}", "*", path)
