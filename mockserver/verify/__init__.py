"""Judges a real implementation by its address alone: calibrate, rules, fuzzing, report."""
