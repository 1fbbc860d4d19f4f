"""The wall: its map, its parts as pieces of HTML, what is new of them, and its scenes."""
