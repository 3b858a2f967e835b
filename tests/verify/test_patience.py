"""What befalls a correct server, or a network before it, during a run, and is nothing against the server."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from typing import Any

import httpx
import pytest

from mockserver.verify.assertions.statements import status_of
from mockserver.verify.claims.claims import Claim
from mockserver.verify.events import (
    AFTER_THE_QUEUE,
    CHARGE_TAKEN,
    DRAFT_CHANGED,
    DRAFT_LEFT,
    PAID_AFTER_A_DECLINE,
    PAID_UNASKED,
    Breach,
    RecordedExchange,
    Reproduction,
)
from tests.mutants.config import ServerConfig, build
from tests.mutants.reference.api import Api
from tests.mutants.reference.messages import Request, read_target
from tests.verify.driving import Heard, judge

ADDRESS = "http://127.0.0.1/api"
ONCE = ServerConfig(name="test", says="made for one test", choices={"recollect": "accept"})


class Losing(httpx.BaseTransport):
    """Asks the server, and loses the answer to the request of that number among those that end so."""

    def __init__(self, api: Api, ending: str, number: int, error: type[httpx.TransportError]) -> None:
        self.api = api
        self.ending = ending
        self.number = number
        self.error = error

    def handle_request(self, request: httpx.Request) -> httpx.Response:
        target = request.url.raw_path.decode("ascii")
        path, query = read_target(target)
        headers = {name.decode().lower(): value.decode("latin-1") for name, value in request.headers.raw}
        asked = Request(request.method, path, query, headers, request.read(), target.partition("?")[2])
        reply = self.api.respond(asked)
        if path.endswith(self.ending):
            self.number -= 1
            if self.number == 0:
                raise self.error("lost")
        return httpx.Response(
            reply.status, headers={"Content-Type": "application/json"} | reply.headers, content=reply.content()
        )


def judged(config: ServerConfig = ONCE, *, change: Callable[[Api], None] | None = None, **given: Any) -> Heard:
    api, _ = build(config)
    if change is not None:
        change(api)
    lost = given.pop("lost", ("/nothing", 1, httpx.ReadTimeout))
    return judge(ADDRESS, connection=Losing(api, *lost), **given)


@pytest.mark.parametrize("error", [httpx.ReadTimeout, httpx.ReadError])
@pytest.mark.parametrize(("ending", "number"), [("/finalize", 3), ("/collect", 2), ("/quick-adjustment", 40)])
def test_one_answer_that_is_lost_is_no_breach(ending: str, number: int, error: type[httpx.TransportError]) -> None:
    only = ("CREATE", "FINALIZE", "COLLECT", "GEN-9", "GEN-6")
    heard = judged(lost=(ending, number, error), only=only)
    assert heard.breaches == []
    assert heard.end.exit_code == 0


@pytest.mark.parametrize("number", [1, 2, 3])
def test_a_server_that_does_not_answer_the_first_change_is_still_judged(number: int) -> None:
    heard = judged(lost=("/quick-adjustment", number, httpx.ReadTimeout), only=("CREATE-1",))
    assert heard.end.exit_code == 0


def test_a_payment_that_takes_long_to_show_breaks_nothing_where_nobody_says_how_long(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr("tests.mutants.reference.stripe.REPORT_DELAY", 3600.0)
    monkeypatch.setattr("mockserver.verify.context.records.QUEUE", 1.0)
    config = replace(ONCE, choices={"payment_shown": "later"})
    heard = judged(config, stripe_wait=None, only=("COLLECT-3",))
    assert heard.breaches == []
    assert heard.end.exit_code == 3
    assert "--stripe-wait" in heard.verdicts["COLLECT-3"].reason
    assert judged(config, stripe_wait=1.0, only=("COLLECT-3",)).broken == {"COLLECT-3"}


@pytest.mark.parametrize(
    ("status", "seen", "tries", "before", "counts"),
    [
        (500, 1, 2, 1, True),
        (500, 0, 2, 2, True),
        (500, 0, 0, 1, True),
        (503, 2, 2, 1, True),
        (503, 1, 2, 9, False),
        (503, 0, 2, 9, False),
        (502, 0, 0, 1, False),
        (521, 0, 2, 2, False),
    ],
)
def test_what_a_load_balancer_may_have_answered_has_to_come_each_time(
    status: int, seen: int, tries: int, before: int, counts: bool
) -> None:
    exchange = RecordedExchange("POST", f"{ADDRESS}/billing/invoices", (), None, status)
    breach = Breach("GEN-5", "it is answered", "it is not", (exchange,), 1, "GEN-5:x", check=answered())
    assert replace(breach, reproduction=Reproduction(seen, tries, before=before)).counts is counts


@pytest.mark.parametrize(("seen", "tries", "counts"), [(0, 2, False), (0, 0, False), (1, 2, True)])
@pytest.mark.parametrize(
    "kind",
    [
        f"invoice: {DRAFT_LEFT}",
        f"invoice: {PAID_UNASKED}",
        f"{DRAFT_CHANGED} a create",
        f"{CHARGE_TAKEN} a create",
        AFTER_THE_QUEUE,
        PAID_AFTER_A_DECLINE,
    ],
)
def test_what_a_job_of_somebody_else_may_have_done_has_to_show_again(
    kind: str, seen: int, tries: int, counts: bool
) -> None:
    """One act of a scheduler that finalizes or collects changes many invoices, which is seen as often."""
    exchange = RecordedExchange("GET", f"{ADDRESS}/billing/invoices", (), None, 200)
    breach = Breach("GEN-9", "a draft", "none", (exchange,), 1, f"GEN-9:{kind}", check=answered())
    assert replace(breach, reproduction=Reproduction(seen, tries, before=50)).counts is counts


def answered() -> Claim:
    return status_of(RecordedExchange("GET", ADDRESS, (), None, 200)).compares("<", 500).claim
