"""Screens: the server, its routes, the map component and the pages."""
