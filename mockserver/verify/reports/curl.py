"""Renders a request as a `curl` command that can be pasted into a shell."""

from __future__ import annotations

import base64
import re
import shlex
from collections.abc import Iterator, Sequence
from dataclasses import dataclass

from mockserver.verify.replay.steps import OWN_HEADERS
from mockserver.verify.transport.redaction import PLACEHOLDER

_CONTROL = re.compile(r"[\x00-\x08\x0a-\x1f\x7f-\x9f\u200e\u200f\u2028-\u202e\u2066-\u2069\ud800-\udfff]")
_ORDER = re.compile(r"##(?:\[|vso|teamcity)")
"""What the console of a CI system could take for an order, wherever in a line it stands."""
_DOTS = re.compile(r"/\.{1,2}(?:/|$|\?)")


@dataclass(frozen=True, slots=True)
class Variable:
    """A shell variable that earlier commands set."""

    name: str


def quote(text: str) -> str:
    """`text` for a POSIX shell; placeholders of secrets are variables, all else is literal."""
    parts = list(_parts(text))
    if not any(is_secret for is_secret, _ in parts):
        return shlex.quote("".join(part for _, part in parts))
    if not any(re.search(r'["\\`!$]', part) for is_secret, part in parts if not is_secret):
        return '"' + "".join(part for _, part in parts) + '"'
    return "".join(f'"{part}"' if is_secret else _literal(part) for is_secret, part in parts)


def _parts(text: str) -> Iterator[tuple[bool, str]]:
    """The literal parts of redacted text, as they were sent, and the variables between them."""
    literal, end = "", 0
    for found in PLACEHOLDER.finditer(text):
        dollars, named = found[1], found[0][len(found[1]) :]
        literal += text[end : found.start()] + dollars[: len(dollars) // 2]
        end = found.end()
        if len(dollars) % 2:
            yield False, literal
            yield True, f"${named}"
            literal = ""
        else:
            literal += named
    yield False, literal + text[end:]


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
    parts: Sequence[str | Variable] = body if not isinstance(body, bytes) else [body.decode("utf-8", "surrogateescape")]
    parts = [part for part in parts if part]
    literal = "".join(part for part in parts if isinstance(part, str))
    if limit is not None and len(literal) > limit:
        return "", separator.join([*words, "--data-binary @BODY"]) + f"  # BODY: {len(literal):,} bytes, left out here"
    if _CONTROL.search(literal) or _ORDER.search(literal):
        return f"{_written(parts)} | ", separator.join([*words, "--data-binary @-"])
    return "", separator.join([*words, f"--data-raw {joined(parts)}"] if parts else words)


def _written(parts: Sequence[str | Variable]) -> str:
    """A command that writes what no argument can hold, or nobody should see in a log."""
    commands: list[str] = []
    for part in parts:
        if isinstance(part, Variable):
            commands.append(f'printf %s "${part.name}"')
            continue
        for is_secret, text in _parts(part):
            if is_secret:
                commands.append(f'printf %s "{text}"')
            elif text:
                encoded = base64.b64encode(text.encode("utf-8", "surrogateescape")).decode("ascii")
                commands.append(f"echo {encoded} | base64 -d")
    return commands[0] if len(commands) == 1 else f"{{ {'; '.join(commands)}; }}"


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
