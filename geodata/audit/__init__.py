"""The log of who saw, did or exported what, and what it gives an auditor cause to ask."""
