"""The desk: what waits for a decision, what posts have decided, and all that is known of a case."""
