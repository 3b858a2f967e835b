"""The spec as the judge of every exchange: names the operation, accepts the request, checks the reply.

Validators compiled at load accept ordinary traffic in microseconds (`compiled`); what they refuse is put before
openapi-core (`reference`), and refused if that refuses it too. Should the two ever differ, openapi-core prevails and
the log says so.
"""

from __future__ import annotations

import importlib
import json
import logging
import threading
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from types import MappingProxyType
from typing import TYPE_CHECKING, Any
from urllib.parse import urlencode

from mockserver.contract import decoding, rules
from mockserver.contract.compiled import AnswerPlan, Reading, RequestPlan, SchemaFlaw, find_answer, readable
from mockserver.contract.compiler import Compiler
from mockserver.contract.decoding import JSON
from mockserver.contract.leniency import STRICT, Leniency
from mockserver.contract.node import Node
from mockserver.contract.router import Router
from mockserver.core import validation
from mockserver.core.errors import ContractBroken, InvalidRequest, MethodNotAllowed, NotFound
from mockserver.core.messages import Call, Request
from mockserver.core.yaml_lines import parse_document, read_document

if TYPE_CHECKING:
    from mockserver.contract.reference import ReferenceValidator

log = logging.getLogger(__name__)

METHODS = ("get", "put", "post", "delete", "options", "head", "patch", "trace")
LARGE = 32 * 1024
"""Bytes of a body above which a refusal is the compiled validators' alone and names one mistake only.

openapi-core takes 35 microseconds for each wrong item of an array and they take 14, so that a megabyte of wrong items
would keep the server busy for 15 seconds.
"""

_NO_HEADERS: Mapping[str, str] = MappingProxyType({})


@dataclass(frozen=True, slots=True)
class Operation:
    """An operation as the spec describes it; `rules` are the ids of those that hold for it."""

    id: str
    method: str
    path: str
    summary: str
    rules: tuple[str, ...]
    provenance: str


class Contract:
    """One OpenAPI document, compiled."""

    def __init__(self, root: Node) -> None:
        if not str(root.get("openapi", "")).startswith("3.1"):
            raise root.unusable(f"this is not OpenAPI 3.1: openapi is {root.get('openapi')!r}")
        self.document: dict[str, Any] = root.value
        """The document as JSON values."""
        self.operations: dict[str, Operation] = {}
        self.rules = rules.read_rules(root)
        self.root = root
        """The whole of it, as openapi-core takes it."""
        self._requests: dict[str, RequestPlan] = {}
        self._answers: dict[str, dict[str, AnswerPlan]] = {}
        self._seen: dict[tuple[str, int], AnswerPlan | None] = {}
        self._router: Router[Operation] = Router()
        self._reference: ReferenceValidator | None = None
        self._asking = threading.Lock()
        compiler = Compiler(root)
        for path, item in root.children("paths"):
            for method in METHODS:
                if item.get(method) is not None:
                    self._add(str(path), method, item.child(method), item, compiler)

    @classmethod
    def load(cls, path: Path, *, validate: bool = False) -> Contract:
        """The contract in a YAML file.

        Raises `Unusable` with file and line for what can't be read, doesn't cohere or isn't supported; with `validate`
        also for whatever else OpenAPI forbids, which takes a third of a second more.
        """
        return cls._made(Node.root(read_document(path)), validate)

    @classmethod
    def parse(cls, text: str, *, path: Path, validate: bool = False) -> Contract:
        """As `load`, for a text that is at hand; `path` is what complaints call it."""
        return cls._made(Node.root(parse_document(text, path)), validate)

    @classmethod
    def _made(cls, root: Node, validate: bool) -> Contract:
        try:
            made = cls(root)
        except (TypeError, AttributeError, LookupError, ValueError) as error:
            # The compiler expects the shapes that OpenAPI lays down; the full check can say which one is not there.
            _reference_module().check_document(root)
            raise root.unusable(f"can't be used: {error}") from error
        if validate:
            _reference_module().check_document(root)
        return made

    def warm(self) -> None:
        """Make openapi-core ready, which the first refusal otherwise waits half a second for."""
        with self._asking:
            self._the_reference()

    def route(self, method: str, path: str) -> tuple[Operation, dict[str, str]]:
        """The operation at a path below the base address, and its parameters' texts.

        A HEAD is the GET of that path. Raises `NotFound`, or `MethodNotAllowed` with the header `Allow`.
        """
        return self._router.find(method, path)

    @property
    def version(self) -> str:
        return str(self.document["info"]["version"])

    def statuses(self, operation: Operation) -> tuple[str, ...]:
        """The statuses that are documented, such as `200` and `4XX`; the classes come last."""
        return tuple(sorted(self._answers[operation.id], key=lambda status: (status.endswith("XX"), status)))

    def documented(self, operation: Operation, status: int) -> str | None:
        """The documented status that covers `status`, the exact one first; None where none does."""
        plan = self._plan(operation, status)
        return None if plan is None else plan.status

    def flaws(self, operation: Operation, status: int, body: Any) -> list[SchemaFlaw]:
        """Where a body of JSON departs from the documented one; nothing for a status that is not documented."""
        plan = self._plan(operation, status)
        return [] if plan is None else list(plan.flaws(body))

    def addressed(self, method: str, target: str) -> Operation | None:
        """The operation that a request addresses, if any; `target` is the path below the base address, and a query."""
        path = target.partition("?")[0]
        try:
            operation, _ = self.route(method, path.removesuffix("/"))
        except (NotFound, MethodNotAllowed):
            return None
        return operation if operation.method == method else None

    def accept(
        self, operation: Operation, params: Mapping[str, str], request: Request, *, leniency: Leniency = STRICT
    ) -> Call:
        """The request as a call, read as forgivingly as `leniency` says.

        Raises `InvalidRequest`, with a message for each field, or `UnsupportedMediaType`.
        """
        plan = self._requests[operation.id]
        reading = plan.read(params, request, leniency)
        if not plan.fits(reading):
            is_large = len(request.body) > LARGE
            problems = plan.problems(reading, first_only=is_large)
            if is_large or self._request_objections(operation, params, request, reading, leniency):
                # A misspelt name often is what a missing field comes from.
                message = "; ".join([validation.summary(problems), *plan.warnings(request, reading)])
                raise InvalidRequest(message, because=decoding.RULE, errors=problems)
            log.error("%s: only the compiled validators refuse this request: %s", operation.id, problems)
        body: Any = {} if reading.media is None else reading.body
        if reading.form is not None:
            body = {name.removesuffix("[]"): value for name, value in body.items()}
        query = {**plan.defaults, **reading.query.values} if plan.defaults else reading.query.values
        call = Call(operation.id, reading.path, query, reading.headers, body)
        if reading.query.unknown or reading.media is not None or reading.ignored_body or reading.forgiven:
            call.warnings = tuple(plan.warnings(request, reading))
        return call

    def check(self, operation: Operation, status: int, body: Any, headers: Mapping[str, str] = _NO_HEADERS) -> None:
        """Raises `ContractBroken` if the spec does not allow this reply; `body` is a JSON value, None for none.

        The media type is that in `headers` (names in any case), JSON if they have none.
        """
        plan = self._plan(operation, status)
        if plan is None:
            documented = ", ".join(self._answers[operation.id])
            raise ContractBroken(operation.id, [f"status {status} is not documented; documented are {documented}"])
        kind = _media_type(headers) if headers else JSON
        try:
            if plan.fits(kind, body, headers):
                return
            problems = plan.problems(kind, body, headers)
        except ValueError as error:
            # What jsonschema-rs raises for a date and the like, which is a mistake of ours as well.
            raise ContractBroken(operation.id, [f"the body is no JSON value: {error}"]) from error
        is_large = len(_as_sent(kind, body) or b"") > LARGE
        objections = [] if is_large else self.reply_objections(operation, status, body, headers)
        if objections or is_large:
            raise ContractBroken(operation.id, [*problems, *(f"openapi-core: {each}" for each in objections)])
        log.error("%s: only the compiled validators refuse this reply: %s", operation.id, problems)

    def request_objections(self, operation: Operation, params: Mapping[str, str], request: Request) -> list[str]:
        """What openapi-core alone says against a request; nothing if it allows it.

        Raises as `accept` does for what can't be read.
        """
        reading = self._requests[operation.id].read(params, request, STRICT)
        return self._request_objections(operation, params, request, reading, STRICT)

    def reply_objections(
        self, operation: Operation, status: int, body: Any, headers: Mapping[str, str] = _NO_HEADERS
    ) -> list[str]:
        """What openapi-core alone says against a reply; nothing if it allows it."""
        kind = _media_type(headers)
        plan = self._plan(operation, status)
        if plan and body is not None and kind in plan.media and not readable(kind, body):
            return ["a body that is no JSON must be a text"]
        with self._asking:
            return self._the_reference().response(
                operation.method,
                operation.path,
                status=status,
                headers=headers,
                content_type=kind,
                body=_as_sent(kind, body),
            )

    def _plan(self, operation: Operation, status: int) -> AnswerPlan | None:
        key = (operation.id, status)
        try:
            return self._seen[key]
        except KeyError:
            plan = self._seen[key] = find_answer(self._answers[operation.id], status)
            return plan

    def _request_objections(
        self,
        operation: Operation,
        params: Mapping[str, str],
        request: Request,
        reading: Reading,
        leniency: Leniency,
    ) -> list[str]:
        body = request.body if reading.media is not None else b""
        if reading.form is not None:
            body = urlencode(reading.form.kept).encode()
        elif reading.media is not None and leniency is not STRICT:
            body = json.dumps(reading.body).encode()
        with self._asking:
            return self._the_reference().request(
                operation.method,
                operation.path,
                path={name: decoding.segment(text, name) for name, text in params.items()},
                query=reading.query.kept,
                headers={name: request.headers[name] for name in reading.headers},
                content_type=reading.media.kind if reading.media else "",
                body=body,
            )

    def _add(self, path: str, method: str, node: Node, item: Node, compiler: Compiler) -> None:
        known_as = node.child("operationId")
        if known_as.value in self.operations:
            raise known_as.unusable(f"{known_as.value!r} is the id of two operations")
        if any("{" in part.strip("{}") or part.count("{") != part.startswith("{") for part in path.split("/")):
            raise item.unusable("a path parameter must fill the whole of a segment")
        operation = Operation(
            id=known_as.value,
            method=method.upper(),
            path=path,
            summary=str(node.get("summary", "")),
            rules=tuple(node.get("x-rules", ())),
            provenance=str(node.get("x-provenance", "")),
        )
        for id_ in operation.rules:
            if id_ not in self.rules:
                raise node.child("x-rules").unusable(f"there is no rule {id_!r}")
        self.operations[operation.id] = operation
        self._requests[operation.id] = compiler.request(node, item)
        self._answers[operation.id] = compiler.answers(node)
        self._router.add(operation.method, path, operation)

    def _the_reference(self) -> ReferenceValidator:
        if self._reference is None:
            self._reference = _reference_module().ReferenceValidator(self.root)
        return self._reference


def _reference_module() -> Any:
    # The one import that waits until it is needed: openapi-core takes 0.3 s to import, longer than all of the rest, and
    # a server must be up well within a second.
    return importlib.import_module("mockserver.contract.reference")


def _as_sent(kind: str, body: Any) -> bytes | None:
    if body is None:
        return None
    try:
        if isinstance(body, str) and not decoding.is_json(kind):
            return body.encode()
        return json.dumps(body, allow_nan=False).encode()
    except (TypeError, ValueError):
        # A date, NaN, half of a surrogate pair: nothing can be sent for it, so nothing is what is judged.
        return None


def _media_type(headers: Mapping[str, str]) -> str:
    for name, value in headers.items():
        if name.lower() == "content-type":
            return decoding.media_type(value)[0]
    return JSON
