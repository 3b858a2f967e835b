"""Our own fake in this process, with the profile and the currency of the server under test."""

from __future__ import annotations

import itertools
import json
from collections.abc import Sequence
from decimal import Decimal
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any
from urllib.parse import urlencode

from mockserver.billing.profile import CHOICES, Value, dump_profile
from mockserver.core.messages import Request
from mockserver.core.scalars import dump
from mockserver.server.pipeline import respond
from mockserver.server.service import Service, open_service
from mockserver.server.settings import Settings
from mockserver.verify.transport.messages import parse_json


class Fake:
    """Answers like the server should. `fresh` begins a world of its own with nothing in it."""

    def __init__(self, choices: dict[str, Value], currency: str) -> None:
        self._service = _service(choices, currency)
        self._worlds = itertools.count(1)
        self._token = ""
        self.fresh()

    def fresh(self) -> None:
        self._token = f"merchant1@model-{next(self._worlds)}"

    def ask(
        self, method: str, path: str, *, content: object = None, query: Sequence[tuple[str, str]] = ()
    ) -> tuple[int, dict[str, Any]]:
        """Status and body, with exact numbers."""
        headers = {"authorization": f"Bearer {self._token}", "accept": "application/json", "x-selected-client-id": "1"}
        body = b""
        if content is not None:
            headers["content-type"] = "application/json"
            body = json.dumps(content, default=_number).encode()
        request = Request(method, path, urlencode(query), headers, body)
        reply = respond(request, self._service, address=f"http://model/api{path}").reply
        answer = parse_json(json.dumps(reply.body, default=_number).encode())
        return reply.status, answer if isinstance(answer, dict) else {}


def _number(value: object) -> object:
    if isinstance(value, Decimal):
        return int(value) if value == value.to_integral_value() else float(value)
    raise TypeError(f"{type(value).__name__} is no JSON")


def _service(choices: dict[str, Value], currency: str) -> Service:
    """A service over a world without records. Its queue never gets to an invoice by itself."""
    merchant = {"name": "The merchant", "currency": currency, "card": "pm_card_visa"}
    fixture = {"description": "For a model.", "merchants": [{"id": 1, **merchant}, {"id": 2, **merchant}]}
    with TemporaryDirectory(prefix="mockserver-verify-") as folder:
        world, profile = Path(folder) / "model.yaml", Path(folder) / "measured.yaml"
        world.write_text(dump(fixture), encoding="utf-8")
        # Who compares with it waits for what the server shows only later, so that here everything shows at once.
        said = choices | {"payment_shown": "at_once"}
        legal = {key: value for key, value in said.items() if key in CHOICES and CHOICES[key].accepts(value)}
        profile.write_text(dump_profile(legal, description="Measured."), encoding="utf-8")
        return open_service(Settings(fixture=str(world), profile=str(profile), stripe_delay=1e9))
