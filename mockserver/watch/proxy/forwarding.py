"""The way of one request through the proxy: out, back, judged, and on to the client."""

from __future__ import annotations

import time
from collections.abc import AsyncIterator, Callable, Mapping
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime
from types import MappingProxyType

import aiohttp
from aiohttp import web

from mockserver.contract.contract import Contract
from mockserver.core.loopback import is_loopback
from mockserver.watch.passing import Passing
from mockserver.watch.proxy.codings import decoded, readable_codings
from mockserver.watch.proxy.headers import ALLOWED, EXPOSED, forwarded, origin_form, pairs, readers
from mockserver.watch.proxy.permits import Permits
from mockserver.watch.proxy.upstream import FAILURES, Failure, Upstream

MOST_ASKED = 1_000_000
"""Bytes of a request that are kept to be judged; a longer one is passed on alone."""
MOST_ANSWERED = 2_000_000
"""The same for answers."""
BREACH_HEADER = "X-Mock-Breach"
LONGEST_HEADER = 2_000
_VIA = "1.1 mockserver"


@dataclass(slots=True)
class Heard:
    """What became of one request."""

    method: str
    target: str
    at: datetime
    status: int = 0
    seconds: float = 0.0
    breaches: list[str] = field(default_factory=list)
    failure: str = ""


class PassedOn(web.StreamResponse):
    """An answer of the server behind the proxy."""

    came: Mapping[str, str] = MappingProxyType({})
    """The headers that it came with."""


class _Tee:
    """A body that is passed on as it comes, and kept as far as there is room."""

    def __init__(self, content: AsyncIterator[bytes], most: int) -> None:
        self._content = content
        self._most = most
        self._kept: bytearray | None = bytearray()

    async def __aiter__(self) -> AsyncIterator[bytes]:
        async for chunk in self._content:
            if self._kept is not None:
                self._kept += chunk
                if len(self._kept) > self._most:
                    self._kept = None
            yield chunk

    @property
    def whole(self) -> bytes | None:
        return None if self._kept is None else bytes(self._kept)


@dataclass(slots=True)
class Forwarding:
    """Forwards requests and has their answers judged."""

    upstream: Upstream
    contract: Contract
    permits: Permits
    judge: Callable[[Passing], list[str]]
    heard: Callable[[Heard], None]
    fail: bool = False
    """Whether the client gets a 502 in the place of an answer that breaks the contract."""
    mistakes: list[Exception] = field(default_factory=list)
    """What the judge itself did wrong."""
    _number: int = 0

    async def handle(self, request: web.Request) -> web.StreamResponse:
        """Answers one request."""
        heard = Heard(request.method, origin_form(request.raw_path), datetime.now(UTC))
        began = time.monotonic()
        try:
            refusal = self.permits.refusal(request.method, heard.target, request.headers)
            if refusal is not None:
                heard.status = 403
                return web.json_response({"message": refusal}, status=403)
            return await self._pass(request, heard, began)
        finally:
            heard.seconds = time.monotonic() - began
            self.heard(heard)

    async def _pass(self, request: web.Request, heard: Heard, began: float) -> web.StreamResponse:
        target = self._below(heard.target)
        is_judged = target is not None and self.contract.addressed(request.method, target) is not None
        body = _Tee(request.content.iter_any(), MOST_ASKED) if request.body_exists else None
        headers = forwarded(request.headers, without=("host", "expect"))
        headers["Host"] = self.upstream.host
        if not _steers_from_here(request):
            headers.add("Via", _VIA)
        if is_judged and "Accept-Encoding" in headers:
            headers["Accept-Encoding"] = readable_codings(headers["Accept-Encoding"])
        try:
            answer = await self.upstream.send(
                request.method, heard.target, headers, None if body is None else aiter(body)
            )
        except FAILURES as error:
            failed = self._failed(heard, self.upstream.failure(error))
            if target is not None and not is_judged:
                self._judge(self._passing(request, target, heard, began))
            return failed
        try:
            if target is not None and is_judged:
                return await self._judged(request, answer, target, heard, body, began)
            heard.status = answer.status
            if target is not None:
                # Before the client can ask for anything that shows what this has changed.
                self._judge(self._passing(request, target, heard, began))
            return await _stream(request, answer, [], {})
        finally:
            answer.release()

    async def _judged(
        self,
        request: web.Request,
        answer: aiohttp.ClientResponse,
        target: str,
        heard: Heard,
        asked: _Tee | None,
        began: float,
    ) -> web.StreamResponse:
        chunks: list[bytes] = []
        whole = False
        try:
            whole = await _read(answer, chunks)
        except FAILURES as error:
            return self._failed(heard, self.upstream.failure(error), readers(answer.headers))
        heard.status = answer.status
        raw = b"" if asked is None else asked.whole
        sent = None if raw is None else decoded(raw, request.headers.get("Content-Encoding", ""))
        body = decoded(b"".join(chunks), answer.headers.get("Content-Encoding", "")) if whole else None
        passing = replace(
            self._passing(request, target, heard, began),
            body=sent or b"",
            answer_headers=pairs(answer.headers),
            answer=None if sent is None else body,
        )
        heard.breaches = self._judge(passing)
        if self.fail and heard.breaches:
            heard.status = 502
            told = {"message": f"The answer breaks the contract: {'; '.join(heard.breaches)}"}
            headers = readers(answer.headers)
            headers.extend(_told(heard.breaches, answer.headers))
            return web.json_response(told, status=502, headers=headers)
        return await _stream(request, answer, chunks, _told(heard.breaches, answer.headers))

    def _passing(self, request: web.Request, target: str, heard: Heard, began: float) -> Passing:
        """The exchange, without its bodies and without what the answer says beyond its status."""
        self._number += 1
        return Passing(
            number=self._number,
            method=request.method,
            target=target,
            headers=pairs(request.headers),
            status=heard.status,
            answer=None,
            started=began,
            ended=time.monotonic(),
            base=self.upstream.url,
            at=heard.at.isoformat(timespec="milliseconds").replace("+00:00", "Z"),
            whole=True,
        )

    def _judge(self, passing: Passing) -> list[str]:
        try:
            return self.judge(passing)
        except Exception as mistake:
            # A mistake of ours must not cost the client its answer. It is raised at the end.
            self.mistakes.append(mistake)
            return []

    def _below(self, target: str) -> str | None:
        """What is asked for below the API's address; None for anything beside it."""
        prefix = self.upstream.path
        rest = target.removeprefix(prefix)
        inside = len(rest) + len(prefix) == len(target) and rest[:1] in ("/", "?", "")
        return rest if inside else None

    def _failed(self, heard: Heard, failure: Failure, headers: Mapping[str, str] | None = None) -> web.Response:
        """In the API's form (GEN-5). Which pages may read it the server alone can say, if it said anything."""
        heard.status, heard.failure = failure.status, failure.words
        return web.json_response({"message": failure.words}, status=failure.status, headers=headers)


async def _read(answer: aiohttp.ClientResponse, chunks: list[bytes]) -> bool:
    """Reads the body into `chunks` as far as it is to be judged; whether that is all of it."""
    size = 0
    async for chunk in answer.content.iter_any():
        chunks.append(chunk)
        size += len(chunk)
        if size > MOST_ANSWERED:
            return False
    return True


def _steers_from_here(request: web.Request) -> bool:
    """Whether this machine, under its own name, steers a fake behind the proxy, which trusts only those nearby."""
    is_control = request.path == "/_mock" or request.path.startswith("/_mock/")
    return is_control and is_loopback(request.remote or "") and is_loopback(request.url.host or "")


async def _stream(
    request: web.Request, answer: aiohttp.ClientResponse, read: list[bytes], more: dict[str, str]
) -> web.StreamResponse:
    """Passes an answer on, what was read of it first."""
    response = PassedOn(status=answer.status, reason=answer.reason, headers=forwarded(answer.headers))
    response.headers.extend(more)
    response.came = answer.headers
    try:
        await response.prepare(request)
        for chunk in read:
            await response.write(chunk)
        async for chunk in answer.content.iter_any():
            await response.write(chunk)
        await response.write_eof()
    except FAILURES:
        # The client left, or half of it is with it already: what broke off there breaks off here.
        if request.transport is not None:
            request.transport.abort()
    return response


def _told(breaches: list[str], came: Mapping[str, str]) -> dict[str, str]:
    """The header that tells the breaches, to be read by those pages that may read the answer it came with."""
    if not breaches:
        return {}
    text = "; ".join(breaches).encode("ascii", "backslashreplace").decode("ascii")
    told = {BREACH_HEADER: " ".join(text.split())[:LONGEST_HEADER]}
    return {**told, EXPOSED: BREACH_HEADER} if ALLOWED in came else told
