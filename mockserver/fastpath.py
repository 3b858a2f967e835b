"""Validators compiled once per operation: what accepts an ordinary exchange in microseconds.

Compiling walks the spec; accepting never does. What they refuse, `contract` puts before openapi-core.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import dataclass
from typing import Any, NoReturn

import jsonschema_rs
from jsonschema_rs import Draft202012Validator, ValidationError

from mockserver import decoding, schemas
from mockserver.decoding import FORM, JSON, refuse, shown
from mockserver.errors import UnsupportedMediaType
from mockserver.messages import Request
from mockserver.places import Place

MEDIA_RULE = "GEN-2"

_SPEC = "urn:mockserver:spec"
_FLOAT = re.compile(rb"[0-9][.eE]")
_INDEXED = re.compile(r"(.*)\[([0-9]*)\]", re.DOTALL)


@dataclass(frozen=True, slots=True)
class Field:
    """A parameter or a property of a form, which arrive as text: how to read it."""

    name: str
    read: Callable[[str], Any]
    is_array: bool
    splits: bool
    """An array written as one text with commas in it."""
    empty_is_absent: bool
    """`?q=` is the same as no `q` at all (`allowEmptyValue`)."""

    def value(self, text: str) -> Any:
        """All of one text, as a path or a header has it."""
        return [self.read(item) for item in text.split(",")] if self.is_array else self.read(text)


@dataclass(slots=True)
class Gathered:
    """The pairs of a query or a form, sorted by what the spec says of them."""

    values: dict[str, Any]
    kept: list[tuple[str, str]]
    """The pairs that the spec knows, an array's under its own name: what openapi-core is given."""
    unknown: list[str]


class Fields:
    """The fields of a query or a form by name."""

    def __init__(self, fields: Iterable[Field], *, tolerated: frozenset[str], where: str) -> None:
        self.known = {field.name: field for field in fields}
        self.tolerated = tolerated
        self._where = where
        self._arrays = {name.removesuffix("[]"): field for name, field in self.known.items() if field.is_array}

    def gather(self, pairs: list[tuple[str, str]]) -> Gathered:
        """Raises `InvalidRequest` for a field that is given twice and is no array."""
        gathered = Gathered({}, [], [])
        values, kept = gathered.values, gathered.kept
        for name, text in pairs:
            field = self.known.get(name)
            if field is None:
                self._odd(name, text, gathered)
            elif field.is_array:
                self._append(field, text, gathered)
            elif name in values:
                refuse(name, f"{name} is given more than once in the {self._where}")
            elif text or not field.empty_is_absent:
                values[name] = field.read(text)
                kept.append((name, text))
        return gathered

    def _append(self, field: Field, text: str, gathered: Gathered) -> None:
        if field.splits and field.name in gathered.values:
            refuse(
                field.name, f"{field.name} is given more than once in the {self._where}: separate its items by commas"
            )
        texts = text.split(",") if field.splits else [text]
        gathered.values.setdefault(field.name, []).extend(field.read(item) for item in texts)
        gathered.kept.append((field.name, text))

    def _odd(self, name: str, text: str, gathered: Gathered) -> None:
        # PHP, which the real server is written in, knows an array by the brackets after its name: a[]=1, a[0]=1.
        indexed = _INDEXED.fullmatch(name)
        field = self._arrays.get(indexed[1] if indexed else name)
        if field is None and (base := name.partition("[")[0]) in self._arrays:
            refuse(base, f"{shown(name)} is no item of {base}: write {base}[]")
        if field is None:
            if name not in self.tolerated:
                gathered.unknown.append(name)
        elif indexed is None:
            # Without brackets PHP sees one text where an array must be; unread, it would mean "all of them".
            refuse(name, f"{name} must be an array, got {shown(text)}: write {name}[]={text[: decoding.SHOWN]}")
        else:
            self._append(field, text, gathered)


@dataclass(slots=True)
class Reading:
    """A request as the spec sees it, read but not yet judged."""

    path: dict[str, Any]
    query: Gathered
    headers: dict[str, Any]
    media: Media | None = None
    body: Any = None
    form: Gathered | None = None
    ignored_body: bool = False


@dataclass(frozen=True, slots=True)
class Media:
    """One way to send a body."""

    kind: str
    validator: Draft202012Validator
    known: frozenset[str]
    integers: schemas.Integers | None
    fields: Fields | None

    def read(self, body: bytes, reading: Reading, *, numeric_strings: bool) -> None:
        if self.fields is not None:
            reading.form = self.fields.gather(decoding.form(body))
            reading.body = reading.form.values
            return
        value = decoding.json_value(body)
        if self.integers is not None and (numeric_strings or _FLOAT.search(body)):
            value = schemas.settle(value, self.integers, numeric_strings=numeric_strings)
        reading.body = value


class RequestPlan:
    """How one operation's requests are read and judged."""

    def __init__(self, operation: Place, path_item: Place, compiler: Compiler) -> None:
        parameters = _parameters(operation, path_item)
        self.template = str(path_item.keys[-1])
        self.defaults = {
            place.get("name"): place.child("schema").value["default"]
            for place in parameters
            if place.get("in") == "query" and "default" in place.child("schema").value
        }
        self.paths = {field.name: field for field in _fields(parameters, "path")}
        self.headers = {field.name.lower(): field for field in _fields(parameters, "header")}
        self.query = Fields(_fields(parameters, "query"), tolerated=compiler.tolerated, where="query")
        self._parameters = compiler.parameters(parameters)
        body = operation.child("requestBody") if operation.get("requestBody") else None
        self.body_required = bool(body and body.get("required", False))
        self.media = {} if body is None else {str(k): compiler.media(str(k), v) for k, v in body.children("content")}

    def read(self, params: Mapping[str, str], request: Request, *, numeric_strings: bool) -> Reading:
        """Raises `InvalidRequest` or `UnsupportedMediaType` for what can't be read whatever the spec says."""
        path = {name: self.paths[name].value(decoding.segment(text, name)) for name, text in params.items()}
        query = self.query.gather(decoding.pairs(request.query_string, "query") if request.query_string else [])
        headers = {}
        for name, field in self.headers.items():
            if (text := request.headers.get(name)) is not None:
                headers[name] = field.value(text)
        reading = Reading(path, query, headers)
        if request.body:
            self._read_body(request, reading, numeric_strings)
        return reading

    def fits(self, reading: Reading) -> bool:
        """Whether the spec allows it."""
        if self._parameters is not None and not self._parameters.is_valid(_sections(reading)):
            return False
        if reading.media is None:
            return not self.body_required
        return reading.media.validator.is_valid(reading.body)

    def parameter_errors(self, reading: Reading) -> Iterator[ValidationError]:
        """What is wrong with the parameters; the first step of each path is `path`, `query` or `header`."""
        return self._parameters.iter_errors(_sections(reading)) if self._parameters is not None else iter(())

    def body_errors(self, reading: Reading, *, first_only: bool) -> Iterator[ValidationError]:
        """What is wrong with the body that was sent; all of it, unless `first_only`."""
        if reading.media is not None and first_only:
            try:
                reading.media.validator.validate(reading.body)
            except ValidationError as error:
                yield error
        elif reading.media is not None:
            yield from reading.media.validator.iter_errors(reading.body)

    def _read_body(self, request: Request, reading: Reading, numeric_strings: bool) -> None:
        if not self.media:
            reading.ignored_body = True
            return
        header = request.headers.get("content-type", "")
        kind, charset = decoding.media_type(header)
        media = reading.media = self.media.get(kind)
        if media is None:
            got = f"got {shown(header)}" if header else "there is none"
            _unsupported(f"the Content-Type of a body must be {' or '.join(self.media)}; {got}")
        if charset not in ("", "utf-8", "utf8", "us-ascii"):
            _unsupported(f"the charset of a body must be utf-8, got {shown(charset)}")
        media.read(request.body, reading, numeric_strings=numeric_strings)


@dataclass(frozen=True, slots=True)
class AnswerPlan:
    """One documented answer: its media types and headers."""

    status: str
    media: dict[str, Draft202012Validator | None]
    headers: Draft202012Validator | None
    header_fields: dict[str, Field]

    def fits(self, kind: str, body: Any, headers: Mapping[str, str]) -> bool:
        """Whether the spec allows it; `body` None is no body."""
        if self.headers is not None and not self.headers.is_valid(self.read_headers(headers)):
            return False
        if not self.media:
            return True
        if body is None or kind not in self.media:
            return False
        if kind != JSON and not readable(kind, body):
            return False
        validator = self.media[kind]
        return validator is None or validator.is_valid(body)

    def read_headers(self, headers: Mapping[str, str]) -> dict[str, Any]:
        """The documented headers that are there, read as the spec says."""
        given = {name.lower(): text for name, text in headers.items()}
        return {n: f.value(given[n]) for n, f in self.header_fields.items() if n in given}


class Compiler:
    """Compiles the schemas of one document; raises `Unusable` for what it doesn't cover."""

    def __init__(self, root: Place) -> None:
        self._registry = jsonschema_rs.Registry([(_SPEC, root.value)], draft=jsonschema_rs.Draft202012)
        # A token may come as any operation's parameter, in the query or in the body (GEN-3): never a stranger.
        self.tolerated = (
            frozenset(
                scheme.get("name")
                for _, scheme in root.child("components").children("securitySchemes")
                if scheme.get("type") == "apiKey" and scheme.get("in") == "query"
            )
            if root.get("components")
            else frozenset()
        )

    def validator(self, schema: dict[str, Any], place: Place) -> Draft202012Validator:
        """A validator of a schema that refers to the document by `reference`."""
        try:
            return Draft202012Validator(schema, registry=self._registry, validate_formats=True, offline=True)
        except (ValueError, jsonschema_rs.ReferencingError) as error:
            schemas.check(Place.root(place.document))
            raise place.unusable(f"no valid schema: {str(error).splitlines()[0]}") from error

    def reference(self, place: Place) -> dict[str, Any]:
        """The schema that is at that place."""
        return {"$ref": _SPEC + place.reference}

    def parameters(self, places: list[Place]) -> Draft202012Validator | None:
        """A validator of `{"path": {...}, "query": {...}, "header": {...}}`, header names in lower case."""
        if not places:
            return None
        sections: dict[str, Any] = {}
        for place in places:
            where, name = place.get("in"), place.get("name")
            section = sections.setdefault(where, {"type": "object", "properties": {}, "required": []})
            name = name.lower() if where == "header" else name
            section["properties"][name] = self.reference(place.unfollowed("schema"))
            if place.get("required", False):
                section["required"].append(name)
        return self.validator({"type": "object", "properties": sections}, places[0])

    def media(self, kind: str, place: Place) -> Media:
        """How a request body of that media type is read and judged."""
        if kind not in (JSON, FORM):
            raise place.unusable(f"request bodies are {JSON} or {FORM}")
        schema = place.unfollowed("schema")
        names = schemas.properties(schema)
        fields = None
        if kind == FORM:
            for name, encoding in place.children("encoding"):
                if encoding.get("style", "form") != "form" or not encoding.get("explode", True):
                    raise encoding.unusable(f"this encoding of {name} is not supported: an array repeats its name")
            fields = Fields((_field(n, s) for n, s in names.items()), tolerated=self.tolerated, where="body")
        return Media(
            kind=kind,
            validator=self.validator(self.reference(schema), schema),
            known=frozenset(names) | self.tolerated,
            integers=schemas.integers(schema),
            fields=fields,
        )

    def answers(self, operation: Place) -> dict[str, AnswerPlan]:
        """The documented answers by status, class (`4XX`) or `default`."""
        return {str(status): self._answer(str(status), place) for status, place in operation.children("responses")}

    def _answer(self, status: str, place: Place) -> AnswerPlan:
        media: dict[str, Draft202012Validator | None] = {}
        for kind, content in place.children("content"):
            has_schema = content.get("schema") is not None
            schema = content.unfollowed("schema") if has_schema else content
            media[str(kind)] = self.validator(self.reference(schema), schema) if has_schema else None
        fields: dict[str, Field] = {}
        section: dict[str, Any] = {"type": "object", "properties": {}, "required": []}
        for name, header in place.children("headers"):
            lower = str(name).lower()
            if lower == "content-type":
                continue
            fields[lower] = _field(str(name), header.unfollowed("schema"), splits=not header.get("explode", False))
            section["properties"][lower] = self.reference(header.unfollowed("schema"))
            if header.get("required", False):
                section["required"].append(lower)
        return AnswerPlan(status, media, self.validator(section, place) if fields else None, fields)


def find_answer(answers: Mapping[str, AnswerPlan], status: int) -> AnswerPlan | None:
    """What the spec says about a status: by itself, by its class, by default."""
    return answers.get(str(status)) or answers.get(f"{str(status)[0]}XX") or answers.get("default")


def readable(kind: str, body: Any) -> bool:
    """Whether a reply's body can be of that media type: a text, if it is not JSON."""
    return isinstance(body, str) or decoding.is_json(kind)


def _unsupported(message: str) -> NoReturn:
    raise UnsupportedMediaType(message, because=MEDIA_RULE, errors={"content-type": [message]})


def _sections(reading: Reading) -> dict[str, Any]:
    return {"path": reading.path, "query": reading.query.values, "header": reading.headers}


def _parameters(operation: Place, path_item: Place) -> list[Place]:
    """The parameters that hold for an operation; its own override those of the path."""
    found: dict[tuple[str, str], Place] = {}
    for owner in (path_item, operation):
        for _, place in owner.children("parameters"):
            found[place.child("name").value, place.child("in").value] = place
    return list(found.values())


def _fields(parameters: Iterable[Place], where: str) -> list[Field]:
    for place in parameters:
        if place.get("in") not in ("path", "query", "header"):
            raise place.unusable(f"a parameter in {place.get('in')!r} is not supported")
        if place.get("schema") is None:
            raise place.unusable("a parameter needs a schema")
        usual = "form" if place.get("in") == "query" else "simple"
        if place.get("style", usual) != usual:
            raise place.unusable(f"the style {place.get('style')!r} is not supported")
    return [
        _field(
            place.get("name"),
            place.unfollowed("schema"),
            splits=not place.get("explode", where == "query"),
            empty_is_absent=bool(place.get("allowEmptyValue", False)),
        )
        for place in parameters
        if place.get("in") == where
    ]


def _field(name: str, schema: Place, *, splits: bool = False, empty_is_absent: bool = False) -> Field:
    is_array = schemas.types(schema) == {"array"}
    inner = schemas.items(schema) if is_array else schema
    return Field(
        name=name,
        read=decoding.reader(schemas.types(inner) if inner is not None else schemas.ALL_TYPES),
        is_array=is_array,
        splits=is_array and splits,
        empty_is_absent=empty_is_absent,
    )
