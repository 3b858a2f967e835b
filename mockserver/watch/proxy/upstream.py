"""The server behind the proxy: its address, the connections to it, and what its failures are called."""

from __future__ import annotations

import asyncio
import ssl
from collections.abc import AsyncIterator
from dataclasses import dataclass
from urllib.parse import urlsplit

import aiohttp
from yarl import URL

from mockserver.core.errors import Unusable
from mockserver.core.loopback import is_loopback

CONNECTING = 10.0
"""Seconds that a connection may take."""
LONGEST_LINE = 65_536
"""Bytes of a line of a head that are read."""
Body = bytes | AsyncIterator[bytes] | None


@dataclass(frozen=True, slots=True)
class Failure:
    """Why no answer came, and the status that says so."""

    status: int
    words: str


@dataclass(slots=True)
class Upstream:
    """Sends requests on, unchanged. To be opened and closed in the event loop."""

    url: str
    """The API's address, without its final slash."""
    timeout: float
    """Seconds that the server may be silent."""
    tls_verify: bool | str = True
    _reads: aiohttp.ClientSession | None = None
    _writes: aiohttp.ClientSession | None = None

    @property
    def origin(self) -> str:
        parts = urlsplit(self.url)
        return f"{parts.scheme}://{parts.netloc}"

    @property
    def path(self) -> str:
        """What stands before the paths of the API."""
        return urlsplit(self.url).path

    @property
    def host(self) -> str:
        return urlsplit(self.url).netloc

    def open(self) -> None:
        """Raises `Unusable` for certificates that can't be read."""
        trust = _trust(self.tls_verify)
        self._reads = self._session(trust, force_close=False)
        # A request that changes something can't be sent twice, and on an old connection nobody knows whether it came.
        self._writes = self._session(trust, force_close=True)

    async def close(self) -> None:
        for session in (self._reads, self._writes):
            if session is not None:
                await session.close()

    async def send(
        self, method: str, target: str, headers: aiohttp.typedefs.LooseHeaders, body: Body
    ) -> aiohttp.ClientResponse:
        """The head of the answer; its body is still to be read. Raises what `failure` names."""
        session = self._reads if method in ("GET", "HEAD", "OPTIONS") else self._writes
        if session is None:
            raise RuntimeError("not open")
        return await session.request(
            method, URL(self.origin + target, encoded=True), headers=headers, data=body, allow_redirects=False
        )

    def _session(self, trust: ssl.SSLContext | bool, *, force_close: bool) -> aiohttp.ClientSession:
        return aiohttp.ClientSession(
            connector=aiohttp.TCPConnector(limit=0, ssl=trust, force_close=force_close),
            timeout=aiohttp.ClientTimeout(sock_connect=CONNECTING, sock_read=self.timeout),
            cookie_jar=aiohttp.DummyCookieJar(),
            auto_decompress=False,
            skip_auto_headers=("Accept", "Accept-Encoding", "Content-Type", "User-Agent"),
            trust_env=not is_loopback(urlsplit(self.url).hostname or ""),
            max_line_size=LONGEST_LINE,
            max_field_size=LONGEST_LINE,
        )

    def failure(self, error: Exception) -> Failure:
        """What went wrong, in words for the client and the log."""
        where = self.origin
        match error:
            case aiohttp.ClientSSLError() | ssl.SSLError():
                hint = "; --tls-verify FILE trusts the certificates in it"
                return Failure(502, f"TLS with {where} failed: {error}{hint}")
            case asyncio.TimeoutError():
                return Failure(504, f"{where} did not answer within {self.timeout:g} s")
            case aiohttp.ClientConnectorError():
                return Failure(502, f"{where} can't be reached: {error.strerror or error}")
            case aiohttp.ClientResponseError() | aiohttp.http.HttpProcessingError():
                return Failure(502, f"{where} answers what is no HTTP: {str(error)[:200]}")
            case aiohttp.ClientPayloadError():
                return Failure(502, f"{where} broke off its answer: {str(error)[:200]}")
            case _:
                return Failure(502, f"{where} closed the connection without an answer: {str(error)[:200]}")


FAILURES = (aiohttp.ClientError, aiohttp.http.HttpProcessingError, asyncio.TimeoutError, OSError)
"""What sending and reading raise."""


def _trust(tls_verify: bool | str) -> ssl.SSLContext | bool:
    if isinstance(tls_verify, bool):
        return tls_verify
    try:
        return ssl.create_default_context(cafile=tls_verify)
    except OSError as error:
        raise Unusable(f"--tls-verify {tls_verify}: expected a file of certificates (PEM): {error}") from error
