"""Correct servers under several clients at once, each with its token: the judge raises no alarm."""

from __future__ import annotations

import pytest

from mockserver.server.process import running as fake
from tests.mutants.conforming import LEGAL
from tests.mutants.server import running
from tests.watch.clients import Tap, crowd
from tests.watch.proxying import proxied
from tests.watch.traffic import Traffic

CROWD = [("merchant1", "1"), ("merchant1", "1"), ("merchant2", "2"), ("provider", "1"), ("provider", None)]
SAMPLE = ("correct", "laravel", "lenient", "terse", "busy", "late_queue", "pays_later", "first_id=1882594211553346396")
"""Those in which every choice takes another value somewhere; `python -m tests.watch.teeth --correct` tries all."""


@pytest.mark.parametrize("name", SAMPLE)
def test_a_correct_server_raises_no_alarm(name: str) -> None:
    traffic = Traffic()
    with running(LEGAL[name]) as server:
        crowd(Tap(server.url, traffic.watch.see), CROWD, length=12)
    assert traffic.ends() == 0, traffic.breaches
    assert traffic.watch.judge.judged > 150


def test_a_fake_behind_the_proxy_raises_no_alarm() -> None:
    with fake() as server, proxied(f"{server.base}/api") as proxy:
        crowd(Tap(proxy.url, lambda _: None), [(f"provider@{place % 2}", "1") for place in range(4)], length=12)
        proxy.stop()
    assert proxy.exit_code == 0, proxy.events
