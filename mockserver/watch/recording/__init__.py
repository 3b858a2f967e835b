"""Writes what was seen as a fixture and a profile, without what is personal."""
