"""Schemathesis on the same spec, through a gateway that keeps every promise of the run."""
