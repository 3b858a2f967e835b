"""Checks of the rules for requests in general: tokens, forms of bodies, merchants, refusals."""

from __future__ import annotations

from mockserver.verify.checks.runner import Check
from mockserver.verify.checks.unchanged import charge_untouched, still_draft
from mockserver.verify.context import UNKNOWN_ID, Bench
from mockserver.verify.errors import NotPossible
from mockserver.verify.monitor.history import exact
from mockserver.verify.transport.billing_client import FORM_TYPE, Billing
from mockserver.verify.transport.http import Answer

STRANGER = "mockserver-verify-unknown-token"


def strangers(bench: Bench) -> tuple[tuple[str, Billing], ...]:
    """Callers that must get 401: without a token, and with one that nobody has, given in both ways."""
    return (
        ("no token", bench.me.acting(token=None)),
        ("an unknown token", bench.me.acting(token=STRANGER)),
        ("an unknown api_token", bench.me.acting(token=STRANGER, token_in="query")),
        ("an empty token", bench.me.acting(token="")),
        ("an empty api_token", bench.me.acting(token="", token_in="query")),
    )


def near_misses(bench: Bench) -> tuple[tuple[str, Billing], ...]:
    """Callers whose token holds the right one and is another; more or less of it would be told in a report."""
    token = bench.options.token
    return (
        ("the token and more behind it", bench.me.acting(token=f"{token}-x")),
        ("the token and more before it", bench.me.acting(token=f"x-{token}")),
    )


def _unauthorized(bench: Bench, answer: Answer, what: str, using: tuple[Answer, ...] = ()) -> bool:
    return bench.expect(
        "GEN-4",
        answer.status == 401,
        kind=f"{what} not 401",
        expected=f"{what} is answered with 401",
        actual=f"the answer is {answer.brief()}",
        using=[*using, answer],
        check="answers[-1].status == 401",
    )


def reading_without_a_token(bench: Bench) -> None:
    """GEN-4 on every operation that reads."""
    for who, caller in (*strangers(bench), *near_misses(bench)) if bench.thorough else strangers(bench)[:3]:
        for operation, call in (
            ("listInvoices", caller.invoices),
            ("listCharges", caller.charges),
            ("getCharge", lambda caller=caller: caller.charge(1)),
        ):
            _unauthorized(bench, call(), f"{operation} with {who}")
        bench.court.met("GEN-6")
    answer = bench.me.acting(token=None).charge(UNKNOWN_ID)
    _unauthorized(bench, answer, "getCharge of an unknown charge with no token")


def writing_without_a_token(bench: Bench) -> None:
    """GEN-4 and GEN-6 on every operation that writes: 401, and nothing has happened."""
    draft, charge = bench.draft(), bench.charge()
    for who, caller in strangers(bench)[: 5 if bench.thorough else 2]:
        created = caller.create([charge.id])
        _unauthorized(bench, created, f"createInvoice with {who}", (charge.made_by,))
        finalized = caller.finalize(draft.id)
        _unauthorized(bench, finalized, f"finalizeInvoice with {who}", (draft.made_by,))
        adjusted = caller.adjust(3, "from a stranger")
        _unauthorized(bench, adjusted, f"createQuickAdjustment with {who}")
        if who != "no token":
            continue
        unknown = caller.finalize(UNKNOWN_ID)
        _unauthorized(bench, unknown, "finalizeInvoice of an unknown invoice with no token")
        charge_untouched(bench, "GEN-4", charge, f"createInvoice with {who}", [created])
        still_draft(bench, "GEN-4", draft, f"finalizeInvoice with {who}", [finalized])
    charge_untouched(bench, "GEN-6", charge, "a refused createInvoice", [])
    still_draft(bench, "GEN-6", draft, "a refused finalizeInvoice", [])


def collecting_without_a_token(bench: Bench) -> None:
    """GEN-4 on collect: 401, and the invoice is not paid."""
    bench.needs_charges()
    invoice = bench.finalized()
    for who, caller in strangers(bench)[:2]:
        answer = caller.collect(invoice.id)
        _unauthorized(bench, answer, f"collectInvoice with {who}", (invoice.made_by,))
        row, after = bench.must_row(invoice.id)
        bench.expect(
            "GEN-4",
            row.get("stripe_invoice_status") != "paid",
            kind=f"collected with {who}",
            expected=f"collectInvoice with {who} charges nobody",
            actual="the invoice is paid",
            using=[invoice.made_by, answer, after],
        )
    unknown = bench.me.acting(token=None).collect(UNKNOWN_ID)
    _unauthorized(bench, unknown, "collectInvoice of an unknown invoice with no token")


def token_as_a_parameter(bench: Bench) -> None:
    """GEN-3: `api_token` does what the header does."""
    by_query = bench.me.acting(token_in="query")
    for what, call in (("listInvoices", by_query.invoices), ("listCharges", by_query.charges)):
        answer = call()
        bench.expect(
            "GEN-3",
            answer.ok,
            kind=f"{what} with api_token",
            expected=f"{what} takes the token as the request parameter api_token",
            actual=f"the answer is {answer.brief()}",
            using=[answer],
            check="answers[-1].status == 200",
        )


def writing_with_a_parameter(bench: Bench) -> None:
    """GEN-3 on operations that write, and on reading one record."""
    by_query = bench.me.acting(token_in="query")
    charge = bench.charge()
    _taken_as_parameter(bench, "getCharge", by_query.charge(charge.id), charge.made_by)
    if bench.me.merchant is not None and not bench.options.charge_ids:
        _taken_as_parameter(bench, "createQuickAdjustment", by_query.adjust(3, "by a parameter"))
    invoice = bench.made(by_query.create([charge.id]), (charge,), "GEN-3")
    _taken_as_parameter(bench, "finalizeInvoice", by_query.finalize(invoice.id), invoice.made_by)


def collecting_with_a_parameter(bench: Bench) -> None:
    """GEN-3 on collect, whatever becomes of the charge."""
    bench.needs_charges()
    invoice = bench.finalized()
    answer = bench.me.acting(token_in="query").collect(invoice.id)
    _taken_as_parameter(bench, "collectInvoice", answer, invoice.made_by, refused=(401, 403, 404))


def _taken_as_parameter(
    bench: Bench, what: str, answer: Answer, *made_by: Answer, refused: tuple[int, ...] = tuple(range(300, 600))
) -> None:
    bench.expect(
        "GEN-3",
        answer.status not in refused,
        kind=f"{what} with api_token",
        expected=f"{what} takes the token as the request parameter api_token",
        actual=f"the answer is {answer.brief()}",
        using=[*made_by, answer],
    )


def bodies_as_forms(bench: Bench) -> None:
    """GEN-2: a form is as good as JSON."""
    charges, left = bench.charges(2), bench.charge()
    answer = bench.me.create_by_form([charge.id for charge in charges])
    invoice = bench.made(answer, charges, "GEN-2")
    for charge in charges:
        status, after = bench.charge_status(charge.id)
        bench.expect(
            "GEN-2",
            status == "Invoiced",
            kind="form charge not taken",
            expected="a form's charge_ids[] are the charges of the invoice",
            actual=f"charge {charge.id} is {status}",
            using=[charge.made_by, answer, after],
        )
    charge_untouched(bench, "GEN-2", left, "a create by form of other charges", [invoice.made_by])
    if bench.options.charge_ids or bench.me.merchant is None:
        return
    due = bench.amount()
    body = f"amount={due}&description=by+form".encode()
    adjusted = bench.me.send("POST", "/billing/charges/quick-adjustment", body=body, content_type=FORM_TYPE)
    if adjusted.ok:
        bench.amount_as_asked(adjusted, due)
    bench.expect(
        "GEN-2",
        adjusted.ok,
        kind="form adjustment refused",
        expected="createQuickAdjustment takes a form",
        actual=f"the answer is {adjusted.brief()}",
        using=[adjusted],
        check="200 <= answers[-1].status < 300",
    )


def content_types(bench: Bench) -> None:
    """GEN-2: a content type with a charset is the same content type."""
    for content_type in ("application/json; charset=utf-8", "application/json;charset=UTF-8"):
        charge = bench.charge()
        body = b'{"charge_ids": [%d]}' % charge.id
        answer = bench.me.send("POST", "/billing/invoices", body=body, content_type=content_type)
        bench.made(answer, (charge,), "GEN-2")
        bench.expect(
            "GEN-2",
            exact(answer.part("invoice").get("total")) == charge.amount,
            kind="charset",
            expected=f"a body of {content_type} is read as JSON",
            using=[charge.made_by, answer],
            actual=f"the answer is {answer.brief()}",
        )
    charge = bench.charge()
    body = b"charge_ids%%5B%%5D=%d" % charge.id
    answer = bench.me.send("POST", "/billing/invoices", body=body, content_type=FORM_TYPE + "; charset=utf-8")
    bench.made(answer, (charge,), "GEN-2")


def one_merchant_by_header(bench: Bench) -> None:
    """GEN-7: with the header there is one merchant, in lists and in what is made."""
    if bench.me.merchant is None:
        raise NotPossible("no merchant given (--merchant)")
    for what, call in (("invoices", bench.me.invoices), ("charges", bench.me.charges)):
        answer = call(per_page=bench.at_most(25))
        strangers_rows = [row for row in answer.rows if str(row.get("chargee_id")) != bench.me.merchant]
        if answer.ok:
            bench.expect(
                "GEN-7",
                not strangers_rows,
                kind=f"{what} of another merchant listed",
                expected=f"with the merchant header the list of {what} is that merchant's",
                actual=f"it shows one of the merchant {strangers_rows and strangers_rows[0].get('chargee_id')}",
                using=[answer],
            )


def made_for_the_merchant(bench: Bench) -> None:
    """GEN-7: what is made under the header is that merchant's."""
    if bench.me.merchant is None:
        raise NotPossible("no merchant given (--merchant)")
    draft = bench.draft()
    for what, row in (("charge", draft.charges[0].made_by.part("charge")), ("invoice", draft.made_by.part("invoice"))):
        bench.expect(
            "GEN-7",
            str(row.get("chargee_id")) == bench.me.merchant,
            kind=f"{what} for another merchant",
            expected=f"the {what} is the selected merchant's, {bench.me.merchant}",
            actual=f"its chargee_id is {row.get('chargee_id')}",
            using=[draft.charges[0].made_by, draft.made_by],
        )


def unknown_merchant(bench: Bench) -> None:
    """GEN-8: a merchant that the token does not reach shows nothing."""
    caller = bench.me.acting(merchant=str(UNKNOWN_ID))
    for what, call in (("invoices", caller.invoices), ("charges", caller.charges)):
        answer = call()
        bench.expect(
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
