"""Which file of the dashboard or of Swagger UI stands at which path below `/_mock`, and how it is sent."""

from __future__ import annotations

import hashlib
from dataclasses import dataclass
from functools import lru_cache
from importlib.resources import files
from importlib.resources.abc import Traversable

from mockserver.core.messages import Reply, Request
from mockserver.core.net import CONTROL

_TYPES = {
    "css": "text/css; charset=utf-8",
    "html": "text/html; charset=utf-8",
    "js": "text/javascript; charset=utf-8",
    "png": "image/png",
    "svg": "image/svg+xml",
}
_SECURITY = {
    # Swagger UI carries its icons as data: addresses, and React sets styles by script, which needs no leave.
    "Content-Security-Policy": "default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self' data:; "
    "connect-src 'self'; base-uri 'none'; form-action 'none'; frame-ancestors 'none'",
    "X-Content-Type-Options": "nosniff",
    "Referrer-Policy": "no-referrer",
    "Cross-Origin-Opener-Policy": "same-origin",
}
_PAGES = {"/": "index.html", "/docs/": "docs.html"}
_MOVED = {"": "/", "/docs": "/docs/"}
_FOLDERS = ("", "lib", "panels", "styles")
_SWAGGER = "/docs/swagger/"
_UI = "/ui/"
_SWAGGER_FILES = ("swagger-ui-bundle.js", "swagger-ui.css", "favicon-32x32.png", "LICENSE")


@dataclass(frozen=True, slots=True)
class _Part:
    """What is sent of one file: `tag` names its content."""

    body: bytes
    type: str
    tag: str


def is_page(path: str) -> bool:
    """Whether a page, or a part of one, may stand at that path below `/_mock`."""
    return path in _PAGES or path in _MOVED or path.startswith((_UI, _SWAGGER))


def page_at(request: Request) -> Reply | None:
    """The page, or the part of one, that a browser asks for; None where there is none."""
    if request.method not in ("GET", "HEAD"):
        return None
    if request.path in _MOVED:
        return Reply(308, None, {"Location": CONTROL + _MOVED[request.path]})
    part = _part(request.path)
    if part is None:
        return None
    headers = {"Content-Type": part.type, "ETag": part.tag, "Cache-Control": "no-cache", **_SECURITY}
    if part.tag in request.headers.get("if-none-match", ""):
        return Reply(304, b"", headers)
    return Reply(200, part.body, headers)


@lru_cache(maxsize=256)
def _part(path: str) -> _Part | None:
    file = _file(path)
    if file is None:
        return None
    body = file.read_bytes()
    kind = _TYPES.get(file.name.rpartition(".")[2], "text/plain; charset=utf-8")
    return _Part(body, kind, f'"{hashlib.sha256(body).hexdigest()[:20]}"')


def _file(path: str) -> Traversable | None:
    own = files(__package__).joinpath("static")
    if path in _PAGES:
        return own.joinpath(_PAGES[path])
    if path.startswith(_SWAGGER):
        name = path.removeprefix(_SWAGGER)
        return files("flask_swagger_ui").joinpath("dist", name) if name in _SWAGGER_FILES else None
    folder, _, name = path.removeprefix(_UI).rpartition("/")
    if not path.startswith(_UI) or folder not in _FOLDERS:
        return None
    # What is listed is what travels in the package, so that no path can lead out of it.
    return {each.name: each for each in own.joinpath(folder).iterdir() if each.is_file()}.get(name)
