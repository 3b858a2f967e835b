"""A plain client for the tests of these servers: one connection, one token, JSON or forms."""

from __future__ import annotations

import http.client
import json
import select
import threading
import time
from collections.abc import Callable, Mapping, Sequence
from contextlib import closing
from dataclasses import dataclass
from decimal import Decimal
from email.utils import parsedate_to_datetime
from typing import Any, TypeVar
from urllib.parse import urlencode, urlsplit

T = TypeVar("T")


@dataclass(frozen=True, slots=True)
class Answer:
    """`status` is 0 when no answer came, `document` None when it is no JSON; numbers with a point are Decimal."""

    status: int
    document: Any
    content: bytes
    headers: Mapping[str, str]

    @property
    def rows(self) -> list[Any]:
        """The rows of a page; none when it isn't one."""
        rows = self.document.get("data") if isinstance(self.document, dict) else None
        return rows if isinstance(rows, list) else []

    @property
    def invoice(self) -> dict[str, Any]:
        """The invoice of the answer; empty when it has none."""
        return self.part("invoice")

    @property
    def charge(self) -> dict[str, Any]:
        return self.part("charge")

    def part(self, name: str) -> dict[str, Any]:
        part = self.document.get(name) if isinstance(self.document, dict) else None
        return part if isinstance(part, dict) else {}

    @property
    def refused(self) -> bool:
        return 400 <= self.status < 500


class Talk:
    """Calls the API at `url` with a token, on behalf of a merchant or of none; waits when it is told to (429)."""

    def __init__(self, url: str, token: str | None = "merchant1", merchant: object = None) -> None:
        address = urlsplit(url)
        self.url, self.token, self.merchant = url, token, merchant
        self.base = address.path
        self.connection = http.client.HTTPConnection(address.netloc, timeout=20)

    def close(self) -> None:
        self.connection.close()

    def send(
        self,
        method: str,
        path: str,
        *,
        query: Mapping[str, object] | None = None,
        json_body: object = None,
        form: Sequence[tuple[str, str]] | None = None,
        raw: bytes | None = None,
        headers: Mapping[str, str] | None = None,
    ) -> Answer:
        """`json_body`, `form` or `raw` is the body."""
        sent = {"Accept": "application/json", "Content-Type": "application/json"}
        body = raw
        if form is not None:
            body = urlencode(form).encode()
            sent["Content-Type"] = "application/x-www-form-urlencoded"
        elif json_body is not None:
            body = json.dumps(json_body).encode()
        if self.token is not None:
            sent["Authorization"] = f"Bearer {self.token}"
        if self.merchant is not None:
            sent["X-Selected-Client-Id"] = str(self.merchant)
        target = self.base + path + (f"?{urlencode(query)}" if query else "")
        return self.exchange(method, target, body, sent | dict(headers or {}))

    def exchange(self, method: str, target: str, body: bytes | None, headers: Mapping[str, str]) -> Answer:
        if self.connection.sock is not None and select.select([self.connection.sock], [], [], 0)[0]:
            # Nothing is awaited, so that it can only be the server's farewell to an idle connection.
            self.connection.close()
        try:
            self.connection.request(method, target, body=body, headers=dict(headers))
            response = self.connection.getresponse()
            content = response.read()
        except (OSError, http.client.HTTPException):
            self.connection.close()
            return Answer(0, None, b"", {})
        if response.status == 429:
            time.sleep(seconds(response.headers["Retry-After"]))
            return self.exchange(method, target, body, headers)
        try:
            document = json.loads(content, parse_float=Decimal)
        except ValueError:
            document = None
        found = {name.lower(): value for name, value in response.getheaders()}
        return Answer(response.status, document, content, found)

    def page(self, **query: object) -> Answer:
        return self.send("GET", "/billing/invoices", query=query)

    def search(self, text: str, **query: object) -> list[Any]:
        """The ids that a search finds, as they come."""
        rows = self.page(q=text, **({"per_page": 25} | query)).rows
        return [row.get("id") for row in rows if isinstance(row, dict)]

    def charges(self, **query: object) -> Answer:
        return self.send("GET", "/billing/charges", query=query)

    def get_charge(self, number: object) -> Answer:
        return self.send("GET", f"/billing/charges/{number}")

    def adjust(self, amount: object, description: str = "work") -> Answer:
        return self.send(
            "POST",
            "/billing/charges/quick-adjustment",
            json_body={"amount": amount, "description": description},
        )

    def charge(self, amount: object) -> int:
        """The id of a new charge; -1 when none was made."""
        number = self.adjust(amount).charge.get("id")
        return number if isinstance(number, int) else -1

    def create(self, *charge_ids: object) -> Answer:
        return self.send("POST", "/billing/invoices", json_body={"charge_ids": list(charge_ids)})

    def create_all(self) -> Answer:
        return self.send("POST", "/billing/invoices")

    def draft(self, *amounts: object) -> object:
        """The id of a new draft of new charges; -1 when none was made."""
        return self.create(*[self.charge(amount) for amount in amounts]).invoice.get("id", -1)

    def finalize(self, number: object) -> Answer:
        return self.send("POST", f"/billing/invoices/{number}/finalize")

    def collect(self, number: object) -> Answer:
        return self.send("POST", f"/billing/invoices/{number}/collect")

    def look(self, number: object) -> dict[str, Any]:
        """The invoice as the list shows it; empty when it isn't there."""
        rows = self.page(q=f'id:"{number}"').rows
        return rows[0] if len(rows) == 1 and isinstance(rows[0], dict) else {}


def seconds(retry_after: str) -> float:
    """How long to wait: the header has seconds or a date."""
    if retry_after.isdigit():
        return float(retry_after)
    return max(0.0, parsedate_to_datetime(retry_after).timestamp() - time.time())


def at_once(url: str, times: int, act: Callable[[Talk, int], T], *, token: str = "merchant1") -> list[T]:
    """What `act` gives when it is done by several clients at the same moment, in their order."""
    barrier = threading.Barrier(times)
    results: dict[int, T] = {}

    def client(number: int) -> None:
        with closing(Talk(url, token, 1)) as talk:
            talk.page(per_page=1)
            barrier.wait()
            results[number] = act(talk, number)

    threads = [threading.Thread(target=client, args=(number,)) for number in range(times)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    return [results[number] for number in range(times)]
