"""The log of a shift: what it saw begin, what was done by whom, and what it hands over."""

from __future__ import annotations

from dataclasses import dataclass

from geodata.access.scope import Scope
from geodata.city import City
from geodata.desk.alarm_desk import find_alarm
from geodata.errors import NotFound
from geodata.events.alarms import Alarm, AlarmNote
from geodata.events.periods import local_midnight
from geodata.settings import Settings
from geodata.store.shift_rows import list_shift_alarms

MOST_ALARMS = 500
LONGEST_S = 31 * 86_400
HOUR_S = 3_600
_GOES_ON = ("", "real")


@dataclass(frozen=True, slots=True, kw_only=True)
class ShiftLog:
    """
    Alarms and acts of [since, until) (UTC s); `acts` by time.

    `left` are those still on at the end, judged real or not at all: what the next shift takes over.
    """

    since: int
    until: int
    alarms: tuple[Alarm, ...]
    acts: tuple[tuple[AlarmNote, Alarm], ...]
    left: tuple[Alarm, ...]
    more: bool


def find_shift(at: int, settings: Settings) -> tuple[int, int]:
    """Return the beginning and the end (UTC s) of the shift that a moment lies in."""
    length_s = settings.shift_hours * HOUR_S
    begin = local_midnight(at, settings.timezone) + settings.shift_from * HOUR_S
    while begin > at:
        begin -= length_s
    begin += (at - begin) // length_s * length_s
    return begin, begin + length_s


def read_shift(city: City, scope: Scope, *, since: int, until: int) -> ShiftLog:
    """Return what a scope may see of a shift; at most a month is read."""
    until = min(until, since + LONGEST_S)
    with city.database.read() as connection:
        numbers = list_shift_alarms(connection, since=since, until=until, most=MOST_ALARMS + 1)
    alarms = []
    for number in numbers[:MOST_ALARMS]:
        try:
            alarms.append(find_alarm(city, scope, number))
        except NotFound:  # of a grid outside the scope
            continue
    acts = [(note, one) for one in alarms for note in one.notes if since <= note.at < until]
    return ShiftLog(
        since=since,
        until=until,
        alarms=tuple(alarms),
        acts=tuple(sorted(acts, key=lambda pair: pair[0].at)),
        left=tuple(one for one in alarms if one.verdict in _GOES_ON and not one.run.cleared_at),
        more=len(numbers) > MOST_ALARMS,
    )
