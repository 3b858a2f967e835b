"""Where events may be posted to: anywhere from this machine alone, to listed hosts from a server that wants a token."""

from __future__ import annotations

from urllib.parse import urlsplit

from mockserver.core.loopback import is_loopback
from mockserver.server.settings import Settings
from mockserver.state.outbox import check_url


def check_target(url: str, settings: Settings) -> str:
    """The address, if events may be posted there; raises ValueError if not, or for what is no address."""
    check_url(url)
    # A server with a control token may have a proxy before it, through which others reach it.
    if (is_loopback(settings.host) and settings.control_token is None) or url == settings.webhook_url:
        return url
    parts = urlsplit(url)
    host = parts.hostname or ""
    if host in settings.webhook_allow or f"{host}:{parts.port or _PORTS[parts.scheme]}" in settings.webhook_allow:
        return url
    raise ValueError(
        f"this server wants a control token, as one that others can reach, and so posts to listed hosts only: start it "
        f"with --webhook-allow {host} to allow {url!r}"
    )


_PORTS = {"http": 80, "https": 443}
