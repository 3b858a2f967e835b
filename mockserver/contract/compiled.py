"""Validators compiled once per operation: what accepts an ordinary exchange in microseconds.

Once they are made nothing walks the spec any more. What they refuse, `contract` puts before openapi-core.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, NoReturn

import jsonschema_rs
from jsonschema_rs import Draft202012Validator as Validator
from jsonschema_rs import ValidationError

from mockserver.contract import decoding, schemas
from mockserver.contract.decoding import JSON
from mockserver.contract.leniency import Leniency
from mockserver.contract.node import Node, complaint
from mockserver.contract.parameters import Field, Fields, Gathered
from mockserver.core import validation
from mockserver.core.errors import UnsupportedMediaType, Unusable
from mockserver.core.frozen import Frozen
from mockserver.core.messages import Request
from mockserver.core.text import shown

__all__ = [
    "AnswerPlan",
    "Media",
    "Reading",
    "RequestPlan",
    "SchemaFlaw",
    "Schemas",
    "Validator",
    "find_answer",
    "readable",
]

MEDIA_RULE = "GEN-2"

_SPEC = "urn:mockserver:spec"
_FLOAT = re.compile(rb"[0-9][.eE]")
_JSON_SENT_AS_FORM = (
    "the body looks like JSON and was sent as a form, so that nothing in it counts: give Content-Type: application/json"
)


class Schemas:
    """The schemas of one document, compiled on demand."""

    def __init__(self, root: Node) -> None:
        self._root = root
        self._registry = jsonschema_rs.Registry([(_SPEC, root.value)], draft=jsonschema_rs.Draft202012)

    def reference(self, node: Node) -> dict[str, Any]:
        """A schema that stands for the one at that node."""
        return {"$ref": _SPEC + node.reference}

    def at(self, node: Node) -> Validator:
        """The validator of the schema at that node; raises `Unusable` if that is none."""
        return self.compiled(self.reference(node), node)

    def compiled(self, schema: dict[str, Any], node: Node) -> Validator:
        """The validator of a schema that is made of references; `node` is where a mistake is looked for."""
        try:
            return Validator(schema, registry=self._registry, validate_formats=True, offline=True)
        except (ValueError, jsonschema_rs.ReferencingError) as error:
            self._check()
            raise node.unusable(f"no valid schema: {str(error).splitlines()[0]}") from error

    def _check(self) -> None:
        found = []
        for node in self._root.everywhere():
            if node.keys[-1:] == ("schema",) or (len(node.keys) == 3 and node.keys[:2] == ("components", "schemas")):
                try:
                    jsonschema_rs.meta.validate(node.value)
                except ValidationError as error:
                    message = error.message if len(error.message) < 200 else "is not what JSON Schema allows here"
                    found.append(complaint(node.document, (*node.keys, *error.instance_path), message))
                except (TypeError, ValueError) as error:
                    found.append(complaint(node.document, node.keys, f"no valid schema: {error}"))
        if found:
            raise Unusable(*found)


@dataclass(slots=True)
class Reading:
    """A request as the spec sees it, read but not yet judged."""

    path: dict[str, Any]
    query: Gathered
    headers: dict[str, Any]
    forgiven: list[str]
    """A sentence for each part that counts as left out, though it was sent."""
    media: Media | None = None
    body: Any = None
    form: Gathered | None = None
    ignored_body: bool = False


@dataclass(frozen=True, slots=True)
class Media:
    """One way to send a body."""

    kind: str
    validator: Validator
    known: frozenset[str]
    integers: schemas.Integers | None
    fields: Fields | None

    def unknown(self, reading: Reading) -> list[str]:
        """The names in the body that the spec doesn't know."""
        if reading.form is not None:
            return reading.form.unknown
        return [name for name in reading.body if name not in self.known] if isinstance(reading.body, dict) else []

    def read(self, body: bytes, reading: Reading, leniency: Leniency) -> None:
        if self.fields is not None:
            reading.form = self.fields.gather(decoding.form(body), leniency)
            value: Any = reading.form.values
            reading.forgiven += reading.form.forgiven
            if body.lstrip().startswith((b"{", b"[")):
                # Which curl's -d does by itself; the one name that it makes says less.
                reading.form.unknown.clear()
                reading.forgiven.append(_JSON_SENT_AS_FORM)
        else:
            value = self._json(body, reading, leniency)
        if self.integers is not None:
            if leniency.empty_arrays and isinstance(value, dict):
                self._leave_out_empty_arrays(value, self.integers, reading)
            if leniency.loose_integers or (self.fields is None and (leniency.numeric_strings or _FLOAT.search(body))):
                value = schemas.settle(value, self.integers, leniency)
        reading.body = value

    def _json(self, body: bytes, reading: Reading, leniency: Leniency) -> Any:
        try:
            value = decoding.json_value(body)
        except decoding.Unreadable as unreadable:
            if not leniency.unreadable_bodies:
                raise
            reading.forgiven.append(f"{unreadable.message}: it counts as an empty one")
            return {}
        if not isinstance(value, dict) and leniency.unreadable_bodies:
            reading.forgiven.append(f"the body is no JSON object, got {shown(value)}: it counts as an empty one")
            return {}
        return value

    def _leave_out_empty_arrays(self, value: dict[str, Any], integers: schemas.Integers, reading: Reading) -> None:
        for name, within in integers.properties.items():
            given = value.get(name, ...)
            if within.items and (given in (None, "") or (given == [""] and self.fields is not None)):
                del value[name]
                reading.forgiven.append(f"{name.removesuffix('[]')} is empty: it counts as left out")


@dataclass(frozen=True, slots=True, kw_only=True)
class RequestPlan:
    """How one operation's requests are read and judged."""

    operation_id: str
    paths: dict[str, Field]
    query: Fields
    headers: dict[str, Field]
    """By lower-case name."""
    defaults: dict[str, Any]
    """Of the query's parameters."""
    parameters: Validator | None
    """Judges `{"path": {...}, "query": {...}, "header": {...}}`."""
    media: dict[str, Media]
    """By media type; empty for an operation that takes no body."""
    body_required: bool

    def read(self, params: Mapping[str, str], request: Request, leniency: Leniency) -> Reading:
        """Raises `InvalidRequest` or `UnsupportedMediaType` for what can't be read whatever the spec says."""
        path = {name: self.paths[name].value(decoding.segment(text, name)) for name, text in params.items()}
        pairs = decoding.pairs(request.query_string, "query") if request.query_string else []
        query = self.query.gather(pairs, leniency)
        headers = {}
        for name, field in self.headers.items():
            if (text := request.headers.get(name)) is not None:
                headers[name] = field.value(text)
        reading = Reading(path, query, headers, query.forgiven)
        if request.body:
            self._read_body(request, reading, leniency)
        return reading

    def fits(self, reading: Reading) -> bool:
        """Whether the spec allows it."""
        if self.parameters is not None and not self.parameters.is_valid(_sections(reading)):
            return False
        if reading.media is None:
            return not self.body_required
        return reading.media.validator.is_valid(reading.body)

    def problems(self, reading: Reading, *, first_only: bool) -> dict[str, list[str]]:
        """Field to messages for what the spec doesn't allow; of a body's mistakes only the first, if so asked."""
        found: dict[str, list[str]] = {}
        if self.parameters is not None:
            found = validation.problems(self.parameters.iter_errors(_sections(reading)), name=self._name)
        if reading.media is not None:
            errors = _errors(reading.media.validator, reading.body, first_only=first_only)
            for field, messages in validation.problems(errors).items():
                found.setdefault(field, []).extend(messages)
        elif self.body_required:
            found["body"] = [f"a body is required, as {' or '.join(self.media)}"]
        return found

    def warnings(self, request: Request, reading: Reading) -> list[str]:
        """A sentence for each thing that a real server would silently pass over."""
        found = [*reading.forgiven, *validation.warnings("query parameter", reading.query.unknown, self.query.known)]
        if reading.media is not None:
            found += validation.warnings("body property", reading.media.unknown(reading), reading.media.known)
        if reading.ignored_body:
            given = decoding.body_fields(request)
            if given is None or not self.query.tolerated.issuperset(given):
                found.append(f"{self.operation_id} takes no body: the one that was sent is ignored")
        return found

    def _name(self, path: Sequence[str | int]) -> str:
        section, *rest = path
        if section == "header" and rest and rest[0] in self.headers:
            rest[0] = self.headers[str(rest[0])].name
        return validation.body_field(rest)

    def _read_body(self, request: Request, reading: Reading, leniency: Leniency) -> None:
        if not self.media:
            reading.ignored_body = True
            return
        if coding := request.headers.get("content-encoding", "").strip().lower():
            if coding != "identity":
                message = f"a body must come as it is, without Content-Encoding; got {shown(coding)}"
                raise UnsupportedMediaType(message, because=MEDIA_RULE, errors={"content-encoding": [message]})
        header = request.headers.get("content-type", "")
        kind, charset = decoding.media_type(header)
        media = reading.media = self.media.get(kind)
        if media is None:
            got = f"got {shown(header)}" if header else "there is none"
            _unsupported(f"the Content-Type of a body must be {' or '.join(self.media)}; {got}")
        if charset not in ("", "utf-8", "utf8", "us-ascii"):
            _unsupported(f"the charset of a body must be utf-8, got {shown(charset)}")
        media.read(request.body, reading, leniency)


@dataclass(frozen=True, slots=True)
class SchemaFlaw:
    """Where a body departs from its schema: the keyword, what it asks for, and the sentence about it."""

    path: tuple[str | int, ...]
    keyword: str
    due: Any
    message: str


@dataclass(frozen=True, slots=True)
class AnswerPlan:
    """One documented answer: its media types and headers."""

    status: str
    media: dict[str, Validator | None]
    headers: Validator | None
    header_fields: dict[str, Field]
    lists: dict[str, Validator]
    """The properties of a JSON body that are lists of objects, and what judges each object, where that can be alone."""

    def fits(self, kind: str, body: Any, headers: Mapping[str, str]) -> bool:
        """Whether the spec allows it; `body` None is no body."""
        if self.headers is not None and not self.headers.is_valid(self._read_headers(headers)):
            return False
        if not self.media:
            return True
        if body is None or kind not in self.media:
            return False
        if kind != JSON and not readable(kind, body):
            return False
        validator = self.media[kind]
        if validator is None:
            return True
        if kind == JSON and isinstance(body, dict):
            body = self._left_to_judge(body)
        return validator.is_valid(body)

    def _left_to_judge(self, body: dict[str, Any]) -> dict[str, Any]:
        """The body without objects that can't have changed since they were found valid."""
        for name, judge in self.lists.items():
            given = body.get(name)
            if isinstance(given, list) and given and all(_is_known(item, judge) for item in given):
                body = {**body, name: []}
        return body

    def problems(self, kind: str, body: Any, headers: Mapping[str, str]) -> list[str]:
        """What the spec doesn't allow."""
        found: list[str] = []
        if self.headers is not None:
            told = validation.problems(self.headers.iter_errors(self._read_headers(headers)))
            found += [f"header {message}" for messages in told.values() for message in messages]
        if self.media and body is None:
            found.append(f"status {self.status} must have a body, as {' or '.join(self.media)}")
        elif self.media and kind not in self.media:
            found.append(f"the Content-Type must be {' or '.join(self.media)}, got {shown(kind)}")
        elif self.media and not readable(kind, body):
            found.append(f"a body that is {kind} must be a text, got {shown(body)}")
        elif validator := self.media.get(kind):
            told = validation.problems(validator.iter_errors(body))
            found += [message for messages in told.values() for message in messages]
        return found

    def flaws(self, body: Any) -> Iterator[SchemaFlaw]:
        """Where a body of JSON departs from the documented one."""
        validator = self.media.get(JSON)
        if validator is None or validator.is_valid(body):
            return
        for error in validator.iter_errors(body):
            due = getattr(error.kind, "property", error.kind.value)
            yield SchemaFlaw(tuple(error.instance_path), error.kind.name, due, error.message)

    def _read_headers(self, headers: Mapping[str, str]) -> dict[str, Any]:
        """The documented headers that are there, read as the spec says."""
        given = {name.lower(): text for name, text in headers.items()}
        return {n: f.value(given[n]) for n, f in self.header_fields.items() if n in given}


def find_answer(answers: Mapping[str, AnswerPlan], status: int) -> AnswerPlan | None:
    """What the spec says about a status: by itself, by its class, by default."""
    return answers.get(str(status)) or answers.get(f"{str(status)[0]}XX") or answers.get("default")


def readable(kind: str, body: Any) -> bool:
    """Whether a reply's body can be of that media type: a text, if it is not JSON."""
    return isinstance(body, str) or decoding.is_json(kind)


def _unsupported(message: str) -> NoReturn:
    raise UnsupportedMediaType(message, because=MEDIA_RULE, errors={"content-type": [message]})


def _is_known(item: Any, judge: Validator) -> bool:
    """Whether it is an object that is valid for good."""
    if not isinstance(item, Frozen):
        return False
    if item.judged_by is not judge and judge.is_valid(item):
        item.judged_by = judge
    return item.judged_by is judge


def _sections(reading: Reading) -> dict[str, Any]:
    return {"path": reading.path, "query": reading.query.values, "header": reading.headers}


def _errors(validator: Validator, value: Any, *, first_only: bool) -> Iterator[ValidationError]:
    if not first_only:
        yield from validator.iter_errors(value)
        return
    try:
        validator.validate(value)
    except ValidationError as error:
        yield error
