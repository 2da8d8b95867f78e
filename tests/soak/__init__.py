"""Hours in minutes: faults, reloads and load together."""
