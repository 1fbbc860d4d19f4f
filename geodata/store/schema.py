"""The tables of the store, as numbered steps that only go forward."""

from __future__ import annotations

import sqlite3
from collections.abc import Iterator

# Each step is applied once, in order, inside one transaction. Never edit a step that was released.
STEPS: tuple[str, ...] = (
    """
    CREATE TABLE meta (name TEXT PRIMARY KEY, value TEXT NOT NULL) WITHOUT ROWID;
    INSERT INTO meta VALUES ('revision', '1');

    -- Texts that repeat (sources, kinds, bodies) are interned: five times smaller events.
    CREATE TABLE term (term INTEGER PRIMARY KEY, sort TEXT NOT NULL, text TEXT NOT NULL,
      UNIQUE (sort, text));
    CREATE TABLE batch (batch INTEGER PRIMARY KEY, what TEXT NOT NULL, file TEXT NOT NULL,
      file_hash BLOB, at INTEGER NOT NULL, state INTEGER NOT NULL, rows INTEGER NOT NULL DEFAULT 0,
      report TEXT NOT NULL DEFAULT '{}');
    CREATE TABLE incident_key (inc INTEGER PRIMARY KEY, source INTEGER NOT NULL,
      ext_id TEXT NOT NULL, UNIQUE (source, ext_id));

    -- The truth. Key columns first and in key order: SQLite 3.40 reports false NULLs otherwise.
    CREATE TABLE event (
      inc INTEGER NOT NULL, seq INTEGER NOT NULL, at INTEGER NOT NULL, hash INTEGER NOT NULL,
      stage INTEGER NOT NULL, received INTEGER NOT NULL, batch INTEGER NOT NULL,
      version INTEGER NOT NULL, due INTEGER, body INTEGER, reason TEXT,
      PRIMARY KEY (inc, seq, at, hash)) WITHOUT ROWID;
    CREATE INDEX event_batch ON event (batch) WHERE batch > 0;
    -- The same event in a second batch: without this, withdrawing the first would lose it.
    CREATE TABLE event_copy (batch INTEGER NOT NULL, inc INTEGER NOT NULL, seq INTEGER NOT NULL,
      at INTEGER NOT NULL, hash INTEGER NOT NULL,
      PRIMARY KEY (batch, inc, seq, at, hash)) WITHOUT ROWID;
    CREATE TABLE payload (inc INTEGER NOT NULL, hash INTEGER NOT NULL,
      x INTEGER, y INTEGER, kind INTEGER, attributes TEXT,
      PRIMARY KEY (inc, hash)) WITHOUT ROWID;

    -- Derived from the events; `app.py rebuild` makes it anew.
    CREATE TABLE incident (inc INTEGER PRIMARY KEY, x INTEGER, y INTEGER, kind INTEGER,
      body INTEGER, stage INTEGER NOT NULL, open INTEGER NOT NULL,
      reported_at INTEGER NOT NULL, registered_at INTEGER NOT NULL, dispatched_at INTEGER NOT NULL,
      handled_at INTEGER NOT NULL, closed_at INTEGER NOT NULL, evaluated_at INTEGER NOT NULL,
      due_at INTEGER NOT NULL, clock_from INTEGER NOT NULL,
      suspended_since INTEGER NOT NULL, source INTEGER NOT NULL, returned INTEGER NOT NULL,
      reopened INTEGER NOT NULL, flags INTEGER NOT NULL, owner INTEGER NOT NULL,
      rule INTEGER NOT NULL, distance_mm INTEGER NOT NULL, near_line INTEGER NOT NULL,
      rev INTEGER NOT NULL);
    CREATE INDEX incident_rev ON incident (rev) WHERE rev > 1;

    CREATE TABLE drawing (drawing INTEGER PRIMARY KEY, system TEXT NOT NULL,
      valid_from INTEGER, valid_to INTEGER, state TEXT NOT NULL, note TEXT NOT NULL DEFAULT '{}');
    CREATE TABLE grid (drawing INTEGER NOT NULL, uid INTEGER NOT NULL, code TEXT NOT NULL,
      name TEXT NOT NULL, level TEXT NOT NULL, parent INTEGER NOT NULL, kind TEXT NOT NULL,
      body TEXT NOT NULL, households REAL, population REAL, geometry BLOB NOT NULL,
      attributes TEXT NOT NULL, PRIMARY KEY (drawing, uid)) WITHOUT ROWID;

    -- Every reference table: kinds, bodies, cameras, places, components, counts, calendar, ...
    CREATE TABLE record (sort TEXT NOT NULL, id TEXT NOT NULL, valid_from INTEGER NOT NULL,
      batch INTEGER NOT NULL, x INTEGER, y INTEGER, data TEXT NOT NULL,
      PRIMARY KEY (sort, id, valid_from)) WITHOUT ROWID;
    """,
    """
    -- A record of a batch that is not visible yet must not displace the one that is.
    CREATE TABLE record_by_batch (sort TEXT NOT NULL, id TEXT NOT NULL, valid_from INTEGER NOT NULL,
      batch INTEGER NOT NULL, x INTEGER, y INTEGER, data TEXT NOT NULL,
      PRIMARY KEY (sort, id, valid_from, batch)) WITHOUT ROWID;
    INSERT INTO record_by_batch SELECT sort, id, valid_from, batch, x, y, data FROM record;
    DROP TABLE record;
    ALTER TABLE record_by_batch RENAME TO record;
    CREATE INDEX record_batch ON record (batch);
    CREATE INDEX event_copy_event ON event_copy (inc, seq, at, hash);
    """,
    """
    -- What a source shows to post events. Only the hash of the secret is kept.
    CREATE TABLE token (token INTEGER PRIMARY KEY, source TEXT NOT NULL, digest BLOB NOT NULL,
      made_at INTEGER NOT NULL, used_day TEXT, revoked_at INTEGER);
    CREATE INDEX event_live ON event (received) WHERE batch = 0;
    """,
    """
    -- Accounts and their sessions. Of a password and of a session's id only the hash is kept.
    -- `plain` is the name as it is looked up: NFKC, without case.
    CREATE TABLE account (account INTEGER PRIMARY KEY, name TEXT NOT NULL,
      plain TEXT NOT NULL UNIQUE, role TEXT NOT NULL, areas TEXT NOT NULL, address TEXT NOT NULL,
      password TEXT NOT NULL, one_time INTEGER NOT NULL, password_at INTEGER NOT NULL,
      made_at INTEGER NOT NULL, used_day TEXT, disabled_at INTEGER);
    CREATE TABLE session (digest BLOB PRIMARY KEY, account INTEGER NOT NULL,
      made_at INTEGER NOT NULL, seen_at INTEGER NOT NULL, address TEXT NOT NULL) WITHOUT ROWID;
    CREATE INDEX session_account ON session (account);
    """,
    """
    -- The log of what was seen, done and exported: every row carries the hash of the one before it.
    -- Texts stand in full, so that no other table can change what a row says.
    CREATE TABLE audit (entry INTEGER PRIMARY KEY, at INTEGER NOT NULL, account TEXT NOT NULL,
      role TEXT NOT NULL, act TEXT NOT NULL, target TEXT NOT NULL, scope TEXT NOT NULL,
      grid INTEGER, n INTEGER NOT NULL, revision INTEGER NOT NULL, detail TEXT,
      hash BLOB NOT NULL);
    CREATE INDEX audit_at ON audit (at);
    CREATE INDEX audit_account ON audit (account);
    CREATE TABLE audit_seal (seal INTEGER PRIMARY KEY, entry INTEGER NOT NULL, hash BLOB NOT NULL,
      at INTEGER NOT NULL);
    -- What an auditor asks of events touches few of them; each index holds only those.
    CREATE INDEX event_extended ON event (at) WHERE stage = 7;
    CREATE INDEX event_reopened ON event (at) WHERE stage = 12;
    CREATE INDEX event_fed ON event (received) WHERE batch = 0;
    CREATE TRIGGER audit_stays BEFORE DELETE ON audit
      BEGIN SELECT RAISE(ABORT, 'the log is never deleted'); END;
    CREATE TRIGGER audit_stands BEFORE UPDATE ON audit
      BEGIN SELECT RAISE(ABORT, 'the log is never changed'); END;
    """,
    """
    -- Decisions on owners, pins and disputes: append-only, as events are. Their times and hashes
    -- order them, never their numbers.
    CREATE TABLE decision (decision INTEGER PRIMARY KEY, inc INTEGER NOT NULL, at INTEGER NOT NULL,
      hash INTEGER NOT NULL, what INTEGER NOT NULL, held INTEGER NOT NULL, grid INTEGER,
      x INTEGER, y INTEGER, reason TEXT NOT NULL, post TEXT NOT NULL, rev INTEGER NOT NULL,
      UNIQUE (inc, at, hash));
    CREATE INDEX decision_rev ON decision (rev);
    CREATE TRIGGER decision_stays BEFORE DELETE ON decision
      BEGIN SELECT RAISE(ABORT, 'a decision is withdrawn, never deleted'); END;
    CREATE TRIGGER decision_stands BEFORE UPDATE ON decision
      BEGIN SELECT RAISE(ABORT, 'a decision is followed by another, never changed'); END;
    -- Who owned it by the drawing of its own day; until now a city had one drawing only.
    ALTER TABLE incident ADD COLUMN owner_at_event INTEGER NOT NULL DEFAULT -1;
    UPDATE incident SET owner_at_event = owner;
    -- What lies on the desk: without a place or a grid (rules 3 and 4), and open near a line.
    CREATE INDEX incident_unplaced ON incident (open, reported_at) WHERE rule IN (3, 4);
    CREATE INDEX incident_near ON incident (reported_at)
      WHERE open = 1 AND (near_line = 1 OR rule = 2);
    """,
    """
    -- Sources, devices and alarms. Of a source: when it last told us anything, by a post (`fed`) or
    -- by files (its batches), and how much at once. No question about its state reads an event.
    CREATE TABLE source (source INTEGER PRIMARY KEY, fed INTEGER NOT NULL,
      minute INTEGER NOT NULL, events INTEGER NOT NULL, mad_at INTEGER NOT NULL,
      mad_by TEXT NOT NULL);
    CREATE TABLE source_batch (source INTEGER NOT NULL, batch INTEGER NOT NULL,
      PRIMARY KEY (source, batch)) WITHOUT ROWID;
    -- What is expected of it from a day on; every_s 0 expects nothing.
    CREATE TABLE source_plan (source INTEGER NOT NULL, valid_from INTEGER NOT NULL,
      every_s INTEGER NOT NULL, kind TEXT NOT NULL,
      PRIMARY KEY (source, valid_from)) WITHOUT ROWID;
    INSERT INTO source_batch SELECT DISTINCT k.source, e.batch FROM event e
      JOIN incident_key k ON k.inc = e.inc WHERE e.batch > 0;
    INSERT INTO source SELECT k.source, max(e.received), 0, 0, 0, '' FROM event e
      JOIN incident_key k ON k.inc = e.inc WHERE e.batch = 0 GROUP BY k.source;
    DROP INDEX event_live;
    CREATE INDEX batch_hash ON batch (file_hash) WHERE file_hash IS NOT NULL;
    -- Few events of many carry an alarm or a device: these find them without reading the others.
    CREATE INDEX payload_alarm ON payload (inc) WHERE instr(attributes, '"alarm_level":') > 0
      OR instr(attributes, '"cleared_at":') > 0;
    CREATE INDEX payload_device ON payload (inc) WHERE instr(attributes, '"device_id":') > 0;
    CREATE INDEX payload_drill ON payload (inc) WHERE instr(attributes, '"drill":') > 0;
    -- Derived from the events: what they say of alarms, and the alarms. A line is a source's device
    -- and kind, or an incident without a device; `wide` is all of a device.
    CREATE TABLE alarm_mark (inc INTEGER NOT NULL, at INTEGER NOT NULL, over INTEGER NOT NULL,
      hash INTEGER NOT NULL, line TEXT NOT NULL, wide TEXT NOT NULL, level INTEGER NOT NULL,
      received INTEGER NOT NULL, PRIMARY KEY (inc, at, over, hash)) WITHOUT ROWID;
    CREATE INDEX alarm_mark_line ON alarm_mark (line, at);
    CREATE TABLE alarm (alarm INTEGER PRIMARY KEY, line TEXT NOT NULL, wide TEXT NOT NULL,
      inc INTEGER NOT NULL, level INTEGER NOT NULL, first_at INTEGER NOT NULL,
      last_at INTEGER NOT NULL, received INTEGER NOT NULL, count INTEGER NOT NULL,
      cleared_at INTEGER NOT NULL, judged INTEGER NOT NULL, rev INTEGER NOT NULL);
    CREATE INDEX alarm_line ON alarm (line, last_at);
    CREATE INDEX alarm_live ON alarm (last_at) WHERE cleared_at = 0 AND judged = 0;
    CREATE INDEX alarm_wide ON alarm (wide, line);
    CREATE INDEX alarm_rev ON alarm (rev);
    -- What a post did about an alarm; it stands by the moment the alarm began, not by its number.
    CREATE TABLE alarm_note (note INTEGER PRIMARY KEY, line TEXT NOT NULL,
      first_at INTEGER NOT NULL, at INTEGER NOT NULL, what TEXT NOT NULL, post TEXT NOT NULL,
      handed_to TEXT NOT NULL, verdict TEXT NOT NULL, text TEXT NOT NULL);
    CREATE INDEX alarm_note_line ON alarm_note (line, first_at);
    """,
    """
    -- What makes the largest cities fast. Which incidents each part of a batch tells of, packed: an
    -- index of the events by batch would take as much room as the events themselves.
    CREATE TABLE batch_part (batch INTEGER NOT NULL, part INTEGER NOT NULL,
      incidents BLOB NOT NULL, PRIMARY KEY (batch, part)) WITHOUT ROWID;
    DROP INDEX event_batch;
    """,
    """
    -- How each department's files are read: corrected once, applied the next time.
    CREATE TABLE mapping (source TEXT NOT NULL, kind TEXT NOT NULL, options TEXT NOT NULL,
      at INTEGER NOT NULL, account TEXT NOT NULL, PRIMARY KEY (source, kind)) WITHOUT ROWID;
    """,
    """
    -- Recipes of briefings, and what every issue of one said: its figures as they were printed.
    -- `sight` tells which grids and whether single incidents were seen; who sees less gets none.
    CREATE TABLE recipe (name TEXT PRIMARY KEY, wish TEXT NOT NULL, at INTEGER NOT NULL,
      account TEXT NOT NULL) WITHOUT ROWID;
    CREATE TABLE briefing_issue (issue INTEGER PRIMARY KEY, series TEXT NOT NULL,
      since INTEGER NOT NULL, until INTEGER NOT NULL, cut_off INTEGER NOT NULL,
      revision INTEGER NOT NULL, at INTEGER NOT NULL, account TEXT NOT NULL, sight TEXT NOT NULL,
      digest TEXT NOT NULL, briefing TEXT NOT NULL);
    CREATE INDEX briefing_series ON briefing_issue (series, sight);
    CREATE TRIGGER briefing_stays BEFORE DELETE ON briefing_issue
      BEGIN SELECT RAISE(ABORT, 'what was issued is never deleted'); END;
    CREATE TRIGGER briefing_stands BEFORE UPDATE ON briefing_issue
      BEGIN SELECT RAISE(ABORT, 'what was issued is never changed'); END;
    """,
    """
    -- What the wall shows: its scenes as a whole, each change a row of its own, and what the duty
    -- desk holds on it. The newest row of each is in force.
    CREATE TABLE wall_scenes (version INTEGER PRIMARY KEY, at INTEGER NOT NULL,
      account TEXT NOT NULL, scenes TEXT NOT NULL);
    CREATE TABLE wall_hold (hold INTEGER PRIMARY KEY, at INTEGER NOT NULL, account TEXT NOT NULL,
      what TEXT NOT NULL, target TEXT NOT NULL, until INTEGER NOT NULL);
    -- A shift's log asks for what was done to alarms between two moments.
    CREATE INDEX alarm_note_at ON alarm_note (at);
    CREATE INDEX alarm_first ON alarm (first_at);
    """,
    """
    -- Plans: what a drawing will become. Its edits and acts are only ever added to. `start` is the
    -- drawing that is edited, `base` the one it will replace; new grids take uids from `first_uid`
    -- on, a range of each plan's own, so that no uid is ever given twice.
    CREATE TABLE plan (plan INTEGER PRIMARY KEY, name TEXT NOT NULL, system TEXT NOT NULL,
      base INTEGER NOT NULL, start INTEGER NOT NULL, first_uid INTEGER NOT NULL UNIQUE,
      state TEXT NOT NULL, author TEXT NOT NULL, made_at INTEGER NOT NULL, approver TEXT,
      effective_from INTEGER, drawing INTEGER, reason TEXT NOT NULL, document TEXT NOT NULL);
    CREATE TABLE plan_edit (plan INTEGER NOT NULL, seq INTEGER NOT NULL, at INTEGER NOT NULL,
      account TEXT NOT NULL, edit TEXT NOT NULL, touched TEXT NOT NULL,
      PRIMARY KEY (plan, seq)) WITHOUT ROWID;
    CREATE TABLE plan_act (plan INTEGER NOT NULL, seq INTEGER NOT NULL, at INTEGER NOT NULL,
      account TEXT NOT NULL, what TEXT NOT NULL, detail TEXT NOT NULL,
      PRIMARY KEY (plan, seq)) WITHOUT ROWID;
    CREATE TRIGGER plan_edit_stays BEFORE DELETE ON plan_edit
      BEGIN SELECT RAISE(ABORT, 'an edit is undone by another, never deleted'); END;
    CREATE TRIGGER plan_edit_stands BEFORE UPDATE ON plan_edit
      BEGIN SELECT RAISE(ABORT, 'an edit is undone by another, never changed'); END;
    CREATE TRIGGER plan_act_stays BEFORE DELETE ON plan_act
      BEGIN SELECT RAISE(ABORT, 'an act is followed by another, never deleted'); END;
    CREATE TRIGGER plan_act_stands BEFORE UPDATE ON plan_act
      BEGIN SELECT RAISE(ABORT, 'an act is followed by another, never changed'); END;
    -- What became of each grid when a drawing took effect, and each open case that it moved.
    CREATE TABLE lineage (drawing INTEGER NOT NULL, old_uid INTEGER NOT NULL,
      new_uid INTEGER NOT NULL, kind TEXT NOT NULL, reason TEXT NOT NULL, area_share REAL NOT NULL,
      load_share REAL NOT NULL, cases INTEGER NOT NULL, open_cases INTEGER NOT NULL,
      PRIMARY KEY (drawing, old_uid, new_uid)) WITHOUT ROWID;
    CREATE TABLE case_transfer (drawing INTEGER NOT NULL, inc INTEGER NOT NULL,
      at INTEGER NOT NULL, from_uid INTEGER NOT NULL, to_uid INTEGER NOT NULL,
      PRIMARY KEY (drawing, inc)) WITHOUT ROWID;
    CREATE INDEX case_transfer_inc ON case_transfer (inc);
    """,
    """
    -- What a plan's edits stand on beside the drawing: the blocks a brush paints with their loads,
    -- the roads a line snaps to. Kept as they were, so that the edits always make the same drawing.
    CREATE TABLE plan_ground (plan INTEGER PRIMARY KEY, blocks BLOB NOT NULL, loads BLOB NOT NULL,
      roads BLOB NOT NULL);
    """,
    """
    -- Between what the load of a block without history lies, as blocks like it bring.
    ALTER TABLE plan_ground ADD COLUMN band BLOB;
    """,
    """
    -- An office's own template of a paper (docx, pptx), which an account's papers are set into.
    CREATE TABLE office_template (account TEXT NOT NULL, kind TEXT NOT NULL, name TEXT NOT NULL,
      at INTEGER NOT NULL, body BLOB NOT NULL, PRIMARY KEY (account, kind)) WITHOUT ROWID;
    """,
)


def split_statements(script: str) -> Iterator[str]:
    """Yield a script's statements one by one: `executescript` would commit before them."""
    held = ""
    for line in script.splitlines(keepends=True):
        held += line
        if sqlite3.complete_statement(held):
            yield held
            held = ""
