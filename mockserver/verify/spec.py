"""`openapi.yaml` as the judge of answers: operations by address, the form of each documented answer, the rules."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import jsonschema_rs
import yaml

_METHODS = ("get", "post", "put", "patch", "delete")


@dataclass(frozen=True, slots=True)
class SpecRule:
    """A rule of behaviour with its provenance."""

    id: str
    level: str
    statement: str
    source: str

    @property
    def area(self) -> str:
        return self.id.partition("-")[0]


@dataclass(frozen=True, slots=True)
class SpecOperation:
    """An operation of the spec. `statuses` are as documented: `200`, `401`, `4XX`."""

    id: str
    method: str
    path: str
    pattern: re.Pattern[str]
    statuses: tuple[str, ...]
    rules: tuple[str, ...]

    def documented(self, status: int) -> str | None:
        """The documented status that covers `status`, the exact one first."""
        for name in (str(status), f"{status // 100}XX"):
            if name in self.statuses:
                return name
        return None


@dataclass(frozen=True, slots=True)
class Flaw:
    """A place where an answer is not of the documented form. `pointer` is dotted, rows as `*`."""

    pointer: str
    problem: str


class Spec:
    """The compiled document."""

    def __init__(self, document: Mapping[str, Any]) -> None:
        self.document = document
        self.version = str(document["info"]["version"])
        self.rules: dict[str, SpecRule] = {
            rule_id: SpecRule(rule_id, str(about["level"]), str(about["statement"]), str(about["source"]))
            for rule_id, about in document.get("x-rules", {}).items()
        }
        self.operations: dict[str, SpecOperation] = {}
        self._validators: dict[tuple[str, str], jsonschema_rs.Draft202012Validator] = {}
        for path, item in document["paths"].items():
            for method in _METHODS:
                if method in item:
                    self._add(path, method, item[method])

    def operation(self, method: str, target: str) -> SpecOperation | None:
        """The operation that a request addresses; `target` is relative to the base address."""
        path = target.partition("?")[0]
        for operation in self.operations.values():
            if operation.method == method and operation.pattern.fullmatch(path):
                return operation
        return None

    def flaws(self, operation: SpecOperation, status: int, content: Any) -> list[Flaw]:
        """Where `content` departs from the documented form; nothing for a status that isn't documented."""
        documented = operation.documented(status)
        validator = self._validators.get((operation.id, documented or ""))
        if validator is None:
            return []
        return list(_distinct(validator.iter_errors(_plain(content))))

    def _add(self, path: str, method: str, about: Mapping[str, Any]) -> None:
        responses = {status: self._resolved(answer) for status, answer in about["responses"].items()}
        quoted = "".join(
            "[^/]+" if part.startswith("{") else re.escape(part) for part in re.split(r"(\{[^}]*\})", path)
        )
        operation = SpecOperation(
            id=about["operationId"],
            method=method.upper(),
            path=path,
            pattern=re.compile(quoted + "/?"),
            statuses=tuple(sorted(responses, key=lambda status: (status.endswith("XX"), status))),
            rules=tuple(about.get("x-rules", ())),
        )
        self.operations[operation.id] = operation
        for status, answer in responses.items():
            media = answer.get("content", {}).get("application/json")
            if media is not None:
                schema = {**media["schema"], "components": self.document.get("components", {})}
                self._validators[operation.id, status] = jsonschema_rs.Draft202012Validator(
                    schema, validate_formats=True
                )

    def _resolved(self, value: Any) -> Any:
        while isinstance(value, dict) and "$ref" in value:
            found: Any = self.document
            for key in value["$ref"].removeprefix("#/").split("/"):
                found = found[key.replace("~1", "/").replace("~0", "~")]
            value = found
        return value


def read_spec(path: Path) -> Spec:
    """The document in `path`."""
    return Spec(yaml.load(path.read_text(encoding="utf-8"), Loader=yaml.CSafeLoader))


def _distinct(errors: Iterator[jsonschema_rs.ValidationError]) -> Iterator[Flaw]:
    seen = set()
    for error in errors:
        pointer = ".".join("*" if isinstance(step, int) else str(step) for step in error.instance_path)
        flaw = Flaw(pointer, error.message[:300])
        kind = (pointer, "/".join(map(str, error.schema_path)))
        if kind not in seen:
            seen.add(kind)
            yield flaw


def _plain(content: Any) -> Any:
    """Exact decimals as floats, which is all that the form of an answer depends on."""
    if isinstance(content, dict):
        return {key: _plain(value) for key, value in content.items()}
    if isinstance(content, list):
        return [_plain(value) for value in content]
    if isinstance(content, str):
        return content.encode("utf-8", "replace").decode("utf-8")
    return content if content is None or isinstance(content, bool | int) else float(content)
