"""Checks of the rules for requests in general: tokens, forms of bodies, merchants, refusals."""

from __future__ import annotations

from mockserver.verify.assertions.statements import all_of, any_of, came, is_refused, of, status_of, succeeds
from mockserver.verify.checks.runner import Check
from mockserver.verify.checks.unchanged import charge_untouched, still_draft
from mockserver.verify.context.context import Context
from mockserver.verify.context.own_records import row_of
from mockserver.verify.context.records import UNKNOWN_ID
from mockserver.verify.errors import NotPossible
from mockserver.verify.transport.billing_client import FORM_TYPE, Billing
from mockserver.verify.transport.messages import Answer

STRANGER = "mockserver-verify-unknown-token"
NO_TOKENS: tuple[tuple[object, str], ...] = (
    (0, "0"),
    (True, "true"),
    (["0"], "a list"),
    ({"$ne": None}, "an operator of a database"),
)
"""What is no token, and what databases and loose comparisons may take for everybody's."""


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
    before = ("the token and more before it", context.me.acting(token=f"x-{token}"))
    if "@" in token:
        # What stands behind it may be no part of the secret: our own fake takes a world's name there.
        return (before,)
    return (("the token and more behind it", context.me.acting(token=f"{token}-x")), before)


def _unauthorized(context: Context, answer: Answer, what: str, using: tuple[Answer, ...] = ()) -> bool:
    return context.expect(
        "GEN-4",
        status_of(answer).equals(401),
        kind=f"{what} not 401",
        because=f"{what} is answered with 401",
        using=using,
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
    draft, charge = context.records.draft(), context.records.charge()
    acts: list[Answer] = []
    strays: list[tuple[str, Answer]] = []
    before = of(context.me.charges(per_page=context.records.at_most(25))).each("id")
    for who, caller in strangers(context)[: 5 if context.thorough else 2]:
        created = caller.create([charge.id])
        _unauthorized(context, created, f"createInvoice with {who}", (charge.made_by,))
        finalized = caller.finalize(draft.id)
        _unauthorized(context, finalized, f"finalizeInvoice with {who}", (draft.made_by,))
        acts += [created, finalized]
        mark = context.records.mark()
        adjusted = caller.adjust(context.records.spare_amount, mark)
        _unauthorized(context, adjusted, f"createQuickAdjustment with {who}")
        if adjusted.refused:
            strays.append((mark, adjusted))
        if who != "no token":
            continue
        unknown = caller.finalize(UNKNOWN_ID)
        _unauthorized(context, unknown, "finalizeInvoice of an unknown invoice with no token")
        charge_untouched(context, "GEN-4", charge, f"createInvoice with {who}", [created])
        still_draft(context, "GEN-4", draft, f"finalizeInvoice with {who}", [finalized])
    charge_untouched(context, "GEN-6", charge, "a refused createInvoice", acts)
    still_draft(context, "GEN-6", draft, "a refused finalizeInvoice", acts)
    newest = context.me.charges(per_page=context.records.at_most(25))
    for mark, adjusted in strays:
        made = of(newest).where("id", "not in", before).where("description", "is", mark)
        context.expect(
            "GEN-6",
            all_of(came(adjusted), made.is_empty()),
            kind="charge made without a token",
            because="an adjustment that is refused for want of a token makes no charge",
            actual=("the charge is there, with the id", made.each("id")),
            using=[adjusted],
        )


def tokens_that_are_no_text(context: Context) -> None:
    """GEN-4: an `api_token` in a body that is no text is nobody's, however it compares with a token."""
    nobody, charge = context.me.acting(token=None), context.records.charge()
    acts: list[Answer] = []
    for given, what in NO_TOKENS:
        answer = nobody.post("/billing/invoices", {"api_token": given, "charge_ids": [charge.id]})
        context.expect.refused("GEN-4", answer, f"createInvoice with {what} for an api_token", [charge.made_by])
        acts.append(answer)
        if answer.ok:
            charge, acts = context.records.charge(), []
    charge_untouched(context, "GEN-4", charge, "createInvoice without a token", acts)


def collecting_without_a_token(context: Context) -> None:
    """GEN-4 on collect: 401, and the invoice is not paid."""
    context.records.needs_charges()
    invoice = context.records.finalized()
    for who, caller in strangers(context)[:2]:
        answer = caller.collect(invoice.id)
        _unauthorized(context, answer, f"collectInvoice with {who}", (invoice.made_by,))
        _, after = context.records.must_row(invoice.id)
        context.expect(
            "GEN-4",
            all_of(came(answer), row_of(invoice, after).at("stripe_invoice_status").differs("paid")),
            kind=f"collected with {who}",
            because=f"collectInvoice with {who} charges nobody",
            actual="the invoice is paid",
            using=[answer],
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
            succeeds(answer),
            kind=f"{what} with api_token",
            because=f"{what} takes the token as the request parameter api_token",
        )


def writing_with_a_parameter(context: Context) -> None:
    """GEN-3 on operations that write, and on reading one record."""
    by_query = context.me.acting(token_in="query")
    charge = context.records.charge()
    _taken_as_parameter(context, "getCharge", by_query.charge(charge.id), charge.made_by)
    if context.me.merchant is not None and not context.options.charge_ids:
        adjusted = by_query.adjust(context.records.amount(), "by a parameter")
        _taken_as_parameter(context, "createQuickAdjustment", adjusted)
    invoice = context.records.made(by_query.create([charge.id]), (charge,), "GEN-3")
    _taken_as_parameter(context, "finalizeInvoice", by_query.finalize(invoice.id), invoice.made_by)


def collecting_with_a_parameter(context: Context) -> None:
    """GEN-3 on collect, whatever becomes of the charge."""
    context.records.needs_charges()
    invoice = context.records.finalized()
    answer = context.me.acting(token_in="query").collect(invoice.id)
    _taken_as_parameter(context, "collectInvoice", answer, invoice.made_by, refused=(401, 403, 404))


def _taken_as_parameter(
    context: Context, what: str, answer: Answer, *made_by: Answer, refused: tuple[int, ...] = tuple(range(300, 600))
) -> None:
    context.expect(
        "GEN-3",
        status_of(answer).compares("not in", refused),
        kind=f"{what} with api_token",
        because=f"{what} takes the token as the request parameter api_token",
        using=made_by,
    )


def bodies_as_forms(context: Context) -> None:
    """GEN-2: a form is as good as JSON."""
    charges, left = context.records.charges(2), context.records.charge()
    answer = context.me.create_by_form([charge.id for charge in charges])
    invoice = context.records.made(answer, charges, "GEN-2")
    context.recorder.held("GEN-2")
    for charge in charges:
        status, after = context.records.charge_status(charge.id)
        context.expect(
            "GEN-2",
            of(after).at("charge.status").equals("Invoiced"),
            kind="form charge not taken",
            because="a form's charge_ids[] are the charges of the invoice",
            actual=f"charge {charge.id} is {status}",
            using=[answer],
        )
    charge_untouched(context, "GEN-2", left, "a create by form of other charges", [invoice.made_by])
    if context.options.charge_ids or context.me.merchant is None:
        return
    due = context.records.amount()
    body = f"amount={due}&description=by+form".encode()
    adjusted = context.me.send("POST", "/billing/charges/quick-adjustment", body=body, content_type=FORM_TYPE)
    if adjusted.ok:
        context.records.amount_as_asked(adjusted, due)
    context.expect(
        "GEN-2",
        succeeds(adjusted),
        kind="form adjustment refused",
        because="createQuickAdjustment takes a form",
    )


def content_types(context: Context) -> None:
    """GEN-2: a content type with a charset is the same content type."""
    for content_type in ("application/json; charset=utf-8", "application/json;charset=UTF-8"):
        charge = context.records.charge()
        body = b'{"charge_ids": [%d]}' % charge.id
        answer = context.me.send("POST", "/billing/invoices", body=body, content_type=content_type)
        context.records.made(answer, (charge,), "GEN-2")
        context.expect(
            "GEN-2",
            of(answer).at("invoice.total").equals(charge.shown.at("amount")),
            kind="charset",
            because=f"a body of {content_type} is read as JSON",
            actual=f"the answer is {answer.brief()}",
        )
    charge = context.records.charge()
    body = b"charge_ids%%5B%%5D=%d" % charge.id
    answer = context.me.send("POST", "/billing/invoices", body=body, content_type=FORM_TYPE + "; charset=utf-8")
    context.records.made(answer, (charge,), "GEN-2")


def one_merchant_by_header(context: Context) -> None:
    """GEN-7: with the header there is one merchant, in lists and in what is made."""
    if context.me.merchant is None:
        raise NotPossible("no merchant given (--merchant)")
    for what, call in (("invoices", context.me.invoices), ("charges", context.me.charges)):
        answer = call(per_page=context.records.at_most(25))
        if answer.ok:
            context.expect(
                "GEN-7",
                of(answer).each("chargee_id").every("agrees", context.me.merchant),
                kind=f"{what} of another merchant listed",
                because=f"with the merchant header the list of {what} is that merchant's",
            )


def made_for_the_merchant(context: Context) -> None:
    """GEN-7: what is made under the header is that merchant's."""
    if context.me.merchant is None:
        raise NotPossible("no merchant given (--merchant)")
    draft = context.records.draft()
    for what, made in (("charge", draft.charges[0].shown), ("invoice", draft.shown)):
        if what == "charge" and not made.value():
            # It was given, on a server that shows no charges.
            continue
        context.expect(
            "GEN-7",
            made.at("chargee_id").agrees(context.me.merchant),
            kind=f"{what} for another merchant",
            because=f"the {what} is the selected merchant's, {context.me.merchant}",
            using=[draft.made_by],
        )


def unknown_merchant(context: Context) -> None:
    """GEN-8: a merchant that the token does not reach shows nothing."""
    caller = context.me.acting(merchant=str(UNKNOWN_ID))
    for what, call in (("invoices", caller.invoices), ("charges", caller.charges)):
        answer = call()
        context.expect(
            "GEN-8",
            any_of(is_refused(answer), of(answer).at("data").is_empty()),
            kind=f"{what} of an unknown merchant",
            because="a merchant out of the token's reach shows no records",
            actual=f"the answer is {answer.brief()}",
        )


CHECKS = (
    Check("reading without a token", ("GEN-4", "GEN-6"), reading_without_a_token),
    Check("the token as a parameter", ("GEN-3",), token_as_a_parameter),
    Check("one merchant by header", ("GEN-7",), one_merchant_by_header),
    Check("an unknown merchant", ("GEN-8",), unknown_merchant),
    Check("content types", ("GEN-2",), content_types, thorough=True),
    Check("what is made is the merchant's", ("GEN-7",), made_for_the_merchant, thorough=True),
    Check("writing without a token", ("GEN-4", "GEN-6"), writing_without_a_token),
    Check("tokens that are no text", ("GEN-4",), tokens_that_are_no_text, thorough=True),
    Check("writing with the token as a parameter", ("GEN-3",), writing_with_a_parameter, thorough=True),
    Check("bodies as forms", ("GEN-2",), bodies_as_forms),
    Check("collecting without a token", ("GEN-4",), collecting_without_a_token, thorough=True),
    Check("collecting with the token as a parameter", ("GEN-3",), collecting_with_a_parameter, thorough=True),
)
