"""Renders a request as a `curl` command that can be pasted into a shell."""

from __future__ import annotations

import base64
import re
import shlex
from collections.abc import Sequence
from dataclasses import dataclass

from mockserver.verify.replay.steps import OWN_HEADERS

SECRET = re.compile(r"\$(?:[A-Z0-9]+_)*TOKEN(?:_[A-Z0-9]+)*\b")
"""Placeholders such as `$TOKEN` and `$OTHER_TOKEN`: what a secret was redacted to, and the variable to set."""

_CONTROL = re.compile(r"[\x00-\x08\x0b-\x1f\x7f-\x9f\u200e\u200f\u2028-\u202e\u2066-\u2069]")
_DOTS = re.compile(r"/\.{1,2}(?:/|$|\?)")


@dataclass(frozen=True, slots=True)
class Variable:
    """A shell variable that earlier commands set."""

    name: str


def quote(text: str) -> str:
    """`text` for a POSIX shell; placeholders of secrets stay variables, all else is literal."""
    if not SECRET.search(text):
        return shlex.quote(text)
    if not re.search(r'["\\`!]|\$', SECRET.sub("", text)):
        return f'"{text}"'
    parts: list[str] = []
    end = 0
    for found in SECRET.finditer(text):
        parts += [_literal(text[end : found.start()]), f'"{found.group()}"']
        end = found.end()
    return "".join([*parts, _literal(text[end:])])


def _literal(text: str) -> str:
    return shlex.quote(text) if text else ""


def request(
    method: str,
    url: Sequence[str | Variable],
    headers: Sequence[tuple[str, str]],
    body: Sequence[str | Variable] | bytes,
    *,
    separator: str = " ",
    limit: int | None = None,
) -> tuple[str, str]:
    """What stands before the command, a pipe for a body that no argument can hold, and its options.

    `separator` stands between these (` \\\\\\n  ` breaks the lines). A body over `limit` bytes is left out, and a
    comment at the end says so.
    """
    words = options(method, url, headers, bool(body))
    if isinstance(body, bytes):
        try:
            parts: Sequence[str | Variable] = [body.decode("utf-8")] if body else []
        except UnicodeDecodeError:
            return _piped(body, words, separator)
    else:
        parts = body
    literal = "".join(part for part in parts if isinstance(part, str))
    if limit is not None and len(literal) > limit:
        return "", separator.join([*words, "--data-binary @BODY"]) + f"  # BODY: {len(literal):,} bytes, left out here"
    if _CONTROL.search(literal) and all(isinstance(part, str) for part in parts):
        return _piped(literal.encode("utf-8", "surrogatepass"), words, separator)
    return "", separator.join([*words, f"--data-raw {joined(parts)}"] if parts else words)


def _piped(body: bytes, words: list[str], separator: str) -> tuple[str, str]:
    encoded = base64.b64encode(body).decode("ascii")
    return f"echo {encoded} | base64 -d | ", separator.join([*words, "--data-binary @-"])


def options(
    method: str, url: Sequence[str | Variable], headers: Sequence[tuple[str, str]], has_body: bool
) -> list[str]:
    """All but the body."""
    literal = "".join(part for part in url if isinstance(part, str))
    first: list[str] = []
    if re.search(r"[\[\]{}]", literal):
        first.append("-g")
    if _DOTS.search(literal.partition("?")[0]):
        first.append("--path-as-is")
    if method == "HEAD":
        first.append("--head")
    elif method != "GET" or has_body:
        first.append(f"-X {quote(method)}")
    first.append(joined(url))
    return [" ".join(first), *(f"-H {quote(header)}" for header in _headers(headers, has_body))]


def joined(parts: Sequence[str | Variable]) -> str:
    """One word of a shell: literal text, and variables that are expanded in it."""
    return "".join(quote(part) if isinstance(part, str) else f'"${part.name}"' for part in parts if part) or "''"


def _headers(headers: Sequence[tuple[str, str]], has_body: bool) -> list[str]:
    given = {name.lower() for name, _ in headers}
    lines = [
        f"{name}: {value}" if value else f"{name};"
        for name, value in headers
        if name.lower() not in OWN_HEADERS and (name.lower(), value) != ("accept", "*/*")
    ]
    if "accept" not in given:
        lines.append("Accept:")
    if has_body and "content-type" not in given:
        lines.append("Content-Type:")
    return lines
