"""httpx without certificates: to load them takes each of a thousand clients 50 ms, and servers here need none."""

from __future__ import annotations

import ssl
from functools import partial

import httpx

_NOBODY = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
"""Trusts no server, so that nothing can be asked over TLS by mistake."""

Client = partial(httpx.Client, verify=_NOBODY)
get = partial(httpx.get, verify=_NOBODY)
post = partial(httpx.post, verify=_NOBODY)
put = partial(httpx.put, verify=_NOBODY)
request = partial(httpx.request, verify=_NOBODY)
stream = partial(httpx.stream, verify=_NOBODY)
HTTPTransport = partial(httpx.HTTPTransport, verify=_NOBODY)
