"""Fuzzing."""

from mockserver.verify.bench import Bench


def fuzz(bench: Bench) -> None:
    return
