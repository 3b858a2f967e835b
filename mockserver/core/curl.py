"""Writes a request as a `curl` command for a POSIX shell, in which nothing but our own variables is ever expanded."""

from __future__ import annotations

import base64
import re
import shlex
from collections.abc import Sequence
from dataclasses import dataclass

_CONTROL = re.compile(r"[\x00-\x08\x0a-\x1f\x7f-\x9f\u200e\u200f\u2028-\u202e\u2066-\u2069\ud800-\udfff]")
_ORDER = re.compile(r"##(?:\[|vso|teamcity)")
"""What the console of a CI system could take for an order, wherever in a line it stands."""
_DOTS = re.compile(r"/\.{1,2}(?:/|$|\?)")
_MADE = frozenset(("host", "content-length", "connection", "accept-encoding", "transfer-encoding", "keep-alive", "te"))
"""Headers that curl makes by itself, or that are about the connection only."""


@dataclass(frozen=True, slots=True)
class Variable:
    """A shell variable that earlier commands, or whoever runs the command, set."""

    name: str


Parts = Sequence[str | Variable]
"""Literal text, and variables within it."""


def word(parts: Parts) -> str:
    """One word of a shell: variables are expanded in it, all else is literal."""
    parts = [part for part in parts if part != ""]
    if not any(isinstance(part, Variable) for part in parts):
        return shlex.quote(_literal(parts))
    if not re.search(r'["\\`!$]', _literal(parts)):
        return f'"{"".join(_within(parts))}"'
    return "".join(shlex.quote(part) if isinstance(part, str) else f'"${part.name}"' for part in parts)


def request(
    method: str,
    url: Parts,
    headers: Sequence[tuple[str, Parts]],
    body: Parts | bytes,
    *,
    separator: str = " ",
    limit: int | None = None,
) -> tuple[str, str]:
    """What stands before the command, a pipe for a body that no argument can hold, and its options.

    `separator` stands between these (` \\\n  ` breaks the lines). A body over `limit` bytes is left out, and a
    comment at the end says so.
    """
    words = _options(method, url, headers, bool(body))
    parts: Parts = [body.decode("utf-8", "surrogateescape")] if isinstance(body, bytes) else body
    parts = [part for part in parts if part]
    literal = _literal(parts)
    if limit is not None and len(literal) > limit:
        return "", separator.join([*words, "--data-binary @BODY"]) + f"  # BODY: {len(literal):,} bytes, left out here"
    if _CONTROL.search(literal) or _ORDER.search(literal):
        return f"{_written(parts)} | ", separator.join([*words, "--data-binary @-"])
    return "", separator.join([*words, f"--data-raw {word(parts)}"] if parts else words)


def _literal(parts: Parts) -> str:
    return "".join(part for part in parts if isinstance(part, str))


def _within(parts: Parts) -> list[str]:
    """The parts as they stand between double quotes."""
    after = [part[0] if isinstance(part, str) else "" for part in parts[1:]] + [""]
    return [
        part
        if isinstance(part, str)
        else f"${{{part.name}}}"
        if re.fullmatch(r"[A-Za-z0-9_\[]", following)
        else f"${part.name}"
        for part, following in zip(parts, after, strict=True)
    ]


def _written(parts: Parts) -> str:
    """A command that writes what no argument can hold, or nobody should see in a log."""
    commands = [
        f'printf %s "${part.name}"'
        if isinstance(part, Variable)
        else f"echo {base64.b64encode(part.encode('utf-8', 'surrogateescape')).decode('ascii')} | base64 -d"
        for part in parts
    ]
    return commands[0] if len(commands) == 1 else f"{{ {'; '.join(commands)}; }}"


def _options(method: str, url: Parts, headers: Sequence[tuple[str, Parts]], has_body: bool) -> list[str]:
    """All but the body."""
    literal = _literal(url)
    first: list[str] = []
    if re.search(r"[\[\]{}]", literal):
        first.append("-g")
    if _DOTS.search(literal.partition("?")[0]):
        first.append("--path-as-is")
    if method == "HEAD":
        first.append("--head")
    elif method != "GET" or has_body:
        first.append(f"-X {word([method])}")
    first.append(word(url))
    return [" ".join(first), *(f"-H {word(header)}" for header in _headers(headers, has_body))]


def _headers(headers: Sequence[tuple[str, Parts]], has_body: bool) -> list[Parts]:
    given = {name.lower() for name, _ in headers}
    lines: list[Parts] = [
        [f"{name}: ", *value] if any(value) else [f"{name};"]
        for name, value in headers
        if (name.lower() not in _MADE and (name.lower(), list(value)) != ("accept", ["*/*"]))
        # Told so, curl sends a body in chunks, which it does not by itself.
        or (has_body and (name.lower(), list(value)) == ("transfer-encoding", ["chunked"]))
    ]
    if "accept" not in given:
        lines.append(["Accept:"])
    if has_body and "content-type" not in given:
        lines.append(["Content-Type:"])
    return lines
