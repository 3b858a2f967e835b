"""What the proxy itself answers, below `/_mock/proxy`: its journal, and reports while it runs."""

from __future__ import annotations

import re
from collections import deque
from collections.abc import Callable
from typing import Any

from aiohttp import web

from mockserver.core.loopback import is_loopback
from mockserver.verify.reports.html.report import html_report
from mockserver.verify.reports.json_report import json_report
from mockserver.verify.reports.junit_report import junit_report
from mockserver.verify.reports.markdown_report import markdown_report
from mockserver.verify.reports.run_state import RunResult
from mockserver.watch.proxy.forwarding import Heard

PREFIX = "/_mock/proxy"
MOST_KEPT = 1_000
"""Exchanges in the journal."""
_FORMATS: dict[str, tuple[str, Callable[[RunResult], str]]] = {
    "html": ("text/html", html_report),
    "json": ("application/json", json_report),
    "junit": ("application/xml", junit_report),
    "markdown": ("text/markdown", markdown_report),
}
_TOKEN = re.compile(r"(api_token=)[^&#]*", re.IGNORECASE)


class Own:
    """The proxy's own pages. For this machine alone: what passed by is nobody else's business."""

    def __init__(self, result: Callable[[], RunResult]) -> None:
        """`result`: what a report would say now."""
        self._result = result
        self._kept: deque[tuple[int, Heard]] = deque(maxlen=MOST_KEPT)
        self._number = 0

    def hear(self, heard: Heard) -> None:
        self._number += 1
        self._kept.append((self._number, heard))

    async def handle(self, request: web.Request) -> web.Response:
        """Answers one request below the prefix."""
        host = re.sub(r":\d+$", "", request.host).strip("[]")
        if not is_loopback(request.remote or "") or not is_loopback(host):
            return _refused(403, "the proxy's journal and reports are for this machine alone")
        match request.method, request.path.removeprefix(PREFIX):
            case "GET", "/journal":
                return self._journal(request.query.get("breaches") is not None)
            case "GET", "/report":
                return self._report(request.query.get("format", "html"))
        return _refused(404, f"there are GET {PREFIX}/journal and GET {PREFIX}/report?format={'|'.join(_FORMATS)}")

    def _journal(self, breaches_only: bool) -> web.Response:
        kept = [entry for entry in self._kept if entry[1].breaches or not breaches_only]
        return web.json_response({"data": [_entry(*one) for one in kept], "lost": self._number - len(self._kept)})

    def _report(self, name: str) -> web.Response:
        if name not in _FORMATS:
            return _refused(422, f"there is no report {name[:40]!r}: expected {', '.join(_FORMATS)}")
        kind, render = _FORMATS[name]
        return web.Response(text=render(self._result()), content_type=kind)


def _entry(number: int, heard: Heard) -> dict[str, Any]:
    return {
        "number": number,
        "at": heard.at.isoformat().replace("+00:00", "Z"),
        "method": heard.method,
        "target": _TOKEN.sub(r"\1$TOKEN", heard.target),
        "status": heard.status,
        "seconds": round(heard.seconds, 6),
        "breaches": heard.breaches,
        "failure": heard.failure or None,
    }


def _refused(status: int, message: str) -> web.Response:
    return web.json_response({"message": message}, status=status)
