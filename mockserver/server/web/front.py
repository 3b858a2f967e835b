"""The ASGI application in front of the WSGI one: it reads, waits and sends, so that no thread has to.

A request is handed on once its body is whole. While nothing is under way that may take long, and there is no database
to wait for, it is answered in the event loop itself, since the way to another thread and back takes as long as half an
answer; else by one of a few threads, and health still by the loop.
"""

from __future__ import annotations

import asyncio
import io
import re
import sys
from collections.abc import Awaitable, Callable, Iterable
from concurrent.futures import ThreadPoolExecutor
from typing import Any, TypeAlias, TypeVar
from urllib.parse import unquote_to_bytes

from mockserver.core.net import CONTROL
from mockserver.server.control.journal_stream import JournalStream
from mockserver.server.web.delivery import deliver
from mockserver.server.web.event_stream import EventStreams
from mockserver.server.web.turn import KEY, Turn

THREADS = 8
"""How many requests that may take long are worked on at the same time."""
LARGEST_BODY = 1_000_000
"""Bytes; of a larger request body nothing is kept."""
PATIENCE = 60.0
"""Seconds within which the next piece of a body must come."""

Message: TypeAlias = dict[str, Any]
Receive: TypeAlias = Callable[[], Awaitable[Message]]
Send: TypeAlias = Callable[[Message], Awaitable[None]]
Wsgi: TypeAlias = Callable[[dict[str, Any], Any], Iterable[bytes]]
T = TypeVar("T")
Answer: TypeAlias = tuple[int, list[tuple[bytes, bytes]], Iterable[bytes]]


def _key(name: bytes) -> str:
    """What WSGI calls a header."""
    key = name.decode("latin-1").upper().replace("-", "_")
    return key if key in ("CONTENT_TYPE", "CONTENT_LENGTH") else f"HTTP_{key}"


class Front:
    """An ASGI application that answers as the WSGI application does; made and used in one event loop."""

    def __init__(self, application: Wsgi, *, waits: bool = False) -> None:
        """`waits` tells that any answer may have to wait, as for a database."""
        self._application = application
        self._waits = waits
        self._threads = ThreadPoolExecutor(THREADS, thread_name_prefix="long")
        self._streams = EventStreams()
        self._long = 0
        """Requests that are with the threads."""

    async def __call__(self, scope: Message, receive: Receive, send: Send) -> None:
        turn = Turn()
        environ = _environ(scope, turn)
        if "CONTENT_LENGTH" in environ or "HTTP_TRANSFER_ENCODING" in environ:
            await _read_body(environ, turn, receive)
        answer = await self._answer(environ)
        while turn.wait:
            wait, turn.wait = turn.wait, 0.0
            turn.left = await _leaves_within(wait, receive)
            if turn.steps is not None:
                answer = await self._answer(environ)
        if not turn.left:
            await self._send(answer, turn, scope, receive, send)

    def end_streams(self) -> None:
        """End the streams of events, that would go on for long."""
        self._streams.ended = True

    async def _answer(self, environ: dict[str, Any]) -> Answer:
        path = environ["PATH_INFO"]
        if path == HEALTH or not (self._waits or self._long or path.startswith(CONTROL)):
            return _called(self._application, environ)
        return await self._at_length(_called, self._application, environ)

    async def _at_length(self, do: Callable[..., T], *arguments: Any) -> T:
        self._long += 1
        try:
            return await asyncio.get_running_loop().run_in_executor(self._threads, do, *arguments)
        finally:
            self._long -= 1

    async def _send(self, answer: Answer, turn: Turn, scope: Message, receive: Receive, send: Send) -> None:
        status, headers, body = answer
        if turn.delivery is not None:
            await deliver(turn.delivery, status, headers, scope, send)
            return
        await send({"type": "http.response.start", "status": status, "headers": headers})
        if turn.events is not None:
            await self._stream(turn.events, receive, send)
        elif turn.streamed:
            pieces = iter(body)
            while (piece := await self._at_length(next, pieces, None)) is not None:
                await send({"type": "http.response.body", "body": piece, "more_body": True})
            body = ()
        await send({"type": "http.response.body", "body": b"".join(body)})

    async def _stream(self, events: JournalStream, receive: Receive, send: Send) -> None:
        left = asyncio.ensure_future(_leaves(receive))
        try:
            async for piece in self._streams.pieces(events):
                await send({"type": "http.response.body", "body": piece, "more_body": True})
                if left.done():
                    return
        finally:
            left.cancel()


HEALTH = f"{CONTROL}/health"


def _called(application: Wsgi, environ: dict[str, Any]) -> Answer:
    started: list[Any] = []
    body = application(environ, lambda *given: started.extend(given))
    headers = [(name.lower().encode("latin-1"), value.encode("latin-1")) for name, value in started[1]]
    return int(started[0][:3]), headers, body


async def _read_body(environ: dict[str, Any], turn: Turn, receive: Receive) -> None:
    """Read the whole body into the environment, or say why it is not whole."""
    announced = environ.get("CONTENT_LENGTH", "")
    if announced.isdecimal() and int(announced) > LARGEST_BODY:
        return
    body = bytearray()
    try:
        async with asyncio.timeout(PATIENCE) as limit:
            message = await receive()
            while message["type"] != "http.disconnect":
                body += message.get("body", b"")
                if len(body) > LARGEST_BODY or not message.get("more_body"):
                    break
                limit.reschedule(asyncio.get_running_loop().time() + PATIENCE)
                message = await receive()
            else:
                of = f" of {int(announced):,}" if announced.isdecimal() else ""
                turn.incomplete = f"The body broke off after {len(body):,}{of} bytes."
    except TimeoutError:
        turn.incomplete = f"No more of the body came for {PATIENCE:.0f} s, after {len(body):,} bytes."
    environ["CONTENT_LENGTH"] = str(len(body))
    environ["wsgi.input"] = io.BytesIO(body)


async def _leaves(receive: Receive) -> None:
    """Wait until the client leaves."""
    while (await receive())["type"] != "http.disconnect":
        pass


async def _leaves_within(seconds: float, receive: Receive) -> bool:
    """Wait that long, or until the client leaves: whether it did."""
    try:
        async with asyncio.timeout(seconds):
            await _leaves(receive)
    except TimeoutError:
        return False
    return True


def _environ(scope: Message, turn: Turn) -> dict[str, Any]:
    """The request in the words of WSGI (PEP 3333), without the environment of this process."""
    raw: bytes = scope["raw_path"]
    environ: dict[str, Any] = {
        "REQUEST_METHOD": scope["method"],
        "SCRIPT_NAME": "",
        "PATH_INFO": (_decoded(raw) if b"%" in raw else raw).decode("latin-1"),
        "QUERY_STRING": scope["query_string"].decode("latin-1"),
        "SERVER_NAME": scope["server"][0],
        "SERVER_PORT": scope["server"][1],
        "SERVER_PROTOCOL": f"HTTP/{scope['http_version']}",
        "REMOTE_ADDR": scope["client"][0],
        "wsgi.version": (1, 0),
        "wsgi.url_scheme": scope["scheme"],
        "wsgi.input": _NO_BODY,
        "wsgi.errors": sys.stderr,
        "wsgi.multithread": True,
        "wsgi.multiprocess": False,
        "wsgi.run_once": False,
        KEY: turn,
    }
    for name, value in scope["headers"]:
        # To WSGI it would be the header with a hyphen. nginx and Apache drop it for that reason.
        if b"_" in name:
            continue
        key = _KEYS.get(name) or _key(name)
        text = value.decode("latin-1")
        # RFC 9110, 5.3: lines of one name are one list, save for cookies (RFC 9113, 8.2.3).
        environ[key] = text if key not in environ else f"{environ[key]}{'; ' if name == b'cookie' else ', '}{text}"
    return environ


def _decoded(path: bytes) -> bytes:
    """A path as WSGI has it, but for names in a control path, whose / and % stay encoded until the path is split."""
    return unquote_to_bytes(_OF_NAMES.sub(b"%25", path) if path.startswith(_CONTROL) else path)


_CONTROL = CONTROL.encode()
_OF_NAMES = re.compile(rb"%(?=2[5Ff])")
_NO_BODY = io.BytesIO()
_KEYS = {
    name: _key(name)
    for name in (b"host", b"accept", b"authorization", b"content-type", b"content-length", b"user-agent", b"connection")
}
