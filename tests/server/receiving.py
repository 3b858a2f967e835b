"""A receiver of webhooks, and what tests do about it."""

from __future__ import annotations

import hmac
import json
import socket
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from typing import Any

from tests.conftest import Api
from tests.servers import Quiet, serving

SECRET = "s3cret"


@dataclass
class Got:
    """One request that came to the receiver."""

    body: bytes
    headers: dict[str, str]

    @property
    def invoice(self) -> int:
        return int(json.loads(self.body)["data"]["id"])


@dataclass
class Receiver:
    """A receiver of webhooks: what it got, and what it answers next, 200 when nothing is planned."""

    url: str = ""
    got: list[Got] = field(default_factory=list)
    answers: list[int] = field(default_factory=list)
    hang: threading.Event | None = None
    """Whoever calls waits until it is set."""

    def wait(self, count: int) -> list[Got]:
        eventually(lambda: len(self.got) >= count)
        assert len(self.got) == count
        return self.got


def eventually(true: Callable[[], object], *, seconds: float = 60) -> None:
    deadline = time.monotonic() + seconds
    while not true():
        assert time.monotonic() < deadline, "it did not happen"
        time.sleep(0.01)


@contextmanager
def receiving() -> Iterator[Receiver]:
    receiver = Receiver()

    class Handler(Quiet):
        def do_POST(self) -> None:
            body = self.rfile.read(int(self.headers["Content-Length"]))
            receiver.got.append(Got(body, {name.lower(): value for name, value in self.headers.items()}))
            status = receiver.answers.pop(0) if receiver.answers else 200
            if receiver.hang is not None:
                receiver.hang.wait(30)
            self.send_response(status)
            self.send_header("Location", receiver.url)
            self.end_headers()

        def handle(self) -> None:
            try:
                super().handle()
            except ConnectionError:
                pass

    with serving(Handler) as address:
        receiver.url = f"{address}/hook?from=mock"
        try:
            yield receiver
        finally:
            if receiver.hang is not None:
                receiver.hang.set()


@contextmanager
def deaf() -> Iterator[str]:
    """The address of something that takes connections and says nothing, ever."""
    with socket.create_server(("127.0.0.1", 0), backlog=128) as server:
        yield f"http://127.0.0.1:{server.getsockname()[1]}/"


def subscribe(api: Api, url: str | None, **fields: Any) -> Any:
    answer = api.control("PUT", "/webhooks", json={"url": url, "secret": SECRET, **fields})
    assert answer.status_code == 200, answer.text
    return answer.json()


def advance(api: Api, by: float | str) -> None:
    assert api.control("POST", "/clock/advance", json={"by": by}).status_code == 200


def freeze(api: Api) -> None:
    assert api.control("POST", "/clock/freeze").status_code == 200


def deliveries(api: Api, **params: Any) -> Any:
    answer = api.control("GET", "/webhooks/deliveries", params=params)
    assert answer.status_code == 200, answer.text
    return answer.json()["data"]


def settled(api: Api, delivery: int, state: str, attempts: int) -> Any:
    """The delivery, once it has come to that state by that many attempts."""

    def there() -> bool:
        shown = api.control("GET", f"/webhooks/deliveries/{delivery}").json()
        return (shown["state"], len(shown["attempts"])) == (state, attempts)

    eventually(there)
    return api.control("GET", f"/webhooks/deliveries/{delivery}").json()


def signed(body: bytes, secret: str = SECRET) -> str:
    return hmac.new(secret.encode(), body, "sha256").hexdigest()
