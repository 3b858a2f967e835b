"""The pytest plugin: a live server for the session, a fresh world for each test, and a look at what the test sent."""

from __future__ import annotations

import json
import os
import re
from collections.abc import Generator, Iterator
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any
from uuid import uuid4

import pytest

import mockserver
from mockserver.core.errors import Unusable
from mockserver.core.health import NotReady, health, server_address
from mockserver.core.net import CONTROL
from mockserver.server.process import Running, running

if TYPE_CHECKING:
    from mockserver.client import Control
    from mockserver.client.payloads import Entry

_ALLOWANCES = ("allow_invalid", "allow_broken")
_MARKER = "mockserver(*, allow_invalid=False, allow_broken=False)"
_MARKER_HELP = (
    "let the test pass although its client sent what the spec forbids (allow_invalid), "
    "or although the mock server broke its own spec (allow_broken)."
)
_MOST_SHOWN = 10
"""Exchanges that a failing test shows."""
_LONGEST_BODY = 2_000
"""Characters of a body that are shown."""
_SPOILING = frozenset(("schema", "truncated", "malformed", "drip", "empty", "reset", "status"))
"""Kinds of fault that are there to break an answer."""
_OUR_FAULT = (
    "The mock server is at fault, not the code under test: its answer breaks the contract. "
    "Please report this test's output, with the exchanges below"
)


@dataclass(slots=True)
class MockWorld:
    """A world of the mock server that only one test is in."""

    control: Control
    """Steers and inspects the world."""
    checked: int = field(default=0, repr=False)
    """The exchange up to which the plugin has looked at what was said."""
    lost: int = field(default=0, repr=False)
    """How many exchanges the journal is known to have lost."""

    @property
    def url(self) -> str:
        """The address of the API."""
        return self.control.url

    @property
    def name(self) -> str:
        return self.control.name

    @property
    def token(self) -> str:
        """The token that the code under test is to send: it names the world."""
        return self.control.token

    @property
    def headers(self) -> dict[str, str]:
        """The token as a header."""
        return self.control.headers

    def token_for(self, token: str) -> str:
        """Another token of the fixture, such as `merchant1`, for this world."""
        return self.control.token_for(token)


_WORLD = pytest.StashKey[MockWorld]()


def pytest_addoption(parser: pytest.Parser) -> None:
    group = parser.getgroup("mockserver", "mock server of the PrepBusiness billing API")
    group.addoption(
        "--mockserver-url",
        metavar="URL",
        help="Use the mock server that runs there instead of starting one. Where it wants a control token, that is "
        "taken from MOCKSERVER_CONTROL_TOKEN.",
    )
    parser.addini("mockserver_fixture", "Fixture of the mock server: a name, or a YAML file.")
    parser.addini("mockserver_profile", "Profile of the mock server: a name, or a YAML file.")
    parser.addini("mockserver_set", "Open choices made otherwise than the profile, KEY=VALUE.", type="args", default=[])
    parser.addini("mockserver_options", "Further options of `mockserver serve`.", type="args", default=[])
    parser.addini("mockserver_token", "Token of the fixture that tests use.", default="provider")


def pytest_configure(config: pytest.Config) -> None:
    config.addinivalue_line("markers", f"{_MARKER}: {_MARKER_HELP}")


@pytest.fixture(scope="session")
def mock_server(pytestconfig: pytest.Config) -> Iterator[Running]:
    """A running mock server: the one of --mockserver-url, or one of its own on a free port."""
    url = pytestconfig.getoption("--mockserver-url")
    if url is not None:
        yield _existing(url)
        return
    try:
        with running(*_options(pytestconfig), cwd=pytestconfig.rootpath) as server:
            yield server
    except Unusable as unusable:
        pytest.fail("\n".join(unusable.problems), pytrace=False)


@pytest.fixture(scope="session")
def _mock_control(pytestconfig: pytest.Config, mock_server: Running) -> Iterator[Control]:
    """One connection for all tests."""
    token = pytestconfig.getini("mockserver_token")
    control = mockserver.Control(
        mock_server.base, token, control_token=os.environ.get("MOCKSERVER_CONTROL_TOKEN") or None
    )
    yield control
    control.close()


@pytest.fixture
def mock_world(request: pytest.FixtureRequest, _mock_control: Control) -> Iterator[MockWorld]:
    """A world of the mock server for this test alone; the test fails if what was said there broke the spec."""
    control = _mock_control.world(_world_name(request.node.name))
    world = request.node.stash[_WORLD] = MockWorld(control)
    yield world
    try:
        # What the test itself sent was looked at when it ended; this is what its fixtures sent since.
        _check(request.node, world)
    finally:
        control.delete()


@pytest.hookimpl(wrapper=True)
def pytest_runtest_call(item: pytest.Item) -> Generator[None, Any, Any]:
    try:
        result = yield
    except (Exception, pytest.fail.Exception):
        if (world := item.stash.get(_WORLD, None)) is not None:
            item.add_report_section("call", "mock server", _told(world))
        raise
    if (world := item.stash.get(_WORLD, None)) is not None:
        _check(item, world)
    return result


def _options(config: pytest.Config) -> list[str]:
    options = [f"--{name}={value}" for name in ("fixture", "profile") if (value := config.getini(f"mockserver_{name}"))]
    return [
        # What the project itself says of it comes later, and counts.
        "--check",
        *options,
        *(f"--set={choice}" for choice in config.getini("mockserver_set")),
        *config.getini("mockserver_options"),
    ]


def _existing(url: str) -> Running:
    try:
        base = server_address(url)
        health(base + CONTROL)
    except Unusable as unusable:
        pytest.fail(f"--mockserver-url: {unusable}", pytrace=False)
    except NotReady as not_ready:
        pytest.fail(f"no mock server answers at {base}, as --mockserver-url says: {not_ready}", pytrace=False)
    return Running(base)


def _world_name(test: str) -> str:
    # A token travels in a header, which carries plain ASCII; and a run may share its server with others.
    readable = re.sub(r"[^A-Za-z0-9_.-]+", "-", test).strip("-")[:100]
    return f"{readable}-{uuid4().hex[:12]}"


def _check(item: pytest.Item, world: MockWorld) -> None:
    """Fail the test for what was said against the spec since the last look."""
    page = world.control.journal(invalid=True, since=world.checked)
    world.checked = page.cursor
    if page.lost > world.lost:
        loss = f"the journal of {item.name} has lost {page.lost} exchanges, which may not have been looked at"
        item.warn(pytest.PytestWarning(f"{loss}: --journal-size in mockserver_options keeps more"))
        world.lost = page.lost
    complaints = [complaint for entry in page for complaint in _complaints(entry)]
    allowed = _allowances(item)
    told = [text for allowance, text in complaints if allowance not in allowed]
    if told:
        if any(allowance == "allow_broken" for allowance, _ in complaints if allowance not in allowed):
            item.add_report_section("call", "mock server", _told(world))
        more = [f"and {len(told) - _MOST_SHOWN} more"] if len(told) > _MOST_SHOWN else []
        names = dict.fromkeys(f"{allowance}=True" for allowance, _ in complaints if allowance not in allowed)
        hint = f"A test that is about just that is marked @pytest.mark.mockserver({', '.join(names)})."
        pytest.fail("\n\n".join([*told[:_MOST_SHOWN], *more, hint]), pytrace=False)


def _complaints(entry: Entry) -> Iterator[tuple[str, str]]:
    """What is wrong with an exchange: the allowance that would let it pass, and the text."""
    if not entry["request"]["valid"]:
        yield "allow_invalid", _complaint("The client sent what the spec forbids", entry, entry["request"]["problems"])
    spoilt = any(fault["kind"] in _SPOILING for fault in entry["faults"])
    if not entry["response"]["valid"] and not spoilt:
        yield "allow_broken", _complaint(_OUR_FAULT, entry, entry["response"]["problems"])


def _allowances(item: pytest.Item) -> set[str]:
    allowed: dict[str, bool] = {}
    # The closest marker comes first, and stands above those of the class and the module.
    for marker in reversed(list(item.iter_markers("mockserver"))):
        if marker.args or not set(marker.kwargs) <= set(_ALLOWANCES):
            pytest.fail(f"the marker is used as {_MARKER}, not with {marker.args or marker.kwargs}", pytrace=False)
        allowed |= marker.kwargs
    return {name for name, value in allowed.items() if value}


def _complaint(title: str, entry: Entry, problems: list[str]) -> str:
    return "\n".join([f"{title}:", *(f"  - {problem}" for problem in problems), "", _exchange(entry)])


def _exchange(entry: Entry) -> str:
    """One exchange to read: what came, what went, and what decided the answer."""
    request, response = entry["request"], entry["response"]
    lines = [f"{entry['number']}. {request['method']} {request['url']}"]
    lines += [f"     {name}: {value}" for name, value in request["headers"].items() if name in _TELLING]
    if request["body"] is not None:
        lines.append("     " + _body(request["body"]))
    lines.append(f"   was answered {response['status'] or 'nothing'} ({entry['because']})")
    if response["body"] is not None:
        lines.append("     " + _body(response["body"]))
    return "\n".join(lines)


_TELLING = ("content-type", "x-selected-client-id", "prefer", "idempotency-key")


def _body(body: Any) -> str:
    text = body if isinstance(body, str) else json.dumps(body)
    return text if len(text) <= _LONGEST_BODY else f"{text[:_LONGEST_BODY]}… ({len(text):,} characters)"


def _told(world: MockWorld) -> str:
    """What a failed test says of its world: the last exchanges in it."""
    try:
        page = world.control.journal(limit=_MOST_SHOWN)
    except (ConnectionError, mockserver.ControlRefused) as error:
        return str(error)
    heading = f"The last exchanges in the world {world.name}:" if page else f"Nobody asked in the world {world.name}."
    return "\n".join([heading, *(_exchange(entry) for entry in page)])
