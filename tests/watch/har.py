"""HAR files in the making, and what is read of them."""

from __future__ import annotations

import io
import json
from typing import Any

from mockserver.watch.loading.addresses import Addresses
from mockserver.watch.loading.files import Recording
from mockserver.watch.passing import Passing
from tests.watch.traffic import invoice, page

Entry = dict[str, Any]
BASE = "https://portal.example.com/api"


def entry(url: str = f"{BASE}/billing/invoices", **given: Any) -> Entry:
    text = json.dumps(page([invoice(1)]))
    made: Entry = {
        "startedDateTime": "2026-11-02T10:00:00.000Z",
        "time": 12.5,
        "request": {
            "method": "GET",
            "url": url,
            "headers": [{"name": ":authority", "value": "portal.example.com"}, {"name": "accept", "value": "*/*"}],
        },
        "response": {
            "status": 200,
            "headers": [{"name": "content-type", "value": "application/json"}],
            "content": {"size": len(text), "mimeType": "application/json", "text": text},
        },
    }
    for path, value in given.items():
        *parents, last = path.split("__")
        part = made
        for parent in parents:
            part = part[parent]
        if value is None:
            part.pop(last, None)
        else:
            part[last] = value
    return made


def har(*entries: object) -> bytes:
    return json.dumps({"log": {"version": "1.2", "creator": {"name": "x"}, "entries": entries}}).encode()


def read(content: bytes, base: str | None = None) -> tuple[Recording, list[Passing | str]]:
    recording = Recording("a.har", io.BufferedReader(io.BytesIO(content)), Addresses(base))
    return recording, list(recording.read())


def only(*entries: object, base: str | None = None) -> Passing | str:
    _, [found] = read(har(*entries), base)
    return found
