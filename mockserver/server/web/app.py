"""The Flask application: WSGI to values and back."""

from __future__ import annotations

import os
import time
from collections.abc import Iterable
from threading import Semaphore
from typing import Any

import orjson
from flask import Flask, Response, request
from werkzeug.exceptions import BadRequest, HTTPException, InternalServerError, NotFound

from mockserver.contract.decoding import JSON
from mockserver.core.messages import Reply, Request
from mockserver.core.net import API, CONTROL
from mockserver.server.control.interface import ControlInterface
from mockserver.server.control.journal_stream import JournalStream
from mockserver.server.pipeline import respond, turned_down
from mockserver.server.service import Current
from mockserver.server.web.event_stream import MOST_STREAMS, pieces
from mockserver.server.web.faulty_reply import broken
from mockserver.server.web.request_log import RequestLog
from mockserver.traffic.journal import Exchange

STREAMED = "mockserver.streamed"
"""Set in the environment of a request whose reply must go out piece by piece."""
_EXPOSED = "X-Mock-Trace, X-Mock-Warning, X-Mock-Broken, Preference-Applied, Retry-After"
LARGEST_BODY = 1_000_000
"""Bytes; a larger request body to the API is refused with 413."""
METHODS = ["GET", "HEAD", "POST", "PUT", "PATCH", "DELETE", "OPTIONS", "TRACE", "QUERY"]


class _Whole(Response):
    """A response that is complete as it stands: what Werkzeug would work out for each of them is known."""

    def __call__(self, environ: dict[str, Any], start_response: Any) -> Iterable[bytes]:
        start_response(self.status, self.headers.to_wsgi_list())
        return [] if environ["REQUEST_METHOD"] == "HEAD" else self.iter_encoded()


def create_app(current: Current, request_log: RequestLog) -> Flask:
    """The application that answers: the API below `/api`, the control interface below `/_mock`."""
    app = Flask("mockserver", static_folder=None)
    app.config["MAX_CONTENT_LENGTH"] = LARGEST_BODY
    control_interface = ControlInterface(current)
    seats = Semaphore(MOST_STREAMS)
    cors = current.service.settings.cors
    # granian and others mix the process's own environment into that of a request, where HTTP_PROXY, with its password,
    # would pass for a header.
    ambient = [(name, value) for name, value in os.environ.items() if name.startswith("HTTP_")]

    def given() -> dict[str, Any]:
        for name, value in ambient:
            if request.environ.get(name) == value:
                del request.environ[name]
        return request.environ

    def api(**_: Any) -> Response:
        started = time.perf_counter()
        environ = given()
        if cors and "HTTP_ACCESS_CONTROL_REQUEST_METHOD" in environ and environ["REQUEST_METHOD"] == "OPTIONS":
            return _preflight(environ)
        exchange = respond(_request(environ, API), current.service, address=_address(environ), pause=time.sleep)
        response = _exchanged(exchange, environ)
        if cors and "HTTP_ORIGIN" in environ:
            _allow_origin(response)
        request_log.write(exchange, environ, time.perf_counter() - started)
        if exchange.reply.delay:
            time.sleep(exchange.reply.delay)
        return response

    def control(**_: Any) -> Response:
        environ = given()
        reply = control_interface.respond(_request(environ, CONTROL))
        if isinstance(reply.body, JournalStream):
            environ[STREAMED] = True
            return Response(pieces(reply.body, seats), reply.status, reply.headers)
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
        if not request.path.startswith(API):
            return _response(reply)
        environ = given()
        exchange = turned_down(_request(environ, API, body=b""), current.service, reply, address=_address(environ))
        request_log.write(exchange, environ, exchange.seconds)
        response = _exchanged(exchange, environ)
        if cors and "HTTP_ORIGIN" in environ:
            _allow_origin(response)
        return response

    app.register_error_handler(HTTPException, refused)
    return app


def _request(environ: dict[str, Any], prefix: str, *, body: bytes | None = None) -> Request:
    headers = {name[5:].replace("_", "-").lower(): environ[name] for name in environ if name.startswith("HTTP_")}
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
    """The whole body. Raises `BadRequest` for one that broke off: the rest of it could pass for another request.

    One that breaks off in chunks goes unnoticed: granian hands over what came of it, and says nothing.
    """
    announced = environ.get("CONTENT_LENGTH", "")
    chunked = "HTTP_TRANSFER_ENCODING" in environ
    if announced in ("", "0") and not chunked:
        return b""
    body = request.get_data(cache=False)
    if not chunked and len(body) != int(announced):
        raise BadRequest(f"The body broke off after {len(body):,} of {int(announced):,} bytes.")
    return body


def _address(environ: dict[str, Any]) -> str:
    host = environ.get("HTTP_HOST") or f"{environ['SERVER_NAME']}:{environ['SERVER_PORT']}"
    return f"{environ['wsgi.url_scheme']}://{host}{environ['PATH_INFO']}"


def _exchanged(exchange: Exchange, environ: dict[str, Any]) -> Response:
    reply, delivery = exchange.reply, exchange.delivery
    if delivery is None:
        body = b"" if reply.body is None else orjson.dumps(reply.body)
        response = _Whole([body], reply.status, content_type=JSON)
        response.headers["Content-Length"] = str(len(body))
        for name, value in exchange.headers().items():
            # One by one: given as a mapping they cost four microseconds more.
            response.headers[name] = value
        return response
    environ[STREAMED] = True
    # A status of 0 stands for no answer at all, and none of it is ever sent.
    return broken(delivery, reply.status or 200, exchange.headers(), environ)


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


def _allow_origin(response: Response) -> None:
    response.headers["Access-Control-Allow-Origin"] = "*"
    response.headers["Access-Control-Expose-Headers"] = _EXPOSED


def _preflight(environ: dict[str, Any]) -> Response:
    response = Response(status=204)
    response.headers["Access-Control-Allow-Origin"] = "*"
    response.headers["Access-Control-Allow-Methods"] = "GET, POST"
    response.headers["Access-Control-Allow-Headers"] = environ.get(
        "HTTP_ACCESS_CONTROL_REQUEST_HEADERS", "Authorization, Content-Type, Prefer, X-Selected-Client-Id"
    )
    response.headers["Access-Control-Max-Age"] = "600"
    return response
