"""What stands for a secret in what is shown and written, and how it is filled in again."""

from __future__ import annotations

import re
from collections.abc import Callable

_NAMES = r"(?:TOKEN|OTHER_TOKEN|HEADER_[A-Z0-9_]+)"
PLACEHOLDER = re.compile(rf"(?<!\$)(\$+)(?:({_NAMES})|\{{({_NAMES})\}})")
"""What may stand for a secret, `$TOKEN` or `${TOKEN}`. The dollars before it are odd in number where it does, and even
where the same letters came from anybody else: in data they are doubled, and what stands alone is ours."""


def filled(text: str, value: Callable[[str], str]) -> str:
    """`text` with each placeholder replaced by the `value` of its name, and what only looked like one as it was."""

    def fill(found: re.Match[str]) -> str:
        dollars, name = found[1], found[2] or found[3]
        literal = dollars[: len(dollars) // 2]
        return literal + (value(name) if len(dollars) % 2 else found[0][len(dollars) :])

    return PLACEHOLDER.sub(fill, text)
