"""Checks that an amount is read as it is written: in forms, whatever the client's language, and below nothing."""

from __future__ import annotations

from decimal import Decimal

from mockserver.verify.assertions.statements import any_of, of, status_of
from mockserver.verify.checks.runner import Check
from mockserver.verify.checks.several import credit_of
from mockserver.verify.context.context import Context
from mockserver.verify.context.own_records import due
from mockserver.verify.errors import NotPossible
from mockserver.verify.transport.billing_client import FORM_TYPE

ADJUSTMENTS = "/billing/charges/quick-adjustment"
GERMAN = ("Accept-Language", "de-DE,de;q=0.9")
"""What a browser sends where a point parts thousands, and a comma the cents."""
FORMS = (
    ("12.5", "a form with one decimal", ()),
    ("12.50", "a form of a client that reads German", (GERMAN,)),
)
"""Amounts in a form, and what else goes with it."""
SMALL = Decimal("0.5")
"""Less than one of the currency, so that nothing stands before its point but the sign."""


def _has_decimals(context: Context) -> bool:
    """Whether the merchant's currency has a minor unit; raises `NotPossible` where no charge can be made."""
    if context.me.merchant is None or context.options.charge_ids:
        raise NotPossible("charges are not made in this run")
    context.records.charge()
    return bool(context.records.digits)


def in_forms(context: Context) -> None:
    """GEN-2: an amount in a form is the number that it is in JSON."""
    if not _has_decimals(context):
        return
    for text, what, headers in FORMS:
        body = f"amount={text}&description=by+form".encode()
        answer = context.me.send("POST", ADJUSTMENTS, body=body, content_type=FORM_TYPE, headers=headers)
        context.expect(
            "GEN-2",
            any_of(status_of(answer).compares(">=", 300), of(answer).at("charge.amount").equals(Decimal(text))),
            kind=f"another amount by {what}",
            because=f"an amount of {text} in {what} is one of {text}",
            proves=True,
        )


def small_credits(context: Context) -> None:
    """GEN-9 and CREATE-5: a credit of less than one keeps its sign, and is subtracted."""
    credit = credit_of(context, SMALL) if _has_decimals(context) else None
    if credit is None:
        return
    draft = context.records.draft([context.records.charge(), credit])
    total = due(draft.charges)
    context.expect(
        "CREATE-5",
        draft.shown.at("total").equals(total),
        kind="total with a small credit",
        because=f"the total with a credit of {SMALL} is the exact sum, {total.value()}",
        proves=True,
    )


CHECKS = (
    Check("amounts in forms", ("GEN-2",), in_forms, thorough=True),
    Check("small credits", ("CREATE-5", "GEN-9"), small_credits, thorough=True),
)
