"""Printed maps: a sheet of any view as PDF, SVG and PNG, an atlas of sheets, no browser needed."""
