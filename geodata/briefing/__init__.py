"""A briefing: what is told of an area and a period as of a stated moment, issued and compared."""
