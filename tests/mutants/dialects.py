"""Correct servers that read odd requests in their own way, as languages, frameworks and web servers do."""

from __future__ import annotations

import json
import re
from collections.abc import Mapping, Sequence
from dataclasses import replace
from typing import Any
from urllib.parse import parse_qsl

from tests.mutants.reference.api import PREFIX, Api
from tests.mutants.reference.messages import BadBody, Reply, Request, read_form, read_json
from tests.mutants.reference.records import Refusal

PARAMETERS = frozenset({"q", "page", "per_page", "api_token"})
PROPERTIES = frozenset({"charge_ids", "amount", "description", "api_token"})
LONG_TARGET, LONG_HEADER, LARGE_BODY = 1_000, 200, 16_000
"""Letters and bytes from which on the web server in front refuses."""
LOOSE = re.compile(r"\s*\+?0*([0-9]{1,30})(\.0*)?\s*", re.ASCII)


def pairs_of(text: str) -> list[tuple[str, str]]:
    return parse_qsl(text, keep_blank_values=True, errors="replace")


def repeated(pairs: Sequence[tuple[str, object]]) -> bool:
    names = [name for name, _ in pairs if not name.endswith("[]")]
    return len(set(names)) < len(names)


class Php(Api):
    """of a name given twice the last counts, a text beside an array too, and the query is read like the body"""

    def body(self, request: Request) -> dict[str, Any] | BadBody:
        read = self.fields(request.body.decode("utf-8", "replace")) if request.is_form else super().body(request)
        if isinstance(read, BadBody) or request.method != "POST":
            return read
        return self.fields(request.raw_query) | read

    def fields(self, text: str) -> dict[str, Any]:
        found: dict[str, Any] = {}
        for name, value in pairs_of(text):
            plain = name.partition("[")[0].strip().replace(" ", "_").replace(".", "_")
            if "[" in name and isinstance(found.get(plain), list):
                found[plain].append(value)
            else:
                found[plain] = [value] if "[" in name else value
        return found

    def charge_ids(self, request: Request, body: Mapping[str, Any]) -> list[int] | None:
        given = body.get("charge_ids")
        if isinstance(given, str) and given.isascii() and given.isdigit():
            return [int(given)]
        form = replace(request, headers={**request.headers, "content-type": "application/x-www-form-urlencoded"})
        return super().charge_ids(form, body)

    def token(self, request: Request, body: Mapping[str, Any]) -> str | None:
        return request.query.get("api_token") or super().token(request, body)


class ListsOnly(Api):
    """of a form, the list of `charge_ids[]` counts, and any other name is unknown, `charge_ids` too"""

    def body(self, request: Request) -> dict[str, Any] | BadBody:
        if not request.is_form or request.method != "POST":
            return super().body(request)
        pairs = pairs_of(request.body.decode("utf-8", "replace"))
        ids = [value for name, value in pairs if name == "charge_ids[]"]
        return {**dict(pairs), "charge_ids": ids} if ids else {n: v for n, v in pairs if n != "charge_ids"}


class FirstCounts(Api):
    """of a parameter, a field or a property given twice the first counts"""

    def respond(self, request: Request) -> Reply:
        return super().respond(replace(request, query=dict(pairs_of(request.raw_query)[::-1])))

    def body(self, request: Request) -> dict[str, Any] | BadBody:
        text = request.body.decode("utf-8", "replace")
        if request.is_form and request.method == "POST":
            pairs = pairs_of(text)
            ids = [value for name, value in pairs if name == "charge_ids[]"]
            return dict(pairs[::-1]) | ({"charge_ids": ids} if ids else {})
        try:
            content = json.loads(text, object_pairs_hook=lambda pairs: dict(pairs[::-1]))
        except (ValueError, RecursionError):
            return super().body(request)
        if not isinstance(content, dict):
            return super().body(request)
        return super().body(replace(request, body=json.dumps(content).encode()))


class OnceOnly(Api):
    """a parameter, a field or a property given twice is refused"""

    def route(self, request: Request) -> Reply:
        text = request.body.decode("utf-8", "replace")
        twice = repeated(pairs_of(request.raw_query)) or (request.is_form and repeated(pairs_of(text)))
        try:
            json.loads(text, object_pairs_hook=self.each_once)
        except (ValueError, RecursionError) as error:
            twice = twice or "twice" in str(error)
        if twice:
            raise Refusal(400, "A name is given twice.", errors={"request": ["A name is given twice."]})
        return super().route(request)

    def each_once(self, pairs: list[tuple[str, Any]]) -> dict[str, Any]:
        if repeated(pairs):
            raise ValueError("twice")
        return dict(pairs)


class KnownOnly(Api):
    """a parameter, a property or a body that the API does not know is refused"""

    def route(self, request: Request) -> Reply:
        strange = set(request.query) - PARAMETERS
        _, number = self.handlers(request.path)
        body = self.body(request)
        if isinstance(body, dict):
            strange |= set(body) - PROPERTIES
        if strange or (request.body and (number is not None or request.method not in ("POST", "PUT", "PATCH"))):
            self.caller(request, {}, "")
            name = min(strange, default="body")
            raise Refusal(self.choices.invalid_request_status, f"What is {name!r}?", errors={name: ["It is unknown."]})
        return super().route(request)


class AnyType(Api):
    """a body is read as what it looks like, JSON or a form, whatever type it says that it is of"""

    def body(self, request: Request) -> dict[str, Any] | BadBody:
        if request.method != "POST":
            return {}
        try:
            return read_json(request.body) if request.body.strip() else {}
        except BadBody as bad:
            try:
                return read_form(request.body) if b"=" in request.body else bad
            except BadBody as worse:
                return worse

    def charge_ids(self, request: Request, body: Mapping[str, Any]) -> list[int] | None:
        form = replace(request, headers={**request.headers, "content-type": "application/x-www-form-urlencoded"})
        return super().charge_ids(form, body)


class Plus(Api):
    """a plus is a space wherever it stands, in the texts of JSON too"""

    def body(self, request: Request) -> dict[str, Any] | BadBody:
        read = super().body(request)
        if isinstance(read, BadBody):
            return read
        return {name: value.replace("+", " ") if isinstance(value, str) else value for name, value in read.items()}


class Front(Api):
    """a web server in front refuses in HTML what is too long, too large, or has a zero byte in its path"""

    def respond(self, request: Request) -> Reply:
        if "\x00" in request.path:
            return self.page(400, "Bad Request")
        if len(request.path) + len(request.raw_query) > LONG_TARGET:
            return self.page(414, "Request-URI Too Large")
        if any(len(name) + len(value) > LONG_HEADER for name, value in request.headers.items()):
            return self.page(431, "Request Header Fields Too Large")
        if len(request.body) > LARGE_BODY:
            return self.page(413, "Request Entity Too Large")
        return super().respond(request)

    def page(self, status: int, title: str) -> Reply:
        text = f"<html><head><title>{status} {title}</title></head><body><h1>{title}</h1></body></html>"
        return Reply(status, headers={"Content-Type": "text/html"}, raw=text.encode())


class MoreMethods(Api):
    """HEAD is GET without a body, OPTIONS needs no token, PUT and PATCH are POST, and an open charge can be deleted"""

    def route(self, request: Request) -> Reply:
        handlers, number = self.handlers(request.path)
        if request.method == "OPTIONS":
            return Reply(204, headers={"Allow": ", ".join((*handlers, "OPTIONS", "HEAD", "PUT"))}, raw=b"")
        if request.method == "DELETE" and handlers == {"GET": self.get_charge} and number is not None:
            return self.delete(request, number)
        other = {"HEAD": "GET", "PUT": "POST", "PATCH": "POST"}.get(request.method, request.method)
        return super().route(replace(request, method=other if other in handlers else request.method))

    def delete(self, request: Request, number: int) -> Reply:
        caller = self.caller(request, {}, "get_charge")
        with self.records.lock:
            charge = self.records.charges.get(number)
            if charge is None or not self.may_read(caller, charge) or charge.status != "Open":
                raise Refusal(404, "There is no such open charge.")
            del self.records.charges[number]
        return Reply(204, raw=b"")


class LoosePaths(Api):
    """`02`, `2.0` and ` 2` name the invoice 2, and a slash too many leads to the plain address"""

    def path_number(self, text: str) -> int:
        loose = LOOSE.fullmatch(text)
        return int(loose[1]) if loose else -1

    def respond(self, request: Request) -> Reply:
        plain = re.sub("/+", "/", request.path).rstrip("/")
        if plain == request.path or not plain.startswith(f"{PREFIX}/billing"):
            return super().respond(request)
        if request.method == "GET":
            return Reply(301, headers={"Location": plain, "Content-Type": "text/html"}, raw=b"<h1>Moved</h1>")
        return super().respond(replace(request, path=plain))


DIALECTS: dict[str, type[Api]] = {
    "reads_as_php": Php,
    "reads_lists_only": ListsOnly,
    "first_counts": FirstCounts,
    "once_only": OnceOnly,
    "known_only": KnownOnly,
    "any_type": AnyType,
    "plus_is_space": Plus,
    "behind_a_front": Front,
    "more_methods": MoreMethods,
    "loose_paths": LoosePaths,
}
"""By the name of the legal server that each makes; what its docstring says is what the server does."""
