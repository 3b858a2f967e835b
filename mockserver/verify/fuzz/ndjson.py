"""The fuzzer's stream of events, read as breaches of rules and as the walks that its stateful phase made."""

from __future__ import annotations

import base64
import json
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from mockserver.contract.contract import Contract, Operation
from mockserver.verify.claims.claims import All, Claim, Const, Is, IsJson, Status
from mockserver.verify.events import RecordedExchange
from mockserver.verify.monitor.response_schema import FORM_RULES
from mockserver.verify.transport.http import KEPT
from mockserver.verify.transport.redaction import escaped

WALK = ("createQuickAdjustment", "createInvoice", "finalizeInvoice", "collectInvoice")
"""The life of an invoice, which the stateful phase should walk."""
_RULES = {
    "not_a_server_error": "GEN-5",
    "negative_data_rejection": "GEN-5",
    "positive_data_acceptance": "GEN-5",
    "unsupported_method": "GEN-5",
    "missing_required_header": "GEN-5",
    "content_type_conformance": "GEN-1",
    "ignored_auth": "GEN-4",
    "use_after_free": "GEN-9",
    "ensure_resource_availability": "GEN-9",
    "object_level_authorization": "GEN-8",
}
"""The rule that a check of the fuzzer judges; the form of answers is judged by operation."""
_REFUSED = All((Is(Status(0), ">=", Const(400)), Is(Status(0), "<", Const(500))))
_CLAIMS: dict[str, Claim] = {
    "not_a_server_error": Is(Status(0), "<", Const(500)),
    "negative_data_rejection": _REFUSED,
    "unsupported_method": _REFUSED,
    "missing_required_header": _REFUSED,
    "use_after_free": _REFUSED,
    "object_level_authorization": _REFUSED,
    "positive_data_acceptance": Is(Status(0), "<", Const(300)),
    "ensure_resource_availability": Is(Status(0), "<", Const(300)),
    "content_type_conformance": Is(IsJson(0), "is", Const(True)),
    "ignored_auth": Is(Status(0), "is", Const(401)),
}
"""What each check asks of an answer, for replaying it; of any other the recorded status must not come again."""
_FILTERED = "%5BFiltered%5D"
"""What the fuzzer writes in place of `api_token`."""


@dataclass(frozen=True, slots=True)
class Finding:
    """One failure of a check."""

    rule: str
    kind: str
    expected: str
    actual: str
    exchanges: tuple[RecordedExchange, ...]
    check: Claim
    """What must hold of the answer."""


@dataclass(slots=True)
class FuzzResult:
    """What one run of the fuzzer brought."""

    findings: list[Finding] = field(default_factory=list)
    cases: int = 0
    steps: dict[str, int] = field(default_factory=dict)
    """Operation to the successful calls of the stateful phase that followed a link or began a walk."""
    walks: int = 0
    """Scenarios of the stateful phase that went all the way from a charge to a collect."""
    finished: bool = False


def read_report(
    path: Path,
    contract: Contract,
    *,
    gateway: str,
    target: str,
    token: str = "",
    headers: Sequence[tuple[str, str]] = (),
) -> FuzzResult:
    """The result of an NDJSON report, whole or cut off; addresses of the gateway become the server's.

    `token` is what the fuzzer was given for one; `headers` were sent with each request, as they are shown.
    """
    result = FuzzResult()
    for event in _events(path):
        if "EngineFinished" in event:
            result.finished = True
        finished = event.get("ScenarioFinished")
        if finished:
            _scenario(finished, contract, result, _Told(gateway, target, token, tuple(headers)))
    return result


def _events(path: Path) -> Iterator[dict[str, Any]]:
    if not path.exists():
        return
    with path.open(encoding="utf-8") as lines:
        for line in lines:
            try:
                yield json.loads(line)
            except (ValueError, RecursionError):
                return


def _scenario(about: Mapping[str, Any], contract: Contract, result: FuzzResult, told: _Told) -> None:
    target = told.target
    recorder = about.get("recorder") or {}
    exchanges: dict[str, RecordedExchange] = {}
    walked: list[str] = []
    for case_id, interaction in (recorder.get("interactions") or {}).items():
        exchange = _exchange(interaction, told)
        exchanges[case_id] = exchange
        result.cases += 1
        operation = contract.addressed(exchange.method, exchange.url.removeprefix(target))
        if about.get("phase") == "stateful" and operation is not None and exchange.status in range(200, 300):
            walked.append(operation.id)
            result.steps[operation.id] = result.steps.get(operation.id, 0) + 1
    result.walks += _is_walk(walked)
    for case_id, checks in (recorder.get("checks") or {}).items():
        for check in checks:
            if check.get("status") == "failure" and case_id in exchanges:
                own = exchanges[case_id]
                result.findings.append(
                    _finding(check, own, contract.addressed(own.method, own.url.removeprefix(target)))
                )


def _is_walk(walked: list[str]) -> bool:
    remaining = iter(walked)
    return all(step in remaining for step in WALK)


def _finding(check: Mapping[str, Any], exchange: RecordedExchange, operation: Operation | None) -> Finding:
    failure = (check.get("failure_info") or {}).get("failure") or {}
    name = operation.id if operation else exchange.method
    rule = _RULES.get(check["name"])
    if rule is None:
        well = exchange.status is not None and exchange.status < 400
        rule = FORM_RULES.get(name, "GEN-5") if well else "GEN-5"
    message = " ".join(str(failure.get("message") or failure.get("title") or check["name"]).split())
    return Finding(
        rule=rule,
        kind=f"{name} {failure.get('type') or check['name']}",
        expected=f"what the check {check['name']} asks of {name}",
        actual=message[:300] or "it does not hold",
        exchanges=(exchange,),
        check=_CLAIMS.get(check["name"], Is(Status(0), "is not", Const(exchange.status))),
    )


@dataclass(frozen=True, slots=True)
class _Told:
    """How the fuzzer's requests are told: as the server got them, with placeholders in place of secrets."""

    gateway: str
    target: str
    token: str
    headers: tuple[tuple[str, str], ...]

    def text(self, text: str) -> str:
        """What the fuzzer made up, or took over from an answer, is no placeholder; its token is one."""
        plain = escaped(text)
        return plain.replace(self.token, "$TOKEN") if self.token else plain

    def octets(self, octets: bytes) -> bytes:
        return self.text(octets.decode("utf-8", "surrogateescape")).encode("utf-8", "surrogateescape")


def _exchange(interaction: Mapping[str, Any], told: _Told) -> RecordedExchange:
    request, response = interaction["request"], interaction.get("response") or {}
    headers = tuple(
        (name, "Bearer $TOKEN" if name.lower() == "authorization" else told.text(value))
        for name, values in (request.get("headers") or {}).items()
        for value in values
    )
    body, answer = _octets(request.get("body")), _octets(response.get("content")) or b""
    return RecordedExchange(
        method=request["method"],
        url=told.text(request["uri"].replace(told.gateway, told.target)).replace(_FILTERED, "$TOKEN"),
        headers=(*headers, *told.headers),
        body=None if body is None else told.octets(body),
        status=response.get("status_code"),
        answer_headers=tuple(
            (name, value) for name, values in (response.get("headers") or {}).items() for value in values
        ),
        answer=answer[:KEPT],
        cut=max(0, len(answer) - KEPT),
        failure=None if response else "no answer",
        elapsed=float(response.get("elapsed") or 0.0),
    )


def _octets(value: object) -> bytes | None:
    if isinstance(value, dict) and "$base64" in value:
        return base64.b64decode(value["$base64"])
    return value.encode() if isinstance(value, str) else None
