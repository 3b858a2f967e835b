"""Checks that nothing is read as what it resembles: an id by its leading digits or lower bits, and the like."""

from __future__ import annotations

from collections.abc import Iterable
from decimal import Decimal
from urllib.parse import quote_plus

from mockserver.verify.assertions.statements import Evidence, any_of, id_of, is_refused, of
from mockserver.verify.checks.runner import Check
from mockserver.verify.checks.unchanged import charge_untouched, still_draft
from mockserver.verify.context.context import Context
from mockserver.verify.errors import NotPossible
from mockserver.verify.monitor.canonical import LARGEST_ID
from mockserver.verify.transport.billing_client import FORM_TYPE
from mockserver.verify.transport.messages import Answer

WIDTHS = (32, 64)
"""Bits of integers; an id that is so much larger has the same lower ones."""
NUMBER_AND_MORE = "12abc"
PARTED = (("12,50", "comma"), ("12 34", "blank"))
"""Amounts in which a locale may see a fraction or thousands, and what a cast would cut them at."""


def beyond(number: int) -> list[int]:
    """Other ids that end in the same bits; no larger one than databases keep stands for an id that may exist."""
    return [number + 2**bits for bits in WIDTHS if number < 2**31 or bits == 64]


def charges(context: Context) -> None:
    """GEN-5 and CREATE-6: `5abc` is not charge 5, nor is 5 + 2^32, neither in a path nor among the ids."""
    charge = context.records.charge()
    others: list[int] = []
    for other in (f"{charge.id}abc", *beyond(charge.id)):
        answer = context.me.charge(other)
        if isinstance(other, int):
            if answer.part("charge").get("id") == other:
                # Some servers keep the number of a node in the upper bits.
                continue
            others.append(other)
        _refused(context, "GEN-5", answer, f"getCharge of {_what(other)}", [charge.made_by])
    acts: list[Answer] = []
    for other in (f"{charge.id}abc", f"{charge.id} or 1", *others):
        ways = [("", context.me.create([other]))]
        if isinstance(other, str):
            ways.append((" in a form", context.me.create_by_form([other])))
        for where, answer in ways:
            told = f"a create of {_what(other)}{where}"
            if not answer.refused:
                # Read as nothing at all it would be as wrong.
                _refused(context, "CREATE-6", answer, told, [charge.made_by])
                if answer.ok:
                    charge = context.records.charge()
                    acts.clear()
                continue
            context.recorder.held("CREATE-6")
            acts.append(answer)
    charge_untouched(context, "GEN-6", charge, "a refused create", acts)


def _what(other: object) -> str:
    return "what begins with an id" if isinstance(other, str) else "a number that ends in an id's bits"


def _refused(context: Context, rule: str, answer: Answer, what: str, using: Iterable[Evidence] = ()) -> bool:
    """As for all that is refused; that it succeeds is proof, though a replay with other records' ids shows nothing."""
    return context.expect(
        rule,
        is_refused(answer),
        because=f"{what} is refused with a 4xx",
        kind=f"{what} not refused",
        using=using,
        proves=True,
    )


def finalizing(context: Context) -> None:
    """FINALIZE-3: 5 + 2^32 does not finalize invoice 5."""
    draft = context.records.draft()
    for other in _no_invoices(context, draft.id):
        answer = context.me.finalize(other)
        what = f"a finalize of {_what(other)}"
        _refused(context, "FINALIZE-3", answer, what, [draft.made_by])
        still_draft(context, "FINALIZE-3", draft, what, [answer])


def _no_invoices(context: Context, number: int) -> list[int]:
    """Those beyond it that are no invoices themselves; a search finds out without touching them."""
    found = {other: context.me.invoices(f'id:"{other}"') for other in beyond(number) if other <= LARGEST_ID}
    there = {other for other, answer in found.items() if any(row.get("id") == other for row in answer.rows)}
    return [other for other in beyond(number) if other not in there]


def collecting(context: Context) -> None:
    """COLLECT-5: 5 + 2^32 does not collect invoice 5."""
    context.records.needs_charges()
    invoice = context.records.finalized()
    for other in _no_invoices(context, invoice.id):
        answer = context.me.collect(other)
        _refused(context, "COLLECT-5", answer, f"a collect of {_what(other)}", [invoice.made_by])
    context.records.must_row(invoice.id)


def searching(context: Context) -> None:
    """SEARCH-4: a search for 5 + 2^32 does not find invoice 5."""
    draft = context.records.draft()
    for other in beyond(draft.id):
        if other > LARGEST_ID:
            continue
        answer = context.me.invoices(f'id:"{other}"')
        context.expect(
            "SEARCH-4",
            any_of(is_refused(answer), of(answer).each("id").lacks(id_of("invoice", draft.id))),
            kind="id found by its lower bits",
            because=f'id:"{other}" does not find invoice {draft.id}',
            using=[draft.made_by],
            proves=True,
        )


def amounts(context: Context) -> None:
    """GEN-5: an amount is a number, and no text that begins with one."""
    if context.me.merchant is None or context.options.charge_ids:
        raise NotPossible("charges are not made in this run")
    post = "/billing/charges/quick-adjustment"
    by_form = context.me.send(
        "POST", post, body=f"amount={quote_plus(NUMBER_AND_MORE)}&description=odd".encode(), content_type=FORM_TYPE
    )
    for where, answer in (("", context.me.adjust(NUMBER_AND_MORE, "odd")), (" in a form", by_form)):
        _refused(context, "GEN-5", answer, f"an adjustment of {NUMBER_AND_MORE}{where}")
    for text, where in PARTED:
        answer = context.me.adjust(text, "odd")
        context.expect(
            "GEN-5",
            # Where that is a way to write a number it may be read as one.
            any_of(is_refused(answer), of(answer).at("charge.amount").differs(Decimal(12))),
            kind=f"an amount cut at its {where}",
            because=f"an amount of {text} is refused, or is not one of 12",
        )


CHECKS = (
    Check("what resembles a charge's id", ("GEN-5", "CREATE-6"), charges, thorough=True),
    Check("finalizing what resembles an id", ("FINALIZE-3",), finalizing, thorough=True),
    Check("collecting what resembles an id", ("COLLECT-5",), collecting, thorough=True),
    Check("searching for what resembles an id", ("SEARCH-4",), searching, thorough=True),
    Check("what resembles an amount", ("GEN-5",), amounts, thorough=True),
)
