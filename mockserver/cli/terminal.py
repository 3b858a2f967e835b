"""Whatever is printed can be printed, whichever characters the terminal knows."""

from __future__ import annotations

import codecs
import io
import sys

_PLAIN = {
    "✓": "+",
    "✗": "x",
    "–": "-",  # noqa: RUF001
    "—": "-",
    "·": ".",
    "…": "...",
    "“": '"',
    "”": '"',
    "‘": "'",  # noqa: RUF001
    "’": "'",  # noqa: RUF001
    "\u00a0": " ",
    "\u2060": "",
}
"""What our own texts have beyond ASCII, and what stands for it."""
_DRAWN = range(0x2500, 0x25A0), range(0x2800, 0x2900)
"""Lines and blocks, and the dots of a spinner."""
_HANDLER = "mockserver.plain"


def print_anything() -> None:
    """From now on standard output and error replace what their encoding lacks, instead of ending the program."""
    codecs.register_error(_HANDLER, _replaced)
    for stream in (sys.stdout, sys.stderr):
        # Whoever captures them may have put something else there, which takes any text.
        if isinstance(stream, io.TextIOWrapper):
            stream.reconfigure(errors=_HANDLER)


def _replaced(error: UnicodeError) -> tuple[str, int]:
    if not isinstance(error, UnicodeEncodeError):
        raise error
    return "".join(map(_plain, error.object[error.start : error.end])), error.end


def _plain(char: str) -> str:
    if char in _PLAIN:
        return _PLAIN[char]
    if any(ord(char) in drawn for drawn in _DRAWN):
        return "-"
    return char.encode("ascii", "backslashreplace").decode("ascii")
