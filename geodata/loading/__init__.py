"""Loading: from a file to the store, with a report of what was taken, repaired and refused."""
