"""The planner: drafts on the map, both sides of each edit, impact, and the way into force."""
