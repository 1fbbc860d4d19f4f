"""The figures: one dictionary of what each one means, and every area counted by it."""
