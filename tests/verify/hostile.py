"""Servers that answer rightly for a while and then attack whoever asks: by time, by size, by nonsense."""

from __future__ import annotations

import json
import re
import time
import zlib
from collections.abc import Callable, Iterator
from contextlib import contextmanager

from tests.mutants.config import build
from tests.mutants.conforming import CORRECT
from tests.mutants.reference.api import Api
from tests.mutants.reference.messages import JSON_TYPE, Reply
from tests.mutants.reference.web import Handler, Server, serving

Attack = Callable[[Callable[[bytes], None], Reply], None]
"""Sends what it likes, with the function given, in place of the right reply."""
OK = b"HTTP/1.1 200 OK\r\nContent-Type: application/json\r\n"
ENOUGH = 60.0
"""Seconds after which an attack ends that nobody broke off."""


class _Hostile(Handler):
    def send(self, reply: Reply) -> None:
        server = self.server
        assert isinstance(server, HostileServer)
        if server.api.requests <= server.after:
            return super().send(reply)
        self.close_connection = True

        def write(content: bytes) -> None:
            self.wfile.write(content)

        return server.attack(write, reply)


class HostileServer(Server):
    """A correct server for `after` requests; from then on every answer is the attack."""

    def __init__(self, api: Api, attack: Attack, after: int) -> None:
        super().__init__(api, 0)
        self.RequestHandlerClass = _Hostile
        self.attack = attack
        self.after = after


@contextmanager
def attacking(attack: Attack, *, after: int = 0) -> Iterator[Server]:
    """The server answers from threads of its own until the end of the block."""
    api, _ = build(CORRECT)
    with serving(HostileServer(api, attack, after)) as server:
        yield server


def framed(content: bytes, **headers: str) -> bytes:
    """A whole answer of that content."""
    extra = "".join(f"{name.replace('_', '-')}: {value}\r\n" for name, value in headers.items())
    return OK + f"Content-Length: {len(content)}\r\n{extra}\r\n".encode("latin-1") + content


def _seconds() -> Iterator[None]:
    end = time.monotonic() + ENOUGH
    while time.monotonic() < end:
        yield


def byte_by_byte(write: Callable[[bytes], None], reply: Reply) -> None:
    """The right answer, slowly."""
    write(OK + b"Content-Length: 100000\r\n\r\n")
    for _ in _seconds():
        write(b" ")
        time.sleep(0.2)


def dripped_head(write: Callable[[bytes], None], reply: Reply) -> None:
    write(b"HTTP/1.1 200 OK\r\nX-Slow: ")
    for _ in _seconds():
        write(b"x")
        time.sleep(0.2)


def endless_hints(write: Callable[[bytes], None], reply: Reply) -> None:
    """An informational answer after the other, never the one that was asked for."""
    for _ in _seconds():
        write(b"HTTP/1.1 103 Early Hints\r\nLink: </x>\r\n\r\n" * 10)
        time.sleep(0.01)


def endless_body(write: Callable[[bytes], None], reply: Reply) -> None:
    """As much as the connection takes."""
    write(OK + b"Transfer-Encoding: chunked\r\n\r\n")
    for _ in _seconds():
        write(b"10000\r\n" + b" " * 65_536 + b"\r\n")


def endless_head(write: Callable[[bytes], None], reply: Reply) -> None:
    write(b"HTTP/1.1 200 OK\r\n")
    for number in range(20_000):
        write(b"X-%d: %s\r\n" % (number, b"x" * 60))
    write(b"\r\n")


def bomb(write: Callable[[bytes], None], reply: Reply) -> None:
    """Two gigabytes of blanks in two megabytes."""
    packer = zlib.compressobj(9, zlib.DEFLATED, 31)
    block = b" " * 10_000_000
    packed = b"".join([packer.compress(block) for _ in range(20)] + [packer.flush()])
    write(framed(packed, Content_Encoding="gzip"))


def huge_page(write: Callable[[bytes], None], reply: Reply) -> None:
    """A page of 100,000 rows, whatever was asked for."""
    write(framed(_HUGE))


def to_itself(write: Callable[[bytes], None], reply: Reply) -> None:
    write(b"HTTP/1.1 302 Found\r\nLocation: /api/billing/invoices\r\nContent-Length: 0\r\n\r\n")


def _huge() -> bytes:
    row = {
        "charger_id": "1",
        "chargee_id": "1",
        "charger_type": "company",
        "chargee_type": "team",
        "created_at": "2026-01-01T00:00:00.000000Z",
        "currency": "USD",
        "status": "Draft",
        "stripe_invoice_status": None,
        "stripe_invoice_id": None,
        "description": "x" * 100,
        "total": 1,
    }
    rows = [{"id": number, **row} for number in range(1, 100_001)]
    page = {"data": rows, "current_page": 1, "per_page": 100_000, "total": 100_000, "last_page": 1, "from": 1}
    return json.dumps(page | {"to": 100_000}).encode()


_HUGE = _huge()

ATTACKS: dict[str, Attack] = {
    attack.__name__: attack
    for attack in (
        byte_by_byte,
        dripped_head,
        endless_hints,
        endless_body,
        endless_head,
        bomb,
        huge_page,
        to_itself,
    )
}
PAGE = b'{"data": [], "current_page": 1, "per_page": 15, "total": 0, "last_page": 1, "from": null, "to": null}'
NONSENSE: dict[str, bytes] = {
    "no status": b"\r\n\r\n",
    "http 0.9": PAGE,
    "http 3": b"HTTP/3.0 200 OK\r\n\r\n" + PAGE,
    "status 99999": b"HTTP/1.1 99999 No\r\n\r\n",
    "status 0": b"HTTP/1.1 000 No\r\nContent-Length: 0\r\n\r\n",
    "status 999": b"HTTP/1.1 999 No\r\nContent-Length: 0\r\n\r\n",
    "negative length": OK + b"Content-Length: -5\r\n\r\n" + PAGE,
    "length in words": OK + b"Content-Length: many\r\n\r\n" + PAGE,
    "length \u00b2": OK + "Content-Length: ²\r\n\r\n".encode() + PAGE,
    "huge length": OK + b"Content-Length: 99999999999999999999999\r\n\r\n" + PAGE,
    "short length": OK + b"Content-Length: 5\r\n\r\n" + PAGE,
    "two lengths": OK + b"Content-Length: 5\r\nContent-Length: 6\r\n\r\n" + PAGE,
    "bad chunks": OK + b"Transfer-Encoding: chunked\r\n\r\nxyz\r\n" + PAGE,
    "negative chunk": OK + b"Transfer-Encoding: chunked\r\n\r\n-5\r\n" + PAGE,
    "unknown transfer": OK + b"Transfer-Encoding: rot13\r\n\r\n" + PAGE,
    "unknown encoding": framed(PAGE, Content_Encoding="rot13"),
    "no gzip": framed(PAGE, Content_Encoding="gzip"),
    "cut gzip": framed(zlib.compress(PAGE, wbits=31)[:-12], Content_Encoding="gzip"),
    "unknown charset": framed(PAGE, Content_Type=f"{JSON_TYPE}; charset=klingon"),
    "utf-16": framed(PAGE.decode().encode("utf-16")),
    "utf-7": framed(b"+AHsAfQ-"),
    "byte order mark": framed(b"\xef\xbb\xbf" + PAGE),
    "no utf-8": framed(PAGE[:-1] + b', "x": "\xff\xfe"}'),
    "half a surrogate": framed(PAGE[:-1] + b', "x": "\\ud800", "\\udfff": 1}'),
    "deep": framed(PAGE[:-1] + b', "x": ' + b"[" * 900 + b"]" * 900 + b"}"),
    "deeper": framed(b'{"data":' * 100_000),
    "endless number": framed(PAGE[:-1] + b', "x": ' + b"9" * 5_000 + b"}"),
    "number beyond all": framed(PAGE.replace(b'"total": 0', b'"total": 1e99999999999999999999')),
    "number beyond most": framed(PAGE.replace(b'"total": 0', b'"total": 1e999999999')),
    "nan": framed(PAGE.replace(b'"total": 0', b'"total": NaN')),
    "cookies": framed(PAGE, Set_Cookie="a=b; expires=²; max-age=-1e999; domain=\x80; \xff"),
    "latin headers": framed(PAGE, X_Name="\xfc\xe4\xf6", Content_Type="application/json; \xff"),
    "zero in a header": OK + b"X-A: a\x00b\r\nContent-Length: 0\r\n\r\n",
    "folded header": OK + b"X-A: a\r\n b\r\nContent-Length: 0\r\n\r\n",
    "no colon": OK + b"nonsense\r\nContent-Length: 0\r\n\r\n",
}
"""Answers as they go over the wire."""
WAITS = (
    "\u00b2",
    "-1",
    "-0",
    "1e9",
    "1" * 400,
    "0",
    "0.000001",
    "nan",
    "inf",
    "Fri, 31 Dec 9999 23:59:59 GMT",
    "Mon, 01 Jan 0001 00:00:00 +2359",
    "Mon, 32 Jan 2026 25:61:61 GMT",
    "1 Jan 99999999999999999999 00:00:00 +9999999999999",
    "yesterday",
    "",
    "\u0661",
)
"""Values of `Retry-After`."""


def _right_but(change: Callable[[bytes], bytes], **headers: str) -> Attack:
    def attack(write: Callable[[bytes], None], reply: Reply) -> None:
        content = change(reply.content())
        extra = {**reply.headers, **{name.replace("_", "-"): value for name, value in headers.items()}}
        extra = {name: value for name, value in extra.items() if name.lower() not in ("content-length", "connection")}
        extra = {"Content-Type": JSON_TYPE, **extra, "Connection": "close"}
        lines = "".join(f"{name}: {value}\r\n" for name, value in extra.items())
        write(f"HTTP/1.1 {reply.status} As It Is\r\n{lines}Content-Length: {len(content)}\r\n\r\n".encode() + content)

    return attack


def _made(at: str) -> Attack:
    return _right_but(lambda content: re.sub(rb'("created_at": ")[^"]*', rb"\g<1>" + at.encode(), content))


NEARLY_RIGHT: dict[str, Attack] = {
    # Go's zero time, .NET's east of Greenwich, and what stands for "never" in databases.
    "the first moment": _made("0001-01-01T00:00:00Z"),
    "a moment before the first": _made("0001-01-01T00:00:00+01:00"),
    "the last moment": _made("9999-12-31T23:59:59.999999Z"),
    "a moment after the last": _made("9999-12-31T23:59:59-01:00"),
    "half a request allowed": _right_but(bytes, X_RateLimit_Limit="0.5", X_RateLimit_Remaining="0"),
    "links to nowhere": _right_but(
        lambda content: re.sub(rb'("next_page_url": )(null|"[^"]*")', rb'\g<1>"http://[host]/api?page=2"', content)
    ),
}
"""Right answers, save for a value that libraries fall over."""
LONG = {
    "dollars": framed(PAGE[:-1] + b', "x": "' + b"$" * 200_000 + b'"}'),
    "rows": framed(json.dumps(json.loads(_HUGE) | {"data": json.loads(_HUGE)["data"][:20_000]}).encode()),
    "colons": framed(b'{"message": "' + b": " * 400_000 + b'"}'),
}
"""Answers that take long where reading them takes longer with each letter, or with each row."""
