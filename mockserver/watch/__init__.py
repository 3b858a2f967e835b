"""Judges traffic that others make, recorded or passing by, and writes it down as a world."""
