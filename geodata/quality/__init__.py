"""Quality: what came in when, what became of it, which grids fell silent, whose books differ."""
