"""The billing API as a Laravel application behind nginx would be by its defaults, with PHP's own reading of input.

Written from what the framework is known to do by itself; no PHP takes part in it.
"""

from __future__ import annotations

import json
import re
from collections.abc import Awaitable, Callable, MutableMapping
from typing import Any

from starlette.concurrency import run_in_threadpool
from starlette.exceptions import HTTPException
from starlette.formparsers import MultiPartException
from starlette.requests import Request as Incoming
from starlette.responses import HTMLResponse, RedirectResponse, Response

from tests.mutants.frameworks.choices import Choices, arguments
from tests.mutants.frameworks.laravel_like.application import Application
from tests.mutants.frameworks.laravel_like.billing import Billing
from tests.mutants.frameworks.laravel_like.database import Database
from tests.mutants.frameworks.laravel_like.errors import Refused, Unauthenticated, page
from tests.mutants.frameworks.laravel_like.request import Request
from tests.mutants.frameworks.serving import serve

DEFAULTS = Choices(
    finalized_label="Open",
    illegal_state_status=403,
    merchant_header="required",
    empty_charge_ids="as_omitted",
    unreadable_body="as_empty",
    page_links="drop_query",
    page_below_one="first_page",
    party_id_type="integer",
    created_at_precision="zero_microseconds",
    payment_shown="later",
)
_MALFORMED = re.compile(rb"%(?![0-9a-fA-F]{2})|%00")
_LARGEST_BODY = 1 << 20
_LONGEST_LINE = 8 << 10

_Receive = Callable[[], Awaitable[MutableMapping[str, Any]]]
_Send = Callable[[MutableMapping[str, Any]], Awaitable[None]]


class Site:
    """nginx, and the application behind it."""

    def __init__(self, application: Application, billing: Billing, choices: Choices) -> None:
        self._application = application
        self._billing = billing
        self._choices = choices

    async def __call__(self, scope: MutableMapping[str, Any], receive: _Receive, send: _Send) -> None:
        """Answer one request."""
        if scope["type"] != "http":
            raise NotImplementedError(f"{scope['type']} is not served")
        incoming = Incoming(scope, receive)
        await (await self._answer(incoming))(scope, receive, send)

    async def _answer(self, incoming: Incoming) -> Response:
        raw_path: bytes = incoming.scope["raw_path"].partition(b"?")[0]
        query: bytes = incoming.scope["query_string"]
        body = await incoming.body()
        if len(raw_path) + len(query) > _LONGEST_LINE:
            return _nginx(414)
        if any(len(name) + len(value) > _LONGEST_LINE for name, value in incoming.scope["headers"]):
            return _nginx(431)
        if _MALFORMED.search(raw_path):
            return _nginx(400)
        if len(body) > _LARGEST_BODY:
            return _nginx(413)
        if raw_path == b"/_stripe":
            return Response(json.dumps(self._billing.stripe.ledger()), media_type="application/json")
        if raw_path == b"/login":
            return HTMLResponse("<form method=post>Please sign in</form>")
        fields = await _multipart(incoming)
        headers = {name.lower(): value for name, value in incoming.headers.items()}
        request = Request(incoming.method, raw_path, query, headers, body, fields, self._choices)
        return await run_in_threadpool(self._apply, request)

    def _apply(self, request: Request) -> Response:
        try:
            status, answer = self._application.handle(request)
        except Unauthenticated:
            if not request.wants_json:
                return RedirectResponse("/login", 302)
            return _json({"message": "Unauthenticated."}, 401)
        except Refused as error:
            if not request.wants_json:
                return HTMLResponse(page(error.status), error.status, error.headers)
            body: dict[str, object] = {"message": str(error)}
            if error.errors is not None:
                body["errors"] = error.errors
            return _json(body, error.status, error.headers)
        return _json(answer, status)


async def _multipart(incoming: Incoming) -> list[tuple[str, str]]:
    """The fields of a multipart form; none of one that can't be read, as PHP has it."""
    if incoming.method != "POST" or "multipart/form-data" not in incoming.headers.get("content-type", ""):
        return []
    try:
        form = await incoming.form()
    except (HTTPException, MultiPartException):
        return []
    return [(name, value) for name, value in form.multi_items() if isinstance(value, str)]


def _json(body: object, status: int, headers: dict[str, str] | None = None) -> Response:
    # PHP's json_encode escapes slashes and all that is not ASCII.
    text = json.dumps(body, separators=(",", ":")).replace("/", "\\/")
    return Response(text, status, headers, "application/json")


def _nginx(status: int) -> Response:
    return HTMLResponse(page(status, server="nginx/1.27.3"), status)


def main() -> None:
    """Serve until told to stop."""
    given = arguments(DEFAULTS)
    billing = Billing(Database(given.directory / "billing.sqlite3", given.choices), given.choices)
    serve(Site(Application(billing, given.choices), billing, given.choices), given.port)


if __name__ == "__main__":
    main()
