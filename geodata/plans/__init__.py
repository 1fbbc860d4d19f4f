"""Plans: drawings on their way into force, what they would change, and what they have changed."""
