"""What tests replace in HTTP libraries, to catch their own program's requests, does not catch those of our client."""

from __future__ import annotations

from typing import Any

import httpcore
import httpx
import pytest

from mockserver.client import Control
from mockserver.server.process import Running


def caught(*_: Any, **__: Any) -> Any:
    raise AssertionError("caught by an interceptor")


@pytest.mark.parametrize(
    ("owner", "name"),
    [
        (httpx.HTTPTransport, "handle_request"),
        (httpx.AsyncHTTPTransport, "handle_async_request"),
        (httpx.Client, "send"),
        (httpcore.ConnectionPool, "handle_request"),
        (httpcore.HTTPConnection, "handle_request"),
    ],
)
def test_control_goes_through(server: Running, monkeypatch: pytest.MonkeyPatch, owner: type, name: str) -> None:
    monkeypatch.setattr(owner, name, caught)
    control = Control(server.base, "provider@intercepted")
    try:
        with control.declines("expired_card"):
            assert control.faults()[0]["kind"] == "outcome"
        assert control.journal() == []
    finally:
        control.delete()
        control.close()
