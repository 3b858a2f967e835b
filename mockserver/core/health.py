"""Whether a mock server answers that all is well, and if not, why."""

from __future__ import annotations

import json
import ssl
import urllib.error
import urllib.request
from dataclasses import dataclass
from functools import lru_cache
from http.client import HTTPException
from urllib.parse import urlsplit

from mockserver.core.errors import MockserverError, Unusable
from mockserver.core.loopback import is_loopback
from mockserver.core.net import API, CONTROL
from mockserver.core.text import shown


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
    # A proxy of the environment has no business between this machine and its own server.
    direct = urllib.request.build_opener(
        urllib.request.ProxyHandler({}),
        # Without one given, each opener loads the certificates of the system, which takes 50 ms.
        urllib.request.HTTPSHandler(context=_trust(urlsplit(control).hostname or "")),
    )
    try:
        with direct.open(f"{control}/health", timeout=timeout) as answer:
            told = json.load(answer)
            if told["status"] != "ok":
                raise NotReady(f"it says of itself that it is {shown(told['status'])}")
            return ServerHealth(told["version"], told["fixture"], told["profile"], tuple(told["mistakes"]))
    except urllib.error.HTTPError as error:
        raise NotReady(f"{control}/health answered {error.code}: what listens there is no mock server") from error
    except TimeoutError as error:
        raise NotReady(f"no answer within {timeout:g} s") from error
    except OSError as error:
        raise NotReady(_reason(error)) from error
    except (ValueError, KeyError, TypeError, HTTPException) as error:
        raise NotReady(f"{control}/health answered something else: what listens there is no mock server") from error


def is_ready(control: str) -> bool:
    """Whether the health check below the control address answers that all is well."""
    try:
        health(control)
    except NotReady:
        return False
    return True


@lru_cache(maxsize=8)
def _trust(host: str) -> ssl.SSLContext:
    """What certificates are held to: of a server on this machine to nothing, since it signs its own mostly."""
    if not is_loopback(host):
        return ssl.create_default_context()
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
    context.check_hostname = False
    context.verify_mode = ssl.CERT_NONE
    return context


def _reason(error: OSError) -> str:
    """The system's own words, without the wrapping of urllib."""
    inner = error.reason if isinstance(error, urllib.error.URLError) else error
    return str(getattr(inner, "strerror", None) or inner)
