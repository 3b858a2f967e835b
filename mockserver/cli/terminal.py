"""Whatever is printed can be printed, whichever characters the terminal knows, and if there is none."""

from __future__ import annotations

import codecs
import io
import os
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


def fill_standard_streams() -> None:
    """Let standard input, output and error that are closed lead nowhere, before their numbers are another file's.

    A socket of that number would be sent what native code prints, and libuv aborts rather than close it.
    """
    while (descriptor := os.open(os.devnull, os.O_RDWR)) <= 2:
        pass
    os.close(descriptor)


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
