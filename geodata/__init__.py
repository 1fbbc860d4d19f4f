"""Facts: files, coordinates, grids, incidents, ownership, risk and the store."""
