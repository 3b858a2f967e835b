"""The road of a control request: named, judged by the interface's own OpenAPI document, done, and judged again."""

from __future__ import annotations

import logging
from collections.abc import Iterator
from functools import partial
from pathlib import Path
from urllib.parse import unquote

from mockserver.billing.profile import Profile
from mockserver.contract.contract import Contract, Operation
from mockserver.core.errors import ContractBroken, InvalidRequest, Refused, Unauthenticated, Unavailable
from mockserver.core.messages import Reply, Request
from mockserver.server.access import credentials, given_token
from mockserver.server.control.guard import OPEN_PATHS, ControlGuard
from mockserver.server.control.handlers import (
    CONTROLS,
    OF_THE_JOURNAL,
    OF_THE_SERVER,
    SAYS_ITSELF_WHAT_IS_UNKNOWN,
)
from mockserver.server.control.journal_stream import JournalStream
from mockserver.server.control.refusal import RULE
from mockserver.server.control.request import ControlRequest
from mockserver.server.dashboard.pages import page_at
from mockserver.server.pipeline import refuse
from mockserver.server.service import Current, Service
from mockserver.state.world import World

log = logging.getLogger("mockserver")
DOCUMENT = Path(__file__).with_name("openapi.yaml")
_PROFILE = Profile(invalid_request_status=400)
"""The control interface makes no open choices: what is invalid gets 400."""


class ControlInterface:
    """Answers control requests for the current service."""

    def __init__(self, current: Current) -> None:
        self._text = DOCUMENT.read_text(encoding="utf-8")
        self.contract = Contract.parse(self._text, path=DOCUMENT)
        self._current = current
        self._guard = ControlGuard(current.service.settings)

    def respond(self, request: Request) -> Reply:
        """The reply to one control request, in the API's own form when it is refused."""
        reply = self._answer(request)
        self._guard.allow_origin(request, reply)
        return reply

    def _answer(self, request: Request) -> Reply:
        service = self._current.service
        operation = None
        try:
            self._guard.check(request)
            if told := self._guard.preflight(request):
                return told
            if page := page_at(request):
                return page
            operation, params = self.contract.route(request.method, request.path)
            world = _enter(request, service)
            try:
                # Names of worlds and snapshots may hold a /, as those of branches do.
                names = {name: unquote(text, "latin-1") for name, text in params.items()}
                call = self.contract.accept(operation, names, request)
                if call.warnings and operation.id not in SAYS_ITSELF_WHAT_IS_UNKNOWN:
                    # What is misspelt here would do something else than was meant, such as to unsubscribe.
                    message = "; ".join(call.warnings)
                    raise InvalidRequest(message, because=RULE, errors={"request": list(call.warnings)})
                control = ControlRequest(service, world, call, self.contract.document, self._text)
                reply = _done(operation, control)
            finally:
                service.worlds.leave(world)
        except Unavailable as gone:
            return refuse(gone, _PROFILE)
        except Refused as refusal:
            reply = refuse(refusal, _PROFILE)
        return reply if operation is None else self._judged(operation, reply)

    def _judged(self, operation: Operation, reply: Reply) -> Reply:
        try:
            # What comes piece by piece is not there yet.
            if not isinstance(reply.body, JournalStream | Iterator):
                self.contract.check(operation, reply.status, reply.body, reply.headers)
        except ContractBroken as broken:
            log.error("our control reply breaks its document: %s", broken)
            return Reply(500, {"message": str(broken)}, {"X-Mock-Broken": operation.id})
        return reply


def _done(operation: Operation, control: ControlRequest) -> Reply:
    do = partial(CONTROLS[operation.id], control)
    if operation.id in OF_THE_SERVER | OF_THE_JOURNAL:
        return do()
    if operation.method == "GET":
        return control.world.look(do)
    with control.world.lock:
        reply = control.world.change(do)
        if control.afterwards is not None:
            control.afterwards()
    return reply


def _enter(request: Request, service: Service) -> World:
    if request.path in OPEN_PATHS:
        # They are answered also while the database is away.
        return service.worlds.common
    if given_token(request) is None and "authorization" not in request.headers:
        return service.worlds.common
    # Whoever meant to name a world, and left the token out, is never led to the common one.
    token, name = credentials(request)
    if not service.worlds.steers(token, name):
        raise Unauthenticated(f"The token {token[:40]!r} is not known here.", because="GEN-4")
    return service.worlds.enter(name)
