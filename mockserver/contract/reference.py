"""openapi-core as the judge of last resort: asked only about what the compiled validators refuse.

It is right but slow, in verdict (milliseconds) and in import (a third of a second), so `contract` imports this module
when the first verdict is asked for, or in the background once a server is up. Of openapi-core only validators are used:
its unmarshalling takes ten times as long, and its Flask decorator turns our own mistakes into the client's.
"""

from __future__ import annotations

import copy
import json
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, field
from typing import Any

from jsonschema_path import SchemaPath
from jsonschema_rs import Draft202012Validator
from openapi_core.casting.schemas import oas31_types_caster
from openapi_core.casting.schemas.casters import SchemaCaster
from openapi_core.casting.schemas.factories import SchemaCastersFactory
from openapi_core.datatypes import RequestParameters
from openapi_core.deserializing.styles import style_deserializers
from openapi_core.deserializing.styles.deserializers import StyleDeserializer
from openapi_core.deserializing.styles.factories import StyleDeserializersFactory
from openapi_core.exceptions import OpenAPIError
from openapi_core.validation.request.exceptions import MissingRequestBody
from openapi_core.validation.request.validators import V31RequestBodyValidator, V31RequestParametersValidator
from openapi_core.validation.response.validators import V31ResponseValidator
from openapi_core.validation.schemas import oas31_schema_validators_factory
from openapi_spec_validator import OpenAPIV31SpecValidator
from referencing.exceptions import Unresolvable
from werkzeug.datastructures import Headers, ImmutableMultiDict

from mockserver.contract import decoding, schemas
from mockserver.contract.node import Node, complaint
from mockserver.core.errors import Refused, Unusable

_HOST = "http://judged"


@dataclass(slots=True)
class ReferenceRequest:
    """A request in openapi-core's form (its protocol `Request`, with `SupportsPathPattern`).

    `path_pattern` is the path as the spec writes it: which operation it is has been settled before.
    """

    method: str
    path_pattern: str
    parameters: RequestParameters
    content_type: str = ""
    body: bytes | None = None
    host_url: str = _HOST
    path: str = "/"


@dataclass(slots=True)
class ReferenceResponse:
    """A response in openapi-core's form (its protocol `Response`)."""

    status_code: int
    data: bytes
    content_type: str
    headers: Headers = field(default_factory=Headers)


class Content(bytes):
    """What is in the body of a response, be it an empty text: openapi-core takes content that is false for none."""

    def __bool__(self) -> bool:
        return True


class ReferenceValidator:
    """openapi-core's validators for one document."""

    def __init__(self, root: Node) -> None:
        spec = SchemaPath.from_dict(_without_annotations(root.value))
        casters = _Casters(root)
        options: dict[str, Any] = {
            "schema_casters_factory": casters,
            "style_deserializers_factory": _Styles(casters, style_deserializers),
            "format_validators": _formats(root.value),
        }
        asked: dict[str, Callable[[bytes], Any]] = {decoding.JSON: _strict_json}
        self._parameters = V31RequestParametersValidator(spec, **options)
        self._body = V31RequestBodyValidator(spec, extra_media_type_deserializers=asked, **options)
        answered = _deserializers(root.value)
        self._response = V31ResponseValidator(spec, extra_media_type_deserializers=answered, **options)

    def request(
        self,
        method: str,
        path_pattern: str,
        *,
        path: Mapping[str, str],
        query: list[tuple[str, str]],
        headers: Mapping[str, str],
        content_type: str = "",
        body: bytes = b"",
    ) -> list[str]:
        """openapi-core's objections to a request whose values are still text; none if it allows it."""
        question = ReferenceRequest(
            method=method.lower(),
            path_pattern=path_pattern,
            parameters=RequestParameters(
                query=ImmutableMultiDict(query), header=Headers(list(headers.items())), path=dict(path)
            ),
            content_type=content_type,
            body=body or None,
        )
        return [
            _objection(error)
            for validator in (self._parameters, self._body)
            for error in validator.iter_errors(question)
            # Its full validator passes over a missing body that isn't required; the one for bodies alone doesn't.
            if not isinstance(error, MissingRequestBody)
        ]

    def response(
        self,
        method: str,
        path_pattern: str,
        *,
        status: int,
        headers: Mapping[str, str],
        content_type: str,
        body: bytes | None,
    ) -> list[str]:
        """openapi-core's objections to a response; none if it allows it.

        `body` None is no body. Of an empty one openapi-core says that it is missing, whatever the media type. The
        specification says otherwise: content may have no bytes at all (RFC 9110, 6.4), and OpenAPI, which can't require
        the body of a response, puts the schema to what the content is read as, here the text "".
        """
        question = ReferenceRequest(method.lower(), path_pattern, RequestParameters())
        data = b"" if body is None else Content(body)
        answer = ReferenceResponse(status, data, content_type, Headers(list(headers.items())))
        return [_objection(error) for error in self._response.iter_errors(question, answer)]


def check_document(root: Node) -> None:
    """Raises `Unusable`, with the line of every mistake, if this is no valid OpenAPI 3.1 document."""
    for node in root.everywhere():
        node.followed()
    try:
        errors = list(OpenAPIV31SpecValidator(SchemaPath.from_dict(root.value)).iter_errors())
    except (Unresolvable, RecursionError) as error:
        raise root.unusable(f"a reference that leads nowhere, or to itself: {error}") from error
    found = [
        complaint(root.document, tuple(error.absolute_path), error.message.partition("\n")[0][:200]) for error in errors
    ]
    if found:
        raise Unusable(*dict.fromkeys(found))


class _Casters(SchemaCastersFactory):
    """Casts as `decoding` reads: openapi-core's own take int("1_000"), " 2" and full-width digits."""

    def __init__(self, root: Node) -> None:
        super().__init__(oas31_schema_validators_factory, oas31_types_caster)
        self._root = root

    def create(self, spec: SchemaPath, schema: SchemaPath, *args: Any, **kwargs: Any) -> SchemaCaster:
        made = super().create(spec, schema, *args, **kwargs)
        return _Caster(made.schema, made.schema_validator, made.types_caster, self._root)


class _Caster(SchemaCaster):
    def __init__(self, schema: SchemaPath, validator: Any, types_caster: Any, root: Node) -> None:
        super().__init__(schema, validator, types_caster)
        self._root = root

    def types(self) -> frozenset[str]:
        return schemas.types(self._node())

    def cast(self, value: Any) -> Any:
        if isinstance(value, list):
            inner = schemas.items(self._node())
            read = decoding.reader(schemas.types(inner) if inner is not None else schemas.ALL_TYPES)
            return [read(item) for item in value]
        return decoding.reader(self.types())(value) if isinstance(value, str) else value

    def _node(self) -> Node:
        with self.schema.resolve() as resolved:
            return Node(self._root.document, (), resolved.contents)

    def evolve(self, schema: SchemaPath) -> SchemaCaster:
        return _Caster(schema, self.schema_validator.evolve(schema), self.types_caster, self._root)


class _Styles(StyleDeserializersFactory):
    """Knows arrays and texts apart, all that parameters need; openapi-core's own trips over a list of types."""

    def create(self, spec: SchemaPath, schema: SchemaPath, style: str, explode: bool, name: str) -> StyleDeserializer:
        caster = self.schema_casters_factory.create(spec, schema)
        is_array = isinstance(caster, _Caster) and caster.types() == {"array"}
        return StyleDeserializer(
            style, explode, name, "array" if is_array else "", caster, self.style_deserializers.get(style)
        )


def _deserializers(document: dict[str, Any]) -> dict[str, Callable[[bytes], Any]]:
    """How the bodies of replies are read: what is not JSON is text, where openapi-core would leave it bytes."""
    kinds = {kind for node in _mappings(document) for kind in node.get("content", {})}
    return {kind: _json if decoding.is_json(kind) else _text for kind in kinds}


def _json(body: bytes, **_parameters: str) -> Any:
    return json.loads(body)


def _text(body: bytes, **_parameters: str) -> str:
    return body.decode("utf-8")


def _strict_json(body: bytes, **_parameters: str) -> Any:
    try:
        return decoding.json_value(body)
    except Refused as error:
        raise ValueError(error.message) from error


def _without_annotations(document: dict[str, Any]) -> dict[str, Any]:
    """A copy without what openapi-core would stumble over.

    The servers and the security are others' to judge. For `deprecated` and `allowEmptyValue` it issues a warning per
    request, which a test suite may have made an error; an empty value of a parameter that allows it has been left out
    by then, as an absent one.
    """
    bare = copy.deepcopy(document)
    for node in _mappings(bare):
        if "in" in node and "name" in node:
            node.pop("allowEmptyValue", None)
            node.pop("deprecated", None)
    for item in [bare, *bare.get("paths", {}).values()]:
        item.pop("servers", None)
        for operation in item.values():
            if isinstance(operation, dict) and "responses" in operation:
                operation.pop("servers", None)
    return bare


def _formats(document: dict[str, Any]) -> dict[str, Callable[[Any], bool]]:
    """The compiled validators' formats, so that both judges know the same ones by the same definition."""
    names = {node["format"] for node in _mappings(document) if isinstance(node.get("format"), str)}
    return {name: Draft202012Validator({"format": name}, validate_formats=True).is_valid for name in sorted(names)}


def _mappings(root: Any) -> Iterator[dict[str, Any]]:
    pending = [root]
    while pending:
        value = pending.pop()
        if isinstance(value, dict):
            yield value
            pending.extend(value.values())
        elif isinstance(value, list):
            pending.extend(value)


def _objection(error: Exception) -> str:
    """One line of what openapi-core says, with the reasons that it keeps further down."""
    cause = error.__cause__
    reasons = [str(inner.message) for inner in getattr(cause, "schema_errors", ())]
    if not reasons and isinstance(cause, OpenAPIError):
        reasons = [type(cause).__name__]
    return f"{type(error).__name__}: {'; '.join(reasons)}" if reasons else type(error).__name__
