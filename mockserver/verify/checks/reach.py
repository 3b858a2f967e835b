"""Checks that no odd merchant header, no id on Stripe and no key for repeats shows our records to another token."""

from __future__ import annotations

from collections.abc import Iterable, Iterator

from mockserver.verify.assertions.statements import Evidence, Subject, any_of, id_of, of, status_of
from mockserver.verify.checks.isolation import answers_no_charge_of_ours
from mockserver.verify.checks.runner import Check, Steps
from mockserver.verify.checks.search import on_stripe
from mockserver.verify.context.context import Context
from mockserver.verify.context.records import MARK
from mockserver.verify.errors import NotPossible
from mockserver.verify.transport.billing_client import JSON_TYPE, Billing, to_json
from mockserver.verify.transport.messages import Answer

ADJUSTMENTS = "/billing/charges/quick-adjustment"


def _other(context: Context) -> Billing:
    """The second caller with its own merchant; raises `NotPossible` where it is not known to be another than ours."""
    other = context.second()
    if other.merchant is None or other.merchant == context.me.merchant:
        raise NotPossible("the second token's merchant is not known (--other-merchant)")
    return other


def _odd_headers(context: Context) -> Iterator[tuple[str, str]]:
    """Values that name no merchant, and what each is."""
    ours, theirs = context.me.merchant, _other(context).merchant
    yield "0", "the merchant 0"
    yield "", "an empty merchant header"
    if ours is not None:
        yield f"{theirs},{ours}", "two merchants in its header"
        yield f"{ours},{theirs}", "two merchants in its header, ours first"


def odd_headers(context: Context) -> None:
    """GEN-8: a header that names no merchant is refused or passed over: it opens nobody's records."""
    other, draft = _other(context), context.records.draft()
    for value, what in _odd_headers(context):
        answer = other.acting(merchant=value).invoices(f'id:"{draft.id}"')
        _not_shown(context, answer, id_of("invoice", draft.id), f"another's token with {what}", [draft.made_by])


def known_on_stripe(context: Context) -> Steps:
    """GEN-8: whoever knows what our invoice is called on Stripe does not find it by that."""
    other = _other(context)
    yield
    row = on_stripe(context, 1)[0]
    number = int(row["id"])
    history = context.monitor.invoices.get(number)
    for caller in (other.acting(merchant=None), other):
        answer = caller.invoices(f'stripe_invoice_id:"{row["stripe_invoice_id"]}"')
        using = history.trace if history is not None else ()
        _not_shown(context, answer, id_of("invoice", number), "another's token that searches by its Stripe id", using)


def same_key(context: Context) -> None:
    """GEN-8: what is answered to a key for repeats is not answered to another caller who has the same key."""
    if context.me.merchant is None or context.options.charge_ids:
        raise NotPossible("charges are not made in this run")
    other = _other(context)
    # Keys of earlier runs may still be known.
    key = f"{MARK} {context.records.charge().id}".replace(" ", "-")
    body = to_json({"amount": context.records.spare_amount, "description": context.records.mark()})
    ours, theirs = (
        caller.send("POST", ADJUSTMENTS, body=body, content_type=JSON_TYPE, headers=[("Idempotency-Key", key)])
        for caller in (context.me, other)
    )
    context.expect(
        "GEN-8",
        answers_no_charge_of_ours(context, theirs),
        kind="our charge answered to another's token with the same Idempotency-Key",
        because="another merchant's token is not answered with our charge, whatever its Idempotency-Key is",
        using=[ours],
        proves=True,
    )


def _not_shown(context: Context, answer: Answer, invoice: Subject, who: str, using: Iterable[Evidence]) -> None:
    context.expect(
        "GEN-8",
        any_of(status_of(answer).compares(">=", 300), of(answer).each("id").lacks(invoice)),
        kind=f"our invoice shown to {who}",
        because=f"{who} does not see our invoice",
        actual=("it lists", of(answer).each("id")),
        using=using,
        proves=True,
    )


CHECKS = (
    Check("merchant headers that name none", ("GEN-8",), odd_headers, thorough=True),
    Check("one key of two callers", ("GEN-8",), same_key, thorough=True),
    Check("what our invoice is called on Stripe", ("GEN-8",), known_on_stripe, thorough=True),
)
