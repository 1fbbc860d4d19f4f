"""Access: who may see and do what, and how little the others are told."""
