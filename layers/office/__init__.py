"""What an office opens: tables, slides and the written page, from one briefing's figures."""
