"""The sending of one event over HTTP, and what came of it."""

from __future__ import annotations

import asyncio
import time

import httpx

from mockserver.state.outbox import SIGNATURE, DeliveryAttempt, Subscription


class WebhookSender:
    """An HTTP client that reads no more of an answer than its status; made and used in one event loop's thread."""

    def __init__(self, *, at_once: int) -> None:
        # Proxies of the environment are for the Internet; receivers are on this machine or near it. A connection that
        # is kept may be closed by the receiver just as the next event goes out, which would look like its failure.
        self._client = httpx.AsyncClient(
            trust_env=False,
            follow_redirects=False,
            limits=httpx.Limits(max_connections=at_once, max_keepalive_connections=0),
        )
        self._turns = asyncio.Semaphore(at_once)

    async def post(self, subscription: Subscription, body: bytes, now: int) -> DeliveryAttempt:
        """One attempt to deliver `body`; whatever goes wrong is told in it."""
        url, signature = subscription.url or "", subscription.sign(body)
        headers = {"Content-Type": "application/json", SIGNATURE: signature, "User-Agent": "mockserver"}
        status, error = None, None
        async with self._turns:
            started = time.perf_counter()
            try:
                async with (
                    asyncio.timeout(subscription.timeout),
                    self._client.stream("POST", url, content=body, headers=headers, timeout=None) as answer,
                ):
                    status = answer.status_code
            except TimeoutError:
                error = f"no answer within {subscription.timeout:g} s"
            except (httpx.HTTPError, httpx.InvalidURL, OSError) as problem:
                error = f"{type(problem).__name__}: {problem}"
            seconds = round(time.perf_counter() - started, 4)
        return DeliveryAttempt(now, url, signature, status, error, seconds)
