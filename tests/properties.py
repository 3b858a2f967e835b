"""How many examples a property is tried on, where the usual hundred are too few or too many."""

from __future__ import annotations

from hypothesis import settings

USUAL = 100
"""What a property is tried on without more said, and what `--dice` multiplies."""


def examples(count: int) -> settings:
    """That many examples of a property, or as many times that as `--dice` asks for."""
    return settings(max_examples=count * settings().max_examples // USUAL)
