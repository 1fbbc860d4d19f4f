"""Search: one box for grids, places, addresses and cases, by name, code or pinyin initials."""
