"""The Flask application: WSGI to values and back."""

from __future__ import annotations

import time
from collections.abc import Iterable, Iterator
from typing import Any

import orjson
from flask import Flask, Response, request
from werkzeug.exceptions import BadRequest, HTTPException, InternalServerError, NotFound, RequestEntityTooLarge

from mockserver.contract.decoding import JSON
from mockserver.core.messages import Reply, Request
from mockserver.core.net import API, CONTROL
from mockserver.server.control.guard import TOKEN_HEADER
from mockserver.server.control.interface import ControlInterface
from mockserver.server.control.journal_stream import JournalStream
from mockserver.server.pipeline import steps, turned_down
from mockserver.server.service import Current
from mockserver.server.web.front import LARGEST_BODY
from mockserver.server.web.request_log import RequestLog
from mockserver.server.web.turn import Turn, turn_of
from mockserver.traffic.journal import Exchange

_EXPOSED = "X-Mock-Trace, X-Mock-Warning, X-Mock-Broken, Preference-Applied, Retry-After"
_CONTROL_TOKEN = TOKEN_HEADER.lower()
METHODS = ["GET", "HEAD", "POST", "PUT", "PATCH", "DELETE", "OPTIONS", "TRACE", "QUERY"]


class _Whole(Response):
    """A response that is complete as it stands: what Werkzeug would work out for each of them is known."""

    def __call__(self, environ: dict[str, Any], start_response: Any) -> Iterable[bytes]:
        start_response(self.status, self.headers.to_wsgi_list())
        return [] if environ["REQUEST_METHOD"] == "HEAD" else self.iter_encoded()


def create_app(current: Current, request_log: RequestLog) -> Flask:
    """The application that answers: the API below `/api`, the control interface below `/_mock`."""
    app = Flask("mockserver", static_folder=None)
    # A path with // in it is another path, which is answered like any other that there is not, and never redirected.
    app.url_map.merge_slashes = False
    control_interface = ControlInterface(current)
    cors = current.service.settings.cors

    def api(**_: Any) -> Response:
        started = time.perf_counter()
        environ = request.environ
        if cors and _is_preflight(environ):
            return _preflight(environ)
        turn = turn_of(environ)
        exchange = _advanced(turn, environ, current)
        if exchange is None:
            return Response(status=204)
        turn.wait = exchange.reply.delay
        response = _exchanged(exchange, turn)
        request_log.write(exchange, environ, time.perf_counter() - started)
        return response

    def control(**_: Any) -> Response:
        reply = control_interface.respond(_request(request.environ, CONTROL))
        if isinstance(reply.body, JournalStream):
            turn_of(request.environ).events = reply.body
            # An iterator has no length, which would be announced.
            return Response(iter(()), reply.status, reply.headers)
        if isinstance(reply.body, Iterator):
            turn_of(request.environ).streamed = True
            return Response(reply.body, reply.status, reply.headers)
        return _response(reply)

    def home() -> Response:
        if "text/html" not in request.headers.get("Accept", ""):
            raise NotFound
        return Response(status=303, headers={"Location": f"{CONTROL}/", "Vary": "Accept"})

    app.add_url_rule("/", "home", home, methods=["GET"])
    for prefix, view in ((API, api), (CONTROL, control)):
        for rule in (f"{prefix}/<path:path>", f"{prefix}/", prefix):
            app.add_url_rule(rule, view.__name__, view, methods=METHODS, provide_automatic_options=False)

    def refused(error: HTTPException) -> Response:
        reply = _refusal(error)
        environ = request.environ
        if cors and _is_preflight(environ) and not _is_below(environ["PATH_INFO"], CONTROL):
            # Of a mistyped address, too, a page is told that it is none.
            return _preflight(environ)
        if not _is_below(environ["PATH_INFO"], API):
            return _response(reply)
        exchange = turned_down(_request(environ, API, body=b""), current.service, reply, address=_address(environ))
        request_log.write(exchange, environ, exchange.seconds)
        return _exchanged(exchange, turn_of(environ))

    def shared(response: Response) -> Response:
        if not _is_below(request.environ["PATH_INFO"], CONTROL):
            _allow_origin(request.environ, response)
        return response

    app.register_error_handler(HTTPException, refused)
    if cors:
        app.after_request(shared)
    return app


def _is_below(path: str, prefix: str) -> bool:
    return path == prefix or path.startswith(f"{prefix}/")


def _advanced(turn: Turn, environ: dict[str, Any], current: Current) -> Exchange | None:
    """The exchange as far as it goes: None while it waits, for as long as the turn says."""
    try:
        if turn.steps is None:
            turn.steps = steps(_request(environ, API), current.service, address=_address(environ))
            turn.wait = next(turn.steps)
        else:
            turn.wait = turn.steps.send(turn.left)
    except StopIteration as ended:
        turn.steps = None
        exchange: Exchange = ended.value
        return exchange
    return None


def _request(environ: dict[str, Any], prefix: str, *, body: bytes | None = None) -> Request:
    if not _is_below(environ["PATH_INFO"], prefix):
        # Werkzeug takes //api for /api.
        raise NotFound
    headers = {name[5:].replace("_", "-").lower(): environ[name] for name in environ if name.startswith("HTTP_")}
    if prefix == API and _CONTROL_TOKEN in headers:
        # It opens all worlds, while the journal of one is read by whoever has a token of it.
        headers[_CONTROL_TOKEN] = "hidden"
    if kind := environ.get("CONTENT_TYPE"):
        headers["content-type"] = kind
    if body is None:
        body = _body(environ)
    return Request(
        environ["REQUEST_METHOD"],
        environ["PATH_INFO"][len(prefix) :],
        environ.get("QUERY_STRING", ""),
        headers,
        body,
    )


def _body(environ: dict[str, Any]) -> bytes:
    """The whole body; raises `BadRequest` for one that is not: the rest of it could make another request of it."""
    if problem := turn_of(environ).incomplete:
        raise BadRequest(problem)
    length = environ.get("CONTENT_LENGTH", "")
    if not length.isdecimal():
        return b""
    if int(length) > LARGEST_BODY:
        raise RequestEntityTooLarge
    body: bytes = environ["wsgi.input"].read(int(length))
    return body


def _address(environ: dict[str, Any]) -> str:
    host = environ.get("HTTP_HOST") or f"{environ['SERVER_NAME']}:{environ['SERVER_PORT']}"
    return f"{environ['wsgi.url_scheme']}://{host}{environ['PATH_INFO']}"


def _exchanged(exchange: Exchange, turn: Turn) -> Response:
    reply = exchange.reply
    turn.delivery = exchange.delivery
    # A status of 0 stands for no answer at all, and none of it is ever sent.
    response = _Whole([exchange.data], reply.status or 200, content_type=JSON)
    if exchange.delivery is None:
        response.headers["Content-Length"] = str(len(exchange.data))
    for name, value in exchange.headers().items():
        # One by one: given as a mapping they cost four microseconds more.
        response.headers[name] = value
    return response


def _response(reply: Reply) -> Response:
    if isinstance(reply.body, str | bytes):
        return Response(reply.body, reply.status, reply.headers)
    body = b"" if reply.body is None else orjson.dumps(reply.body)
    return Response(body, reply.status, reply.headers, content_type=JSON)


def _refusal(error: HTTPException) -> Reply:
    """What Flask itself turns down, and what goes wrong in us, in the API's own form (GEN-5)."""
    status = error.code or 500
    headers = {}
    message = error.description or error.name
    if isinstance(error, InternalServerError):
        cause = error.original_exception or error
        message = f"The mock server failed: {type(cause).__name__}: {cause}"
        headers["X-Mock-Broken"] = "failure"
    elif status == 413:
        message = f"The body is larger than {LARGEST_BODY:,} bytes."
        # The rest of the body is not read, so that the connection can't carry another request.
        headers["Connection"] = "close"
    elif status == 404:
        message = f"There is nothing at {request.path}: the API is below {API}, the control interface below {CONTROL}."
    if status == 405 and (allowed := error.get_headers(request.environ)):
        headers.update({name: value for name, value in allowed if name == "Allow"})
    return Reply(status, {"message": message}, headers, because=f"http:{status}")


def _allow_origin(environ: dict[str, Any], response: Response) -> None:
    """Let a page of any origin read the answer, with the credentials that it sends."""
    response.headers.add("Vary", "Origin")
    if origin := environ.get("HTTP_ORIGIN"):
        # Where credentials are sent a browser takes no * (Fetch standard, CORS check).
        response.headers["Access-Control-Allow-Origin"] = origin
        response.headers["Access-Control-Allow-Credentials"] = "true"
        response.headers["Access-Control-Expose-Headers"] = _EXPOSED


def _is_preflight(environ: dict[str, Any]) -> bool:
    return "HTTP_ACCESS_CONTROL_REQUEST_METHOD" in environ and environ["REQUEST_METHOD"] == "OPTIONS"


def _preflight(environ: dict[str, Any]) -> Response:
    response = Response(status=204)
    response.headers["Access-Control-Allow-Methods"] = ", ".join(METHODS)
    response.headers["Access-Control-Allow-Headers"] = environ.get(
        "HTTP_ACCESS_CONTROL_REQUEST_HEADERS", "Authorization, Content-Type, Prefer, X-Selected-Client-Id"
    )
    response.headers["Access-Control-Max-Age"] = "600"
    return response
