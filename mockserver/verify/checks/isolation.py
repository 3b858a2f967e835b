"""Checks that one merchant can't touch another's records: by token, by merchant header, through every operation."""

from __future__ import annotations

from collections.abc import Iterator

from mockserver.verify.assertions.statements import Statement, all_of, any_of, came, id_of, of, status_of
from mockserver.verify.checks.freshness import is_on_one_of, showing
from mockserver.verify.checks.runner import Check
from mockserver.verify.checks.unchanged import charge_untouched, still_draft
from mockserver.verify.context.context import Context
from mockserver.verify.context.own_records import OwnCharge, OwnInvoice, row_of
from mockserver.verify.context.records import UNKNOWN_ID
from mockserver.verify.errors import NotPossible
from mockserver.verify.transport.billing_client import Billing
from mockserver.verify.transport.messages import Answer


def intruders(context: Context) -> Iterator[tuple[str, Billing]]:
    """The second token, with each merchant header that it may try."""
    other = context.second()
    yield "another merchant's token", other.acting(merchant=None)
    if context.me.merchant is not None:
        yield "another merchant's token under our merchant header", other.acting(merchant=context.me.merchant)
    if other.merchant is not None:
        yield "another merchant's token under its own header", other
    if context.thorough:
        yield "another merchant's api_token", other.acting(merchant=None, token_in="query")
        if context.me.merchant is not None:
            by_query = other.acting(merchant=context.me.merchant, token_in="query")
            yield "another merchant's api_token under our merchant header", by_query


def outsiders(context: Context) -> Iterator[tuple[str, str, Billing]]:
    """Callers that must not reach our records, with the rule that says so."""
    for who, caller in intruders(context):
        yield "GEN-8", who, caller
    if context.reaches_both:
        yield (
            "GEN-7",
            "our token under another merchant's header",
            context.me.acting(merchant=context.second().merchant),
        )


def biller_of(context: Context, other: Billing) -> Billing:
    """Who makes the other merchant's charges: the first token where it reaches both, since the second may only read."""
    return context.me.acting(merchant=other.merchant) if context.reaches_both else other


def reading(context: Context) -> None:
    """GEN-8, GEN-7: our invoices and charges are in nobody else's lists."""
    draft = context.records.draft()
    if context.thorough:
        # What any list shows beyond the caller's reach is seen wherever answers are observed.
        context.anyone.invoices(page=2, per_page=3)
        context.anyone.charges(page=2, per_page=3)
    for rule, who, caller in outsiders(context):
        lists = [("invoices", caller.invoices()), ("charges", caller.charges())]
        either = f'id:"{UNKNOWN_ID}" OR id:"{draft.id}"'
        for q in (
            (either, f'id:"{draft.id}"', f'id:"{draft.id}" OR id:"{UNKNOWN_ID}"') if context.thorough else (either,)
        ):
            lists.append(("searched invoices", caller.invoices(q)))
        if context.thorough:
            lists.append(("invoices", caller.invoices(page=2, per_page=3)))
            lists.append(("charges", caller.charges(page=2, per_page=3)))
        for what, answer in lists:
            target = id_of("charge", draft.charges[0].id) if what == "charges" else id_of("invoice", draft.id)
            context.expect(
                rule,
                any_of(
                    status_of(answer).compares(">=", 300),
                    all_of(
                        of(answer).each("id").lacks(target),
                        of(answer).each("chargee_id").every("disagrees", context.me.merchant),
                    ),
                ),
                kind=f"{what} listed for {who}",
                proves=True,
                because=f"{who} does not list our {what}",
                actual=("it lists", of(answer).each("id")),
                using=[draft.made_by],
            )
        charge = caller.charge(draft.charges[0].id)
        context.expect.refused(rule, charge, f"getCharge by {who}", [draft.charges[0].made_by])


def acting(context: Context) -> None:
    """GEN-8, GEN-7: others can't finalize or collect our invoices, nor invoice our charges."""
    draft, charge = context.records.draft(), context.records.charge()
    for rule, who, caller in outsiders(context):
        finalized = caller.finalize(draft.id)
        if not _kept_out(context, rule, finalized, f"finalize by {who}", draft):
            draft = context.records.draft()
        for create in (caller.create, caller.create_by_form) if context.thorough else (caller.create,):
            created = create([charge.id])
            context.expect.refused(rule, created, f"a create of our charge by {who}", [charge.made_by])
            if not charge_untouched(context, rule, charge, f"a create by {who}", [created]):
                charge = context.records.charge()
                break
        if rule == "GEN-8" and caller.merchant == context.me.merchant and not context.options.charge_ids:
            # What it is answered is open: a server may pass over the header, and take what is the caller's own.
            swept = caller.create()
            if not charge_untouched(context, rule, charge, f"a create of everything by {who}", [swept]):
                charge = context.records.charge()
    if context.options.charges_allowed:
        _collecting(context)


def _collecting(context: Context) -> None:
    draft, invoice = context.records.draft(), context.records.finalized()
    for rule, who, caller in outsiders(context):
        _kept_out(context, rule, caller.collect(draft.id), f"collect of a draft by {who}", draft)
        answer = caller.collect(invoice.id)
        context.expect.refused(rule, answer, f"collect by {who}", [invoice.made_by])
        _, after = context.records.must_row(invoice.id)
        if not context.expect(
            rule,
            all_of(came(answer), row_of(invoice, after).at("stripe_invoice_status").differs("paid")),
            kind=f"paid by {who}",
            proves=True,
            because=f"{who} can't collect our invoice",
            actual="it is paid",
            using=context.monitor.invoices[invoice.id].trace,
        ):
            invoice = context.records.finalized()


def _kept_out(context: Context, rule: str, answer: Answer, what: str, draft: OwnInvoice) -> bool:
    refused = context.expect.refused(rule, answer, what, [draft.made_by])
    return still_draft(context, rule, draft, what, [answer]) and refused


def answers_no_charge_of_ours(context: Context, answer: Answer) -> Statement:
    """An adjustment is refused, or makes a charge of another merchant."""
    chargee = of(answer).at("charge.chargee_id")
    return any_of(status_of(answer).compares(">=", 300), chargee.compares("disagrees", context.me.merchant))


def charging_others(context: Context) -> None:
    """GEN-8: another's token makes no charge for our merchant."""
    if context.me.merchant is None or context.options.charge_ids:
        raise NotPossible("charges are not made in this run")
    other = context.second()
    for how, intruder in (
        ("under our merchant header", other.acting(merchant=context.me.merchant)),
        ("without a merchant header", other.acting(merchant=None)),
    ):
        answer = intruder.adjust(context.records.spare_amount, "by an intruder")
        context.expect(
            "GEN-8",
            answers_no_charge_of_ours(context, answer),
            kind="charge made by another's token",
            because=f"another merchant's token can't charge our merchant, {how}",
            actual=f"the answer is {answer.brief()}",
        )


def both_for_themselves(context: Context) -> None:
    """GEN-7 and GEN-9: what the second token makes for its own merchant is that merchant's, and in its list."""
    other = context.second()
    if other.merchant is None or context.options.charge_ids:
        raise NotPossible("the second token's merchant is not known (--other-merchant)")
    draft = context.records.draft(by=other)
    row, listed = context.records.row(draft.id, by=other)
    for where, shown in (("answered", draft.shown), ("listed", row_of(draft, listed))):
        if where == "listed" and row is None:
            context.expect.breach(
                "GEN-7",
                of(listed).each("id").includes(id_of("invoice", draft.id)),
                kind="invoice listed for another merchant",
                because=f"the invoice is the selected merchant's, {other.merchant}",
                actual="it is not in its list",
            )
            return
        context.expect(
            "GEN-7",
            shown.at("chargee_id").agrees(other.merchant),
            kind=f"invoice {where} for another merchant",
            because=f"the invoice is the selected merchant's, {other.merchant}",
            using=[draft.made_by],
        )


def mixed_charges(context: Context) -> None:
    """CREATE-6, CREATE-8, GEN-8: charges of two merchants in one request are refused, and none is taken."""
    other = context.second()
    if other.merchant is None:
        raise NotPossible("the second token's merchant is not known (--other-merchant)")
    theirs, ours = context.records.charge(by=biller_of(context, other)), context.records.charge()
    callers = [("with the merchant header", context.me)]
    if context.reaches_both:
        callers.append(("without the merchant header", context.anyone))
    for how, caller in callers:
        for ids in ([ours.id, theirs.id], [theirs.id, ours.id]):
            answer = caller.create(ids)
            for rule in ("CREATE-8", "CREATE-6") if caller is context.me else ("CREATE-8",):
                context.expect.refused(
                    rule, answer, f"a create with charges of two merchants {how}", [ours.made_by, theirs.made_by]
                )
            if answer.ok:
                theirs, ours = context.records.charge(by=biller_of(context, other)), context.records.charge()
            _neither(context, ours, theirs, other, answer, how)


def _neither(context: Context, ours: OwnCharge, theirs: OwnCharge, other: Billing, answer: Answer, how: str) -> None:
    charge_untouched(context, "CREATE-6", ours, f"a refused create of two merchants' charges {how}", [answer])
    after = other.charge(theirs.id)
    status = after.part("charge").get("status")
    context.expect(
        "CREATE-6",
        all_of(came(answer), of(after).at("charge.status").differs("Invoiced")),
        kind=f"other's charge taken {how}",
        because="a refused create takes no charge",
        actual=f"charge {theirs.id} is {status}",
        using=[ours.made_by, theirs.made_by, answer],
    )


def foreign_charge(context: Context) -> None:
    """CREATE-6 and GEN-8: another merchant's charge alone."""
    other = context.second()
    if other.merchant is None:
        raise NotPossible("the second token's merchant is not known (--other-merchant)")
    theirs = context.records.charge(by=biller_of(context, other))
    for create in (context.me.create, context.me.create_by_form):
        answer = create([theirs.id])
        for rule in ("CREATE-6", "GEN-7" if context.reaches_both else "GEN-8"):
            context.expect.refused(rule, answer, "a create of another merchant's charge", [theirs.made_by])
        if answer.ok:
            break


def all_merchants(context: Context) -> None:
    """GEN-7: without the header a provider's token sees the records of all its merchants, or is refused."""
    other = context.second()
    if not context.reaches_both:
        raise NotPossible("the token reaches one merchant only", matters=False)
    ours, theirs = context.records.draft(), context.records.draft(by=biller_of(context, other))
    for invoice in (ours, theirs):
        answer = context.anyone.invoices(f'id:"{invoice.id}"')
        if answer.refused:
            # Then the header is required, which is as good.
            break
        context.expect(
            "GEN-7",
            of(answer).each("id").includes(id_of("invoice", invoice.id)),
            kind="not all merchants listed",
            because="without the merchant header a provider's token lists all its merchants' invoices",
            actual=f"invoice {invoice.id} is missing",
            using=[invoice.made_by],
        )
    # Whose invoice it is, wherever such creates are taken, is seen where answers are observed.
    context.anyone.create([context.records.charge().id])
    for what, call in (("finalize", context.me.finalize), ("collect", context.me.collect)):
        if what == "collect" and not context.options.charges_allowed:
            continue
        answer = call(theirs.id)
        context.expect.refused(
            "GEN-7", answer, f"{what} of another merchant's invoice under our header", [theirs.made_by]
        )


def charges_of_all_merchants(context: Context) -> None:
    """GEN-7: the same of charges."""
    other = context.second()
    if not context.reaches_both:
        raise NotPossible("the token reaches one merchant only", matters=False)
    size = context.records.at_most(25)
    for charge in (context.records.charge(), context.records.charge(by=biller_of(context, other))):
        pages = showing(context.anyone.charges, size, charge.id)
        if not all(page.ok for page in pages):
            # Then the header is required, which is as good.
            return
        context.expect(
            "GEN-7",
            is_on_one_of(pages, id_of("charge", charge.id)),
            kind="not all merchants' charges listed",
            because="without the merchant header a provider's token lists all its merchants' charges",
            actual=f"charge {charge.id} is missing",
            using=[charge.made_by],
        )


CHECKS = (
    Check("others do not read our records", ("GEN-8", "GEN-7"), reading),
    Check("others do not act on our records", ("GEN-8", "GEN-7"), acting),
    Check("others do not charge us", ("GEN-8",), charging_others),
    Check("another merchant's charge", ("CREATE-6",), foreign_charge),
    Check("both merchants for themselves", ("GEN-7", "GEN-9"), both_for_themselves, thorough=True),
    Check("charges of two merchants", ("CREATE-8", "CREATE-6"), mixed_charges),
    Check("all merchants of a provider", ("GEN-7",), all_merchants),
    Check("charges of all merchants", ("GEN-7",), charges_of_all_merchants, thorough=True),
)
