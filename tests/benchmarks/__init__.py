"""Benchmarks, as ratios against a peer or a bare baseline of the same run: `python -m tests.benchmarks`."""
