"""The one door to SQLite: events, drawings, reference records, derived incidents, revisions."""
