"""Checks that answers are of now and for whom they are: no cache gives what was, or is another's."""

from __future__ import annotations

from collections.abc import Callable, Iterable

from mockserver.verify.assertions.statements import Statement, Subject, any_of, id_of, is_refused, joined, of, status_of
from mockserver.verify.checks.runner import Check
from mockserver.verify.context.context import Context
from mockserver.verify.context.own_records import OwnInvoice, row_of
from mockserver.verify.errors import NotPossible
from mockserver.verify.monitor.canonical import LARGEST_ID
from mockserver.verify.transport.billing_client import Billing
from mockserver.verify.transport.messages import Answer

FAR = (("4294967297", "1"), ("1152921504606846977", "16"), ("18446744073709551617", "1"), ("614891469123651722", "15"))
"""Pages and their sizes: the place of the first row is 2^32, 2^64 in two ways, and just beyond 2^63."""

MOST_PAGES = 20
"""Pages that are looked through for one record."""


def _ends(call: Callable[..., Answer], size: int) -> list[Answer]:
    """The first page and the last one, where newest and oldest first put what is new."""
    first = call(per_page=size)
    last = first.figure("last_page") or 1
    return [first] if last == 1 else [first, call(per_page=size, page=last)]


def _lists(page: Answer, number: int) -> bool:
    return any(row.get("id") == number for row in page.rows)


def showing(call: Callable[..., Answer], size: int, number: int) -> list[Answer]:
    """The first page and the last, and those between where the record is on neither: the order is the server's.

    Raises `NotPossible` where the pages are too many.
    """
    ends = _ends(call, size)
    if any(_lists(page, number) for page in ends) or not all(page.ok for page in ends):
        return ends
    last = ends[0].figure("last_page") or 1
    if last > MOST_PAGES:
        raise NotPossible(f"what is new is neither on the first page nor on the last, and there are {last}")
    return [*ends, *(call(per_page=size, page=page) for page in range(2, last))]


def is_on_one_of(pages: Iterable[Answer], record: Subject) -> Statement:
    """The record of that id is in one of the pages."""
    return any_of(*(of(page).each("id").includes(record) for page in pages))


def charges(context: Context) -> None:
    """GEN-9 and CREATE-4: a new charge is listed at once, and what was read before it was billed is not kept."""
    size = context.records.at_most(25)
    before = _ends(context.me.charges, size)
    charge = context.records.charge()
    pages = showing(context.me.charges, size, charge.id)
    made = id_of("charge", charge.id)
    # Charges of --charge-ids are not new.
    if not context.options.charge_ids and all(page.ok for page in pages):
        context.expect(
            "GEN-9",
            is_on_one_of(pages, made),
            kind="new charge not listed",
            because="a charge that was made is in the list at once",
            actual=f"charge {charge.id} is on none of the pages",
            using=[*before, charge.made_by],
        )
    context.me.charge(charge.id)
    draft = context.records.draft((charge,))
    # That it is shown as Invoiced from then on is seen where answers are, too, but not what was read before.
    context.me.charge(charge.id)
    for page in _ends(context.me.charges, size):
        if _lists(page, charge.id):
            context.expect(
                "CREATE-4",
                of(page).row("charge", charge.id).at("status").equals("Invoiced"),
                kind="charge not listed as Invoiced",
                because="a charge on an invoice is Invoiced from then on, in whatever was read before, too",
                using=[*pages, draft.made_by],
            )


def invoices(context: Context) -> None:
    """CREATE-7, GEN-9 and LIST-3: a page that was asked for before shows what was made since, and counts it.

    That it was finalized and paid (FINALIZE-1, COLLECT-3), too.
    """
    size = context.records.at_most(15)
    for _ in range(3):
        before = _ends(context.me.invoices, size)
        draft = context.records.draft()
        after = showing(context.me.invoices, size, draft.id)
        totals = [of(pages[0]).at("total") for pages in (before, after)]
        counted = totals[1].compares(">=", totals[0].calc("+", 1))
        if all(page.figure("total") is not None for page in (before[0], after[0])) and counted.is_true():
            context.recorder.held("LIST-3")
            break
    else:
        context.expect(
            "LIST-3",
            counted,
            kind="new invoice not counted",
            because="the total counts an invoice as soon as it is made",
            using=[draft.made_by],
        )
    context.expect(
        "CREATE-7",
        is_on_one_of(after, id_of("invoice", draft.id)),
        kind="not listed where it was asked before",
        because="a new invoice is in the list at once",
        actual=f"invoice {draft.id} is on none of the pages",
        using=[*before, draft.made_by],
    )
    finalized = context.me.finalize(draft.id)
    if not finalized.ok:
        return
    unpaid = _ends(context.me.invoices, size)
    for page in unpaid:
        if _lists(page, draft.id):
            context.expect(
                "FINALIZE-1",
                row_of(draft, page).at("status").differs("Draft"),
                kind="finalized invoice listed as a draft",
                because="a finalized invoice is a draft no more, in whatever was read before, too",
                using=[*after, finalized],
            )
    if context.options.charges_allowed and context.pays is not False:
        _paid(context, draft, unpaid)


def _paid(context: Context, invoice: OwnInvoice, before: list[Answer]) -> None:
    """COLLECT-3 and GEN-9: once a search shows an invoice as paid, so do the pages that were read before."""
    collected = context.me.collect(invoice.id)
    found = context.records.shown_paid(invoice.id, succeeded=collected.status != 202) if collected.ok else None
    if found is None:
        return
    _, shown = found
    for page in _ends(context.me.invoices, context.records.at_most(15)):
        if _lists(page, invoice.id):
            context.expect(
                "COLLECT-3",
                row_of(invoice, page).at("stripe_invoice_status").equals("paid"),
                kind="paid invoice listed as unpaid",
                because="a paid invoice is shown as paid, in whatever was read before, too",
                using=[*before, collected, shown],
            )


def shared(context: Context) -> None:
    """GEN-4, GEN-7, GEN-8: what one caller has just read is not given to another who asks for the same."""
    draft = context.records.draft()
    charge, q = draft.charges[0], f'id:"{draft.id}"'
    for who, rule, caller in _others(context):
        asked: tuple[tuple[str, Callable[[Billing], Answer]], ...] = (
            ("charge", lambda by: by.charge(charge.id)),
            ("search", lambda by: by.invoices(q)),
            ("page", lambda by: by.invoices(per_page=context.records.at_most(9))),
        )
        for what, ask in asked:
            read, answer = ask(context.me), ask(caller)
            if rule == "GEN-4":
                statement = status_of(answer).equals(401)
            elif what == "charge":
                statement = is_refused(answer)
            else:
                statement = any_of(is_refused(answer), of(answer).each("id").lacks(id_of("invoice", draft.id)))
            context.expect(
                rule,
                statement,
                kind=f"a {what} that was just read given to {who}",
                because=f"a {what} of one caller is not for {who}, also where it was read just before",
                using=[draft.made_by, read],
                proves=True,
            )


def _others(context: Context) -> list[tuple[str, str, Billing]]:
    """Callers who must not see what the run's own sees, and the rule that says so."""
    found = [("nobody's token", "GEN-4", context.me.acting(token=None))]
    other = context.other
    if other is not None and other.merchant != context.me.merchant:
        found.append(("another merchant", "GEN-8", other))
        if context.reaches_both and other.merchant is not None:
            found.append(("the same token with another merchant", "GEN-7", context.me.acting(merchant=other.merchant)))
    return found


def far_pages(context: Context) -> None:
    """LIST-4: a page so far that its place is no integer to a machine is empty or refused, never the first rows."""
    for page, size in FAR:
        if int(page) > LARGEST_ID and context.profile.get("page_not_a_number") != "refuse":
            # To a machine of 64 bits that is no number, and may be as if it were left out.
            continue
        for what, call in (("invoices", context.me.invoices), ("charges", context.me.charges)):
            answer = call(page=page, per_page=size)
            context.expect(
                "LIST-4",
                any_of(is_refused(answer), of(answer).at("data").is_empty()),
                kind=f"rows of {what} far past the last page",
                because=f"page {page} of {what} is empty, or refused",
                actual=f"the answer is {answer.brief()}",
            )


def charges_in_pages(context: Context) -> None:
    """LIST-4 on the list of charges, as far as others leave it alone."""
    context.records.draft(context.records.charges(6))
    for _ in range(3):
        one, two, three, all_six = (
            context.me.charges(page=page, per_page=size) for page, size in ((1, 2), (2, 2), (3, 2), (1, 6))
        )
        again = context.me.charges(page=1, per_page=2)
        if [row.get("id") for row in one.rows] == [row.get("id") for row in again.rows]:
            break
    else:
        return
    # Whether a size can be asked for nothing says; a server that has none of its choice answers with its own.
    asked = ((one, 2), (two, 2), (three, 2), (all_six, 6))
    if not all(answer.ok and answer.figure("per_page") == size for answer, size in asked):
        return
    context.expect(
        "LIST-4",
        joined(of(page).each("id") for page in (one, two, three)).equals(of(all_six).each("id")),
        kind="pages of charges do not partition",
        because="three pages of 2 charges are the first page of 6",
    )
    past = context.me.charges(page=1_000_000, per_page=2)
    context.expect(
        "LIST-4",
        any_of(is_refused(past), of(past).at("data").is_empty()),
        kind="page of charges past the last",
        because="a page past the last is empty, or refused where it is absurd",
    )


CHECKS = (
    Check("charges of now", ("GEN-9", "CREATE-4"), charges, thorough=True),
    Check("invoices of now", ("CREATE-7", "FINALIZE-1", "LIST-3", "COLLECT-3"), invoices, thorough=True),
    Check("what another has just read", ("GEN-4", "GEN-7", "GEN-8"), shared, thorough=True),
    Check("pages far past the last", ("LIST-4",), far_pages, thorough=True),
    Check("charges in pages", ("LIST-4",), charges_in_pages, thorough=True),
)
