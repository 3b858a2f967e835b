"""A request as the framework shows it to the application: input from body and query, trimmed, empty texts as null."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property
from typing import Any
from urllib.parse import unquote_to_bytes

from tests.mutants.frameworks.choices import Choices
from tests.mutants.frameworks.laravel_like import php
from tests.mutants.frameworks.laravel_like.errors import Refused

_BLANK = " \t\n\r\v\f\0\u00a0\ufeff\u200b\u200e"


@dataclass(frozen=True)
class Request:
    """One request; `fields` are those of a multipart form."""

    method: str
    raw_path: bytes
    query_string: bytes
    headers: Mapping[str, str]
    body: bytes
    fields: Sequence[tuple[str, str]]
    choices: Choices

    @property
    def wants_json(self) -> bool:
        """Whether the first media type that the caller accepts is JSON."""
        first = self.headers.get("accept", "").partition(",")[0]
        return bool(re.search(r"[/+]json", first))

    @cached_property
    def path(self) -> str:
        """The path, decoded, without slashes around it.

        Raises:
            Refused: when it is no text.
        """
        try:
            return unquote_to_bytes(self.raw_path).decode().strip("/")
        except UnicodeDecodeError as error:
            raise Refused(400, "Malformed URL.") from error

    @property
    def url(self) -> str:
        """The address without its query."""
        return f"http://{self.headers.get('host', 'localhost')}/{self.path}"

    @property
    def verb(self) -> str:
        """The method, which a form's field or a header may replace in a POST."""
        if self.method != "POST":
            return self.method
        given = self.headers.get("x-http-method-override") or self._posted.get("_method") or "POST"
        return given.upper() if isinstance(given, str) and given.isascii() and given.isalpha() else "POST"

    @cached_property
    def query(self) -> php.Array:
        """The query's variables."""
        cleaned: php.Array = _cleaned(php.parse_str(self.query_string))
        return cleaned

    @cached_property
    def _posted(self) -> php.Array:
        kind = self.headers.get("content-type", "").lower()
        if kind.startswith("application/x-www-form-urlencoded"):
            return php.parse_str(self.body)
        return php.from_pairs(self.fields)

    @cached_property
    def _decoded(self) -> php.Array | None:
        """A JSON body, None where it can't be read."""
        try:
            read = php.json_decode(self.body)
        except php.Unreadable:
            return None
        return read if isinstance(read, dict) else None

    @property
    def _is_json(self) -> bool:
        return bool(re.search(r"[/+]json", self.headers.get("content-type", "").lower()))

    @cached_property
    def input(self) -> php.Array:
        """The body's variables, and the query's where the body has none of that name."""
        if self._is_json:
            source = self._decoded or {}
        else:
            source = self._posted if self.method == "POST" else {}
        return {**self.query, **_cleaned(source)}

    def check_readable(self) -> None:
        """Refuse a body that can't be read, where that was chosen; the framework takes it for an empty one."""
        if self.choices.unreadable_body == "as_empty" or not self.body or self.method != "POST":
            return
        readable = self._decoded is not None and not self.body.lstrip().startswith(b"[")
        if self._is_json and not readable:
            raise Refused(400, "The body could not be read.")
        if not self._is_json and not self._posted:
            raise Refused(415, "The body is of no known type.")

    @property
    def token(self) -> object:
        """The token: the query's goes before the body's, and that before the header's."""
        given = self.query.get("api_token") or self.input.get("api_token")
        if given:
            return given
        header = self.headers.get("authorization", "")
        place = header.lower().rfind("bearer ")
        return header[place + 7 :].partition(",")[0] if place >= 0 else None


def _cleaned(value: Any) -> Any:
    if isinstance(value, dict):
        return {key: _cleaned(one) for key, one in value.items()}
    if isinstance(value, str):
        return value.strip(_BLANK) or None
    return value
