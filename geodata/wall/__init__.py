"""What a wall shows beyond a map: what is late and whose, today against usual, scenes, alarms."""
