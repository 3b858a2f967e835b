"""Which tests run in one worker of `-n auto`: those that share what is made once, so that it is made once."""

from __future__ import annotations

import re
from functools import cache
from pathlib import Path

from xdist.scheduler import LoadScopeScheduling

_ROOT = Path(__file__).parents[1]
_MADE_ONCE = re.compile(r'@pytest\.fixture\(scope="module"(, params=)?')


class Sharing(LoadScopeScheduling):  # type: ignore[misc]
    """Hands out tests one by one, and together those of a module, or of one of its parameters, that share something."""

    def _split_scope(self, nodeid: str) -> str:
        file, _, test = nodeid.partition("::")
        shares, by_parameter = _shared(file)
        if not shares:
            return nodeid
        return f"{file}[{test.partition('[')[2]}" if by_parameter else file


@cache
def _shared(file: str) -> tuple[bool, bool]:
    """Whether tests of the file share something, and whether there is one of it for each parameter."""
    path = _ROOT / file
    texts = [one.read_text("utf-8") for one in (path, path.with_name("conftest.py")) if one.exists()]
    found = _MADE_ONCE.findall("\n".join(texts))
    return bool(found), bool(found) and all(found)
