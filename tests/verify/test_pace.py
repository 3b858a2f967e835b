"""A server that tells its limit is asked at that rate to the end, and the start says how long that takes."""

from __future__ import annotations

import pytest

from mockserver.verify.duration import enough
from mockserver.verify.run import MOST_REPLAYING
from mockserver.verify.transport.pace import Pace
from tests.mutants.config import ServerConfig
from tests.mutants.noise import Allowance
from tests.mutants.reference.messages import Reply, Request
from tests.mutants.server import running
from tests.verify.driving import judge

LIST = Request("GET", "/api/billing/invoices", {}, {})


def asked(most: int, window: float, times: int, *, latency: float = 0.0, tells_reset: bool = True) -> tuple[float, int]:
    """Asks so often on a clock of its own; the seconds that it took, and how often it was too much."""
    clock, refused = 1_000.0, 0
    server = Allowance(most, window, now=lambda: clock, tells_reset=tells_reset)
    pace = Pace()
    for _ in range(times):
        clock = max(clock, pace.slot(clock)) + latency
        reply = server.answer(LIST, lambda _: Reply(200, {}))
        refused += reply.status == 429
        pace.learn({name.lower(): value for name, value in reply.headers.items()}, clock)
    return clock - 1_000.0, refused


@pytest.mark.parametrize("tells_reset", [True, False])
@pytest.mark.parametrize(("most", "window"), [(60, 60.0), (600, 60.0), (10, 60.0), (120, 60.0)])
def test_a_server_is_asked_at_the_rate_that_it_tells(most: int, window: float, tells_reset: bool) -> None:
    seconds, refused = asked(most, window, 5 * most, tells_reset=tells_reset)
    assert refused == 0
    # Neither in bursts, which would end in the middle of a window, nor slower than it allows.
    assert 4 * window <= seconds <= 6 * window


def test_a_server_that_takes_longer_for_an_answer_than_its_limit_is_not_waited_for_twice() -> None:
    seconds, refused = asked(600, 60.0, 100, latency=0.5)
    assert refused == 0 and seconds < 55


def test_sixty_requests_a_minute_are_kept_to_until_the_time_is_over_and_the_need_is_told() -> None:
    refused: list[int] = []
    with running(ServerConfig(name="test", says="allows sixty requests a minute")) as server:
        allowance, respond = Allowance(60, 60.0), server.api.respond

        def limited(request: Request) -> Reply:
            reply = allowance.answer(request, respond)
            refused.extend([reply.status] if reply.status == 429 else [])
            return reply

        server.api.respond = limited  # type: ignore[method-assign]
        heard = judge(server.url, max_time=5.0)
    assert refused == []
    assert heard.end.stop_reason == "time" and heard.breaches == []
    assert "the server allows 60 requests a minute (x-ratelimit-limit) and is asked at that pace" in heard.notes
    assert "--max-time 1340 would cover it" in heard.notes


@pytest.mark.parametrize("needed", [0.1, 4.0, 9.0, 13.0, 22.0, 31.0, 90.0, 1200.0])
def test_the_time_that_is_advised_is_enough(needed: float) -> None:
    most = enough(needed)
    assert most - min(1.0, most / 10) - min(MOST_REPLAYING, most / 10) >= needed
