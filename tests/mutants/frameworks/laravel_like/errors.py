"""The errors of the application, and the web server's own pages."""

from __future__ import annotations

import html
from collections.abc import Mapping, Sequence
from http import HTTPStatus


class Refused(Exception):
    """A request that is turned down with a status and a message."""

    def __init__(self, status: int, message: str, headers: Mapping[str, str] | None = None) -> None:
        super().__init__(message)
        self.status = status
        self.headers = dict(headers or {})
        self.errors: Mapping[str, Sequence[str]] | None = None


class Invalid(Refused):
    """Input that fails validation; the message is the first one, and how many more there are."""

    def __init__(self, status: int, errors: Mapping[str, Sequence[str]]) -> None:
        all_of_them = [message for messages in errors.values() for message in messages]
        more = len(all_of_them) - 1
        also = f" (and {more} more error{'s' * (more > 1)})" if more else ""
        super().__init__(status, all_of_them[0] + also)
        self.errors = errors


class Unauthenticated(Exception):
    """No token, or an unknown one."""


def page(status: int, *, server: str = "") -> str:
    """A page of HTML for a refusal, the web server's where it is named."""
    title = html.escape(f"{status} {HTTPStatus(status).phrase}")
    foot = f"<hr><center>{server}</center>" if server else ""
    head = f"<html>\r\n<head><title>{title}</title></head>\r\n"
    return f"{head}<body>\r\n<center><h1>{title}</h1></center>{foot}\r\n</body>\r\n</html>\r\n"
