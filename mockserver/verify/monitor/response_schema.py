"""Judges the form of every answer: that it is JSON, with a documented status, of the documented shape."""

from __future__ import annotations

from mockserver.verify.monitor.history import not_utc
from mockserver.verify.recorder import Recorder
from mockserver.verify.spec import Spec, SpecOperation
from mockserver.verify.transport.http import NOT_JSON, Answer

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
FRONT_SERVER = frozenset({413, 414, 431})
"""Statuses that a web server answers before the API is reached, in a form of its own."""
NUL = "%00"
"""What web servers refuse in a path by themselves, as 400 or 404."""


class ResponseSchema:
    """What the spec says of answers."""

    def __init__(self, spec: Spec, recorder: Recorder) -> None:
        self.spec = spec
        self.recorder = recorder

    def keeps(self, operation: SpecOperation, answer: Answer) -> bool:
        """Records what is wrong with the form; whether the answer can be read any further."""
        if answer.status >= 500:
            if operation.id != "collectInvoice":
                self._breach(
                    "GEN-5",
                    f"{operation.id} {answer.status // 100}XX",
                    "no input makes the server fail",
                    f"it answers {answer.brief()}",
                    answer,
                    check="answers[-1].status < 500",
                )
            return answer.content is not NOT_JSON
        if answer.status in FRONT_SERVER or (answer.refused and NUL in answer.outgoing.target.partition("?")[0]):
            return False
        if answer.content is NOT_JSON or "json" not in answer.content_type.lower():
            return self._no_json(operation, answer)
        self.recorder.held("GEN-1")
        rule = FORM_RULES[operation.id] if answer.ok else "GEN-5"
        if operation.documented(answer.status) is None:
            self._breach(
                rule,
                f"{operation.id} undocumented status {answer.status}",
                f"the status is one of {', '.join(operation.statuses)}",
                f"it is {answer.brief()}",
                answer,
            )
            return answer.ok
        self._times(operation, rule, answer)
        self._shape(operation, rule, answer)
        return True

    def _shape(self, operation: SpecOperation, rule: str, answer: Answer) -> None:
        flaws = self.spec.flaws(operation, answer.status, answer.content)
        for flaw in flaws:
            what = flaw.pointer or "body"
            self._breach(
                rule,
                f"{operation.id} form of {what}",
                f"the {'answer' if answer.ok else 'refusal'} has the documented form",
                f"at {what}: {flaw.problem}",
                answer,
            )
        if not flaws:
            self.recorder.held(rule)

    def _times(self, operation: SpecOperation, rule: str, answer: Answer) -> None:
        for row in (answer.part("invoice"), *(answer.rows if operation.id == "listInvoices" else ())):
            if (value := not_utc(row)) is not None:
                self._breach(
                    rule,
                    f"{operation.id} time not in UTC",
                    "created_at is a date-time in UTC",
                    f"it is {value}",
                    answer,
                )
                return

    def _no_json(self, operation: SpecOperation, answer: Answer) -> bool:
        if 300 <= answer.status < 400:
            where = dict(answer.exchange.answer_headers).get("location", "nowhere")
            actual = f"it redirects to {where}"
        elif answer.content is not NOT_JSON:
            actual = f"the content type is {answer.content_type or 'missing'}"
        else:
            actual = f"it is no JSON ({answer.content_type or 'no content type'}): {answer.brief()}"
        for rule in ("GEN-1",) if answer.status < 400 else ("GEN-1", "GEN-5"):
            self._breach(rule, f"{operation.id} {answer.status} is no JSON", "the answer is JSON", actual, answer)
        return answer.content is not NOT_JSON

    def _breach(self, rule: str, kind: str, expected: str, actual: str, answer: Answer, check: str = "") -> None:
        self.recorder.breach(
            rule, kind=kind, expected=expected, actual=actual, check=check, exchanges=[answer.exchange]
        )
