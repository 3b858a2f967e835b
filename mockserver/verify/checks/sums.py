"""Checks of what an invoice comes to where charges are alike, many, large, or credits."""

from __future__ import annotations

from collections.abc import Sequence
from decimal import Decimal

from mockserver.verify.assertions.statements import any_of, is_answered, is_refused, of, succeeds
from mockserver.verify.checks.runner import Check
from mockserver.verify.checks.unchanged import charge_untouched
from mockserver.verify.context.context import Context
from mockserver.verify.context.own_records import OwnCharge, OwnInvoice, due, row_of
from mockserver.verify.errors import NotPossible, Stop
from mockserver.verify.transport.messages import Answer

MANY, ALL = 105, 205
"""Charges that are named, and that are open: more than one and two hundred, where pages, chunks and limits end."""
LOOKED_AT = (0, 24, 49, 50, 74, 99, 100, 104, 149, 150, 199, 200, 204)
"""Places of the many at which it is looked whether they were taken: the edges of chunks."""
SHARE = 1 / 6
"""Of what is left of a run, how much the many may take."""
LARGE = (("99999.99", 12), ("999999.99", 22))
"""Amounts, and how many of them: they come to more than a million, and to more than 32 bits of cents."""


def alike(context: Context) -> None:
    """CREATE-1, CREATE-2, CREATE-5: charges that are alike in all but their id all count."""
    _can_make(context)
    named = _alike(context)
    draft = context.records.draft(named)
    _adds_up(context, draft, "of charges that are alike")
    for charge in named:
        _taken(context, charge, draft.made_by, "CREATE-1", "charges that are alike", named)
    charges = _alike(context)
    answer = _of_all(context)
    for charge in charges:
        _taken(context, charge, answer, "CREATE-2", "charges that are alike", charges)


def _can_make(context: Context) -> None:
    if context.options.charge_ids:
        raise NotPossible("charges of given amounts can't be made with --charge-ids")


def _alike(context: Context) -> list[OwnCharge]:
    """Three that are alike, one of the same description, one of the same amount."""
    records = context.records
    amount, description = records.amount(), records.mark()
    same = [records.charge(amount, description=description) for _ in range(3)]
    return [*same, records.charge(amount + 1, description=description), records.charge(amount)]


def _of_all(context: Context) -> Answer:
    """A create of whatever is open, which has to succeed; stops the check otherwise."""
    answer = context.me.create()
    context.records.not_refused_for_others(answer)
    if not answer.ok:
        context.expect(
            "CREATE-2",
            succeeds(answer),
            kind="create of all refused",
            because="without charge_ids a create takes all uninvoiced charges, however many and of whatever amount",
        )
        raise Stop
    return answer


def _adds_up(context: Context, draft: OwnInvoice, what: str) -> None:
    """CREATE-5 in the answer and in the list."""
    total = due(draft.charges)
    row, listed = context.records.row(draft.id)
    seen = [(of(draft.made_by).at("invoice.total"), "")]
    if row is not None:
        seen.append((row_of(draft, listed).at("total"), "listed "))
    for subject, where in seen:
        context.expect(
            "CREATE-5",
            subject.equals(total),
            kind=f"{where}total {what}",
            because=f"the total {what} is their exact sum, {total.value()}",
            proves=True,
        )


def _taken(
    context: Context, charge: OwnCharge, answer: Answer, rule: str, what: str, beside: Sequence[OwnCharge] = ()
) -> None:
    status, after = context.records.charge_status(charge.id)
    context.expect(
        rule,
        any_of(is_refused(answer), of(after).at("charge.status").equals("Invoiced")),
        kind=f"not all of {what} taken",
        because=f"a create takes all of {what}, which are Invoiced from then on",
        actual=f"charge {charge.id} is {status}",
        using=[*(one.made_by for one in (charge, *beside)), answer],
        proves=True,
    )


def many(context: Context) -> None:
    """CREATE-1 and CREATE-2 with more charges than fit a page: how many ids one create takes is the server's to say."""
    _can_make(context)
    if (MANY + ALL) * _interval(context) > context.transport.left * SHARE:
        # Others put the rules to the test with fewer.
        return
    charges: Sequence[OwnCharge] = context.records.charges(MANY)
    answer = context.me.create([charge.id for charge in charges])
    if answer.refused:
        charge_untouched(context, "GEN-6", charges[-1], "a refused create of many charges", [answer])
    else:
        draft = context.records.made(answer, charges)
        _adds_up(context, draft, "of more than a hundred charges")
        _edges_taken(context, charges, answer, "CREATE-1")
        charges = ()
    _all_of_many(context, [*charges, *context.records.charges(ALL - len(charges))])


def _interval(context: Context) -> float:
    """Seconds that one request takes on this server, at its latency or at its limit."""
    limit = context.transport.pace.limit
    return max(context.transport.latency, limit.interval if limit else 0.0)


def _all_of_many(context: Context, charges: Sequence[OwnCharge]) -> None:
    answer = _of_all(context)
    context.expect(
        "CREATE-2",
        # Others may have left some open, too.
        any_of(is_refused(answer), of(answer).at("invoice.total").compares(">=", due(charges))),
        kind="total of all of many charges",
        because=f"all uninvoiced charges are summed, the run's own come to {due(charges).value()}",
    )
    _edges_taken(context, charges, answer, "CREATE-2")


def _edges_taken(context: Context, charges: Sequence[OwnCharge], answer: Answer, rule: str) -> None:
    for place in LOOKED_AT:
        if place < len(charges):
            _taken(context, charges[place], answer, rule, "more than a hundred charges")


def large(context: Context) -> None:
    """CREATE-5: sums over a million are not clipped; how large one amount may be is the server's to say."""
    _can_make(context)
    for amount, count in LARGE:
        charges = _billable(context, amount, count)
        if not charges:
            return
        answer = context.me.create([charge.id for charge in charges])
        if not answer.ok:
            # What is too much together would be in the way of whatever bills all that is open.
            for charge in charges:
                context.me.create([charge.id])
            return
        _adds_up(context, context.records.made(answer, charges), "of more than a million")


def _billable(context: Context, amount: str, count: int) -> list[OwnCharge]:
    """So many charges of about that amount; none where one of them alone is too much for an invoice, and stays open."""
    first = _of_amount(context, amount, 1)
    if first and not context.me.create([first[0].id]).ok:
        context.records.others_stay_open = True
        return []
    return _of_amount(context, amount, count) if first else []


def _of_amount(context: Context, text: str, count: int) -> list[OwnCharge]:
    """So many charges of about that amount in the merchant's currency; none where the server takes no such amount."""
    amount = Decimal(text).quantize(Decimal(1).scaleb(-(context.records.digits or 0)), "ROUND_DOWN")
    try:
        return [context.records.charge(amount) for _ in range(count)]
    except NotPossible:
        return []


def credit_notes(context: Context) -> None:
    """CREATE-2 and CREATE-5: where a server takes negative amounts, they are subtracted, and billed like all others."""
    _can_make(context)
    records = context.records
    amount = records.amount()
    answer = context.me.adjust(-amount, records.mark())
    context.expect(
        "GEN-5",
        is_answered(answer),
        kind="a credit makes the server fail",
        because="a negative amount is refused with a 4xx, or taken as a credit",
    )
    number = answer.part("charge").get("id")
    if not answer.ok or not isinstance(number, int):
        return
    records.amount_as_asked(answer, -amount)
    first = OwnCharge(number, -amount, str(answer.part("charge").get("currency")), answer)
    # One as high as the credit and one higher: nothing of either leaves the other out.
    draft = records.draft([records.charge(amount), first, records.charge(amount + amount)])
    _adds_up(context, draft, "with a credit")
    _below_nothing(context, amount)
    second = records.charge(-amount)
    more = [records.charge(amount + 1), records.charge(amount + 2)]
    answer = _of_all(context)
    for charge in (*more, second):
        _taken(context, charge, answer, "CREATE-2", "charges and credits", [*more, second])


def _below_nothing(context: Context, amount: Decimal) -> None:
    """A credit that is more than the charges: refused, or the exact sum all the same."""
    small, credit = context.records.charge(amount), context.records.charge(-amount - 1)
    answer = context.me.create([small.id, credit.id])
    if answer.ok:
        _adds_up(context, context.records.made(answer, [small, credit]), "with a credit that is more than the charges")
    elif answer.refused:
        # Left open it would be in the way of whatever bills all that is open.
        context.records.draft([small, credit, context.records.charge(amount + 2)])


def free_of_charge(context: Context) -> None:
    """CREATE-2: what is free of charge, where a server takes such an adjustment, is billed like all others."""
    _can_make(context)
    try:
        free = context.records.charge(Decimal(0))
    except NotPossible:
        return
    context.records.charge()
    answer = _of_all(context)
    _taken(context, free, answer, "CREATE-2", "charges, also of nothing")


CHECKS = (
    Check("charges that are alike", ("CREATE-1", "CREATE-2", "CREATE-5"), alike, thorough=True),
    Check("credits", ("CREATE-2", "CREATE-5"), credit_notes, thorough=True),
    Check("what is free of charge", ("CREATE-2",), free_of_charge, thorough=True),
    Check("sums over a million", ("CREATE-5",), large, thorough=True),
    Check("more than a hundred charges", ("CREATE-1", "CREATE-2", "CREATE-5"), many, thorough=True),
)
