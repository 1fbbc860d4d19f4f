"""The commands of the door, one module a subject; `app.py` puts them together."""
