"""Checks of creating invoices: which charges an invoice takes, what it comes to, and what is refused."""

from __future__ import annotations

from collections.abc import Sequence
from decimal import Decimal

from hypothesis import strategies as st

from mockserver.verify.assertions.statements import any_of, id_of, is_refused, list_of, of, sum_of
from mockserver.verify.checks.runner import Check
from mockserver.verify.checks.unchanged import charge_untouched, still_draft
from mockserver.verify.claims.values import Row, exact
from mockserver.verify.context.context import Context
from mockserver.verify.context.own_records import OwnCharge, OwnInvoice, due, row_of
from mockserver.verify.context.records import UNKNOWN_ID
from mockserver.verify.errors import NotPossible
from mockserver.verify.generation.properties import explore
from mockserver.verify.transport.messages import Answer

SURELY = 10
"""Charges that every server takes in one create: the contract speaks of ten."""
_GIVEN = 10
"""How many of the charges given are looked at for their currencies."""


def just_these_charges(context: Context) -> None:
    """CREATE-1 and CREATE-3: those that are named, and no others."""
    named, left = context.records.charges(2), context.records.charge()
    draft = context.records.draft(named)
    _total(context, draft.made_by, named, "CREATE-1")
    for charge in named:
        _is_on_it(context, charge, draft)
    charge_untouched(context, "CREATE-1", left, "a create that does not name it", [draft.made_by])
    context.expect(
        "CREATE-3",
        of(draft.made_by).at("message").is_text(),
        kind="no message",
        because="a create answers a message and the invoice",
        actual=f"the answer is {draft.made_by.brief()}",
    )
    context.records.draft((left,))


def _is_on_it(context: Context, charge: OwnCharge, draft: OwnInvoice) -> None:
    """CREATE-1 and CREATE-4 of one of its charges, by the charge's status."""
    status, after = context.records.charge_status(charge.id)
    for rule, expected in (
        ("CREATE-1", "the named charges are on the invoice"),
        ("CREATE-4", "a charge on an invoice is Invoiced from then on"),
    ):
        context.expect(
            rule,
            of(after).at("charge.status").equals("Invoiced"),
            kind="named charge not Invoiced",
            because=expected,
            actual=f"charge {charge.id} is {status}",
            using=[draft.made_by],
        )


def _total(
    context: Context,
    answer: Answer,
    charges: Sequence[OwnCharge],
    rule: str,
    *,
    using: Sequence[Answer] = (),
    proves: bool = True,
) -> bool:
    total = due(charges)
    return context.expect(
        rule,
        of(answer).at("invoice.total").equals(total),
        kind="total",
        because=f"the total is the exact sum of the charges, {total.value()}",
        using=using,
        proves=proves,
    )


def listed_as_answered(context: Context) -> None:
    """CREATE-7, GEN-9: what the create answered is what the list shows at once."""
    draft = context.records.draft(context.records.charges(2))
    row, answer = context.records.row(draft.id)
    context.expect(
        "CREATE-7",
        of(answer).each("id").includes(id_of("invoice", draft.id)),
        kind="not listed at once",
        because="the new invoice is in the list at once",
        actual=f"invoice {draft.id} is not",
        using=[draft.made_by],
    )
    for name, value in draft.made_by.part("invoice").items():
        if row is not None and name in ("total", "currency", "status", "description", "chargee_type"):
            context.expect(
                "GEN-9",
                row_of(draft, answer).at(name).equals(of(draft.made_by).at(f"invoice.{name}")),
                kind=f"{name} listed otherwise",
                because=f"the list shows the {name} that the create answered, {value}",
            )


def exact_sums(context: Context) -> None:
    """CREATE-5: sums that binary fractions get wrong."""
    digits = context.records.digits or 0
    smallest = Decimal(1).scaleb(-digits)
    recipes = (
        [Decimal(1).scaleb(-min(digits, 1))] * (26 if context.quick() > 0.5 else 12),
        [smallest * 10 + smallest, smallest * 22],
        [Decimal("1.1"), Decimal("2.2")] if digits else [Decimal(1), Decimal(2)],
    )
    for amounts in recipes:
        charges = [context.records.charge(amount) for amount in amounts]
        answer = context.me.create([charge.id for charge in charges])
        if answer.refused and len(charges) > SURELY:
            # How many ids one create takes is the server's to say.
            for more in (charges[SURELY : 2 * SURELY], charges[2 * SURELY :]):
                if more:
                    context.records.draft(more)
            charges = charges[:SURELY]
            answer = context.me.create([charge.id for charge in charges])
        draft = context.records.made(answer, charges)
        _total(context, draft.made_by, charges, "CREATE-5")
        _is_on_it(context, charges[-1], draft)
        row, answer = context.records.row(draft.id)
        if row is not None:
            context.expect(
                "CREATE-5",
                row_of(draft, answer).at("total").equals(due(charges)),
                kind="listed total",
                because=f"the total is the exact sum of the charges, {due(charges).value()}",
            )


def generated_sums(context: Context) -> None:
    """CREATE-5 by property: any amounts, in the currency's precision."""
    digits = context.records.digits or 0
    amounts = st.lists(st.integers(1, 99_999).map(lambda minor: Decimal(minor).scaleb(-digits)), min_size=1, max_size=6)

    def sums_up(amounts: list[Decimal]) -> None:
        charges = [context.records.charge(amount) for amount in amounts]
        _total(context, context.records.draft(charges).made_by, charges, "CREATE-5")

    if context.options.charge_ids:
        raise NotPossible("charges of given amounts can't be made with --charge-ids")
    explore(context, "sums", {"amounts": amounts}, sums_up, examples=12)


def all_or_nothing(context: Context) -> None:
    """CREATE-6: one bad charge, wherever it stands, and none of the others is taken."""
    invoiced = context.records.draft()
    taken = invoiced.charges[0]
    for what, bad in (("an unknown charge", UNKNOWN_ID), ("an invoiced charge", taken.id)):
        alone = context.me.create([bad])
        context.expect.refused("CREATE-6", alone, f"a create of {what}", [invoiced.made_by])
        good = context.records.charges(2)
        for ids in ([good[0].id, bad, good[1].id], [good[0].id, good[1].id, bad], [bad, good[0].id]):
            answer = context.me.create(ids)
            if not context.expect.refused("CREATE-6", answer, f"a create with {what} among others", [invoiced.made_by]):
                good = context.records.charges(2)
        for charge in good:
            charge_untouched(context, "CREATE-6", charge, f"a refused create with {what}", [answer])
            charge_untouched(context, "GEN-6", charge, "a refused create", [answer])
        # What was refused took nothing, so that the charges can still be invoiced.
        _total(context, context.records.draft(good).made_by, good, "CREATE-6")


def _made(charges: Sequence[OwnCharge]) -> list[Answer]:
    return [charge.made_by for charge in charges]


def refused_leaves_no_invoice(context: Context) -> None:
    """GEN-6: a refused create leaves no invoice behind, whatever it is refused for."""
    good, taken = context.records.charge(), context.records.draft().charges[0]
    _leaves_no_invoice(context, "an unknown charge", [good.id, UNKNOWN_ID], [good])
    _leaves_no_invoice(context, "an invoiced charge", [good.id, taken.id], [good, taken])
    if context.options.charge_ids:
        return
    other = context.other
    if other is not None and other.merchant not in (None, context.me.merchant):
        theirs = context.records.charge(by=other)
        _leaves_no_invoice(context, "another merchant's charge", [good.id, theirs.id], [good, theirs])
    context.me.create()
    _leaves_no_invoice(context, "nothing to invoice", None, [])


def _leaves_no_invoice(context: Context, what: str, ids: list[int] | None, charges: Sequence[OwnCharge]) -> None:
    amounts = [charge.shown.at("amount") for charge in charges]
    for _ in range(2):
        before = newest_invoices(context)
        answer = context.me.create(ids)
        if not answer.refused:
            return
        # Somebody else may have made one of just that total; hardly twice.
        left = (
            of(newest_invoices(context))
            .where("id", "not in", of(before).each("id"))
            .where("total", "in", list_of([0, *amounts, sum_of(amounts)]))
        )
        if left.is_empty().is_true():
            context.recorder.held("GEN-6")
            return
    context.expect.breach(
        "GEN-6",
        left.is_empty(),
        kind=f"invoice left by a create refused for {what}",
        because="a refused create leaves no invoice",
        actual="an invoice of that total was made",
        using=[*_made(charges), answer],
    )


def newest_invoices(context: Context) -> Answer:
    """The page on which the newest stand."""
    size = context.records.at_most(15)
    page = context.me.invoices(per_page=size)
    last = page.figure("last_page") or 1
    in_order = context.profile.get("list_order") == "oldest_first" and last > 1
    return context.me.invoices(per_page=size, page=last) if in_order else page


def once_only(context: Context) -> None:
    """CREATE-4: an invoiced charge is refused, alone, among others, and whatever became of its invoice."""
    draft = context.records.draft()
    again = context.me.create([draft.charges[0].id])
    context.expect.refused("CREATE-4", again, "a create of a charge that is on a draft", [draft.made_by])
    invoice = context.records.finalized()
    again = context.me.create([invoice.charges[0].id])
    context.expect.refused("CREATE-4", again, "a create of a charge on a finalized invoice", [invoice.made_by])
    _, after = context.records.must_row(draft.id)
    context.expect(
        "CREATE-4",
        row_of(draft, after).at("total").equals(draft.charges[0].shown.at("amount")),
        kind="charge moved",
        because="the first invoice keeps its charge",
        using=[again],
    )


def paid_once(context: Context) -> None:
    """CREATE-4: nor is a charge free again once its invoice is paid."""
    context.records.needs_charges()
    invoice = context.records.paid()
    again = context.me.create([invoice.charges[0].id])
    context.expect.refused("CREATE-4", again, "a create of a charge on a paid invoice", [invoice.made_by])


def named_twice(context: Context) -> None:
    """CREATE-4 and CREATE-5: an id given twice counts once, if it is not refused."""
    charges = context.records.charges(2)
    answer = context.me.create([charges[0].id, charges[1].id, charges[0].id])
    if answer.refused:
        charge_untouched(context, "GEN-6", charges[0], "a refused create", [answer])
        context.recorder.held("CREATE-4")
        return
    if answer.ok:
        total = due(charges)
        context.expect(
            "CREATE-4",
            any_of(is_refused(answer), of(answer).at("invoice.total").equals(total)),
            kind="charge counted twice",
            because=f"a charge that is named twice is on the invoice once, the total is {total.value()}",
        )


def whatever_is_open(context: Context) -> None:
    """CREATE-2: without ids, and with an empty array, all uninvoiced charges of the merchant."""
    if context.options.charge_ids:
        raise NotPossible("with --charge-ids no other charges of the merchant are touched")
    _what_others_left_open(context)
    for what, ids in (("without charge_ids", None), ("with an empty charge_ids", [])):
        for _ in range(3):
            before = {row.get("id") for row in context.records.newest_charges(40)}
            # What others left open comes along, so it is taken first.
            swept = context.me.create()
            # Two of them alike, and on a fast server more than a page holds.
            first = context.records.charge()
            alike = context.records.charge(first.amount)
            charges = (first, alike, *context.records.charges(15 if context.quick() > 0.5 else 1))
            answer = context.me.create(ids)
            after = {row.get("id") for row in context.records.newest_charges(40)}
            # Whatever is new and not ours: somebody else bills this merchant, too.
            strangers = after - before - {charge.id for charge in charges}
            if not strangers:
                break
        context.records.not_refused_for_others(answer)
        draft = context.records.made(answer, charges, "CREATE-2")
        _all_taken(context, draft, what)
        if not strangers:
            # Somebody else may have billed some of them just before.
            _total(context, answer, charges, "CREATE-2", using=[swept], proves=False)
    no_body = context.records.charge()
    answer = context.me.send("POST", "/billing/invoices")
    context.records.not_refused_for_others(answer)
    context.records.made(answer, (no_body,), "CREATE-2")


def _what_others_left_open(context: Context) -> None:
    """Says which charges, the newest or the oldest, a create of everything leaves open: they may be held back by what
    a server shows otherwise than by the status, so that it is no breach."""
    first = context.me.charges(per_page=25)
    last = first.figure("last_page") or 1
    rows = [*first.rows, *(context.me.charges(per_page=25, page=last).rows if last > 1 else ())]
    swept = context.me.create()
    made = swept.part("invoice")
    same = ("chargee_id", "charger_id", "currency")
    due = [row for row in rows if row.get("status") == "Open" and all(row.get(name) == made.get(name) for name in same)]
    numbers = [row["id"] for row in (*due[:2], *due[2:][-2:]) if isinstance(row.get("id"), int)]
    left = [number for number in numbers if context.records.charge_status(number)[0] == "Open"] if swept.ok else []
    if left:
        told = ", ".join(map(str, left))
        context.recorder.note(
            f"charges that were open before are left so by a create without charge_ids, which takes all: {told} "
            "(CREATE-2, unless something holds them back)",
            warning=True,
        )


def _all_taken(context: Context, draft: OwnInvoice, what: str) -> None:
    # Charges that are in the total have been taken, whatever their status says.
    total = exact(draft.made_by.part("invoice").get("total"))
    taken = total is not None and total >= due(draft.charges).value()
    for charge in draft.charges:
        status, after = context.records.charge_status(charge.id)
        context.expect(
            "CREATE-4" if taken else "CREATE-2",
            of(after).at("charge.status").equals("Invoiced"),
            kind=f"open charge not taken {what}",
            proves=True,
            because=f"the charges that a create {what} takes are Invoiced from then on"
            if taken
            else f"a create {what} takes all uninvoiced charges",
            actual=f"charge {charge.id} is {status}",
            using=[draft.made_by],
        )
    context.recorder.held("CREATE-2")
    still_draft(context, "CREATE-2", draft, f"a create {what}", [])


def only_this_merchant(context: Context) -> None:
    """CREATE-2 and GEN-7: without ids the charges of the selected merchant alone are taken."""
    other = context.second()
    if other.merchant is None or context.options.charge_ids:
        raise NotPossible("the second token's merchant is not known (--other-merchant)")
    theirs, ours = context.records.charge(by=other), context.records.charge()
    answer = context.me.create()
    status, after = _status(other.charge(theirs.id))
    for rule in ("GEN-7", "GEN-8"):
        context.expect(
            rule,
            of(after).at("charge.status").differs("Invoiced"),
            kind="charge of another merchant taken",
            because="a create takes the charges of the selected merchant alone",
            actual=f"the other merchant's charge {theirs.id} is {status}",
            using=[theirs.made_by, ours.made_by, answer],
        )


def _status(answer: Answer) -> tuple[object, Answer]:
    return answer.part("charge").get("status"), answer


def _is_void(row: Row) -> bool:
    return "void" in str(row.get("status")).lower() and isinstance(row.get("id"), int)


def void_charges(context: Context) -> None:
    """CREATE-6: a void charge is refused, where the merchant has one among its latest."""
    for page in (1, 2, 3):
        answer = context.me.charges(page=page, per_page=25)
        void = next((row for row in answer.rows if _is_void(row)), None)
        if void is not None:
            good = context.records.charge()
            created = context.me.create([good.id, void["id"]])
            context.expect.refused("CREATE-6", created, "a create with a void charge", [answer, good.made_by])
            context.expect.refused("CREATE-6", context.me.create([void["id"]]), "a create of a void charge", [answer])
            return
        if page >= (answer.figure("last_page") or 1):
            return


def two_currencies(context: Context) -> None:
    """CREATE-8: charges of two currencies in one request are refused, where the merchant has an open one of another."""
    ours = context.records.charge()
    listed = context.me.charges(per_page=25)
    rows = [*listed.rows, *context.me.charges(page=2, per_page=25).rows]
    other = next(
        (row for row in rows if row.get("status") == "Open" and str(row.get("currency")) != ours.currency), None
    )
    if other is None:
        return
    answer = context.me.create([ours.id, other["id"]])
    context.expect.refused("CREATE-8", answer, "a create with charges of two currencies", [listed, ours.made_by])
    charge_untouched(context, "CREATE-8", ours, "a create with charges of two currencies", [answer])


def given_currencies(context: Context) -> None:
    """CREATE-8 on the charges given for the run, before anything uses them up."""
    shown = [context.me.charge(number) for number in context.records.pool[:_GIVEN]]
    first: dict[str, Answer] = {}
    for answer in shown:
        first.setdefault(str(answer.part("charge").get("currency")), answer)
    if len(first) < 2:
        return
    two = list(first.values())[:2]
    numbers = [answer.part("charge").get("id") for answer in two]
    answer = context.me.create(numbers)
    context.expect.refused("CREATE-8", answer, "a create with charges of two currencies", two)
    if answer.ok:
        context.records.pool[:] = [number for number in context.records.pool if number not in numbers]


GIVEN = Check("the currencies of the charges given", ("CREATE-8",), given_currencies)
"""Comes before all others, which use the given charges up."""

CHECKS = (
    Check("charges of two currencies", ("CREATE-8",), two_currencies, thorough=True),
    Check("void charges", ("CREATE-6",), void_charges, thorough=True),
    Check("just these charges", ("CREATE-1", "CREATE-3", "CREATE-4"), just_these_charges),
    Check("listed as answered", ("CREATE-7", "GEN-9"), listed_as_answered),
    Check("all or nothing", ("CREATE-6", "GEN-6"), all_or_nothing),
    Check("a charge once only", ("CREATE-4",), once_only),
    Check("a paid charge once only", ("CREATE-4",), paid_once, thorough=True),
    Check("a charge named twice", ("CREATE-4", "GEN-6"), named_twice),
    Check("exact sums", ("CREATE-5",), exact_sums),
    Check("whatever is open", ("CREATE-2",), whatever_is_open),
    Check("only this merchant", ("GEN-7", "GEN-8"), only_this_merchant),
    Check("a refused create leaves no invoice", ("GEN-6",), refused_leaves_no_invoice, thorough=True),
    Check("generated sums", ("CREATE-5",), generated_sums, "property"),
)
