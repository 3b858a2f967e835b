"""Measures the open choices of a server; a profile can say them again."""
