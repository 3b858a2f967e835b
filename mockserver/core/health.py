"""Whether a mock server answers that all is well, and if not, why."""

from __future__ import annotations

import json
from dataclasses import dataclass
from urllib.parse import urlsplit

from mockserver.core.direct import NothingAnswered, answered
from mockserver.core.errors import MockserverError, Unusable
from mockserver.core.net import API, CONTROL
from mockserver.core.text import shown

_MOST = 1_000_000
"""Bytes that are read of an answer: what has more, perhaps without an end, is no health check of ours."""


@dataclass(frozen=True, slots=True)
class ServerHealth:
    """What a server that is ready says of itself."""

    version: str
    fixture: str
    profile: str
    mistakes: tuple[str, ...]
    """What is wrong with files that have changed since its start; the last good ones are in force."""


class NotReady(MockserverError):
    """A server that does not say that all is well; the message says what it does instead."""


def server_address(url: str) -> str:
    """The address of a server, of which `url` is that, the one of its API or the one of its control interface.

    Raises `Unusable` unless it is a plain http or https one.
    """
    try:
        parts = urlsplit(url)
        plain = parts.scheme in ("http", "https") and parts.hostname and parts.port != 0
    except ValueError as error:
        raise Unusable(f"{shown(url)} is no address: {error}") from error
    if not plain or parts.username is not None or parts.query or parts.fragment:
        raise Unusable(f"{shown(url)} is no address of a mock server: expected one such as http://127.0.0.1:4010")
    return url.rstrip("/").removesuffix(API).removesuffix(CONTROL)


def health(control: str, *, timeout: float = 2.0) -> ServerHealth:
    """What the health check below the control address answers within `timeout` seconds; raises `NotReady`."""
    address = f"{control}/health"
    try:
        with answered(address, timeout=timeout) as (status, body):
            if status >= 300:
                raise NotReady(f"{address} answered {status}: what listens there is no mock server")
            told = json.loads(body.read(_MOST))
        if told["status"] != "ok":
            raise NotReady(f"it says of itself that it is {shown(told['status'])}")
        return ServerHealth(told["version"], told["fixture"], told["profile"], tuple(told["mistakes"]))
    except NothingAnswered as error:
        raise NotReady(str(error)) from error
    except (ValueError, KeyError, TypeError, RecursionError) as error:
        raise NotReady(f"{address} answered something else: what listens there is no mock server") from error


def is_ready(control: str) -> bool:
    """Whether the health check below the control address answers that all is well."""
    try:
        health(control)
    except NotReady:
        return False
    return True
