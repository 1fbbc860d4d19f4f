"""Playback: how many were reported in each grid, frame by frame over a day, a month or a year."""

from __future__ import annotations

import base64
from datetime import UTC, datetime, timedelta
from itertools import pairwise
from typing import Any
from zoneinfo import ZoneInfo

import numpy as np
from flask import Flask, Response, render_template

from dashboard.guard import guarded
from dashboard.parts import numbers
from dashboard.services import Services
from dashboard.street.ground import describe_classes
from dashboard.street.routes import Asked, Asking, as_json
from geodata.access.sight import Sight
from geodata.figures.period import end_of
from geodata.figures.tally import find_first_report
from geodata.snapshots.count_filter import narrow_period, translate_filter
from geodata.words import say
from layers.classes import break_classes

MOST_FRAMES = 60
_LARGEST = 65_535
_DAY_S = 86_400
_HOUR_S = 3_600
_HOURLY_S = 2 * _DAY_S  # a period up to this long is played hour by hour


def add_routes(server: Flask, services: Services) -> None:
    """Add `/area/frames.json` below the base path."""
    asking = Asking(services)

    @guarded("read")
    def frames() -> Response:
        return as_json(count_frames(asking.read(own=False)))

    server.add_url_rule(f"{services.base_path}/area/frames.json", "getu_area_frames", frames)


def count_frames(asked: Asked) -> dict[str, Any]:
    """
    Return the frames of the page's period under its filter: their beginnings, words and counts.

    `counts` is frames × finest grids as base64 of little-endian 16-bit numbers; a grid that the
    scope hides has none. `breaks` are one set for all frames, so that colours compare. Whoever
    holds it plays it without asking again.
    """
    sight, now = asked.sight, asked.now
    edges = cut_frames(sight, asked, now=now)
    grids = len(sight.grids.finest())
    if len(edges) < 2:
        return {"frames": [], "at": [], "grids": grids, "counts": "", "breaks": []}
    counter = sight.counter
    chosen = translate_filter(asked.street.filter(sight, now), counter.scale)
    counts = np.stack(
        [
            counter.count(["grid"], narrow_period(chosen, since, until), now=now)[:-1]
            for since, until in pairwise(edges)
        ]
    )
    plain = np.minimum(counts, _LARGEST).astype("<u2")
    hourly = edges[1] - edges[0] <= _HOUR_S
    breaks = break_classes(counts[counts > 0].astype(np.float64))
    return {
        "legend": render_template(
            "street_legend.html",
            title=say("figure.total", asked.lang),
            unit=say("legend.unit_incidents", asked.lang),
            counted="",
            rows=describe_classes(breaks, asked.street),
        ),
        "frames": [
            numbers.moment(at, sight.zone) if hourly else numbers.day(at, sight.zone)
            for at in edges[:-1]
        ],
        "at": edges[:-1],
        "grids": grids,
        "counts": base64.b64encode(plain.tobytes()).decode(),
        "breaks": list(breaks),
    }


def cut_frames(sight: Sight, asked: Asked, *, now: int) -> list[int]:
    """Return the moments between frames: hours of a day, days, or steps of days where too many."""
    period = asked.street.period(sight, now)
    since = period.since if period.since is not None else find_first_report(sight)
    until = end_of(sight, period, now=now)
    if not 0 < since < until:
        return []
    if until - since <= _HOURLY_S:
        return [*range(since, until, _HOUR_S), until]
    zone = ZoneInfo(sight.zone)
    first = datetime.fromtimestamp(since, UTC).astimezone(zone).date()
    last = datetime.fromtimestamp(until - 1, UTC).astimezone(zone).date() + timedelta(days=1)
    step = max(-(-(last - first).days // MOST_FRAMES), 1)
    days = range(0, (last - first).days + step, step)
    return [
        int(datetime.combine(first + timedelta(days=n), datetime.min.time(), zone).timestamp())
        for n in days
    ]
