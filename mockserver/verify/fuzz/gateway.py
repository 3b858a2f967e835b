"""A small server on this machine that the fuzzer talks to; it sends on through the one place where requests leave."""

from __future__ import annotations

import json
import threading
from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any
from urllib.parse import quote, unquote

from mockserver.core.messages import HOP_BY_HOP
from mockserver.verify.errors import NoAnswer, OutOfTime
from mockserver.verify.monitor.canonical import charges_within, ids_in_path, read_request
from mockserver.verify.monitor.monitor import Monitor
from mockserver.verify.transport.billing_client import JSON_TYPE
from mockserver.verify.transport.http import Transport
from mockserver.verify.transport.messages import NOT_JSON, Answer, Outgoing, parse_json
from mockserver.verify.transport.safety import Withheld

PLACEHOLDER = "token-of-the-verifier"
"""What the fuzzer knows as its token; the gateway puts the real one in its place."""
BASE_PATH = "/api"
SURELY_UNKNOWN = 2_000_000_000
"""Ids from here up are too far apart to be met by chance."""
_OURS = HOP_BY_HOP | {"host", "accept-encoding", "content-length"}
"""Headers that whoever sends a message writes itself."""


def relayed(method: str, target: str, headers: Iterable[tuple[str, str]], body: bytes | None) -> Outgoing:
    """A request of the fuzzer as it is sent on; `target` is relative to the base address."""
    dropped = {*_OURS, "accept"}
    kept = [(name, value.strip()) for name, value in headers if name.lower() not in dropped]
    return Outgoing(method, target, (*kept, ("Accept", JSON_TYPE)), body)


class Gateway:
    """What the gateway knows while it serves."""

    def __init__(
        self, transport: Transport, monitor: Monitor, token: str, merchant: str | None, *, may_sweep: bool = True
    ) -> None:
        """With `may_sweep` a create may take whatever is open; else only charges that this run knows."""
        self.transport = transport
        self.monitor = monitor
        self.token = token
        self.merchant = merchant
        self.may_sweep = may_sweep
        self.withheld = 0
        self.passed = 0
        """Bytes of the answers that were passed on."""
        self.unanswered: list[NoAnswer] = []
        self.over = threading.Event()

    def pass_on(self, outgoing: Outgoing) -> Answer:
        """The server's answer. Raises `Withheld`, `OutOfTime`, `NoAnswer`."""
        outgoing = self._with_token(outgoing)
        if outgoing.method not in ("GET", "HEAD", "OPTIONS"):
            self._keep_to_our_own(outgoing)
        return self.transport.send(outgoing)

    def _with_token(self, outgoing: Outgoing) -> Outgoing:
        headers = tuple((name, value.replace(PLACEHOLDER, self.token)) for name, value in outgoing.headers)
        target = outgoing.target.replace(PLACEHOLDER, quote(self.token, safe=""))
        return Outgoing(outgoing.method, target, headers, outgoing.body)

    def _keep_to_our_own(self, outgoing: Outgoing) -> None:
        """Random ids must not finalize, collect or bill what others have made; raises `Withheld`."""
        if any(self._foreign(number, self.monitor.invoices) for number in ids_in_path(outgoing)):
            raise Withheld("the invoice is not of this run")
        if unquote(outgoing.target.partition("?")[0]).rstrip("/") != "/billing/invoices":
            return
        reading = read_request("createInvoice", outgoing)
        if any(self._foreign(number, self.monitor.charges) for number in charges_within(outgoing)):
            raise Withheld("a charge is not of this run")
        if reading.canonical and reading.charges is not None:
            return
        if not self.may_sweep:
            raise Withheld("it may take whatever is open, and the charges are given")
        if self.merchant is not None and reading.merchant != self.merchant:
            raise Withheld("a create without the merchant header would bill all merchants")

    def _foreign(self, number: int, own: dict[int, Any]) -> bool:
        """Whether it may be the id of a record of others: one that a list has shown, or as small as most ids are."""
        return number not in own and (1 <= number < SURELY_UNKNOWN or self.monitor.has_shown(number))


def _handler(gateway: Gateway) -> type[BaseHTTPRequestHandler]:
    class Handler(BaseHTTPRequestHandler):
        protocol_version = "HTTP/1.1"
        # Without this the answer's body waits for the acknowledgement of its head.
        wbufsize = -1
        disable_nagle_algorithm = True

        def relay(self) -> None:
            length = int(self.headers.get("Content-Length") or 0)
            body = self.rfile.read(length) if length else None
            if not self.path.startswith(BASE_PATH):
                return self.reply(404, [], b"{}")
            outgoing = relayed(self.command, self.path.removeprefix(BASE_PATH), self.headers.items(), body)
            try:
                answer = gateway.pass_on(outgoing)
            except Withheld as reason:
                gateway.withheld += 1
                content = json.dumps({"message": f"Not sent: {reason}", "errors": {"request": [str(reason)]}})
                return self.reply(
                    404, [("Content-Type", "application/json"), ("X-Verify-Withheld", "1")], content.encode()
                )
            except (OutOfTime, NoAnswer) as failure:
                if isinstance(failure, NoAnswer):
                    gateway.unanswered.append(failure)
                else:
                    gateway.over.set()
                self.close_connection = True
                return None
            body = _without_secrets(gateway.transport, answer)
            gateway.passed += len(body)
            self.reply(answer.status, list(answer.exchange.answer_headers), body)

        def reply(self, status: int, headers: list[tuple[str, str]], body: bytes) -> None:
            self.send_response_only(status)
            for name, value in headers:
                # A header that is no Latin text would break off the reply.
                value = value.encode("latin-1", "replace").decode("latin-1")
                if name.lower() not in (*_OURS, "content-encoding"):
                    self.send_header(name, value)
            self.send_header("Content-Length", str(len(body)))
            self.end_headers()
            if self.command != "HEAD":
                self.wfile.write(body)

        def log_message(self, *_: object) -> None:
            """The exchanges are recorded elsewhere."""

    for method in ("GET", "POST", "PUT", "PATCH", "DELETE", "HEAD", "OPTIONS", "TRACE", "QUERY"):
        setattr(Handler, f"do_{method}", Handler.relay)
    return Handler


def _without_secrets(transport: Transport, answer: Answer) -> bytes:
    """The body as the fuzzer may keep it in its reports; a secret whose loss would spoil the JSON is a mere number."""
    plain = transport.redaction.octets(answer.body)
    return answer.body if answer.content is not NOT_JSON and parse_json(plain) is NOT_JSON else plain


class _Server(ThreadingHTTPServer):
    daemon_threads = True
    request_queue_size = 64

    def handle_error(self, request: Any, client_address: Any) -> None:
        """A fuzzer that hangs up is nobody's failure."""


@contextmanager
def serving(gateway: Gateway) -> Iterator[str]:
    """The gateway's base address, while it serves."""
    server = _Server(("127.0.0.1", 0), _handler(gateway))
    thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.05}, daemon=True)
    thread.start()
    try:
        yield f"http://127.0.0.1:{server.server_port}{BASE_PATH}"
    finally:
        server.shutdown()
        server.server_close()
        thread.join()
