"""Schemathesis on the same spec, through a gateway that keeps every promise of the run."""

from mockserver.verify.fuzz.runner import fuzz

__all__ = ["fuzz"]
