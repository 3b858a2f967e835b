"""Asks a server of ours over HTTP, past the proxies of the environment, by the standard library alone."""

from __future__ import annotations

import ssl
import urllib.error
import urllib.request
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from functools import lru_cache
from http.client import HTTPException
from typing import IO
from urllib.parse import urlsplit

from mockserver.core.errors import MockserverError
from mockserver.core.loopback import is_loopback
from mockserver.core.text import shown


class NothingAnswered(MockserverError):
    """Nothing that is an answer in HTTP; the message says what there is instead."""


@contextmanager
def answered(url: str, *, headers: Mapping[str, str] | None = None, timeout: float) -> Iterator[tuple[int, IO[bytes]]]:
    """The status of what a GET is answered, and its body, to be read within.

    Raises `NothingAnswered`, also when the body breaks off or `timeout` seconds pass without a piece of it.
    """
    # A proxy of the environment has no business between this machine and its own server, nor with what it is told.
    opener = urllib.request.build_opener(
        urllib.request.ProxyHandler({}),
        # Without one given, each opener loads the certificates of the system, which takes 50 ms.
        urllib.request.HTTPSHandler(context=_trust(urlsplit(url).hostname or "")),
    )
    request = urllib.request.Request(url, headers=dict(headers or {}))
    try:
        try:
            answer = opener.open(request, timeout=timeout)
        except urllib.error.HTTPError as error:
            answer = error
        with answer:
            yield answer.status, answer
    except TimeoutError as error:
        raise NothingAnswered(f"no answer within {timeout:g} s") from error
    except OSError as error:
        raise NothingAnswered(_reason(error)) from error
    except HTTPException as error:
        what = f"{type(error).__name__} {shown(str(error))}"
        raise NothingAnswered(f"what listens there is no mock server, or broke off: {what}") from error


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
