"""Says what answers must be: the condition, both sentences of a report and the check of a replay, from one spelling.

expect("COLLECT-3", of(after).row("invoice", 57).at("status").differs("Draft"), because="…", kind="…")
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, fields, replace
from typing import Any

from mockserver.verify.assertions.recorder import Recorder
from mockserver.verify.assertions.statements import Evidence, Statement, Subject, exchange_of, is_refused, told
from mockserver.verify.claims.claims import (
    Body,
    CannotTell,
    Claim,
    Const,
    Get,
    Id,
    IsJson,
    Status,
    Value,
    answers_of,
    nodes,
)
from mockserver.verify.claims.values import shown
from mockserver.verify.events import RecordedExchange
from mockserver.verify.replay.id_tracing import producers
from mockserver.verify.replay.ledger import Ledger
from mockserver.verify.transport.messages import Answer

MOST_EXCHANGES = 40
"""A sequence longer than this is shown by its beginning, its end and what it is judged by."""


@dataclass(frozen=True, slots=True)
class Expect:
    """Puts statements to the answers, and records what comes of it."""

    recorder: Recorder
    ledger: Ledger
    lacks: Callable[[Evidence], bool] = bool
    """Whether an answer is that of an operation that the server does not have: what it shows is not judged."""

    def __call__(
        self,
        rule: str,
        statement: Statement,
        *,
        because: str,
        kind: str,
        actual: str | tuple[str, Subject] = "",
        using: Iterable[Evidence] = (),
        proves: bool = False,
    ) -> bool:
        """Counts the rule as put to the test; records a breach unless the statement holds. Returns whether it does.

        `because`: the rule in one sentence, for this case. `kind` names the difference, without ids or times. `actual`
        is the sentence about what came, where the one that the statement makes of itself is not plain: a text, or one
        that ends in a value. `using`: what happened before, beyond what made the records that are spoken of.
        `proves`: whether the answers prove the breach by themselves, also if it never happens again.
        """
        if any(self.lacks(one) for one in statement.evidence):
            return True
        try:
            true = statement.is_true()
        except CannotTell:
            # What is no such answer at all breaks the rules of form.
            return True
        if true:
            self.recorder.held(rule)
        else:
            self.breach(rule, statement, because=because, kind=kind, actual=actual, using=using, proves=proves)
        return true

    def refused(self, rule: str, answer: Answer, what: str, using: Iterable[Evidence] = ()) -> bool:
        """Expects a 4xx; `what` names the request in a few words, without ids."""
        return self(
            rule, is_refused(answer), because=f"{what} is refused with a 4xx", kind=f"{what} not refused", using=using
        )

    def breach(
        self,
        rule: str,
        statement: Statement,
        *,
        because: str,
        kind: str,
        actual: str | tuple[str, Subject] = "",
        using: Iterable[Evidence] = (),
        about: Iterable[tuple[str, str]] = (),
        proves: bool = False,
    ) -> None:
        """Records that the statement does not hold. `about`: the records whose making it needs, by kind and id."""
        ids = [*about, *((node.kind, str(node.number)) for node in nodes(statement.claim) if isinstance(node, Id))]
        actual = actual or told(statement)
        told_by = [exchange_of(one) for one in (*using, *statement.evidence)]
        exchanges = _shortened(self.ledger.complete(told_by, ids), answers_of(statement.claim))
        check = placed(statement.claim, exchanges)
        made = producers(exchanges)
        self.recorder.breach(
            rule,
            kind=kind,
            expected=because,
            actual=actual if isinstance(actual, str) else f"{actual[0]} {shown(actual[1].value())}",
            exchanges=exchanges,
            check=check,
            from_nothing=all(key in made for key in ids),
            proves=proves,
        )


def placed(claim: Claim, exchanges: Sequence[RecordedExchange]) -> Claim:
    """The claim with the places of the exchanges in their sequence, and ids taken from the answers that made them."""
    places = {exchange.number: place for place, exchange in enumerate(exchanges)}
    made = producers(exchanges)

    def change(node: Value | Claim) -> Value | Claim | None:
        if isinstance(node, Status | Body | IsJson):
            return replace(node, answer=places[node.answer])
        if isinstance(node, Id):
            ref = made.get((node.kind, str(node.number)))
            return Const(node.number) if ref is None else Get(Body(ref.answer), ref.path)
        return None

    changed: Claim = _mapped(claim, change)
    return changed


def moved(claim: Claim, places: Mapping[int, int]) -> Claim:
    """The claim with other places for the answers that it speaks of."""

    def change(node: Value | Claim) -> Value | Claim | None:
        return replace(node, answer=places[node.answer]) if isinstance(node, Status | Body | IsJson) else None

    changed: Claim = _mapped(claim, change)
    return changed


def _mapped(node: Any, change: Callable[[Any], Any]) -> Any:
    changed = change(node)
    if changed is not None:
        return changed
    parts: dict[str, Any] = {}
    for one in fields(node):
        part = getattr(node, one.name)
        if one.name in ("of", "left", "right", "id"):
            many = isinstance(part, tuple)
            parts[one.name] = tuple(_mapped(each, change) for each in part) if many else _mapped(part, change)
    return replace(node, **parts) if parts else node


def _shortened(exchanges: Sequence[RecordedExchange], needed: frozenset[int]) -> list[RecordedExchange]:
    """Without exact repetitions in a row, as polling makes them, and without the middle of a very long sequence."""
    kept: list[RecordedExchange] = []
    for exchange in exchanges:
        last = kept[-1] if kept else None
        same = last is not None and (last.method, last.url, last.headers, last.body) == (
            exchange.method,
            exchange.url,
            exchange.headers,
            exchange.body,
        )
        if last is not None and same and exchange.method == "GET" and last.number not in needed:
            kept[-1] = exchange
        else:
            kept.append(exchange)
    if len(kept) <= MOST_EXCHANGES:
        return kept
    ends = {one.number for one in (*kept[:10], *kept[-(MOST_EXCHANGES - 10) :])}
    return [one for one in kept if one.number in ends or one.number in needed]
