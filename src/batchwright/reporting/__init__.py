"""Telling it: progress while it runs, a summary at the end, JSON for machines."""
