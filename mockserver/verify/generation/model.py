"""Random sequences on the server and in step on our own fake: what differs beyond the open choices is a breach."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from decimal import Decimal
from typing import Any, Literal

from hypothesis import strategies as st

from mockserver.verify.assertions.statements import Subject, all_of, id_of, is_refused, of, succeeds
from mockserver.verify.claims.values import Row, exact
from mockserver.verify.context.context import Context
from mockserver.verify.context.records import UNKNOWN_ID
from mockserver.verify.errors import NotPossible
from mockserver.verify.generation.fake import Fake
from mockserver.verify.generation.properties import explore
from mockserver.verify.transport.messages import Answer

SEQUENCES = 14
SECONDS = 8.0
NOTHING = 9
"""The pick that stands for a record that nobody has."""
LARGEST_PAGE = 25
"""Rows that a page is asked for which holds all invoices of a sequence."""
Action = Literal["charge", "create", "finalize", "collect", "list"]


@dataclass(frozen=True, slots=True)
class Step:
    """One step of a sequence. `picks` are positions in what was made so far, counted round and round."""

    action: Action
    picks: tuple[int, ...] = ()
    amount: int = 1


BEGINNING = (Step("charge", (), 101), Step("charge", (), 7), Step("charge", (), 55), Step("create", (0,)))
"""Of every sequence, so that its first steps have something to act upon."""


@dataclass(slots=True)
class Pair:
    """The server and the fake, with what corresponds to what."""

    context: Context
    fake: Fake
    charges: list[tuple[int, int]] = field(default_factory=list)
    invoices: list[tuple[int, int]] = field(default_factory=list)
    """Ids of the server and of the fake."""
    answers: list[Answer] = field(default_factory=list)

    def picked(self, among: Sequence[tuple[int, int]], pick: int) -> tuple[int, int]:
        """Both ids of the record at that position; unknown ones for `NOTHING`, and where there is none yet."""
        return (UNKNOWN_ID, UNKNOWN_ID) if pick == NOTHING or not among else among[pick % len(among)]


def walk_beside_the_fake(context: Context) -> None:
    """Compares generated sequences. Raises `NotPossible` where nothing can be made."""
    if context.options.read_only:
        raise NotPossible("this run is read-only")
    if context.options.charge_ids:
        raise NotPossible("the charges are given by --charge-ids")
    currency = context.records.charge().currency
    fake = Fake(dict(context.profile), currency)
    actions: list[Action] = ["charge", "create", "finalize", "list"]
    if context.options.charges_allowed and context.pays and not context.declined:
        actions.append("collect")
    steps = st.lists(st.builds(_step, st.sampled_from(actions), _picks(), st.integers(1, 400)), min_size=3, max_size=12)

    def in_step(steps: list[Step]) -> None:
        fake.fresh()
        pair = Pair(context, fake)
        for step in (*BEGINNING, *steps):
            if not _take(pair, step):
                return
        _compare_all(pair)

    explore(context, "model", {"steps": steps}, in_step, examples=SEQUENCES, budget=SECONDS)


def _step(action: Action, picks: list[int], amount: int) -> Step:
    return Step(action, tuple(picks), amount)


def _picks() -> st.SearchStrategy[list[int]]:
    return st.lists(st.integers(0, NOTHING), min_size=1, max_size=3)


def _take(pair: Pair, step: Step) -> bool:
    """Takes the step on both sides; False once they differ."""
    match step.action:
        case "charge":
            return _charge(pair, step)
        case "create":
            return _create(pair, step)
        case "list":
            return _list(pair, step)
        case _:
            return _act(pair, step)


def _charge(pair: Pair, step: Step) -> bool:
    records = pair.context.records
    charge = records.charge(records.chargeable(Decimal(500 + step.amount).scaleb(-(records.digits or 0))))
    _, body = pair.fake.ask(
        "POST", "/billing/charges/quick-adjustment", content={"amount": charge.amount, "description": "of the model"}
    )
    pair.answers.append(charge.made_by)
    pair.charges.append((charge.id, body["charge"]["id"]))
    return True


def _create(pair: Pair, step: Step) -> bool:
    ids = list(dict.fromkeys(pair.picked(pair.charges, pick) for pick in step.picks))
    answer = pair.context.me.create([real for real, _ in ids])
    pair.answers.append(answer)
    status, body = pair.fake.ask("POST", "/billing/invoices", content={"charge_ids": [fake for _, fake in ids]})
    rule = "CREATE-1" if status < 300 else "CREATE-6" if (UNKNOWN_ID, UNKNOWN_ID) in ids else "CREATE-4"
    if not _same_outcome(pair, answer, status, body, rule, "create"):
        return False
    if answer.ok:
        made = answer.part("invoice")
        if not isinstance(made.get("id"), int):
            # Its form is what is wrong, and told as such.
            return False
        pair.invoices.append((made["id"], body["invoice"]["id"]))
        return _same_row(pair, of(answer).at("invoice"), body["invoice"], "CREATE-5")
    return True


def _act(pair: Pair, step: Step) -> bool:
    """Finalizes or collects."""
    real, fake = pair.picked(pair.invoices, step.picks[0])
    before = _fake_row(pair, fake)
    done = before is not None and (
        before["stripe_invoice_status"] == "paid" if step.action == "collect" else before["status"] != "Draft"
    )
    call = pair.context.me.collect if step.action == "collect" else pair.context.me.finalize
    answer = call(real)
    pair.answers.append(answer)
    status, body = pair.fake.ask("POST", f"/billing/invoices/{fake}/{step.action}")
    rule = _rule_of(step.action, before, done)
    if step.action == "collect" and answer.status >= 500:
        # Stripe's own trouble, about which nothing says what comes: the charge may have succeeded.
        return False
    # That it is accepted says nothing of the payment.
    of_answer = "COLLECT-2" if rule == "COLLECT-3" else rule
    # Whether what is done already is refused may depend on how far it has come since.
    if not done and not _same_outcome(pair, answer, status, body, of_answer, step.action):
        return False
    if before is None:
        return True
    if answer.ok and step.action == "collect":
        # The fake shows payments at once; the server may wait for Stripe's report.
        if pair.context.records.shown_paid(real) is None and pair.context.records.may_show_later(answer):
            return False
    _, listed = pair.context.records.must_row(real)
    pair.answers.append(listed)
    return _same_row(pair, of(listed).row("invoice", real), _fake_row(pair, fake) or {}, rule)


def _rule_of(action: Action, before: Row | None, done: bool) -> str:
    if action == "finalize":
        return "FINALIZE-3" if before is None else "FINALIZE-4" if done else "FINALIZE-1"
    if before is None:
        return "COLLECT-5"
    return "COLLECT-1" if before["status"] == "Draft" else "COLLECT-4" if done else "COLLECT-3"


def _fake_row(pair: Pair, number: int) -> dict[str, Any] | None:
    _, body = pair.fake.ask("GET", "/billing/invoices", query=[("q", f'id:"{number}"')])
    rows = body.get("data") or []
    return rows[0] if rows else None


def _list(pair: Pair, step: Step) -> bool:
    """One page of all invoices of the sequence."""
    made = [real_id for real_id, _ in pair.invoices]
    largest = pair.context.records.at_most(LARGEST_PAGE)
    if not made or len(made) > largest:
        return True
    page, size = 1 + step.picks[0] % 5, 1 + step.amount % 4
    real, fake = (" OR ".join(f'id:"{ids[side]}"' for ids in pair.invoices) for side in (0, 1))
    size = min(size, largest)
    whole = pair.context.me.invoices(real, per_page=largest)
    answer = pair.context.me.invoices(real, page=page, per_page=size)
    pair.answers += [whole, answer]
    _, body = pair.fake.ask(
        "GET", "/billing/invoices", query=[("q", fake), ("page", str(page)), ("per_page", str(size))]
    )
    # The order is the server's own, as long as it is one.
    ordered = of(whole).each("id")
    same = pair.context.expect(
        "LIST-4",
        all_of(
            ordered.includes(*(id_of("invoice", number) for number in made)),
            ordered.count().equals(len(made)),
            of(answer).each("id").equals(ordered.cut((page - 1) * size, page * size)),
        ),
        kind="model: another page",
        because=f"page {page} at {size} a page is that part of all {len(made)} invoices of the sequence",
        actual=("it shows", of(answer).each("id")),
        using=pair.answers,
    )
    for name in ("total", "last_page", "current_page"):
        same &= pair.context.expect(
            "LIST-3",
            of(answer).at(name).equals(body[name]),
            kind=f"model: {name}",
            because=f"{name} is {body[name]}",
            using=pair.answers,
        )
    return same


def _same_outcome(pair: Pair, answer: Answer, status: int, body: dict[str, Any], rule: str, what: str) -> bool:
    expected = "accepted" if status < 300 else "refused"
    return pair.context.expect(
        rule,
        succeeds(answer) if expected == "accepted" else is_refused(answer),
        kind=f"model: {what} not {expected}",
        because=f"the {what} is {expected}" + ("" if status < 300 else f" ({body.get('message')})"),
        using=pair.answers,
    )


def _same_row(pair: Pair, real: Subject, fake: Row, rule: str) -> bool:
    """Compares what does not depend on the queue."""
    paid = fake.get("stripe_invoice_status") == "paid"
    status, stripe_status = real.at("status"), real.at("stripe_invoice_status")
    same = True
    for name, statement, due in (
        ("total", real.at("total").equals(exact(fake.get("total"))), str(fake.get("total"))),
        ("being a draft", status.compares("is" if fake.get("status") == "Draft" else "is not", "Draft"), ""),
        ("being paid", stripe_status.compares("is" if paid else "is not", "paid"), ""),
    ):
        same &= pair.context.expect(
            rule,
            statement,
            kind=f"model: {name}",
            because=f"{name} is {due or _also(name, fake)} after this sequence",
            using=pair.answers,
        )
    return same


def _also(name: str, fake: Row) -> bool:
    """Whether the fake's invoice is a draft, or paid."""
    if name == "being a draft":
        return bool(fake.get("status") == "Draft")
    return bool(fake.get("stripe_invoice_status") == "paid")


def _compare_all(pair: Pair) -> None:
    """At the end of a sequence every charge and invoice is in the same state on both sides."""
    for real, fake in pair.invoices:
        _, answer = pair.context.records.must_row(real)
        pair.answers.append(answer)
        _same_row(pair, of(answer).row("invoice", real), _fake_row(pair, fake) or {}, "GEN-9")
    for real, fake in pair.charges:
        _, answer = pair.context.records.charge_status(real)
        _, body = pair.fake.ask("GET", f"/billing/charges/{fake}")
        due = body["charge"]["status"]
        pair.context.expect(
            "CREATE-4",
            of(answer).at("charge.status").compares("is" if due == "Invoiced" else "is not", "Invoiced"),
            kind="model: charge's status",
            because=f"the charge is {due} after this sequence",
            using=pair.answers,
        )
