"""Checks of creating invoices: which charges an invoice takes, what it comes to, and what is refused."""

from __future__ import annotations

from collections.abc import Sequence
from decimal import Decimal

from hypothesis import strategies as st

from mockserver.verify.checks.runner import Check
from mockserver.verify.checks.unchanged import charge_untouched, still_draft
from mockserver.verify.context import UNKNOWN_ID, Context
from mockserver.verify.errors import NotPossible
from mockserver.verify.generated.properties import explore
from mockserver.verify.monitor.history import exact
from mockserver.verify.own_records import OwnCharge, OwnInvoice
from mockserver.verify.transport.http import Answer

_GIVEN = 10
"""How many of the charges given are looked at for their currencies."""


def just_these_charges(context: Context) -> None:
    """CREATE-1 and CREATE-3: those that are named, and no others."""
    named, left = context.charges(2), context.charge()
    draft = context.draft(named)
    _total(context, draft.made_by, named, "CREATE-1")
    for charge in named:
        _is_on_it(context, charge, draft)
    charge_untouched(context, "CREATE-1", left, "a create that does not name it", [draft.made_by])
    context.expect(
        "CREATE-3",
        isinstance(draft.made_by.mapping.get("message"), str),
        kind="no message",
        expected="a create answers a message and the invoice",
        actual=f"the answer is {draft.made_by.brief()}",
        using=[draft.made_by],
    )
    context.draft((left,))


def _is_on_it(context: Context, charge: OwnCharge, draft: OwnInvoice) -> None:
    """CREATE-1 and CREATE-4 of one of its charges, by the charge's status."""
    status, after = context.charge_status(charge.id)
    for rule, expected in (
        ("CREATE-1", "the named charges are on the invoice"),
        ("CREATE-4", "a charge on an invoice is Invoiced from then on"),
    ):
        context.expect(
            rule,
            status == "Invoiced",
            kind="named charge not Invoiced",
            expected=expected,
            actual=f"charge {charge.id} is {status}",
            using=[charge.made_by, draft.made_by, after],
            check="answers[-1].json['charge']['status'] == 'Invoiced'",
        )


def _total(context: Context, answer: Answer, charges: Sequence[OwnCharge], rule: str) -> bool:
    due = sum((charge.amount for charge in charges), Decimal(0))
    total = exact(answer.part("invoice").get("total"))
    return context.expect(
        rule,
        total == due,
        kind="total",
        expected=f"the total is the exact sum of the charges, {due}",
        actual=f"it is {total}",
        using=[*(charge.made_by for charge in charges), answer],
    )


def listed_as_answered(context: Context) -> None:
    """CREATE-7, GEN-9: what the create answered is what the list shows at once."""
    draft = context.draft(context.charges(2))
    row, answer = context.row(draft.id)
    context.expect(
        "CREATE-7",
        row is not None,
        kind="not listed at once",
        expected="the new invoice is in the list at once",
        actual=f"invoice {draft.id} is not",
        using=[draft.made_by, answer],
    )
    for name, value in draft.made_by.part("invoice").items():
        if row is not None and name in ("total", "currency", "status", "description", "chargee_type"):
            context.expect(
                "GEN-9",
                row.get(name) == value,
                kind=f"{name} listed otherwise",
                expected=f"the list shows the {name} that the create answered, {value}",
                actual=f"it shows {row.get(name)}",
                using=[draft.made_by, answer],
            )


def exact_sums(context: Context) -> None:
    """CREATE-5: sums that binary fractions get wrong."""
    digits = context.digits or 0
    smallest = Decimal(1).scaleb(-digits)
    recipes = (
        [Decimal(1).scaleb(-min(digits, 1))] * (26 if context.quick() > 0.5 else 12),
        [smallest * 10 + smallest, smallest * 22],
        [Decimal("1.1"), Decimal("2.2")] if digits else [Decimal(1), Decimal(2)],
    )
    for amounts in recipes:
        charges = [context.charge(amount) for amount in amounts]
        draft = context.draft(charges)
        _total(context, draft.made_by, charges, "CREATE-5")
        _is_on_it(context, charges[-1], draft)
        row, answer = context.row(draft.id)
        if row is not None:
            due = sum((charge.amount for charge in charges), Decimal(0))
            context.expect(
                "CREATE-5",
                exact(row.get("total")) == due,
                kind="listed total",
                expected=f"the total is the exact sum of the charges, {due}",
                actual=f"it is {row.get('total')}",
                using=[draft.made_by, answer],
            )


def generated_sums(context: Context) -> None:
    """CREATE-5 by property: any amounts, in the currency's precision."""
    digits = context.digits or 0
    amounts = st.lists(st.integers(1, 99_999).map(lambda minor: Decimal(minor).scaleb(-digits)), min_size=1, max_size=6)

    def sums_up(amounts: list[Decimal]) -> None:
        charges = [context.charge(amount) for amount in amounts]
        _total(context, context.draft(charges).made_by, charges, "CREATE-5")

    if context.options.charge_ids:
        raise NotPossible("charges of given amounts can't be made with --charge-ids")
    explore(context, "sums", {"amounts": amounts}, sums_up, examples=12)


def all_or_nothing(context: Context) -> None:
    """CREATE-6: one bad charge, wherever it stands, and none of the others is taken."""
    taken = context.draft().charges[0]
    for what, bad in (("an unknown charge", UNKNOWN_ID), ("an invoiced charge", taken.id)):
        alone = context.me.create([bad])
        context.refused("CREATE-6", alone, f"a create of {what}", [taken.made_by])
        good = context.charges(2)
        for ids in ([good[0].id, bad, good[1].id], [good[0].id, good[1].id, bad], [bad, good[0].id]):
            answer = context.me.create(ids)
            if not context.refused("CREATE-6", answer, f"a create with {what} among others", _made(good)):
                good = context.charges(2)
        for charge in good:
            charge_untouched(context, "CREATE-6", charge, f"a refused create with {what}", [answer])
            charge_untouched(context, "GEN-6", charge, "a refused create", [answer])
        # What was refused took nothing, so that the charges can still be invoiced.
        _total(context, context.draft(good).made_by, good, "CREATE-6")


def _made(charges: Sequence[OwnCharge]) -> list[Answer]:
    return [charge.made_by for charge in charges]


def refused_leaves_no_invoice(context: Context) -> None:
    """GEN-6: a refused create leaves no invoice behind."""
    good = context.charge()
    left: list[Answer] = []
    for _ in range(2):
        before = context.draft()
        answer = context.me.create([good.id, UNKNOWN_ID])
        if not answer.refused:
            return
        after = context.draft()
        rows = context.me.invoices(per_page=15)
        if context.profile.get("list_order") == "oldest_first" and rows.mapping.get("last_page", 1) > 1:
            rows = context.me.invoices(per_page=15, page=rows.mapping["last_page"])
        between = [
            row
            for row in rows.rows
            if isinstance(row.get("id"), int)
            and before.id < row["id"] < after.id
            and exact(row.get("total")) in (Decimal(0), good.amount)
        ]
        if not between:
            context.recorder.held("GEN-6")
            return
        left = [answer, rows]
    context.expect(
        "GEN-6",
        False,
        kind="invoice left by a refused create",
        expected="a refused create leaves no invoice",
        actual="an invoice of that total was made",
        using=[good.made_by, *left],
    )


def once_only(context: Context) -> None:
    """CREATE-4: an invoiced charge is refused, alone, among others, and whatever became of its invoice."""
    draft = context.draft()
    again = context.me.create([draft.charges[0].id])
    context.refused("CREATE-4", again, "a create of a charge that is on a draft", [draft.made_by])
    invoice = context.finalized()
    again = context.me.create([invoice.charges[0].id])
    context.refused("CREATE-4", again, "a create of a charge on a finalized invoice", [invoice.made_by])
    row, _ = context.must_row(draft.id)
    context.expect(
        "CREATE-4",
        exact(row.get("total")) == draft.charges[0].amount,
        kind="charge moved",
        expected="the first invoice keeps its charge",
        actual=f"its total is {row.get('total')}",
        using=[draft.made_by, again],
    )


def paid_once(context: Context) -> None:
    """CREATE-4: nor is a charge free again once its invoice is paid."""
    context.needs_charges()
    invoice = context.paid()
    again = context.me.create([invoice.charges[0].id])
    context.refused("CREATE-4", again, "a create of a charge on a paid invoice", [invoice.made_by])


def named_twice(context: Context) -> None:
    """CREATE-4 and CREATE-5: an id given twice counts once, if it is not refused."""
    charges = context.charges(2)
    answer = context.me.create([charges[0].id, charges[1].id, charges[0].id])
    if answer.refused:
        charge_untouched(context, "GEN-6", charges[0], "a refused create", [answer])
        context.recorder.held("CREATE-4")
        return
    if answer.ok:
        due = charges[0].amount + charges[1].amount
        total = exact(answer.part("invoice").get("total"))
        context.expect(
            "CREATE-4",
            total == due,
            kind="charge counted twice",
            expected=f"a charge that is named twice is on the invoice once, the total is {due}",
            actual=f"it is {total}",
            using=[*_made(charges), answer],
        )


def whatever_is_open(context: Context) -> None:
    """CREATE-2: without ids, and with an empty array, all uninvoiced charges of the merchant."""
    if context.options.charge_ids:
        raise NotPossible("with --charge-ids no other charges of the merchant are touched")
    for what, ids in (("without charge_ids", None), ("with an empty charge_ids", [])):
        for _ in range(3):
            before = {row.get("id") for row in context.newest_charges(40)}
            # What others left open comes along, so it is taken first.
            context.me.create()
            # Two of them alike, and on a fast server more than a page holds.
            first = context.charge()
            alike = context.charge(first.amount)
            charges = (first, alike, *context.charges(15 if context.quick() > 0.5 else 1))
            answer = context.me.create(ids)
            after = {row.get("id") for row in context.newest_charges(40)}
            # Whatever is new and not ours: somebody else bills this merchant, too.
            strangers = after - before - {charge.id for charge in charges}
            if not strangers:
                break
        if answer.refused and len(context.open_currencies()) > 1:
            raise NotPossible("the merchant has open charges in several currencies", matters=False)
        draft = context.made(answer, charges, "CREATE-2")
        _all_taken(context, draft, what)
        if not strangers:
            _total(context, answer, charges, "CREATE-2")
    no_body = context.charge()
    answer = context.me.send("POST", "/billing/invoices")
    context.made(answer, (no_body,), "CREATE-2")


def _all_taken(context: Context, draft: OwnInvoice, what: str) -> None:
    due = sum((charge.amount for charge in draft.charges), Decimal(0))
    # Charges that are in the total have been taken, whatever their status says.
    total = exact(draft.made_by.part("invoice").get("total"))
    taken = total is not None and total >= due
    for charge in draft.charges:
        status, after = context.charge_status(charge.id)
        context.expect(
            "CREATE-4" if taken else "CREATE-2",
            status == "Invoiced",
            kind=f"open charge not taken {what}",
            expected=f"the charges that a create {what} takes are Invoiced from then on"
            if taken
            else f"a create {what} takes all uninvoiced charges",
            actual=f"charge {charge.id} is {status}",
            using=[charge.made_by, draft.made_by, after],
            check="answers[-1].json['charge']['status'] == 'Invoiced'",
        )
    context.recorder.held("CREATE-2")
    still_draft(context, "CREATE-2", draft, f"a create {what}", [])


def only_this_merchant(context: Context) -> None:
    """CREATE-2 and GEN-7: without ids the charges of the selected merchant alone are taken."""
    other = context.second()
    if other.merchant is None or context.options.charge_ids:
        raise NotPossible("the second token's merchant is not known (--other-merchant)")
    theirs, ours = context.charge(by=other), context.charge()
    answer = context.me.create()
    status, after = _status(other.charge(theirs.id))
    for rule in ("GEN-7", "GEN-8"):
        context.expect(
            rule,
            status != "Invoiced",
            kind="charge of another merchant taken",
            expected="a create takes the charges of the selected merchant alone",
            actual=f"the other merchant's charge {theirs.id} is {status}",
            using=[theirs.made_by, ours.made_by, answer, after],
        )


def _status(answer: Answer) -> tuple[object, Answer]:
    return answer.part("charge").get("status"), answer


def void_charges(context: Context) -> None:
    """CREATE-6: a void charge is refused, where the merchant has one among its latest."""
    for page in (1, 2, 3):
        answer = context.me.charges(page=page, per_page=25)
        void = next((row for row in answer.rows if "void" in str(row.get("status")).lower()), None)
        if void is not None:
            good = context.charge()
            created = context.me.create([good.id, void["id"]])
            context.refused("CREATE-6", created, "a create with a void charge", [answer, good.made_by])
            context.refused("CREATE-6", context.me.create([void["id"]]), "a create of a void charge", [answer])
            return
        if page >= answer.mapping.get("last_page", 1):
            return


def two_currencies(context: Context) -> None:
    """CREATE-8: charges of two currencies in one request are refused, where the merchant has an open one of another."""
    ours = context.charge()
    listed = context.me.charges(per_page=25)
    rows = [*listed.rows, *context.me.charges(page=2, per_page=25).rows]
    other = next(
        (row for row in rows if row.get("status") == "Open" and str(row.get("currency")) != ours.currency), None
    )
    if other is None:
        return
    answer = context.me.create([ours.id, other["id"]])
    context.refused("CREATE-8", answer, "a create with charges of two currencies", [listed, ours.made_by])
    charge_untouched(context, "CREATE-8", ours, "a create with charges of two currencies", [answer])


def given_currencies(context: Context) -> None:
    """CREATE-8 on the charges given for the run, before anything uses them up."""
    shown = [context.me.charge(number) for number in context.pool[:_GIVEN]]
    first: dict[str, Answer] = {}
    for answer in shown:
        first.setdefault(str(answer.part("charge").get("currency")), answer)
    if len(first) < 2:
        return
    two = list(first.values())[:2]
    numbers = [answer.part("charge").get("id") for answer in two]
    answer = context.me.create(numbers)
    context.refused("CREATE-8", answer, "a create with charges of two currencies", two)
    if answer.ok:
        context.pool[:] = [number for number in context.pool if number not in numbers]


GIVEN = Check("the currencies of the charges given", ("CREATE-8",), given_currencies)
"""Comes before all others, which use the given charges up."""

CHECKS = (
    Check("charges of two currencies", ("CREATE-8",), two_currencies),
    Check("void charges", ("CREATE-6",), void_charges),
    Check("just these charges", ("CREATE-1", "CREATE-3", "CREATE-4"), just_these_charges),
    Check("listed as answered", ("CREATE-7", "GEN-9"), listed_as_answered),
    Check("all or nothing", ("CREATE-6", "GEN-6"), all_or_nothing),
    Check("a charge once only", ("CREATE-4",), once_only),
    Check("a paid charge once only", ("CREATE-4",), paid_once),
    Check("a charge named twice", ("CREATE-4", "GEN-6"), named_twice),
    Check("exact sums", ("CREATE-5",), exact_sums),
    Check("whatever is open", ("CREATE-2",), whatever_is_open),
    Check("only this merchant", ("GEN-7", "GEN-8"), only_this_merchant),
    Check("a refused create leaves no invoice", ("GEN-6",), refused_leaves_no_invoice),
    Check("generated sums", ("CREATE-5",), generated_sums, "property"),
)
