"""Events, the only truth: taken in live, folded into incidents, alarms and deadlines."""
