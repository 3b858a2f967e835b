"""Checks that a create bills what it names however its body comes: one that is not read bills all that is open."""

from __future__ import annotations

from mockserver.verify.assertions.statements import any_of, of, status_of
from mockserver.verify.checks.runner import Check
from mockserver.verify.claims.values import shown
from mockserver.verify.context.context import Context
from mockserver.verify.context.own_records import OwnCharge
from mockserver.verify.errors import NoAnswer, NotPossible
from mockserver.verify.transport.billing_client import FORM_TYPE, JSON_TYPE, to_json
from mockserver.verify.transport.messages import CHUNKED

INVOICES = "/billing/invoices"
UNREAD = (
    "a body in chunks is taken for an empty one: a client that does not know the length of what it sends bills "
    "everything that is uninvoiced (a create in chunks that named charge {named} was answered with {status} and a "
    "total of {total}). Small servers for development do so by themselves; it is dangerous"
)


def in_chunks(context: Context) -> None:
    """Warns where a body in chunks (RFC 9112, 7.1) is not read; web servers, and none of the API, read it."""
    _left, named = _left_and_named(context)
    body = to_json({"charge_ids": [named.id]})
    try:
        answer = context.me.send("POST", INVOICES, body=body, content_type=JSON_TYPE, headers=[CHUNKED])
    except NoAnswer:
        # A web server may hang up on what it does not read.
        return
    total = of(answer).at("invoice.total")
    if answer.ok and not total.equals(named.shown.at("amount")).is_true():
        told = UNREAD.format(named=named.id, status=answer.status, total=shown(total.value()))
        context.recorder.note(told, about_money=True)


def plain_brackets(context: Context) -> None:
    """CREATE-1 and GEN-2: a form as it is documented, whose brackets are not percent-encoded."""
    left, named = _left_and_named(context)
    answer = context.me.send("POST", INVOICES, body=b"charge_ids[]=%d" % named.id, content_type=FORM_TYPE)
    context.expect(
        "CREATE-1",
        any_of(status_of(answer).compares(">=", 300), of(answer).at("invoice.total").equals(named.shown.at("amount"))),
        kind="a form with plain brackets bills something else",
        because=f"a form with plain brackets bills the charge that it names, of {named.amount}, or is refused",
        using=[left.made_by, named.made_by],
        proves=True,
    )


def _left_and_named(context: Context) -> tuple[OwnCharge, OwnCharge]:
    """Two charges that are on nobody's bill but one of all that is open."""
    if context.options.charge_ids:
        raise NotPossible("with --charge-ids no other charges of the merchant are touched")
    left, named = context.records.charges(2)
    return left, named


CHECKS = (
    Check("a body in chunks", (), in_chunks, thorough=True),
    Check("a form with plain brackets", ("CREATE-1", "GEN-2"), plain_brackets, thorough=True),
)
