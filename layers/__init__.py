"""Pictures of facts: what can be drawn, as plain data, and the encoders that draw it."""
