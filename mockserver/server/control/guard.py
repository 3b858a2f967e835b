"""Who may call the control interface: whoever has the control token, and only pages of origins that were allowed."""

from __future__ import annotations

import hmac
import re
import secrets
from collections.abc import Sequence
from dataclasses import replace

from mockserver.core.errors import Forbidden, Unauthenticated, Unusable
from mockserver.core.loopback import is_loopback
from mockserver.core.messages import Reply, Request
from mockserver.server.dashboard.pages import is_page
from mockserver.server.settings import Settings

TOKEN_HEADER = "X-Mock-Control-Token"
DOCUMENTS = frozenset({"/openapi.yaml", "/openapi.json", "/spec.yaml", "/spec.json"})
"""What pages of any origin may read: they show the API to people, as this package's own documents do."""
OPEN_PATHS = DOCUMENTS | {"/health"}
"""What anybody may read: it tells nothing of a world and changes nothing, and health checks have no token."""
FORWARDED = (
    "forwarded",
    "x-forwarded-for",
    "x-forwarded-host",
    "x-forwarded-proto",
    "x-forwarded-port",
    "x-forwarded-server",
    "x-real-ip",
    "x-client-ip",
    "x-original-host",
    "true-client-ip",
    "cf-connecting-ip",
    "via",
)
"""What proxies add to a request; the first is RFC 7239's, the last RFC 9110's, the others are customary."""
_RULE = "control"
_METHODS = "GET, POST, PUT, PATCH, DELETE"
_EXPOSED = "X-Mock-Broken"
# RFC 9110, 7.2 and RFC 3986, 3.2: a name or an address, an IPv6 one in brackets, and a port of digits.
_HOST = re.compile(r"(?:\[(?P<address>[0-9A-Fa-f:.]+)\]|(?P<name>[^:\[\]@/?#\s]+))(?::[0-9]*)?")

# RFC 6454, 6.2: what a browser sends as Origin. Extensions of browsers have schemes of their own.
_ORIGIN = re.compile(r"\*|null|[a-z][a-z0-9+.-]*://[^\s/,@?#]+")


class ControlGuard:
    """Turns away control requests that must not be answered, before anything looks at what they want.

    A page of another site can send requests to this machine through the browser of whoever visits it: directly,
    which its `Origin` gives away, or by a name of its own that it points at this machine, which the `Host` gives
    away. Neither knows the control token.
    """

    def __init__(self, settings: Settings) -> None:
        self._token = None if settings.control_token is None else settings.control_token.encode()
        self._hosts = frozenset({"localhost", settings.host.lower()})
        self._origins = _read_origins(settings.control_cors)

    def check(self, request: Request) -> None:
        """Raises `Forbidden` for a foreign page, `Unauthenticated` without the control token."""
        headers = request.headers
        origin = headers.get("origin")
        if origin is not None and not _is_document(request) and not self._allows(origin, headers.get("host", "")):
            raise Forbidden(
                f"A page of {origin[:100]!r} may not call the control interface: start the server with "
                f"--control-cors {origin[:100]} to allow it.",
                because=_RULE,
            )
        if self._token is None:
            self._check_host(headers.get("host", ""))
            _check_direct(request)
        elif not _is_open(request):
            given = headers.get(TOKEN_HEADER.lower())
            if given is None or not hmac.compare_digest(given.encode("latin-1"), self._token):
                wrong = "is wrong" if given else "is missing"
                raise Unauthenticated(
                    f"The control token {wrong}: send it as the header {TOKEN_HEADER}. It was given to the server "
                    "as --control-token or MOCKSERVER_CONTROL_TOKEN, or printed when it started.",
                    because=_RULE,
                )

    def preflight(self, request: Request) -> Reply | None:
        """The answer to a browser that asks what a page may send; None for any other request."""
        if not _is_preflight(request):
            return None
        asked = request.headers.get("access-control-request-headers", f"Authorization, Content-Type, {TOKEN_HEADER}")
        allowed = {
            "Access-Control-Allow-Methods": "GET" if _is_document(request) else _METHODS,
            "Access-Control-Allow-Headers": asked,
            "Access-Control-Max-Age": "600",
        }
        return Reply(204, None, allowed)

    def allow_origin(self, request: Request, reply: Reply) -> None:
        """Let a page of an allowed origin read the reply."""
        origin = request.headers.get("origin")
        if _is_document(request):
            reply.headers["Access-Control-Allow-Origin"] = "*"
            return
        if origin is not None and self._is_listed(origin):
            reply.headers["Access-Control-Allow-Origin"] = origin
            reply.headers["Access-Control-Expose-Headers"] = _EXPOSED
        if self._origins:
            reply.headers["Vary"] = "Origin"

    def _allows(self, origin: str, host: str) -> bool:
        return origin.lower() in (f"http://{host}".lower(), f"https://{host}".lower()) or self._is_listed(origin)

    def _is_listed(self, origin: str) -> bool:
        return "*" in self._origins or origin.lower() in self._origins

    def _check_host(self, host: str) -> None:
        # Without a Host it is HTTP/1.0, which no browser speaks.
        if host and not _is_local(_hostname(host), self._hosts):
            raise Forbidden(
                f"The control interface is not called {host[:100]!r}: call it by localhost or 127.0.0.1, or start "
                "the server with --control-token to call it by any name.",
                because=_RULE,
            )


def _check_direct(request: Request) -> None:
    """A proxy on this machine makes everybody's requests look like this machine's own."""
    passed = next((name for name in FORWARDED if name in request.headers), None)
    if passed is not None and not _is_open(request):
        raise Unauthenticated(
            f"This request came through a proxy, as its header {passed} says, and so perhaps from another machine: "
            f"start the server with --control-token, and send that as the header {TOKEN_HEADER}.",
            because=_RULE,
        )


def secured(settings: Settings) -> Settings:
    """The settings, with a control token made up where others than this machine can reach the server and none is given.

    Raises `Unusable` for a token that no header can carry, and for what is no origin of a page.
    """
    _read_origins(settings.control_cors)
    token = settings.control_token or None
    if token is not None and not (token.isascii() and token.isprintable() and token == token.strip()):
        raise Unusable("--control-token must be printable ASCII without spaces around it, as headers carry no other")
    if token is None and not is_loopback(settings.host):
        token = secrets.token_urlsafe(24)
    return replace(settings, control_token=token)


def _read_origins(given: Sequence[str]) -> frozenset[str]:
    """The origins as browsers send them; raises `Unusable` for what none would send."""
    origins = frozenset(origin.lower().removesuffix("/") for origin in given)
    for origin in sorted(origins):
        if not _ORIGIN.fullmatch(origin):
            raise Unusable(
                f"--control-cors takes the origin of a page, such as http://localhost:3000, or * for any, got "
                f"{origin[:100]!r}; in MOCKSERVER_CONTROL_CORS spaces part several"
            )
    return origins


def _is_preflight(request: Request) -> bool:
    return request.method == "OPTIONS" and "access-control-request-method" in request.headers


def _is_document(request: Request) -> bool:
    method = request.headers.get("access-control-request-method") if _is_preflight(request) else request.method
    return request.path in DOCUMENTS and method in ("GET", "HEAD")


def _is_open(request: Request) -> bool:
    # A browser sends its preflight without the headers that it asks about.
    if _is_preflight(request):
        return True
    # The pages hold nothing of any world: they ask for the control token themselves.
    return request.method in ("GET", "HEAD") and (request.path in OPEN_PATHS or is_page(request.path))


def _is_local(name: str | None, hosts: frozenset[str]) -> bool:
    return name is not None and (name in hosts or name.endswith(".localhost") or is_loopback(name))


def _hostname(host: str) -> str | None:
    """The name or address in a `Host` header, without its port and brackets; None if it is malformed."""
    found = _HOST.fullmatch(host)
    return (found["address"] or found["name"]).lower().removesuffix(".") if found else None
