"""What can be stated of answers: values of them, and claims about those, with the answers that they speak of."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any

from mockserver.verify.claims.claims import (
    All,
    Body,
    Calc,
    Claim,
    Const,
    Count,
    Cut,
    Each,
    Eventually,
    Every,
    Get,
    Id,
    Is,
    IsJson,
    Joined,
    LiveAnswer,
    Many,
    Operator,
    Row,
    Sign,
    Some,
    Status,
    Sum,
    Unique,
    Value,
    Where,
)
from mockserver.verify.claims.evaluation import holds, value
from mockserver.verify.claims.values import shown
from mockserver.verify.events import RecordedExchange
from mockserver.verify.transport.messages import NOT_JSON, Answer, parse_json

Evidence = Answer | RecordedExchange


def exchange_of(evidence: Evidence) -> RecordedExchange:
    return evidence.exchange if isinstance(evidence, Answer) else evidence


@dataclass(frozen=True, slots=True)
class Statement:
    """A claim, with the answers that it speaks of; their numbers in it are those of the run's requests."""

    claim: Claim
    evidence: tuple[Evidence, ...]

    def is_true(self) -> bool:
        """Whether it holds. Raises `CannotTell`."""
        return holds(self.claim, _Replies(self.evidence))


@dataclass(frozen=True, slots=True)
class Subject:
    """A value of one answer or of several, of which something can be stated."""

    node: Value
    evidence: tuple[Evidence, ...] = ()

    # --- what there is ----------------------------------------------------------------------------------------

    def at(self, path: str) -> Subject:
        """What stands at a dotted path, such as `invoice.total` or `data.0.id`; null where nothing does."""
        return self._with(Get(self.node, _steps(path)))

    def row(self, kind: str, number: int) -> Subject:
        """The row of that invoice or charge in a page."""
        return self._with(Row(Get(self.node, ("data",)), Id(kind, number)))

    def under(self, steps: Sequence[str | int]) -> Subject:
        """As `at`, for steps that may hold dots; of a `*` what follows it in each."""
        if "*" not in steps:
            return self._with(Get(self.node, tuple(steps)))
        split = list(steps).index("*")
        return self._with(Each(Get(self.node, tuple(steps[:split])), tuple(steps[split + 1 :])))

    def each(self, path: str) -> Subject:
        """What stands at that path in each row of a page, or of a list."""
        of = Get(self.node, ("data",)) if isinstance(self.node, Body) else self.node
        return self._with(Each(of, _steps(path)))

    def where(self, path: str, operator: Operator, right: object) -> Subject:
        """The rows of a page, or of a list, in which what stands at `path` compares so."""
        of = Get(self.node, ("data",)) if isinstance(self.node, Body) else self.node
        other = _subject(right)
        return Subject(Where(of, _steps(path), operator, other.node), (*self.evidence, *other.evidence))

    def cut(self, start: int, stop: int) -> Subject:
        return self._with(Cut(self.node, start, stop))

    def distinct(self) -> Subject:
        """The values of a list without null, each once."""
        return self._with(Unique(self.node))

    def count(self) -> Subject:
        return self._with(Count(self.node))

    def sum(self) -> Subject:
        """The exact sum of a list of numbers."""
        return self._with(Sum(self.node))

    def calc(self, sign: Sign, right: object) -> Subject:
        other = _subject(right)
        return Subject(Calc(self.node, sign, other.node), (*self.evidence, *other.evidence))

    # --- what is stated of it ---------------------------------------------------------------------------------

    def compares(self, operator: Operator, right: object) -> Statement:
        other = _subject(right)
        return Statement(Is(self.node, operator, other.node), (*self.evidence, *other.evidence))

    def equals(self, right: object) -> Statement:
        return self.compares("is", right)

    def differs(self, right: object) -> Statement:
        return self.compares("is not", right)

    def agrees(self, right: object) -> Statement:
        """As `equals`, but "1" agrees with 1, and times as far as the coarser one tells."""
        return self.compares("agrees", right)

    def is_one_of(self, *values: object) -> Statement:
        return self.compares("in", list_of(values))

    def is_empty(self) -> Statement:
        return self.count().equals(0)

    def is_text(self) -> Statement:
        return self.is_a("string")

    def is_a(self, *types: str) -> Statement:
        """A value of one of these types of JSON."""
        return self.compares("is a", types)

    def matches(self, pattern: str) -> Statement:
        """A text in which the regular expression is found."""
        return self.compares("matches", pattern)

    def includes(self, *values: object) -> Statement:
        return self.compares("includes", list_of(values))

    def lacks(self, *values: object) -> Statement:
        return self.compares("lacks", list_of(values))

    def is_within(self, values: Iterable[object]) -> Statement:
        """A list that holds nothing else."""
        return self.compares("within", list_of(values))

    def every(self, operator: Operator, right: object) -> Statement:
        """Each value of the list compares so."""
        other = _subject(right)
        return Statement(Every(self.node, operator, other.node), (*self.evidence, *other.evidence))

    def value(self) -> Any:
        """What it is. Raises `CannotTell`."""
        return value(self.node, _Replies(self.evidence))

    def _with(self, node: Value) -> Subject:
        return Subject(node, self.evidence)


def of(answer: Evidence) -> Subject:
    """The content of an answer."""
    return Subject(Body(exchange_of(answer).number), (answer,))


def status_of(answer: Evidence) -> Subject:
    return Subject(Status(exchange_of(answer).number), (answer,))


def id_of(kind: str, number: int) -> Subject:
    """The id of an invoice or a charge: in a replay that of the one made in its place."""
    return Subject(Id(kind, number))


def list_of(values: Iterable[object]) -> Subject:
    parts = [_subject(one) for one in values]
    return Subject(Many(tuple(part.node for part in parts)), tuple(one for part in parts for one in part.evidence))


def joined(lists: Iterable[Subject]) -> Subject:
    """Lists one after the other."""
    parts = list(lists)
    return Subject(Joined(tuple(part.node for part in parts)), tuple(one for part in parts for one in part.evidence))


def sum_of(values: Iterable[object]) -> Subject:
    """The exact sum."""
    return list_of(values).sum()


def succeeded(answers: Iterable[Evidence]) -> Subject:
    """How many of the answers are a 2xx."""
    statuses = list_of(status_of(answer) for answer in answers)
    return statuses.where("", ">=", 200).where("", "<", 300).count()


def succeeds(answer: Evidence) -> Statement:
    """A 2xx."""
    return _between(answer, 200, 300)


def is_refused(answer: Evidence) -> Statement:
    """A 4xx."""
    return _between(answer, 400, 500)


def is_answered(answer: Evidence) -> Statement:
    """A 2xx or a 4xx."""
    return any_of(succeeds(answer), is_refused(answer))


def came(answer: Evidence) -> Statement:
    """Any answer: for what was done before, whose answer is judged elsewhere and need not be the same in a replay."""
    return status_of(answer).differs(None)


def is_json(answer: Evidence) -> Statement:
    return Statement(Is(IsJson(exchange_of(answer).number), "is", Const(True)), (answer,))


def all_of(*statements: Statement) -> Statement:
    return _together(All(tuple(one.claim for one in statements)), statements)


def any_of(*statements: Statement) -> Statement:
    """At least one; the first that is true decides, so that what comes after it may have no meaning then."""
    return _together(Some(tuple(one.claim for one in statements)), statements)


def eventually(statement: Statement, seconds: float) -> Statement:
    """It holds at last, when the last request is asked again for so many seconds."""
    return replace(statement, claim=Eventually(statement.claim, seconds))


def told(statement: Statement) -> str:
    """What came, as a sentence about the first part of the statement that does not hold."""
    replies = _Replies(statement.evidence)
    for part in failing(statement.claim, replies):
        if isinstance(part.left, Status):
            return f"the answer is {replies.brief(part.left.answer)}"
        if isinstance(part.left, IsJson):
            return f"the answer is no JSON: {replies.brief(part.left.answer)}"
        return _came(part.left, value(part.left, replies))
    return "it does not hold"


def _came(node: Value, came: object) -> str:
    steps = node.path if isinstance(node, Get | Each) else ()
    name = next((str(step) for step in reversed(steps) if isinstance(step, str)), "")
    if isinstance(came, list):
        return f"the {name}s are {shown(came)}" if name else f"they are {shown(came)}"
    return f"{name} is {shown(came)}" if name and not isinstance(came, dict) else f"it is {shown(came)}"


def failing(claim: Claim, replies: Mapping[int, LiveAnswer]) -> Iterator[Is | Every]:
    """The parts of the claim that do not hold. Raises `CannotTell`."""
    match claim:
        case Is() | Every():
            if not holds(claim, replies):
                yield claim
        case All(of=parts) | Some(of=parts):
            for part in parts:
                yield from failing(part, replies)
        case Eventually(of=part):
            yield from failing(part, replies)


class _Replies(Mapping[int, LiveAnswer]):
    """The answers by the number of their request, read as claims see them."""

    def __init__(self, evidence: Iterable[Evidence]) -> None:
        self._known = {exchange_of(one).number: one for one in evidence}

    def __getitem__(self, number: int) -> LiveAnswer:
        return reply_of(self._known[number])

    def __iter__(self) -> Iterator[int]:
        return iter(self._known)

    def __len__(self) -> int:
        return len(self._known)

    def brief(self, number: int) -> str:
        return exchange_of(self._known[number]).brief()


def reply_of(evidence: Evidence) -> LiveAnswer:
    """The answer as claims see it."""
    exchange = exchange_of(evidence)
    content = evidence.content if isinstance(evidence, Answer) else parse_json(exchange.answer)
    kind = next((text for name, text in exchange.answer_headers if name.lower() == "content-type"), "")
    if content is NOT_JSON:
        return LiveAnswer(exchange.status, None, False)
    return LiveAnswer(exchange.status, content, "json" in kind.lower())


def _subject(given: object) -> Subject:
    return given if isinstance(given, Subject) else Subject(Const(given))


def _steps(path: str) -> tuple[str | int, ...]:
    return tuple(int(step) if step.isdigit() else step for step in path.split(".") if step)


def _between(answer: Evidence, low: int, high: int) -> Statement:
    status = status_of(answer)
    return all_of(status.compares(">=", low), status.compares("<", high))


def _together(claim: Claim, statements: Iterable[Statement]) -> Statement:
    return Statement(claim, tuple(one for statement in statements for one in statement.evidence))
