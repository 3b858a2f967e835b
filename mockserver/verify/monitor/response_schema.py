"""Judges the form of every answer: that it is JSON, with a documented status, of the documented shape."""

from __future__ import annotations

from typing import Any

from mockserver.contract.compiled import SchemaFlaw
from mockserver.contract.contract import Contract, Operation
from mockserver.verify.assertions.expect import Expect
from mockserver.verify.assertions.statements import Statement, Subject, any_of, is_json, list_of, of, status_of
from mockserver.verify.claims.claims import Operator
from mockserver.verify.events import GATEWAY
from mockserver.verify.monitor.canonical import may_be_turned_away
from mockserver.verify.transport.messages import NOT_JSON, Answer

FORM_RULES = {
    "listInvoices": "LIST-1",
    "createInvoice": "CREATE-3",
    "finalizeInvoice": "FINALIZE-1",
    "collectInvoice": "COLLECT-2",
    "listCharges": "GEN-9",
    "getCharge": "GEN-9",
    "createQuickAdjustment": "GEN-9",
}
"""The rule that an answer of the wrong form breaks, by operation."""


UTC = r"(Z|[+-]00:?00)$"
"""How a time in UTC ends; one without a zone is taken for UTC too."""
ZONED = r"[+-]\d\d:?\d\d$"
DATE_TIME = r"^\d{4}-\d\d-\d\d[Tt ]\d\d:\d\d:\d\d(\.\d+)?([Zz]|[+-]\d\d:\d\d)$"


class ResponseSchema:
    """What the spec says of answers."""

    def __init__(self, contract: Contract, expect: Expect) -> None:
        self._contract = contract
        self._expect = expect

    def keeps(self, operation: Operation, answer: Answer) -> bool:
        """Records what is wrong with the form; whether the answer can be read any further."""
        if answer.status >= 500:
            if operation.id != "collectInvoice":
                self._expect.breach(
                    "GEN-5",
                    status_of(answer).compares("<", 500),
                    kind=f"{operation.id} {answer.status // 100}XX",
                    because="no input makes the server fail",
                    actual=f"it answers {answer.brief()}",
                    # A load balancer says so while a server is restarted, whatever it is asked.
                    proves=answer.status not in GATEWAY,
                )
            return answer.content is not NOT_JSON
        if may_be_turned_away(answer.outgoing, answer.status):
            return False
        if answer.content is NOT_JSON or "json" not in answer.content_type.lower():
            return self._no_json(operation, answer)
        self._expect.recorder.held("GEN-1")
        rule = FORM_RULES[operation.id] if answer.ok else "GEN-5"
        if self._contract.documented(operation, answer.status) is None:
            statuses = self._contract.statuses(operation)
            self._expect.breach(
                rule,
                any_of(*(_is_status(answer, status) for status in statuses)),
                kind=f"{operation.id} undocumented status {answer.status}",
                because=f"the status is one of {', '.join(statuses)}",
                actual=f"it is {answer.brief()}",
            )
            return answer.ok
        self._times(operation, rule, answer)
        self._shape(operation, rule, answer)
        return True

    def _shape(self, operation: Operation, rule: str, answer: Answer) -> None:
        flaws = self._contract.flaws(operation, answer.status, _plain(answer.content))
        seen: set[tuple[str, str]] = set()
        for flaw in flaws:
            where = ".".join("*" if isinstance(step, int) else step for step in flaw.path) or "body"
            if (where, flaw.keyword) in seen:
                continue
            seen.add((where, flaw.keyword))
            self._expect.breach(
                rule,
                _sound(of(answer), flaw),
                kind=f"{operation.id} form of {where}",
                because=f"the {'answer' if answer.ok else 'refusal'} has the documented form",
                actual=f"at {where}: {flaw.message[:300]}",
                about=_record(operation, answer, flaw),
            )
        if not flaws:
            self._expect.recorder.held(rule)

    def _times(self, operation: Operation, rule: str, answer: Answer) -> None:
        """The times of invoices are in UTC."""
        # A row that is no object has no time; that it is none is told by its form.
        has_rows = bool(answer.rows) and len(answer.rows) == len(answer.mapping["data"])
        rows = of(answer).each("created_at") if operation.id == "listInvoices" and has_rows else None
        shown = rows or list_of([of(answer).at("invoice.created_at")] if answer.part("invoice") else [])
        zoned = shown.where("", "matches", ZONED)
        statement = zoned.every("matches", UTC)
        if not statement.is_true():
            self._expect.breach(
                rule, statement, kind=f"{operation.id} time not in UTC", because="created_at is a date-time in UTC"
            )

    def _no_json(self, operation: Operation, answer: Answer) -> bool:
        if 300 <= answer.status < 400:
            named = {name.lower(): value for name, value in answer.exchange.answer_headers}
            where = named.get("location", "nowhere")
            actual = f"it redirects to {where}"
        elif answer.content is not NOT_JSON:
            actual = f"the content type is {answer.content_type or 'missing'}"
        else:
            actual = f"it is no JSON ({answer.content_type or 'no content type'}): {answer.brief()}"
        for rule in ("GEN-1",) if answer.status < 400 else ("GEN-1", "GEN-5"):
            self._expect.breach(
                rule,
                is_json(answer),
                kind=f"{operation.id} {answer.status} is no JSON",
                because="the answer is JSON",
                actual=actual,
            )
        return answer.content is not NOT_JSON


def _is_status(answer: Answer, documented: str) -> Statement:
    """Whether the answer's status is one that is written as `200` or `4XX`."""
    if documented.isdigit():
        return status_of(answer).equals(int(documented))
    return status_of(answer).is_one_of(*range(int(documented[0]) * 100, int(documented[0]) * 100 + 100))


def _sound(body: Subject, flaw: SchemaFlaw) -> Statement:
    """That the flaw is not there, on all rows alike."""
    steps = list(flaw.path)
    rows = [place for place, step in enumerate(steps) if isinstance(step, int)]
    if len(rows) == 1:
        steps[rows[0]] = "*"
    subject = body.under(steps)
    operator: Operator
    due: Any
    match flaw.keyword:
        case "type":
            operator, due = "is a", tuple(flaw.due)
        case "required":
            operator, due = "has", flaw.due
        case "enum":
            operator, due = "in", tuple(flaw.due)
        case "const":
            operator, due = "is", flaw.due
        case "pattern":
            operator, due = "matches", flaw.due
        case "format" if flaw.due == "date-time":
            operator, due = "matches", DATE_TIME
        case "minimum":
            operator, due = ">=", flaw.due
        case _:
            return body.under(flaw.path).differs(body.under(flaw.path).value())
    return subject.every(operator, due) if len(rows) == 1 else subject.compares(operator, due)


def _record(operation: Operation, answer: Answer, flaw: SchemaFlaw) -> list[tuple[str, str]]:
    """The record of a list that the flaw was met in."""
    if len(flaw.path) < 2 or flaw.path[0] != "data" or not isinstance(flaw.path[1], int):
        return []
    row = answer.mapping["data"][flaw.path[1]]
    kind = "invoice" if operation.id == "listInvoices" else "charge"
    return [(kind, str(row["id"]))] if isinstance(row, dict) and "id" in row else []


def _plain(content: Any) -> Any:
    """Exact decimals as floats, which is all that the form of an answer depends on."""
    if isinstance(content, dict):
        return {key: _plain(value) for key, value in content.items()}
    if isinstance(content, list):
        return [_plain(value) for value in content]
    if isinstance(content, str):
        return content.encode("utf-8", "replace").decode("utf-8")
    return content if content is None or isinstance(content, bool | int) else float(content)
