"""From the spec's words to what judges traffic: every schema compiled, every field's reading settled, once."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

from mockserver.contract import schemas
from mockserver.contract.compiled import AnswerPlan, Media, RequestPlan, Schemas, Validator
from mockserver.contract.decoding import FORM, JSON
from mockserver.contract.node import Node
from mockserver.contract.parameters import Field, Fields, field_of


class Compiler:
    """Compiles the schemas of one document; raises `Unusable` for what it doesn't cover."""

    def __init__(self, root: Node) -> None:
        self._schemas = Schemas(root)
        # A token may come as any operation's parameter, in the query or in the body (GEN-3): never a stranger.
        schemes = root.child("components").children("securitySchemes") if root.get("components") else ()
        self._tolerated = frozenset(
            scheme.get("name")
            for _, scheme in schemes
            if scheme.get("type") == "apiKey" and scheme.get("in") == "query"
        )

    def request(self, operation: Node, path_item: Node) -> RequestPlan:
        """How the operation's requests are read and judged."""
        parameters = _parameters(operation, path_item)
        paths = {field.name: field for field in _fields(parameters, "path")}
        template = str(path_item.keys[-1])
        if {part[1:-1] for part in template.split("/") if part.startswith("{")} != set(paths):
            raise operation.unusable(f"its path parameters are not those of {template}")
        body = operation.child("requestBody") if operation.get("requestBody") else None
        return RequestPlan(
            operation_id=operation.get("operationId"),
            paths=paths,
            query=Fields(_fields(parameters, "query"), tolerated=self._tolerated, where="query"),
            headers={field.name.lower(): field for field in _fields(parameters, "header")},
            defaults={
                node.get("name"): node.child("schema").value["default"]
                for node in parameters
                if node.get("in") == "query" and "default" in node.child("schema").value
            },
            parameters=self._parameters(parameters),
            media={}
            if body is None
            else {str(kind): self._media(str(kind), v) for kind, v in body.children("content")},
            body_required=bool(body and body.get("required", False)),
        )

    def answers(self, operation: Node) -> dict[str, AnswerPlan]:
        """The documented answers by status, class (`4XX`) or `default`."""
        return {str(status): self._answer(str(status), node) for status, node in operation.children("responses")}

    def _parameters(self, nodes: list[Node]) -> Validator | None:
        """A validator of `{"path": {...}, "query": {...}, "header": {...}}`, header names in lower case."""
        if not nodes:
            return None
        sections: dict[str, Any] = {}
        for node in nodes:
            where, name = node.get("in"), node.get("name")
            section = sections.setdefault(where, {"type": "object", "properties": {}, "required": []})
            name = name.lower() if where == "header" else name
            section["properties"][name] = self._schemas.reference(node.unfollowed("schema"))
            if node.get("required", False):
                section["required"].append(name)
        return self._schemas.compiled({"type": "object", "properties": sections}, nodes[0])

    def _media(self, kind: str, node: Node) -> Media:
        """How a request body of that media type is read and judged."""
        if kind not in (JSON, FORM):
            raise node.unusable(f"request bodies are {JSON} or {FORM}")
        schema = node.unfollowed("schema")
        names = schemas.properties(schema)
        fields = None
        if kind == FORM:
            for name, encoding in node.children("encoding"):
                if encoding.get("style", "form") != "form" or not encoding.get("explode", True):
                    raise encoding.unusable(f"this encoding of {name} is not supported: an array repeats its name")
            fields = Fields((field_of(n, s) for n, s in names.items()), tolerated=self._tolerated, where="body")
        return Media(
            kind=kind,
            validator=self._schemas.at(schema),
            known=frozenset(names) | self._tolerated,
            integers=schemas.integers(schema),
            fields=fields,
        )

    def _answer(self, status: str, node: Node) -> AnswerPlan:
        media: dict[str, Validator | None] = {}
        lists: dict[str, Validator] = {}
        for kind, content in node.children("content"):
            has_schema = content.get("schema") is not None
            schema = content.unfollowed("schema") if has_schema else content
            media[str(kind)] = self._schemas.at(schema) if has_schema else None
            if kind == JSON and has_schema:
                lists = {name: self._schemas.at(items) for name, items in schemas.lists(schema).items()}
        fields: dict[str, Field] = {}
        section: dict[str, Any] = {"type": "object", "properties": {}, "required": []}
        for name, header in node.children("headers"):
            lower = str(name).lower()
            if lower == "content-type":
                continue
            fields[lower] = field_of(str(name), header.unfollowed("schema"), splits=not header.get("explode", False))
            section["properties"][lower] = self._schemas.reference(header.unfollowed("schema"))
            if header.get("required", False):
                section["required"].append(lower)
        return AnswerPlan(status, media, self._schemas.compiled(section, node) if fields else None, fields, lists)


def _parameters(operation: Node, path_item: Node) -> list[Node]:
    """The parameters that hold for an operation; its own override those of the path."""
    found: dict[tuple[str, str], Node] = {}
    for owner in (path_item, operation):
        for _, node in owner.children("parameters"):
            found[node.child("name").value, node.child("in").value] = node
    return list(found.values())


def _fields(parameters: Iterable[Node], where: str) -> list[Field]:
    for node in parameters:
        if node.get("in") not in ("path", "query", "header"):
            raise node.unusable(f"a parameter in {node.get('in')!r} is not supported")
        if node.get("schema") is None:
            raise node.unusable("a parameter needs a schema")
        usual = "form" if node.get("in") == "query" else "simple"
        if node.get("style", usual) != usual:
            raise node.unusable(f"the style {node.get('style')!r} is not supported")
    return [
        field_of(
            node.get("name"),
            node.unfollowed("schema"),
            splits=not node.get("explode", where == "query"),
            empty_is_absent=bool(node.get("allowEmptyValue", False)),
        )
        for node in parameters
        if node.get("in") == where
    ]
