"""What may answer at an address in place of the API, from the first or half-way: pages, broken JSON, silence."""

from __future__ import annotations

import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass

from tests.mutants.config import build
from tests.mutants.conforming import CORRECT
from tests.mutants.reference.api import Api
from tests.mutants.reference.messages import JSON_TYPE, Reply, Request
from tests.mutants.reference.web import Server, serving

PAGE = b"<!DOCTYPE html><html><head><title>Welcome</title></head><body><h1>It works!</h1></body></html>"
HTML = "text/html; charset=utf-8"
HALF_WAY = 60
"""Requests that are answered well before the server turns into something else."""
FOREVER = 600
"""Seconds; longer than anybody waits."""


@dataclass(frozen=True, slots=True)
class NonApi:
    """A correct server for `after` requests, which from then on answers everything with `reply`; None is death."""

    name: str
    says: str
    reply: Callable[[Request], Reply] | None
    exits: frozenset[int] = frozenset((2,))
    """The verifier's right exit codes: it could not run, or, where a server goes wrong half-way, a rule is broken."""
    after: int = 0


@dataclass(frozen=True, slots=True)
class Posing:
    """One of them at its address."""

    url: str
    api: Api

    @property
    def requests(self) -> int:
        """How many requests it has met."""
        return self.api.requests


def html(status: int) -> Callable[[Request], Reply]:
    return lambda request: Reply(status, headers={"Content-Type": HTML}, raw=PAGE)


def to_login(request: Request) -> Reply:
    if request.path == "/login":
        return html(200)(request)
    return Reply(302, headers={"Content-Type": HTML, "Location": "/login"}, raw=b"")


def broken_json(request: Request) -> Reply:
    return Reply(200, raw=b'{"data": [}')


def truncated(request: Request) -> Reply:
    """Says that more is coming, and closes."""
    headers = {"Content-Length": "5000", "Connection": "close", "Content-Type": JSON_TYPE}
    return Reply(200, headers=headers, raw=b'{"data": [{"id": 1')


def reset(request: Request) -> Reply:
    return Reply(0)


def nothing(request: Request) -> Reply:
    """Closes without a word."""
    return Reply(0, raw=b"")


def other_protocol(request: Request) -> Reply:
    return Reply(0, raw=b"SSH-2.0-OpenSSH_9.6\r\n\r\n")


def silence(request: Request) -> Reply:
    threading.Event().wait(FOREVER)
    return Reply(0)


def from_the_first() -> Iterator[NonApi]:
    yield NonApi("html", "every answer is an HTML page", html(200))
    yield NonApi("html_not_found", "every answer is a 404 page", html(404))
    yield NonApi("html_error", "every answer is a 500 page", html(500))
    yield NonApi("maintenance", "every answer is a 503 page", html(503))
    yield NonApi("login", "every answer redirects to a login page", to_login)
    yield NonApi("broken_json", "every answer is broken JSON", broken_json)
    yield NonApi("other_json", "every answer is JSON of something else", lambda request: Reply(200, {"ok": True}))
    yield NonApi("json_array", "every answer is an empty array", lambda request: Reply(200, []))
    yield NonApi("no_content", "every answer is 204", lambda request: Reply(204, raw=b""))
    yield NonApi("not_found", "every answer is a 404 in JSON", lambda request: Reply(404, {"message": "Not found."}))
    yield NonApi("token_refused", "no token is known", lambda request: Reply(401, {"message": "Unauthenticated."}))
    yield NonApi("forbidden", "every answer is a 403 in JSON", lambda request: Reply(403, {"message": "Forbidden."}))
    yield NonApi("truncated", "every answer ends in the middle", truncated)
    yield NonApi("reset", "every connection is reset", reset)
    yield NonApi("closed", "every connection is closed without an answer", nothing)
    yield NonApi("other_protocol", "the answers are no HTTP", other_protocol)
    yield NonApi("silent", "no request is ever answered", silence)
    yield NonApi("nobody", "nobody listens at the address", None)


def half_way() -> Iterator[NonApi]:
    wrong = frozenset((1, 2))
    yield NonApi("dies", "the server ends half-way", None, after=HALF_WAY)
    yield NonApi("resets_later", "half-way, every connection is reset", reset, after=HALF_WAY)
    yield NonApi("falls_silent", "half-way, no request is answered any more", silence, after=HALF_WAY)
    yield NonApi("truncated_later", "half-way, every answer ends in the middle", truncated, wrong, HALF_WAY)
    yield NonApi("html_later", "half-way, every answer is an HTML page", html(200), wrong, HALF_WAY)
    yield NonApi("maintenance_later", "half-way, every answer is a 503 page", html(503), wrong, HALF_WAY)
    yield NonApi("login_later", "half-way, every answer redirects to a login page", to_login, wrong, HALF_WAY)
    yield NonApi("broken_json_later", "half-way, every answer is broken JSON", broken_json, wrong, HALF_WAY)
    yield NonApi(
        "token_expires",
        "half-way, the token is known no more",
        lambda request: Reply(401, {"message": "Unauthenticated."}),
        wrong,
        HALF_WAY,
    )


NON_APIS: dict[str, NonApi] = {what.name: what for what in (*from_the_first(), *half_way())}


@contextmanager
def posing(what: NonApi, *, port: int = 0) -> Iterator[Posing]:
    """It answers from a thread of its own until the end of the block."""
    api, _ = build(CORRECT)
    with serving(Server(api, port)) as server:

        def hook(request: Request) -> Reply | None:
            if api.requests <= what.after:
                return None
            if what.reply is not None:
                return what.reply(request)
            threading.Thread(target=server.stop, daemon=True).start()
            return Reply(0)

        api.before.append(hook)
        url = server.url
        if what.reply is None and what.after == 0:
            server.stop()
        yield Posing(url, api)
