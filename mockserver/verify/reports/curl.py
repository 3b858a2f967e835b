"""Renders a recorded request as a `curl` command that can be pasted into a shell."""

from __future__ import annotations

import base64
import re
import shlex

from mockserver.verify.events import RecordedExchange
from mockserver.verify.replay.steps import OWN_HEADERS

SECRET = re.compile(r"\$(?:[A-Z0-9]+_)*TOKEN(?:_[A-Z0-9]+)*\b")
"""Placeholders such as `$TOKEN` and `$OTHER_TOKEN`: what a secret was redacted to, and the variable to set."""

_CONTROL = re.compile(r"[\x00-\x08\x0b-\x1f\x7f-\x9f\u200e\u200f\u2028-\u202e\u2066-\u2069]")
_DOTS = re.compile(r"/\.{1,2}(?:/|$|\?)")


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


def curl(exchange: RecordedExchange, *, separator: str = " ", body_limit: int | None = None) -> str:
    """The command; `separator` stands between its options (` \\\\\\n  ` breaks the lines).

    A body over `body_limit` bytes is left out, and a comment at the end says so.
    """
    options = ["curl -i" + ("g" if re.search(r"[\[\]{}]", exchange.url) else "")]
    if _DOTS.search(exchange.url.partition("?")[0]):
        options[0] += " --path-as-is"
    if exchange.method == "HEAD":
        options[0] += " --head"
    elif exchange.method != "GET" or exchange.body:
        options[0] += f" -X {quote(exchange.method)}"
    options[0] += f" {quote(exchange.url)}"
    options += [f"-H {quote(header)}" for header in _headers(exchange)]
    return _with_body(options, exchange.body, separator, body_limit)


def _headers(exchange: RecordedExchange) -> list[str]:
    given = {name.lower() for name, _ in exchange.headers}
    lines = [
        f"{name}: {value}" if value else f"{name};"
        for name, value in exchange.headers
        if name.lower() not in OWN_HEADERS and (name.lower(), value) != ("accept", "*/*")
    ]
    if "accept" not in given:
        lines.append("Accept:")
    if exchange.body and "content-type" not in given:
        lines.append("Content-Type:")
    return lines


def _with_body(options: list[str], body: bytes | None, separator: str, limit: int | None) -> str:
    if not body:
        return separator.join(options)
    if limit is not None and len(body) > limit:
        return separator.join([*options, "--data-binary @BODY"]) + f"  # BODY: {len(body):,} bytes, left out here"
    try:
        text = body.decode("utf-8")
    except UnicodeDecodeError:
        text = ""
    if text and not _CONTROL.search(text):
        return separator.join([*options, f"--data-raw {quote(text)}"])
    encoded = base64.b64encode(body).decode("ascii")
    return f"echo {encoded} | base64 -d | " + separator.join([*options, "--data-binary @-"])
