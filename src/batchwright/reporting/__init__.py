"""Telling a fleet's story to people and machines; reads what the other stages made."""
