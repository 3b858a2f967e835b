# This file replays breaches that `mockserver verify` found. It needs pytest and httpx, and nothing else:
#
#     export TOKEN=…   # the token of the run; OTHER_TOKEN and HEADER_… where a message names them
#     BASE_URL=http://127.0.0.1:8000/api pytest test_breaches.py
#
# A failing test: the breach is still there, or it says that a variable is missing or that nothing answers. A passing
# one: it is gone. A skipped one cannot tell, and says why.
# Ids that an answer made are taken from the live answer. A sequence that collects is sent to a loopback address
# only, unless ALLOW_CHARGES=1 is set, since a collect charges a card. SSL_CERT_FILE names certificates to trust.
from __future__ import annotations

import json
import os
import re
import time
from collections.abc import Sequence
from decimal import Decimal
from urllib.parse import unquote, urlsplit

import httpx
import pytest

from mockserver.core.loopback import is_loopback
from mockserver.verify.claims.claims import CannotTell, Claim, LiveAnswer
from mockserver.verify.replay.playing import Replay, ReplayStep
from mockserver.verify.transport.placeholders import filled

WAIT = float(os.environ.get("WAIT", "20"))  # seconds that Stripe and its queue may take for what they do by themselves
RACES = int(os.environ.get("RACES", "10"))  # how often a race is run, since it does not show each time


def secret(name: str) -> str:
    value = os.environ.get(name)
    if not value:
        pytest.fail(f"set {name} to that of the run", pytrace=False)
    return value


def is_here(address: str) -> bool:
    return is_loopback(urlsplit(address).hostname or "")


class Server:
    """The server that the steps are sent to, and what it answered."""

    def __init__(self, target: str, client: httpx.Client) -> None:
        self.base = os.environ.get("BASE_URL", target).rstrip("/")
        self.client = client
        self.told: list[str] = []

    def address(self, url: str) -> str:
        return filled(url if url.startswith(("http://", "https://")) else self.base + url, secret)

    def send(self, step: ReplayStep, url: str, body: str | bytes) -> LiveAnswer:
        address = self.address(url)
        if unquote(urlsplit(address).path).rstrip("/").endswith("/collect") and not may_charge(address):
            raise CannotTell(f"a collect charges a card: set ALLOW_CHARGES=1 to send it to {self.base}")
        headers = [(name.encode(), filled(value, secret).encode("latin-1", "replace")) for name, value in step.headers]
        content = filled(body, secret).encode() if isinstance(body, str) else body
        is_chunked = ("Transfer-Encoding", "chunked") in step.headers
        if is_chunked:
            # What a server leaves unread of it is no other request.
            headers.append((b"Connection", b"close"))
        for _ in range(6):
            sent = iter([content]) if is_chunked else content or None
            try:
                came = self.client.request(step.method, address, headers=headers, content=sent)
            except httpx.HTTPError as error:
                self.told.append(f"{step.method} {url}: no answer: {type(error).__name__}: {error}")
                return LiveAnswer(None, None, False)
            if came.status_code != 429:
                break
            later = came.headers.get("Retry-After", "")
            time.sleep(min(int(later), 30) if re.fullmatch("[0-9]{1,6}", later) else 1)
        self.told.append(f"{step.method} {url}: {came.status_code} {came.text[:300]}")
        try:
            value = json.loads(came.text, parse_float=Decimal)
        except (ValueError, RecursionError):
            return LiveAnswer(came.status_code, None, False)
        return LiveAnswer(came.status_code, value, "json" in came.headers.get("content-type", "").lower())

    def must_be_there(self, steps: Sequence[ReplayStep]) -> None:
        """Fails where nothing answers; skips where the token is refused, which would look like a refusal."""
        by_token = [step.headers for step in steps if any("$TOKEN" in value for _, value in step.headers)]
        for headers in by_token[:1]:
            reply = self.send(ReplayStep("GET", (), headers), "/billing/invoices", b"")
            if reply.status is None:
                pytest.fail(self.told[-1], pytrace=False)
            if reply.status in (401, 403):
                pytest.skip(f"cannot tell: {self.told[-1]}")
        self.told.clear()


def client_of(address: str) -> httpx.Client:
    """What goes to this machine goes through no proxy: there, its own loopback address would be meant."""
    if is_here(address):
        return httpx.Client(timeout=30, trust_env=False, transport=httpx.HTTPTransport())
    return httpx.Client(timeout=30)


def may_charge(address: str) -> bool:
    return is_here(address) or os.environ.get("ALLOW_CHARGES") == "1"


def must_hold(target: str, steps: Sequence[ReplayStep], rule: str, check: Claim) -> None:
    """Fails when the check does not hold of the live answers: the breach is there. Skips where they can't tell."""
    with client_of(os.environ.get("BASE_URL", target)) as client:
        server = Server(target, client)
        for step in steps:
            filled("".join(value for _, value in step.headers), secret)
        if not may_charge(server.base) and any("/collect" in str(step.url[-1:]) for step in steps):
            pytest.skip(f"a collect charges a card: set ALLOW_CHARGES=1 to send it to {server.base}")
        server.must_be_there(steps)
        for _ in range(RACES if any(step.race for step in steps) else 1):
            server.told.clear()
            try:
                held = Replay(steps, check, server.send, time.sleep).holds(wait=WAIT)
            except CannotTell as reason:
                came = f"\n  {server.told[-1]}" if server.told else ""
                pytest.skip(f"cannot tell: {reason}{came}")
            if not held:
                came = "".join(f"\n  {place}. {line}" for place, line in enumerate(server.told, 1))
                pytest.fail(f"{rule}\nwhat came:{came}", pytrace=False)
