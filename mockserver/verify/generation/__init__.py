"""Sequences and searches that Hypothesis generates, compared with our own fake or with what was seen."""
