"""The pillars joined for one fleet: keys, look-up, outcomes, explanations."""
