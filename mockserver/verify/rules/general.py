"""Checks of the rules for requests in general: tokens, forms of bodies, merchants, refusals."""

from __future__ import annotations

from collections.abc import Callable

from mockserver.verify.api import FORM_TYPE, Billing
from mockserver.verify.bench import UNKNOWN_ID, Bench
from mockserver.verify.checks import Check
from mockserver.verify.failures import NotPossible
from mockserver.verify.lives import exact
from mockserver.verify.transport import Answer

STRANGER = "mockserver-verify-unknown-token"


def strangers(bench: Bench) -> tuple[tuple[str, Billing], ...]:
    """Callers that must get 401: without a token, and with one that nobody has, given in both ways."""
    return (
        ("no token", bench.me.acting(token=None)),
        ("an unknown token", bench.me.acting(token=STRANGER)),
        ("an unknown api_token", bench.me.acting(token=STRANGER, token_in="query")),
        ("an empty token", bench.me.acting(token="")),
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
    for who, caller in strangers(bench):
        for operation, call in (
            ("listInvoices", caller.invoices),
            ("listCharges", caller.charges),
            ("getCharge", lambda caller=caller: caller.charge(1)),
        ):
            _unauthorized(bench, call(), f"{operation} with {who}")
        bench.court.met("GEN-6")


def writing_without_a_token(bench: Bench) -> None:
    """GEN-4 and GEN-6 on every operation that writes: 401, and nothing has happened."""
    draft, charge = bench.draft(), bench.charge()
    for who, caller in strangers(bench):
        created = caller.create([charge.id])
        _unauthorized(bench, created, f"createInvoice with {who}", (charge.made_by,))
        finalized = caller.finalize(draft.id)
        _unauthorized(bench, finalized, f"finalizeInvoice with {who}", (draft.made_by,))
        adjusted = caller.adjust(3, "from a stranger")
        _unauthorized(bench, adjusted, f"createQuickAdjustment with {who}")
        if who != "no token":
            continue
        bench.charge_untouched("GEN-4", charge, f"createInvoice with {who}", [created])
        bench.still_draft("GEN-4", draft, f"finalizeInvoice with {who}", [finalized])
    bench.charge_untouched("GEN-6", charge, "a refused createInvoice", [])
    bench.still_draft("GEN-6", draft, "a refused finalizeInvoice", [])


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
    """GEN-3 on operations that write."""
    by_query = bench.me.acting(token_in="query")
    charge = bench.charge()
    invoice = bench.made(by_query.create([charge.id]), (charge,), "GEN-3")
    answer = by_query.finalize(invoice.id)
    bench.expect(
        "GEN-3",
        answer.ok,
        kind="finalizeInvoice with api_token",
        expected="finalizeInvoice takes the token as the request parameter api_token",
        actual=f"the answer is {answer.brief()}",
        using=[invoice.made_by, answer],
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
    bench.charge_untouched("GEN-2", left, "a create by form of other charges", [invoice.made_by])
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


def refusals_are_readable(bench: Bench) -> None:
    """GEN-5: what reads badly is refused, with the field named."""
    cases: tuple[tuple[str, str, Callable[[], Answer]], ...] = (
        ("page that is no number", "page", lambda: bench.me.invoices(page="first")),
        ("per_page that is no number", "per_page", lambda: bench.me.invoices(per_page="many")),
    )
    for what, field, call in cases:
        _refused_naming(bench, call(), what, field)
    for what, path in (
        ("an id that is no number", "abc"),
        ("a number beyond all ids", "9" * 30),
        ("an odd path", "%00"),
    ):
        answer = bench.me.send("GET", f"/billing/charges/{path}")
        bench.refused("GEN-5", answer, f"getCharge of {what}")


def _refused_naming(bench: Bench, answer: Answer, what: str, field: str) -> None:
    if not bench.refused("GEN-5", answer, f"a {what}"):
        return
    errors = answer.mapping.get("errors")
    bench.expect(
        "GEN-5",
        isinstance(errors, dict) and bool(errors),
        kind=f"no errors for a {what}",
        expected="the refusal of invalid input has `errors`, field name to messages",
        actual=f"the answer is {answer.brief()}",
        using=[answer],
        check="bool(answers[-1].json['errors'])",
    )


ODD_SEARCHES = (
    'id:"1',
    'id:1"',
    '"',
    "id",
    "id:",
    'id"1"',
    ':"1"',
    'id:"1" AND',
    'OR id:"1"',
    'id:"1" id:"2"',
    "(",
    "%",
    "\\",
    'id:"abc"',
    'id:""',
    'id:"1.5"',
    'id:"-1"',
    f'id:"{"9" * 40}"',
    'created_at$DATE>="2026-02-30"',
    'created_at$DATE:"tomorrow"',
    'created_at$DATE~"2026"',
    'stripe_invoice_id>"in_1"',
    'id~"1"',
    'created_at$TIME:"1"',
    'id:"1" XOR id:"2"',
    "id:\x00",
    'stripe_invoice_id:"%"',
    'stripe_invoice_id:"\'; --"',
    'id:"1" AND ' * 30,
    "é",
)


def odd_searches(bench: Bench) -> None:
    """GEN-5: no search makes the server fail; whether it is refused or ignored is open."""
    for q in ODD_SEARCHES if bench.quick() > 0.3 else ODD_SEARCHES[:12]:
        answer = bench.me.invoices(q, per_page=1)
        bench.expect(
            "GEN-5",
            answer.ok or answer.refused,
            kind="a search makes the server fail",
            expected="an unreadable search is refused with a 4xx, or ignored",
            actual=f"the answer is {answer.brief()}",
            using=[answer],
            check="answers[-1].status < 500",
        )


ODD_NUMBERS = ("0", "-1", "-5", "1.5", "1e3", "", " 1", "+1", "0x10", "null", "true", str(2**31), str(2**63), "9" * 40)
ODD_MERCHANTS = ("abc", "-1", "1.5", "0", "null", "1,2", "9" * 40, "é")


def odd_numbers(bench: Bench) -> None:
    """GEN-5: no page, page size or merchant makes the server fail, and no size below one is a size."""
    nothing = f'id:"{UNKNOWN_ID}"'
    some = ODD_NUMBERS if bench.quick() > 0.3 else ("0", "-5", str(2**63))
    for value in some:
        for what, answer in (
            ("per_page", bench.me.invoices(nothing, per_page=value)),
            ("page", bench.me.invoices(nothing, page=value)),
            ("page of charges", bench.me.charges(page=value, per_page=1)),
            ("per_page of charges", bench.me.charges(per_page=value, page=1_000_000)),
        ):
            _answered(bench, answer, f"an odd {what}")
            if what.startswith("per_page") and value.startswith("-"):
                bench.refused("GEN-5", answer, f"a negative {what}")
    for value in ODD_MERCHANTS if bench.quick() > 0.3 else ODD_MERCHANTS[:2]:
        caller = bench.me.acting(merchant=value)
        for answer in (caller.invoices(nothing), caller.charges(per_page=1), caller.create([UNKNOWN_ID])):
            _answered(bench, answer, "an odd merchant header")


def _answered(bench: Bench, answer: Answer, what: str) -> None:
    bench.expect(
        "GEN-5",
        answer.ok or answer.refused,
        kind=f"{what} makes the server fail",
        expected=f"{what} is refused with a 4xx, or read in a lenient way",
        actual=f"the answer is {answer.brief()}",
        using=[answer],
        check="answers[-1].status < 500",
    )


def bad_bodies(bench: Bench) -> None:
    """GEN-5 and GEN-6: bodies that can't be meant are refused, and take no charge."""
    charge = bench.charge()
    bodies: tuple[tuple[str, bytes, str], ...] = (
        ("JSON that is cut off", b'{"charge_ids": [', ""),
        ("a body that is a list", b"[1]", ""),
        ("a body that is a string", b'"charge_ids"', ""),
        ("charge_ids that are a word", b'{"charge_ids": "all"}', "charge_ids"),
        ("charge_ids that are an object", b'{"charge_ids": {"a": 1}}', "charge_ids"),
        ("a charge id that is a word", b'{"charge_ids": [%d, "x"]}' % charge.id, "charge_ids"),
        ("a charge id that is a fraction", b'{"charge_ids": [%d.5]}' % charge.id, "charge_ids"),
        ("a charge id that is null", b'{"charge_ids": [%d, null]}' % charge.id, "charge_ids"),
        ("a charge id that is a list", b'{"charge_ids": [[%d]]}' % charge.id, "charge_ids"),
        ("a charge id that is an object", b'{"charge_ids": [{"id": %d}]}' % charge.id, "charge_ids"),
        ("a huge charge id", b'{"charge_ids": [%d, 99999999999999999999999999]}' % charge.id, ""),
        ("a negative charge id", b'{"charge_ids": [%d, -1]}' % charge.id, ""),
        ("charge id 0", b'{"charge_ids": [%d, 0]}' % charge.id, ""),
    )
    for what, body, field in bodies:
        answer = bench.me.send("POST", "/billing/invoices", body=body, content_type="application/json")
        if field:
            _refused_naming(bench, answer, what, field)
        else:
            bench.refused("GEN-5", answer, f"createInvoice with {what}")
        if answer.ok:
            charge = bench.charge()
    bench.charge_untouched("GEN-6", charge, "createInvoice with a bad body", [])


def bad_adjustments(bench: Bench) -> None:
    """GEN-5: an adjustment needs a number and a description."""
    if bench.me.merchant is None or bench.options.charge_ids:
        raise NotPossible("charges are not made in this run")
    for what, content, field in (
        ("no amount", {"description": "x"}, "amount"),
        ("no description", {"amount": 5}, "description"),
        ("an amount that is a word", {"amount": "much", "description": "x"}, "amount"),
        ("an amount that is a list", {"amount": [5], "description": "x"}, "amount"),
        ("an amount that is null", {"amount": None, "description": "x"}, "amount"),
        ("a description that is a list", {"amount": 5, "description": ["x"]}, "description"),
    ):
        _refused_naming(
            bench, bench.me.post("/billing/charges/quick-adjustment", content), f"adjustment with {what}", field
        )


def bad_actions(bench: Bench) -> None:
    """GEN-5: ids in paths that can't be meant."""
    for path in ("abc", "9" * 30, "-1", "1.5", "%00"):
        answer = bench.me.send("POST", f"/billing/invoices/{path}/finalize")
        bench.refused("GEN-5", answer, "finalizeInvoice of an id that no invoice has")


CHECKS = (
    Check("reading without a token", ("GEN-4", "GEN-6"), reading_without_a_token),
    Check("the token as a parameter", ("GEN-3",), token_as_a_parameter),
    Check("one merchant by header", ("GEN-7",), one_merchant_by_header),
    Check("an unknown merchant", ("GEN-8",), unknown_merchant),
    Check("refusals are readable", ("GEN-5",), refusals_are_readable),
    Check("odd numbers", ("GEN-5",), odd_numbers),
    Check("odd searches", ("GEN-5",), odd_searches),
    Check("content types", ("GEN-2",), content_types),
    Check("what is made is the merchant's", ("GEN-7",), made_for_the_merchant),
    Check("writing without a token", ("GEN-4", "GEN-6"), writing_without_a_token),
    Check("writing with the token as a parameter", ("GEN-3",), writing_with_a_parameter),
    Check("bodies as forms", ("GEN-2",), bodies_as_forms),
    Check("bad bodies", ("GEN-5", "GEN-6"), bad_bodies),
    Check("bad adjustments", ("GEN-5",), bad_adjustments),
    Check("bad actions", ("GEN-5",), bad_actions),
    Check("collecting without a token", ("GEN-4",), collecting_without_a_token),
)
