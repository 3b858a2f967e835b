"""Checks that what a request holds beyond the documented properties is ignored or refused, and never kept."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from typing import Any
from urllib.parse import urlencode

from mockserver.verify.assertions.statements import (
    Evidence,
    Statement,
    Subject,
    all_of,
    any_of,
    id_of,
    is_answered,
    is_refused,
    of,
)
from mockserver.verify.checks.runner import Check
from mockserver.verify.checks.unchanged import charge_untouched
from mockserver.verify.context.context import Context
from mockserver.verify.context.own_records import OwnCharge, OwnInvoice, due, row_of
from mockserver.verify.context.records import UNKNOWN_ID
from mockserver.verify.errors import NotPossible
from mockserver.verify.transport.billing_client import FORM_TYPE, to_json
from mockserver.verify.transport.messages import Answer

STRIPE_ID = "in_mockserverVerify"
"""An id that Stripe never gave."""
INVOICES = "/billing/invoices"
ADJUSTMENTS = "/billing/charges/quick-adjustment"


def never(
    context: Context,
    rule: str,
    statement: Statement,
    *,
    kind: str,
    because: str,
    using: Sequence[Evidence] = (),
    proves: bool = False,
) -> bool:
    """Records a breach unless the statement holds; that it holds here is no proof that the rule is kept."""
    if statement.is_true():
        return True
    context.expect.breach(rule, statement, kind=kind, because=because, using=using, proves=proves)
    return False


def invoice_properties(context: Context, charge: OwnCharge) -> dict[str, Any]:
    """Properties of an invoice that only the server sets, each with another value than it would have."""
    stranger = context.other.merchant if context.other and context.other.merchant else str(UNKNOWN_ID)
    return {
        "status": "Paid",
        "stripe_invoice_status": "paid",
        "stripe_invoice_id": STRIPE_ID,
        "total": 1,
        "currency": "EUR" if charge.currency != "EUR" else "USD",
        "chargee_id": stranger,
        "charger_id": stranger,
        "merchant_id": stranger,
        "auto_advance": True,
    }


def drafts(context: Context) -> None:
    """CREATE-3 and those that say what an invoice is: beside `charge_ids` nothing of a create counts."""
    old = context.records.draft()
    for way in ("body", "form", "query", "wrapped") if context.thorough else ("body",):
        charge = context.records.charge()
        more = invoice_properties(context, charge)
        if way == "body":
            more |= {"id": old.id, "charges": [{"id": charge.id, "amount": 1}]}
        answer = _create(context, charge, more, way)
        if answer.refused and way == "body":
            answer = _one_by_one(context, charge, more, answer)
        _judge(context, charge, answer, way, old)
        if way == "body":
            # Whether the older one is still what it was, and the charge as it was made, is seen where answers are.
            context.records.row(old.id)
            context.records.charge_status(charge.id)


def _create(context: Context, charge: OwnCharge, more: Mapping[str, Any], way: str) -> Answer:
    body: dict[str, Any] = {"charge_ids": [charge.id]}
    if way == "form":
        pairs = [("charge_ids[]", str(charge.id)), *((name, str(value)) for name, value in more.items())]
        return context.me.send("POST", INVOICES, body=urlencode(pairs).encode(), content_type=FORM_TYPE)
    if way == "query":
        query = [(name, str(value)) for name, value in more.items()]
        return context.me.send("POST", INVOICES, query=query, body=to_json(body), content_type="application/json")
    beside = {"invoice": more} if way == "wrapped" else more
    return context.me.post(INVOICES, {**body, **beside})


def _one_by_one(context: Context, charge: OwnCharge, more: Mapping[str, Any], refusal: Answer) -> Answer:
    """The first create that is not refused, each with one of the properties; the last refusal if all are."""
    answer = refusal
    for name, value in more.items():
        answer = _create(context, charge, {name: value}, "body")
        if not answer.refused:
            break
    return answer


def _answered(context: Context, answer: Answer, told: str) -> None:
    never(
        context,
        "GEN-5",
        is_answered(answer),
        kind=f"undocumented properties {told} make the server fail",
        because=f"what is not documented {told} is ignored, or refused with a 4xx",
    )


def _judge(context: Context, charge: OwnCharge, answer: Answer, way: str, old: OwnInvoice) -> None:
    where = {"form": "in a form", "query": "in the query of a create", "wrapped": "below invoice in a create"}
    told = where.get(way, "in the body of a create")
    _answered(context, answer, told)
    if answer.refused:
        charge_untouched(context, "GEN-6", charge, f"a create refused for what stands {told}", [answer])
    number = answer.part("invoice").get("id")
    if not answer.ok or not isinstance(number, int):
        return
    _as_billed(context, of(answer).at("invoice"), answer, charge, told)
    never(
        context,
        "CREATE-7",
        any_of(is_refused(answer), of(answer).at("invoice.id").differs(id_of("invoice", old.id))),
        kind=f"id {told} kept",
        because=f"an id {told} is ignored: a new invoice has one never seen before",
        using=[old.made_by],
    )
    made = OwnInvoice(number, (charge,), answer)
    row, listed = context.records.row(number)
    if row is not None:
        _as_billed(context, row_of(made, listed), answer, charge, told)


def _as_billed(context: Context, seen: Subject, made_by: Answer, charge: OwnCharge, told: str) -> None:
    """A new invoice is a draft of its charge, in whatever answer it is seen."""
    for rule, name, statement in _due(seen, charge):
        never(
            context,
            rule,
            statement,
            kind=f"{name} {told} kept",
            because=f"a {name} {told} is ignored or refused, never kept",
            using=[made_by],
            proves=True,
        )


def _due(seen: Subject, charge: OwnCharge) -> Iterator[tuple[str, str, Statement]]:
    yield "CREATE-3", "status", seen.at("status").equals("Draft")
    for name in ("stripe_invoice_id", "stripe_invoice_status"):
        yield "CREATE-3", name, seen.at(name).is_one_of(None, "", False, 0)
    if charge.shown_amount is not None:
        yield "CREATE-5", "total", seen.at("total").equals(due([charge]))
    shown = charge.shown.value()
    for rule, name in (("CREATE-8", "currency"), ("CREATE-8", "chargee_id"), ("GEN-9", "charger_id")):
        if isinstance(shown, Mapping) and shown.get(name) is not None:
            yield rule, name, any_of(seen.at(name).equals(None), seen.at(name).agrees(charge.shown.at(name)))


def adjustments(context: Context) -> None:
    """GEN-7, GEN-9 and FINALIZE-1: beside the amount and the description nothing of an adjustment counts."""
    if context.me.merchant is None or context.options.charge_ids:
        raise NotPossible("charges are not made in this run")
    invoice = context.records.finalized()
    more = invoice_properties(context, invoice.charges[0])
    given = {name: more[name] for name in ("chargee_id", "charger_id", "merchant_id")}
    given |= {"status": "Invoiced", "price": 1, "invoice_id": invoice.id}
    whole = {"amount": context.records.amount(), "description": context.records.mark()}
    answer = context.me.post(ADJUSTMENTS, whole | given)
    told = "in the body of an adjustment"
    _answered(context, answer, told)
    number = answer.part("charge").get("id")
    if not answer.ok or not isinstance(number, int):
        return
    made = of(answer).at("charge")
    party = made.at("chargee_id")
    for rule, name, statement in (
        ("GEN-7", "chargee_id", any_of(party.equals(None), party.agrees(context.me.merchant))),
        ("GEN-9", "status", made.at("status").differs("Invoiced")),
        ("GEN-9", "price", made.at("price").equals(made.at("amount"))),
    ):
        never(
            context,
            rule,
            statement,
            kind=f"{name} {told} kept",
            because=f"a {name} {told} is ignored or refused, never kept",
            proves=True,
        )
    _, after = context.records.must_row(invoice.id)
    never(
        context,
        "FINALIZE-1",
        row_of(invoice, after).at("total").equals(invoice.charges[0].shown.at("amount")),
        kind=f"invoice_id {told} kept",
        because="nothing is added to a finalized invoice",
        using=[invoice.made_by, *context.monitor.invoices[invoice.id].trace, answer],
    )


def identities(context: Context) -> None:
    """GEN-9 and CREATE-4: an id in the body of an adjustment is nobody's; it must not write over a charge."""
    if context.me.merchant is None or context.options.charge_ids:
        raise NotPossible("charges are not made in this run")
    invoice = context.records.draft()
    old = invoice.charges[0]
    body = {"amount": context.records.amount(), "description": context.records.mark(), "id": old.id}
    answer = context.me.post(ADJUSTMENTS, body)
    told = "in the body of an adjustment"
    _answered(context, answer, told)
    never(
        context,
        "GEN-9",
        any_of(is_refused(answer), of(answer).at("charge.id").differs(id_of("charge", old.id))),
        kind=f"id {told} kept",
        because=f"an id {told} is ignored or refused: a new charge has one of its own",
        using=[old.made_by, invoice.made_by],
        proves=True,
    )
    _, after = context.records.charge_status(old.id)
    never(
        context,
        "CREATE-4",
        of(after).at("charge.status").differs("Open"),
        kind=f"charge overwritten by an id {told}",
        because="a charge on an invoice is never open again, whatever an adjustment's body holds",
        using=[old.made_by, invoice.made_by, answer],
    )


def actions(context: Context) -> None:
    """FINALIZE-1, FINALIZE-2: a finalize and a collect have no body, and write nothing that stands in one."""
    invoice = context.records.draft()
    more = invoice_properties(context, invoice.charges[0]) | {"status": "Draft"}
    answer = context.me.post(f"{INVOICES}/{invoice.id}/finalize", more)
    if not answer.ok:
        answer = context.me.finalize(invoice.id)
    if not answer.ok:
        raise NotPossible(f"a draft can't be finalized: {answer.brief()}")
    _, after = context.records.must_row(invoice.id)
    seen = row_of(invoice, after)
    trace = [*context.monitor.invoices[invoice.id].trace]
    _not_written(context, seen, invoice, "a finalize", trace)
    never(
        context,
        "FINALIZE-1",
        seen.at("status").differs("Draft"),
        kind="status in the body of a finalize kept",
        because="a finalized invoice is a draft no more, whatever the body of the finalize holds",
        using=trace,
    )
    never(
        context,
        "FINALIZE-2",
        all_of(seen.at("stripe_invoice_status").differs("paid"), seen.at("stripe_invoice_id").differs(STRIPE_ID)),
        kind="Stripe's properties in the body of a finalize kept",
        because="what Stripe sets is not taken from the body of a finalize",
        using=trace,
    )
    if not context.options.charges_allowed:
        return
    context.me.post(f"{INVOICES}/{invoice.id}/collect", more)
    _, after = context.records.must_row(invoice.id)
    trace = [*context.monitor.invoices[invoice.id].trace]
    _not_written(context, row_of(invoice, after), invoice, "a collect", trace)


def _not_written(context: Context, seen: Subject, invoice: OwnInvoice, what: str, trace: Sequence[Evidence]) -> None:
    for name in ("total", "currency", "chargee_id"):
        never(
            context,
            "FINALIZE-1" if name != "chargee_id" else "GEN-9",
            seen.at(name).agrees(invoice.shown.at(name)),
            kind=f"{name} in the body of {what} kept",
            because=f"the {name} stays as it was, whatever the body of {what} holds",
            using=trace,
        )


CHECKS = (
    Check(
        "undocumented properties of a create",
        ("CREATE-3", "CREATE-5", "CREATE-7", "CREATE-8", "GEN-9"),
        drafts,
        thorough=True,
    ),
    Check("undocumented properties of an adjustment", ("FINALIZE-1", "GEN-7", "GEN-9"), adjustments, thorough=True),
    Check("an id in the body of an adjustment", ("GEN-9", "CREATE-4"), identities, thorough=True),
    Check("undocumented properties of actions", ("FINALIZE-1", "FINALIZE-2"), actions, thorough=True),
)
