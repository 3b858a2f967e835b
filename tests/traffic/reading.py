"""Reads the journal of a server, and has expectations of it verified."""

from __future__ import annotations

from typing import Any

from tests.conftest import Api

LIST = "/billing/invoices"


def journal(api: Api, **query: Any) -> Any:
    answer = api.control("GET", "/journal", params=query)
    assert answer.status_code == 200, answer.text
    return answer.json()


def entries(api: Api, **query: Any) -> list[Any]:
    found: list[Any] = journal(api, **query)["data"]
    return found


def verify(api: Api, *expect: dict[str, Any], **more: Any) -> Any:
    answer = api.control("POST", "/journal/verify", json={"expect": list(expect), **more})
    assert answer.status_code == 200, answer.text
    return answer.json()
