"""The sending of one event over HTTP, and what came of it."""

from __future__ import annotations

import asyncio
import time
from collections.abc import Callable

import httpx

from mockserver.state.outbox import SIGNATURE, DeliveryAttempt, Subscription


class WebhookSender:
    """An HTTP client that reads no more of an answer than its status; made and used in one event loop's thread."""

    def __init__(self, *, at_once: int, check_target: Callable[[str], object]) -> None:
        """`check_target` raises ValueError for an address that nothing may be posted to."""
        # Proxies of the environment are for the Internet; receivers are on this machine or near it. A connection that
        # is kept may be closed by the receiver just as the next event goes out, which would look like its failure.
        self._client = httpx.AsyncClient(
            trust_env=False,
            follow_redirects=False,
            limits=httpx.Limits(max_connections=at_once, max_keepalive_connections=0),
        )
        self._check_target = check_target

    async def post(self, subscription: Subscription, body: bytes, now: int) -> DeliveryAttempt:
        """One attempt to deliver `body`; whatever goes wrong is told in it."""
        url, signature = subscription.url or "", subscription.sign(body)
        headers = {"Content-Type": "application/json", SIGNATURE: signature, "User-Agent": "mockserver"}
        status, error = None, None
        try:
            # The address may come from a database or a snapshot, where another server has allowed it.
            self._check_target(url)
        except ValueError as refusal:
            return DeliveryAttempt(now, url, signature, None, str(refusal), 0.0)
        started = time.perf_counter()
        try:
            async with (
                asyncio.timeout(subscription.timeout),
                self._client.stream("POST", url, content=body, headers=headers, timeout=None) as answer,
            ):
                status = answer.status_code
        except TimeoutError:
            error = f"no answer within {subscription.timeout:g} s"
        except (httpx.HTTPError, httpx.InvalidURL, OSError, ValueError) as problem:
            # A ValueError is a host's name that can't be encoded: httpx and sockets each let theirs through.
            error = f"{type(problem).__name__}: {problem}"
        seconds = round(time.perf_counter() - started, 4)
        return DeliveryAttempt(now, url, signature, status, error, seconds)
