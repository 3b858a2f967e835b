"""A live server for the session, and a fresh world of it for each test."""

from __future__ import annotations

import itertools
import os
import signal
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

import httpx
import pytest
from hypothesis import HealthCheck, settings

from mockserver.server.process import Running, running
from tests import plain
from tests.properties import USUAL
from tests.sharing import Sharing

_numbers = itertools.count(1)

# Variables of this machine that would change the output, the colours or the options of the programs that tests start.
_OF_TERMINALS = {"BUILD_NUMBER", "CI", "CLICOLOR_FORCE", "COLUMNS", "FORCE_COLOR", "LINES", "NO_COLOR"}
_OF_OTHER_PROGRAMS = ("MOCKSERVER_", "PY_COLORS", "PYTEST_ADDOPTS", "PYTEST_PLUGINS", "PYTEST_THEME", "SCHEMATHESIS_")


def pytest_addoption(parser: pytest.Parser) -> None:
    for name in list(os.environ):
        if name in _OF_TERMINALS or name.startswith(_OF_OTHER_PROGRAMS):
            del os.environ[name]
    # Where it is set, each of the hundreds of programs that tests start would compile this package anew.
    os.environ.pop("PYTHONDONTWRITEBYTECODE", None)
    # Not everybody's path has them, root's after Debian's su neither; useradd and haproxy lie there.
    os.environ["PATH"] = os.pathsep.join((os.environ.get("PATH", os.defpath), "/usr/sbin", "/sbin"))
    told = "try N times as many examples of each property, other ones each time; without it they are always the same"
    parser.addoption("--dice", metavar="N", type=int, help=told)
    told = "kill servers that keep their worlds N times in each of the tests that do it, at other moments each time"
    parser.addoption("--kills", metavar="N", type=int, help=told)


def pytest_configure(config: pytest.Config) -> None:
    """Properties are tried on the same examples wherever and whenever the tests run, unless `--dice` asks otherwise."""
    times = config.getoption("--dice")
    settings.register_profile(
        "tests",
        max_examples=USUAL * (times or 1),
        derandomize=times is None,
        database=None,
        deadline=None,
        print_blob=True,
        suppress_health_check=[HealthCheck.too_slow, HealthCheck.data_too_large, HealthCheck.function_scoped_fixture],
    )
    settings.load_profile("tests")


def pytest_xdist_auto_num_workers() -> int:
    """Of `-n auto`: tests of servers and signals wait a third of their time."""
    return max(2, (os.cpu_count() or 1) * 3 // 2)


def pytest_xdist_make_scheduler(config: pytest.Config, log: Any) -> Sharing:
    return Sharing(config, log)


@pytest.fixture(autouse=True)
def signals_are_not_ignored() -> Iterator[None]:
    """Programs started in the background, or by nohup, ignore signals, and so do those that they start."""
    named = (getattr(signal, name) for name in ("SIGINT", "SIGTERM", "SIGHUP") if hasattr(signal, name))
    ignored = [number for number in named if signal.getsignal(number) is signal.SIG_IGN]
    for number in ignored:
        signal.signal(number, signal.SIG_DFL)
    yield
    for number in ignored:
        signal.signal(number, signal.SIG_IGN)


@pytest.fixture(scope="session")
def server() -> Iterator[Running]:
    """One server of the default fixture, for every test that needs no other."""
    with running("--stripe-delay", "60", "--check") as live:
        yield live


@dataclass
class Api:
    """A client of one world, that fails a test whose server broke its own spec, or contradicted itself."""

    server: Running
    world: str
    token: str
    http: httpx.Client

    def request(self, method: str, path: str, *, token: str | None = None, **kwargs: Any) -> httpx.Response:
        """Any request, by default with this client's token."""
        headers = dict(kwargs.pop("headers", {}))
        if (token := self.token if token is None else token) != "":
            headers.setdefault("Authorization", f"Bearer {token}@{self.world}")
        answer = self.http.request(method, self.server.api + path, headers=headers, **kwargs)
        assert "X-Mock-Broken" not in answer.headers, answer.text
        return answer

    def get(self, path: str, **kwargs: Any) -> httpx.Response:
        return self.request("GET", path, **kwargs)

    def post(self, path: str, **kwargs: Any) -> httpx.Response:
        return self.request("POST", path, **kwargs)

    def control(self, method: str, path: str, **kwargs: Any) -> httpx.Response:
        """A request to the control interface, for this world."""
        headers = {"Authorization": f"Bearer {self.token}@{self.world}"}
        return self.http.request(method, self.server.control + path, headers=headers, **kwargs)

    def charge(self, amount: float | str = 10, *, merchant: int = 1, **kwargs: Any) -> Any:
        """A new open charge of that merchant."""
        answer = self.post(
            "/billing/charges/quick-adjustment",
            json={"amount": amount, "description": "An adjustment"},
            headers={"X-Selected-Client-Id": str(merchant)},
            **kwargs,
        )
        assert answer.status_code == 200, answer.text
        return answer.json()["charge"]

    def create(self, *charge_ids: int, **kwargs: Any) -> httpx.Response:
        return self.post("/billing/invoices", json={"charge_ids": list(charge_ids)}, **kwargs)

    def draft(self, amount: float | str = 10, *, merchant: int = 1) -> Any:
        """A new draft of one new charge."""
        return self.create(self.charge(amount, merchant=merchant)["id"]).json()["invoice"]

    def finalize(self, invoice_id: int, **kwargs: Any) -> httpx.Response:
        return self.post(f"/billing/invoices/{invoice_id}/finalize", **kwargs)

    def collect(self, invoice_id: int, **kwargs: Any) -> httpx.Response:
        return self.post(f"/billing/invoices/{invoice_id}/collect", **kwargs)

    def finalized(self, amount: float | str = 10, *, merchant: int = 1) -> Any:
        """A new finalized invoice."""
        return self.finalize(self.draft(amount, merchant=merchant)["id"]).json()["invoice"]

    def invoice(self, invoice_id: int) -> Any:
        """The invoice as the list shows it."""
        rows = self.get("/billing/invoices", params={"q": f'id:"{invoice_id}"'}).json()["data"]
        assert len(rows) == 1, rows
        return rows[0]

    def everything(self) -> str:
        """All that is in the world, to compare before and after."""
        return self.control("GET", "/export").text


@pytest.fixture
def api(server: Running) -> Iterator[Api]:
    """A client of a fresh world."""
    with plain.Client(timeout=60) as http:
        yield Api(server, f"test-{next(_numbers)}", "provider", http)
