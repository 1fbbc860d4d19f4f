"""The desk of alarms: which an account may see, and what a post does about one."""

from __future__ import annotations

import unicodedata
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np
import pandas as pd

from geodata.access.scope import ROWS, Scope
from geodata.audit.log import write_entry
from geodata.city import City
from geodata.coordinates import to_lonlat
from geodata.desk.takers import list_takers
from geodata.errors import BadSetting, Fault, NotAllowed, NotFound
from geodata.events.alarms import NOTES, VERDICTS, Alarm, AlarmNote, order_alarms
from geodata.reading.personal import find_personal
from geodata.settings import Settings
from geodata.store.alarms import (
    AlarmRow,
    append_note,
    read_alarm_notes,
    read_alarm_row,
    read_changed_alarms,
    read_gone_revision,
    read_live_alarms,
)
from geodata.store.database import Connection, raise_revision, read_revision

MOST_ALARMS = 1_000
LONGEST_NOTE, LONGEST_POST = 500, 60
ACT = "act"
_TAKERS_TOLD = 8
_DAY_S = 86_400
_NO_ALARM = 2**62  # no number of ours is as large, and the store holds none


@dataclass(frozen=True, slots=True, kw_only=True)
class AlarmList:
    """
    Alarms of one scope at one revision, in the order a desk takes them.

    `changes` says that these are what changed, ended ones among them, not all that are on; `more`
    that there are more than were sent. Where alarms became one since, all that are on are told.
    The counts are of what is on: drills stand apart.
    """

    revision: int
    now: int
    changes: bool
    more: bool
    alarms: tuple[Alarm, ...]
    real: int
    drills: int

    def as_json(self, settings: Settings) -> dict[str, Any]:
        """Return what `/live/alarms` answers."""
        return {
            "revision": self.revision,
            "now": self.now,
            "changes": self.changes,
            "more": self.more,
            "live": {"real": self.real, "drill": self.drills},
            "alarms": [alarm_json(one, now=self.now, settings=settings) for one in self.alarms],
        }


def list_alarms(city: City, scope: Scope, *, now: int, since: int | None = None) -> AlarmList:
    """
    Return the alarms that are on, or with `since` those that a later revision changed.

    An alarm belongs to the grid that owns its incident; one that no grid owns is shown to who sees
    the whole city. Raises NotAllowed where the account may see no single incident.
    """
    _check_permission(scope, ROWS)
    begin = now - city.settings.alarm_days * _DAY_S
    with city.database.read() as connection:
        revision = read_revision(connection)
        live = read_live_alarms(connection, since=begin, most=MOST_ALARMS + 1)
        rows = live
        # Whatever number a stranger writes: beyond the newest nothing changed.
        seen = revision if since is None else min(max(since, 0), revision)
        if seen < read_gone_revision(connection):
            since = None  # what is no more cannot be listed: all that are on are
        if since is not None:
            rows = read_changed_alarms(connection, revision=seen, most=MOST_ALARMS + 1)
        more = len(rows) > MOST_ALARMS
        mine = [row for row in rows[:MOST_ALARMS] if scope.allows(row.owner)]
        alarms = _complete(connection, city, mine)
    drills = [_is_drill(row) for row in live[:MOST_ALARMS] if scope.allows(row.owner)]
    return AlarmList(
        # Where not all was sent, the next question goes on from the last that was.
        revision=rows[MOST_ALARMS - 1].rev if more and since is not None else revision,
        now=now,
        changes=since is not None,
        more=more,
        alarms=tuple(order_alarms(alarms, now=now, escalate_s=city.settings.alarm_escalate_s)),
        real=drills.count(False),
        drills=drills.count(True),
    )


def find_alarm(city: City, scope: Scope, alarm: int) -> Alarm:
    """Return one alarm by its number; raises NotFound for one that is not there or not theirs."""
    _check_permission(scope, ROWS)
    with city.database.read() as connection:
        row = read_alarm_row(connection, alarm) if alarm < _NO_ALARM else None
        if row is None or not scope.allows(row.owner):
            raise NotFound(Fault(key="alarm_missing"))
        return _complete(connection, city, [row])[0]


def note_alarm(city: City, scope: Scope, alarm: int, wish: Mapping[str, Any], *, now: int) -> Alarm:
    """
    Write what a post does about an alarm, and the log's row with it, in one transaction.

    `wish`: `what` (ack, note, hand_over, verdict), `text`, `to` of a hand-over, `verdict` (real,
    false, test). Raises NotFound for an alarm that is not there or not this account's, NotAllowed
    without the permission to act, BadSetting for a wish that is none or a hand-over to oneself or
    to a post that nobody knows; then nothing was written.
    """
    _check_permission(scope, ACT)
    note = _read_note(wish, scope, now=now)
    with city.database.transaction() as connection:
        row = read_alarm_row(connection, alarm) if alarm < _NO_ALARM else None
        if row is None or not scope.allows(row.owner):
            raise NotFound(Fault(key="alarm_missing"))
        if note.to:
            takers = list_takers(connection, city, owner=row.owner, now=now, but=scope.account)
            _check_taker(note.to, takers)
        revision = raise_revision(connection, same_ground=True)
        append_note(connection, row, note, revision=revision)
        write_entry(
            connection,
            account=scope,
            act=f"alarm.{note.what}",
            target=f"{row.source}/{row.incident_id}",
            grid=None if row.owner < 0 else row.owner,
            at=now,
            detail={"alarm": alarm, "verdict": note.verdict or None, "to": note.to or None},
        )
        fresh = read_alarm_row(connection, alarm)
        assert fresh is not None
        return _complete(connection, city, [fresh])[0]


def alarm_json(one: Alarm, *, now: int, settings: Settings) -> dict[str, Any]:
    """Return one alarm as plain data; moments are UTC seconds."""
    run = one.run
    taken = one.acknowledged
    escalates = one.waits_since + settings.alarm_escalate_s
    return {
        "alarm": one.alarm,
        "level": run.level,
        "state": one.state(now=now, escalate_s=settings.alarm_escalate_s),
        "drill": one.drill,
        "kind": one.kind,
        "source": one.source,
        "incident_id": one.incident_id,
        "device_id": one.device or None,
        "lon": one.lon,
        "lat": one.lat,
        "placed": one.placed or None,
        "grid": None if one.owner < 0 else one.owner,
        "first_at": run.first_at,
        "last_at": run.last_at,
        "received_at": run.received,
        "count": run.count,
        "cleared_at": run.cleared_at or None,
        "escalates_at": escalates if one.waits else None,
        "acknowledged_at": taken.at if taken else None,
        "acknowledged_by": taken.post if taken else None,
        "handed_to": one.handed.to if one.handed else None,
        "verdict": one.verdict or None,
        "notes": [
            {"at": note.at, "what": note.what, "post": note.post, "to": note.to or None,
             "verdict": note.verdict or None, "text": note.text or None}
            for note in one.notes
        ],
        "revision": one.rev,
    }  # fmt: skip


def _check_permission(scope: Scope, need: str) -> None:
    if need not in scope.permissions:
        raise NotAllowed(Fault(key="not_allowed", values={"need": need}))


def _is_drill(row: AlarmRow) -> bool:
    return row.run.line.split("|", 2)[1] == "drill"


def _complete(connection: Connection, city: City, rows: list[AlarmRow]) -> list[Alarm]:
    """Return alarms with their degrees and notes."""
    notes = read_alarm_notes(connection, [row.run for row in rows])
    placed = [row for row in rows if row.x is not None and row.y is not None]
    degrees: dict[int, tuple[float, float]] = {}
    if placed:
        xy_m = np.array([(row.x, row.y) for row in placed], float) / 1000
        lon, lat = to_lonlat(xy_m[:, 0], xy_m[:, 1], city.crs)
        for row, a, b in zip(placed, lon, lat, strict=True):
            degrees[row.alarm] = (round(float(a), 7), round(float(b), 7))
    return [
        Alarm(
            alarm=row.alarm,
            run=row.run,
            source=row.source,
            incident_id=row.incident_id,
            device=row.run.line.split("|d:", 1)[1] if "|d:" in row.run.line else "",
            kind=row.kind,
            drill=_is_drill(row),
            owner=row.owner,
            lon=degrees.get(row.alarm, (None, None))[0],
            lat=degrees.get(row.alarm, (None, None))[1],
            placed=row.placed,
            rev=row.rev,
            notes=tuple(notes.get((row.run.line, row.run.first_at), ())),
        )
        for row in rows
    ]


def _read_note(wish: Mapping[str, Any], scope: Scope, *, now: int) -> AlarmNote:
    """Return a checked note; raises BadSetting with every fault at once."""
    faults: list[Fault] = []
    texts: dict[str, str] = {}
    for name, limit in (
        ("what", 20),
        ("verdict", 20),
        ("text", LONGEST_NOTE),
        ("to", LONGEST_POST),
    ):
        text = _clean(wish.get(name), limit)
        if text is None:
            faults.append(Fault(key="post_text", field=name, values={"limit": limit}))
        texts[name] = text or ""
    what, verdict = texts["what"], texts["verdict"]
    if what not in NOTES:
        faults.append(Fault(key="alarm_act", field="what", values={"known": ", ".join(NOTES)}))
    if (what == "verdict") != bool(verdict) or verdict not in ("", *VERDICTS):
        known = ", ".join(VERDICTS)
        faults.append(Fault(key="alarm_verdict", field="verdict", values={"known": known}))
    for name, needed in (("text", what == "note"), ("to", what == "hand_over")):
        if needed and not texts[name]:
            faults.append(Fault(key="post_missing", field=name))
        if find_personal(pd.DataFrame({name: [texts[name]]}))[0]:
            faults.append(Fault(key="alarm_personal"))
    if faults:
        raise BadSetting(faults)
    return AlarmNote(
        at=now, what=what, post=scope.account, to=texts["to"], verdict=verdict, text=texts["text"]
    )


def _check_taker(to: str, known: tuple[str, ...]) -> None:
    """Raise BadSetting for a hand-over to nobody: the alarm would lie with no one."""
    if to not in known:
        told = "、".join(known[:_TAKERS_TOLD]) or "–"
        raise BadSetting(
            Fault(key="alarm_taker", values={"to": to, "known": told, "of": len(known)})
        )


def _clean(value: Any, limit: int) -> str | None:
    if value is None:
        return ""
    if not isinstance(value, str) or len(value) > limit:
        return None
    text = unicodedata.normalize("NFC", value).strip()
    bad = any(unicodedata.category(sign) in ("Cc", "Cs") and sign not in "\n\t" for sign in text)
    return None if bad else text
