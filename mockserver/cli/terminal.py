"""Whatever is printed can be printed, whichever characters the terminal knows, and if there is none."""

from __future__ import annotations

import codecs
import io
import os
import sys
from typing import Any

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
    """From now on nothing that goes to standard output or error ends the program.

    What their encoding lacks is replaced. What nobody reads any more is dropped: a reader that goes away, as `head`
    does, changes neither what a command does nor its exit code.
    """
    codecs.register_error(_HANDLER, _replaced)
    for name in ("stdout", "stderr"):
        stream = getattr(sys, name)
        # Whoever captures them may have put something else there, which takes any text.
        if isinstance(stream, io.TextIOWrapper):
            stream.reconfigure(errors=_HANDLER)
            # A console of Windows has no reader that could go, and is no plain file.
            if stream is getattr(sys, f"__{name}__") and isinstance(_raw(stream), io.FileIO):
                setattr(sys, name, _outlasting(stream))


def _raw(stream: io.TextIOWrapper) -> object:
    return getattr(stream.buffer, "raw", stream.buffer)


def _outlasting(stream: io.TextIOWrapper) -> io.TextIOWrapper:
    """The same stream, which outlasts its reader."""
    raw = _Outlasting(stream.fileno(), "wb", closefd=False)
    return io.TextIOWrapper(
        # Unbuffered with PYTHONUNBUFFERED.
        io.BufferedWriter(raw) if isinstance(stream.buffer, io.BufferedWriter) else raw,
        encoding=stream.encoding,
        errors=stream.errors,
        line_buffering=stream.line_buffering,
        write_through=stream.write_through,
    )


class _Outlasting(io.FileIO):
    """Drops what is written once the reading end of a pipe is closed; click and rich would end with 1 for it."""

    def write(self, data: Any, /) -> int:
        try:
            return super().write(data)
        except BrokenPipeError:
            return memoryview(data).nbytes


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
