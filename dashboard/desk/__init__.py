"""The parts of the duty desk: its lists, the case that is open, and the form of a decision."""
