"""What happened: one SQLite database of runs and step records."""
