"""The plans of the made-up cities, one module each."""
