"""Intake: files that a clerk brings or a folder receives, looked at before they are loaded."""
