"""Faults that are planned: what kinds there are, when one strikes, and how the broken answer goes out."""
