# This file replays breaches that `mockserver verify` found. It needs pytest and httpx, and nothing else:
#
#     export TOKEN=…   # the provider's token; further ones as the messages name them
#     BASE_URL=http://127.0.0.1:8000/api pytest test_breaches.py
#
# A failing test: the breach is still there. A passing one: it is gone. A skipped one cannot tell, and says why.
# Ids that an answer made are taken from the live answer. A sequence that collects is sent to a loopback address
# only, unless ALLOW_CHARGES=1 is set, since a collect charges a card. SSL_CERT_FILE names certificates to trust.
from __future__ import annotations

import ipaddress
import json
import os
import re
import time
from collections.abc import Callable, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from decimal import Decimal  # noqa: F401 - for the checks below
from typing import Any
from urllib.parse import unquote, urlsplit

import httpx
import pytest

WAIT = float(os.environ.get("WAIT", "1"))  # seconds between two equal GETs in a row, which wait for something
RACES = int(os.environ.get("RACES", "5"))  # how often a race is run, since it does not show each time


@dataclass(frozen=True)
class Id:
    """The value at `path` in the live answer with that index."""

    answer: int
    path: tuple[str | int, ...]


@dataclass(frozen=True)
class Request:
    method: str
    url: Sequence[str | Id]
    """In pieces, below the base address unless it begins with a scheme."""
    headers: Sequence[tuple[str, str]] = ()
    body: bytes | Sequence[str | Id] = b""
    expected: int | None = None
    """The status that came when it was recorded."""
    race: int = 0
    """Requests with the same number other than 0 are sent at the same time."""


@dataclass(frozen=True)
class Answer:
    status: int | None
    text: str
    headers: dict[str, str]
    json: Any


class CannotTell(Exception):
    """The live server went another way than the recorded one before the breach could show."""


def secret(found: re.Match[str]) -> str:
    name = found.group(1)
    value = os.environ.get(name)
    if not value:
        pytest.fail(f"set the environment variable {name}: the secret that stood there when this was recorded")
    return value


def filled(text: str) -> str:
    return re.sub(r"\$((?:[A-Z0-9]+_)*TOKEN(?:_[A-Z0-9]+)*)\b", secret, text)


def loopback(address: str) -> bool:
    host = urlsplit(address).hostname or ""
    try:
        return ipaddress.ip_address(host).is_loopback
    except ValueError:
        return host == "localhost"


def look_up(wanted: Id, answers: Sequence[Answer], requests: Sequence[Request]) -> str:
    """The live id; of a race, that of whichever request won."""
    race = requests[wanted.answer].race
    rivals = [place for place, request in enumerate(requests) if race and request.race == race]
    for place in dict.fromkeys([wanted.answer, *rivals]):
        value: Any = answers[place].json
        try:
            for step in wanted.path:
                value = value[step]
        except (KeyError, IndexError, TypeError):
            continue
        return str(value)
    path = ".".join(map(str, wanted.path))
    raise CannotTell(f"answer {wanted.answer + 1} has no {path}: {told(answers[wanted.answer])}")


def told(answer: Answer) -> str:
    return f"{answer.status} {answer.text[:300]}"


def send(client: httpx.Client, request: Request, url: str, body: bytes) -> Answer:
    headers = [(name, filled(value)) for name, value in request.headers]
    for _ in range(6):
        try:
            came = client.request(request.method, url, headers=headers, content=body or None)
        except httpx.HTTPError as error:
            return Answer(None, f"no answer: {type(error).__name__}: {error}", {}, None)
        if came.status_code != 429:
            break
        later = came.headers.get("Retry-After", "")
        time.sleep(min(int(later), 30) if later.isdigit() else 1)
    try:
        value = came.json()
    except (ValueError, RecursionError):
        value = None
    return Answer(came.status_code, came.text, dict(came.headers), value)


def replay(target: str, requests: Sequence[Request], answers: list[Answer]) -> None:
    """Sends the requests in order and appends what came; CannotTell when one needs an id that never came."""
    base = os.environ.get("BASE_URL", target).rstrip("/")

    def prepared(request: Request) -> tuple[Request, str, bytes]:
        url = "".join(p if isinstance(p, str) else look_up(p, answers, requests) for p in request.url)
        url = filled(url if url.startswith(("http://", "https://")) else base + url)
        collects = unquote(urlsplit(url).path).rstrip("/").endswith("/collect")
        if collects and not loopback(url) and os.environ.get("ALLOW_CHARGES") != "1":
            pytest.skip(f"a collect charges a card: set ALLOW_CHARGES=1 to send it to {base}")
        if isinstance(request.body, bytes):
            return request, url, request.body
        body = "".join(p if isinstance(p, str) else look_up(p, answers, requests) for p in request.body)
        return request, url, filled(body).encode()

    with httpx.Client(timeout=30) as client, ThreadPoolExecutor(16) as threads:
        while len(answers) < len(requests):
            now = requests[len(answers)]
            if now.method == "GET" and answers and requests[len(answers) - 1] == now:
                time.sleep(WAIT)
            group = [request for request in requests if now.race and request.race == now.race] or [now]
            came = threads.map(lambda parts: send(client, *parts), [prepared(request) for request in group])
            for request, answer in zip(group, came, strict=True):
                answers.append(answer)
                if answer.status is None and request.expected is not None:
                    pytest.fail(f"request {len(answers)} got {answer.text}")


def masked(value: Any, key: str = "") -> Any:
    """`value` without what differs from run to run: ids and times."""
    if isinstance(value, dict):
        return {name: masked(item, name) for name, item in sorted(value.items())}
    if isinstance(value, list):
        return [masked(item, key) for item in value]
    if value is not None and re.search(r"(^|_)(ids?|at)$", key):
        return "#"
    return re.sub(r"\d+", "#", value) if isinstance(value, str) else value


def rounds(requests: Sequence[Request]) -> range:
    return range(RACES if any(request.race for request in requests) else 1)


def must_hold(target: str, requests: Sequence[Request], rule: str, check: Callable[[Sequence[Answer]], object]) -> None:
    """Fails when `check` says of the live answers that the rule does not hold."""
    for _ in rounds(requests):
        answers: list[Answer] = []
        stopped = ""
        try:
            replay(target, requests, answers)
        except CannotTell as reason:
            stopped = str(reason)
        came = "".join(f"\n  {place}. {told(answer)}" for place, answer in enumerate(answers, 1))
        try:
            held = check(answers)
        except (ArithmeticError, AttributeError, LookupError, TypeError, ValueError) as error:
            if stopped:
                pytest.skip(f"cannot tell: {stopped}")
            pytest.fail(f"{rule}\nwhat came does not allow the check ({type(error).__name__}: {error}):{came}")
        if not held:
            pytest.fail(f"{rule}\nwhat came:{came}")


def must_not_come_again(target: str, requests: Sequence[Request], rule: str, recorded: str, failure: str = "") -> None:
    """Fails when the last answer is the recorded wrong one again, ids and times aside."""
    for _ in rounds(requests):
        answers: list[Answer] = []
        try:
            replay(target, requests, answers)
        except CannotTell as reason:
            pytest.skip(f"cannot tell: {reason}")
        for place, (request, answer) in enumerate(zip(requests[:-1], answers, strict=False), 1):
            if not request.race and (answer.status or 0) // 100 != (request.expected or 0) // 100:
                pytest.skip(f"cannot tell: request {place} got {told(answer)}; recorded was {request.expected}")
        if came_again(requests, answers, recorded):
            why = f" ({failure})" if failure else ""
            pytest.fail(f"{rule}\nthe recorded wrong answer came again{why}: {told(answers[-1])}")


def came_again(requests: Sequence[Request], answers: Sequence[Answer], recorded: str) -> bool:
    expected, last, race = requests[-1].expected, answers[-1], requests[-1].race
    if race:
        pairs = [(r.expected, a.status) for r, a in zip(requests, answers, strict=True) if r.race == race]
        return sorted(str(then) for then, _ in pairs) == sorted(str(now) for _, now in pairs)
    if last.status != expected:
        return False
    if expected is None or expected >= 500:
        return True
    if last.json is None:
        return bool(masked(last.text) == masked(recorded))
    try:
        same = masked(last.json) == masked(json.loads(recorded))
    except (ValueError, RecursionError):
        return False
    if not same and isinstance(last.json, dict) and isinstance(last.json.get("data"), list):
        pytest.skip(f"cannot tell: another list came, which may be as wrong as the recorded one: {told(last)}")
    return bool(same)
