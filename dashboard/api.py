"""The API: every way in and out for programs, each with its own limits."""

from __future__ import annotations

import time

from flask import Flask

from dashboard.decisions_api import add_decisions_api
from dashboard.events_api import add_events_api
from dashboard.live_api import add_live_api
from dashboard.open311 import add_open311
from dashboard.services import Services
from geodata.events.inflow import Inflow


def add_api(server: Flask, services: Services) -> None:
    """Add the addresses for programs: events in, alarms and sources out."""
    inflow = Inflow(services.city.settings, clock=time.monotonic)
    add_events_api(server, services.city, services.feed, inflow, now=services.now)
    add_open311(server, services, inflow)
    add_live_api(server, services)
    add_decisions_api(server, services)
