"""Picture maps: a base map of pictures, from a server named in the settings or from a file."""
