"""Judges every answer of a run, whoever asked for it: by its form, and by what earlier answers said."""
