"""Checks of the rules for requests in general: tokens, forms of bodies, merchants, refusals."""

from __future__ import annotations

from mockserver.verify.checks.runner import Check
from mockserver.verify.checks.unchanged import charge_untouched, still_draft
from mockserver.verify.context import UNKNOWN_ID, Context
from mockserver.verify.errors import NotPossible
from mockserver.verify.monitor.history import exact
from mockserver.verify.transport.billing_client import FORM_TYPE, Billing
from mockserver.verify.transport.http import Answer

STRANGER = "mockserver-verify-unknown-token"


def strangers(context: Context) -> tuple[tuple[str, Billing], ...]:
    """Callers that must get 401: without a token, and with one that nobody has, given in both ways."""
    return (
        ("no token", context.me.acting(token=None)),
        ("an unknown token", context.me.acting(token=STRANGER)),
        ("an unknown api_token", context.me.acting(token=STRANGER, token_in="query")),
        ("an empty token", context.me.acting(token="")),
        ("an empty api_token", context.me.acting(token="", token_in="query")),
    )


def near_misses(context: Context) -> tuple[tuple[str, Billing], ...]:
    """Callers whose token holds the right one and is another; more or less of it would be told in a report."""
    token = context.options.token
    return (
        ("the token and more behind it", context.me.acting(token=f"{token}-x")),
        ("the token and more before it", context.me.acting(token=f"x-{token}")),
    )


def _unauthorized(context: Context, answer: Answer, what: str, using: tuple[Answer, ...] = ()) -> bool:
    return context.expect(
        "GEN-4",
        answer.status == 401,
        kind=f"{what} not 401",
        expected=f"{what} is answered with 401",
        actual=f"the answer is {answer.brief()}",
        using=[*using, answer],
        check="answers[-1].status == 401",
    )


def reading_without_a_token(context: Context) -> None:
    """GEN-4 on every operation that reads."""
    for who, caller in (*strangers(context), *near_misses(context)) if context.thorough else strangers(context)[:3]:
        for operation, call in (
            ("listInvoices", caller.invoices),
            ("listCharges", caller.charges),
            ("getCharge", lambda caller=caller: caller.charge(1)),
        ):
            _unauthorized(context, call(), f"{operation} with {who}")
        context.recorder.held("GEN-6")
    answer = context.me.acting(token=None).charge(UNKNOWN_ID)
    _unauthorized(context, answer, "getCharge of an unknown charge with no token")


def writing_without_a_token(context: Context) -> None:
    """GEN-4 and GEN-6 on every operation that writes: 401, and nothing has happened."""
    draft, charge = context.draft(), context.charge()
    for who, caller in strangers(context)[: 5 if context.thorough else 2]:
        created = caller.create([charge.id])
        _unauthorized(context, created, f"createInvoice with {who}", (charge.made_by,))
        finalized = caller.finalize(draft.id)
        _unauthorized(context, finalized, f"finalizeInvoice with {who}", (draft.made_by,))
        adjusted = caller.adjust(3, "from a stranger")
        _unauthorized(context, adjusted, f"createQuickAdjustment with {who}")
        if who != "no token":
            continue
        unknown = caller.finalize(UNKNOWN_ID)
        _unauthorized(context, unknown, "finalizeInvoice of an unknown invoice with no token")
        charge_untouched(context, "GEN-4", charge, f"createInvoice with {who}", [created])
        still_draft(context, "GEN-4", draft, f"finalizeInvoice with {who}", [finalized])
    charge_untouched(context, "GEN-6", charge, "a refused createInvoice", [])
    still_draft(context, "GEN-6", draft, "a refused finalizeInvoice", [])


def collecting_without_a_token(context: Context) -> None:
    """GEN-4 on collect: 401, and the invoice is not paid."""
    context.needs_charges()
    invoice = context.finalized()
    for who, caller in strangers(context)[:2]:
        answer = caller.collect(invoice.id)
        _unauthorized(context, answer, f"collectInvoice with {who}", (invoice.made_by,))
        row, after = context.must_row(invoice.id)
        context.expect(
            "GEN-4",
            row.get("stripe_invoice_status") != "paid",
            kind=f"collected with {who}",
            expected=f"collectInvoice with {who} charges nobody",
            actual="the invoice is paid",
            using=[invoice.made_by, answer, after],
        )
    unknown = context.me.acting(token=None).collect(UNKNOWN_ID)
    _unauthorized(context, unknown, "collectInvoice of an unknown invoice with no token")


def token_as_a_parameter(context: Context) -> None:
    """GEN-3: `api_token` does what the header does."""
    by_query = context.me.acting(token_in="query")
    for what, call in (("listInvoices", by_query.invoices), ("listCharges", by_query.charges)):
        answer = call()
        context.expect(
            "GEN-3",
            answer.ok,
            kind=f"{what} with api_token",
            expected=f"{what} takes the token as the request parameter api_token",
            actual=f"the answer is {answer.brief()}",
            using=[answer],
            check="answers[-1].status == 200",
        )


def writing_with_a_parameter(context: Context) -> None:
    """GEN-3 on operations that write, and on reading one record."""
    by_query = context.me.acting(token_in="query")
    charge = context.charge()
    _taken_as_parameter(context, "getCharge", by_query.charge(charge.id), charge.made_by)
    if context.me.merchant is not None and not context.options.charge_ids:
        _taken_as_parameter(context, "createQuickAdjustment", by_query.adjust(3, "by a parameter"))
    invoice = context.made(by_query.create([charge.id]), (charge,), "GEN-3")
    _taken_as_parameter(context, "finalizeInvoice", by_query.finalize(invoice.id), invoice.made_by)


def collecting_with_a_parameter(context: Context) -> None:
    """GEN-3 on collect, whatever becomes of the charge."""
    context.needs_charges()
    invoice = context.finalized()
    answer = context.me.acting(token_in="query").collect(invoice.id)
    _taken_as_parameter(context, "collectInvoice", answer, invoice.made_by, refused=(401, 403, 404))


def _taken_as_parameter(
    context: Context, what: str, answer: Answer, *made_by: Answer, refused: tuple[int, ...] = tuple(range(300, 600))
) -> None:
    context.expect(
        "GEN-3",
        answer.status not in refused,
        kind=f"{what} with api_token",
        expected=f"{what} takes the token as the request parameter api_token",
        actual=f"the answer is {answer.brief()}",
        using=[*made_by, answer],
    )


def bodies_as_forms(context: Context) -> None:
    """GEN-2: a form is as good as JSON."""
    charges, left = context.charges(2), context.charge()
    answer = context.me.create_by_form([charge.id for charge in charges])
    invoice = context.made(answer, charges, "GEN-2")
    context.recorder.held("GEN-2")
    for charge in charges:
        status, after = context.charge_status(charge.id)
        context.expect(
            "GEN-2",
            status == "Invoiced",
            kind="form charge not taken",
            expected="a form's charge_ids[] are the charges of the invoice",
            actual=f"charge {charge.id} is {status}",
            using=[charge.made_by, answer, after],
        )
    charge_untouched(context, "GEN-2", left, "a create by form of other charges", [invoice.made_by])
    if context.options.charge_ids or context.me.merchant is None:
        return
    due = context.amount()
    body = f"amount={due}&description=by+form".encode()
    adjusted = context.me.send("POST", "/billing/charges/quick-adjustment", body=body, content_type=FORM_TYPE)
    if adjusted.ok:
        context.amount_as_asked(adjusted, due)
    context.expect(
        "GEN-2",
        adjusted.ok,
        kind="form adjustment refused",
        expected="createQuickAdjustment takes a form",
        actual=f"the answer is {adjusted.brief()}",
        using=[adjusted],
        check="200 <= answers[-1].status < 300",
    )


def content_types(context: Context) -> None:
    """GEN-2: a content type with a charset is the same content type."""
    for content_type in ("application/json; charset=utf-8", "application/json;charset=UTF-8"):
        charge = context.charge()
        body = b'{"charge_ids": [%d]}' % charge.id
        answer = context.me.send("POST", "/billing/invoices", body=body, content_type=content_type)
        context.made(answer, (charge,), "GEN-2")
        context.expect(
            "GEN-2",
            exact(answer.part("invoice").get("total")) == charge.amount,
            kind="charset",
            expected=f"a body of {content_type} is read as JSON",
            using=[charge.made_by, answer],
            actual=f"the answer is {answer.brief()}",
        )
    charge = context.charge()
    body = b"charge_ids%%5B%%5D=%d" % charge.id
    answer = context.me.send("POST", "/billing/invoices", body=body, content_type=FORM_TYPE + "; charset=utf-8")
    context.made(answer, (charge,), "GEN-2")


def one_merchant_by_header(context: Context) -> None:
    """GEN-7: with the header there is one merchant, in lists and in what is made."""
    if context.me.merchant is None:
        raise NotPossible("no merchant given (--merchant)")
    for what, call in (("invoices", context.me.invoices), ("charges", context.me.charges)):
        answer = call(per_page=context.at_most(25))
        strangers_rows = [row for row in answer.rows if str(row.get("chargee_id")) != context.me.merchant]
        if answer.ok:
            context.expect(
                "GEN-7",
                not strangers_rows,
                kind=f"{what} of another merchant listed",
                expected=f"with the merchant header the list of {what} is that merchant's",
                actual=f"it shows one of the merchant {strangers_rows and strangers_rows[0].get('chargee_id')}",
                using=[answer],
            )


def made_for_the_merchant(context: Context) -> None:
    """GEN-7: what is made under the header is that merchant's."""
    if context.me.merchant is None:
        raise NotPossible("no merchant given (--merchant)")
    draft = context.draft()
    for what, row in (("charge", draft.charges[0].made_by.part("charge")), ("invoice", draft.made_by.part("invoice"))):
        if what == "charge" and not row:
            # It was given, on a server that shows no charges.
            continue
        context.expect(
            "GEN-7",
            str(row.get("chargee_id")) == context.me.merchant,
            kind=f"{what} for another merchant",
            expected=f"the {what} is the selected merchant's, {context.me.merchant}",
            actual=f"its chargee_id is {row.get('chargee_id')}",
            using=[draft.charges[0].made_by, draft.made_by],
        )


def unknown_merchant(context: Context) -> None:
    """GEN-8: a merchant that the token does not reach shows nothing."""
    caller = context.me.acting(merchant=str(UNKNOWN_ID))
    for what, call in (("invoices", caller.invoices), ("charges", caller.charges)):
        answer = call()
        context.expect(
            "GEN-8",
            answer.refused or not answer.rows,
            kind=f"{what} of an unknown merchant",
            expected="a merchant out of the token's reach shows no records",
            actual=f"the answer is {answer.brief()}",
            using=[answer],
        )


CHECKS = (
    Check("reading without a token", ("GEN-4", "GEN-6"), reading_without_a_token),
    Check("the token as a parameter", ("GEN-3",), token_as_a_parameter),
    Check("one merchant by header", ("GEN-7",), one_merchant_by_header),
    Check("an unknown merchant", ("GEN-8",), unknown_merchant),
    Check("content types", ("GEN-2",), content_types),
    Check("what is made is the merchant's", ("GEN-7",), made_for_the_merchant),
    Check("writing without a token", ("GEN-4", "GEN-6"), writing_without_a_token),
    Check("writing with the token as a parameter", ("GEN-3",), writing_with_a_parameter),
    Check("bodies as forms", ("GEN-2",), bodies_as_forms),
    Check("collecting without a token", ("GEN-4",), collecting_without_a_token),
    Check("collecting with the token as a parameter", ("GEN-3",), collecting_with_a_parameter),
)
