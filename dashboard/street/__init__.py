"""The street: any area from the city down to a grid, its figures, and what is asked of its map."""
