"""Checks that a create bills what it names however its body comes: one that is not read bills all that is open."""

from __future__ import annotations

from collections.abc import Callable

from mockserver.verify.assertions.statements import any_of, of, status_of
from mockserver.verify.checks.runner import Check
from mockserver.verify.context.context import Context
from mockserver.verify.context.own_records import OwnCharge
from mockserver.verify.errors import NoAnswer, NotPossible
from mockserver.verify.transport.billing_client import FORM_TYPE, JSON_TYPE, to_json
from mockserver.verify.transport.messages import CHUNKED, Answer

INVOICES = "/billing/invoices"


def in_chunks(context: Context) -> None:
    """CREATE-1: a body in chunks, as clients send one whose length they do not know (RFC 9112, 7.1)."""

    def create(named: OwnCharge) -> Answer:
        body = to_json({"charge_ids": [named.id]})
        return context.me.send("POST", INVOICES, body=body, content_type=JSON_TYPE, headers=[CHUNKED])

    try:
        _bills_what_it_names(context, create, "a create in chunks")
    except NoAnswer:
        # A web server may hang up on what it does not read.
        return


def plain_brackets(context: Context) -> None:
    """CREATE-1 and GEN-2: a form as it is documented, whose brackets are not percent-encoded."""

    def create(named: OwnCharge) -> Answer:
        return context.me.send("POST", INVOICES, body=b"charge_ids[]=%d" % named.id, content_type=FORM_TYPE)

    _bills_what_it_names(context, create, "a create by a form with plain brackets")


def _bills_what_it_names(context: Context, create: Callable[[OwnCharge], Answer], what: str) -> None:
    if context.options.charge_ids:
        raise NotPossible("with --charge-ids no other charges of the merchant are touched")
    # On nobody's bill but one of all that is open.
    left, named = context.records.charges(2)
    answer = create(named)
    context.expect(
        "CREATE-1",
        any_of(status_of(answer).compares(">=", 300), of(answer).at("invoice.total").equals(named.shown.at("amount"))),
        kind=f"{what} bills something else",
        because=f"{what} bills the charge that it names, of {named.amount}, or is refused",
        using=[left.made_by, named.made_by],
        proves=True,
    )


CHECKS = (
    Check("a body in chunks", ("CREATE-1",), in_chunks, thorough=True),
    Check("a form with plain brackets", ("CREATE-1", "GEN-2"), plain_brackets, thorough=True),
)
