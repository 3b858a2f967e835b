"""Checks that one merchant can't touch another's records: by token, by merchant header, through every operation."""

from __future__ import annotations

from collections.abc import Iterator

from mockserver.verify.checks.runner import Check
from mockserver.verify.checks.unchanged import charge_untouched, still_draft
from mockserver.verify.context import UNKNOWN_ID, Bench, Charge, Invoice
from mockserver.verify.errors import NotPossible
from mockserver.verify.transport.billing_client import Billing
from mockserver.verify.transport.http import Answer


def intruders(bench: Bench) -> Iterator[tuple[str, Billing]]:
    """The second token, with each merchant header that it may try."""
    other = bench.second()
    yield "another merchant's token", other.acting(merchant=None)
    if bench.me.merchant is not None:
        yield "another merchant's token under our merchant header", other.acting(merchant=bench.me.merchant)
    if other.merchant is not None:
        yield "another merchant's token under its own header", other
    if bench.thorough:
        yield "another merchant's api_token", other.acting(merchant=None, token_in="query")
        if bench.me.merchant is not None:
            by_query = other.acting(merchant=bench.me.merchant, token_in="query")
            yield "another merchant's api_token under our merchant header", by_query


def outsiders(bench: Bench) -> Iterator[tuple[str, str, Billing]]:
    """Callers that must not reach our records, with the rule that says so."""
    for who, caller in intruders(bench):
        yield "GEN-8", who, caller
    if bench.reaches_both:
        yield "GEN-7", "our token under another merchant's header", bench.me.acting(merchant=bench.second().merchant)


def biller_of(bench: Bench, other: Billing) -> Billing:
    """Who makes the other merchant's charges: the first token where it reaches both, since the second may only read."""
    return bench.me.acting(merchant=other.merchant) if bench.reaches_both else other


def reading(bench: Bench) -> None:
    """GEN-8, GEN-7: our invoices and charges are in nobody else's lists."""
    draft = bench.draft()
    if bench.thorough:
        # What any list shows beyond the caller's reach is seen wherever answers are observed.
        bench.anyone.invoices(page=2, per_page=3)
        bench.anyone.charges(page=2, per_page=3)
    for rule, who, caller in outsiders(bench):
        lists = [("invoices", caller.invoices()), ("charges", caller.charges())]
        either = f'id:"{UNKNOWN_ID}" OR id:"{draft.id}"'
        for q in (either, f'id:"{draft.id}"', f'id:"{draft.id}" OR id:"{UNKNOWN_ID}"') if bench.thorough else (either,):
            lists.append(("searched invoices", caller.invoices(q)))
        if bench.thorough:
            lists.append(("invoices", caller.invoices(page=2, per_page=3)))
            lists.append(("charges", caller.charges(page=2, per_page=3)))
        for what, answer in lists:
            ids = [row.get("id") for row in answer.rows]
            target = draft.charges[0].id if what == "charges" else draft.id
            ours = target in ids or _ours(bench, answer)
            bench.expect(
                rule,
                not (answer.ok and ours),
                kind=f"{what} listed for {who}",
                expected=f"{who} does not list our {what}",
                actual=f"it lists {target if target in ids else ids}",
                using=[draft.made_by, answer],
            )
        charge = caller.charge(draft.charges[0].id)
        bench.refused(rule, charge, f"getCharge by {who}", [draft.charges[0].made_by])


def _ours(bench: Bench, answer: Answer) -> bool:
    return any(str(row.get("chargee_id")) == bench.me.merchant for row in answer.rows)


def acting(bench: Bench) -> None:
    """GEN-8, GEN-7: others can't finalize or collect our invoices, nor invoice our charges."""
    draft, charge = bench.draft(), bench.charge()
    for rule, who, caller in outsiders(bench):
        finalized = caller.finalize(draft.id)
        if not _kept_out(bench, rule, finalized, f"finalize by {who}", draft):
            draft = bench.draft()
        for create in (caller.create, caller.create_by_form) if bench.thorough else (caller.create,):
            created = create([charge.id])
            bench.refused(rule, created, f"a create of our charge by {who}", [charge.made_by])
            if not charge_untouched(bench, rule, charge, f"a create by {who}", [created]):
                charge = bench.charge()
                break
    if bench.options.charges_allowed:
        _collecting(bench)


def _collecting(bench: Bench) -> None:
    draft, invoice = bench.draft(), bench.finalized()
    for rule, who, caller in outsiders(bench):
        _kept_out(bench, rule, caller.collect(draft.id), f"collect of a draft by {who}", draft)
        answer = caller.collect(invoice.id)
        bench.refused(rule, answer, f"collect by {who}", [invoice.made_by])
        row, after = bench.must_row(invoice.id)
        if not bench.expect(
            rule,
            row.get("stripe_invoice_status") != "paid",
            kind=f"paid by {who}",
            expected=f"{who} can't collect our invoice",
            actual="it is paid",
            using=[*bench.observer.invoices[invoice.id].story, after],
        ):
            invoice = bench.finalized()


def _kept_out(bench: Bench, rule: str, answer: Answer, what: str, draft: Invoice) -> bool:
    refused = bench.refused(rule, answer, what, [draft.made_by])
    return still_draft(bench, rule, draft, what, [answer]) and refused


def charging_others(bench: Bench) -> None:
    """GEN-8: another's token makes no charge for our merchant."""
    if bench.me.merchant is None or bench.options.charge_ids:
        raise NotPossible("charges are not made in this run")
    intruder = bench.second().acting(merchant=bench.me.merchant)
    answer = intruder.adjust(bench.spare_amount, "by an intruder")
    made = answer.part("charge")
    bench.expect(
        "GEN-8",
        not answer.ok or str(made.get("chargee_id")) != bench.me.merchant,
        kind="charge made by another's token",
        expected="another merchant's token can't charge our merchant",
        actual=f"the answer is {answer.brief()}",
        using=[answer],
    )


def both_for_themselves(bench: Bench) -> None:
    """GEN-7 and GEN-9: what the second token makes for its own merchant is that merchant's, and in its list."""
    other = bench.second()
    if other.merchant is None or bench.options.charge_ids:
        raise NotPossible("the second token's merchant is not known (--other-merchant)")
    draft = bench.draft(by=other)
    row, listed = bench.row(draft.id, by=other)
    for where, answer, shown in (
        ("answered", draft.made_by, draft.made_by.part("invoice")),
        ("listed", listed, row or {}),
    ):
        bench.expect(
            "GEN-7",
            str(shown.get("chargee_id")) == other.merchant,
            kind=f"invoice {where} for another merchant",
            expected=f"the invoice is the selected merchant's, {other.merchant}",
            actual=f"its chargee_id is {shown.get('chargee_id')}" if shown else "it is not in its list",
            using=[draft.charges[0].made_by, draft.made_by, answer],
        )


def mixed_charges(bench: Bench) -> None:
    """CREATE-6, CREATE-8, GEN-8: charges of two merchants in one request are refused, and none is taken."""
    other = bench.second()
    if other.merchant is None:
        raise NotPossible("the second token's merchant is not known (--other-merchant)")
    theirs, ours = bench.charge(by=biller_of(bench, other)), bench.charge()
    callers = [("with the merchant header", bench.me)]
    if bench.reaches_both:
        callers.append(("without the merchant header", bench.anyone))
    for how, caller in callers:
        for ids in ([ours.id, theirs.id], [theirs.id, ours.id]):
            answer = caller.create(ids)
            for rule in ("CREATE-8", "CREATE-6") if caller is bench.me else ("CREATE-8",):
                bench.refused(
                    rule, answer, f"a create with charges of two merchants {how}", [ours.made_by, theirs.made_by]
                )
            if answer.ok:
                theirs, ours = bench.charge(by=biller_of(bench, other)), bench.charge()
            _neither(bench, ours, theirs, other, answer, how)


def _neither(bench: Bench, ours: Charge, theirs: Charge, other: Billing, answer: Answer, how: str) -> None:
    charge_untouched(bench, "CREATE-6", ours, f"a refused create of two merchants' charges {how}", [answer])
    after = other.charge(theirs.id)
    status = after.part("charge").get("status")
    bench.expect(
        "CREATE-6",
        status != "Invoiced",
        kind=f"other's charge taken {how}",
        expected="a refused create takes no charge",
        actual=f"charge {theirs.id} is {status}",
        using=[ours.made_by, theirs.made_by, answer, after],
    )


def foreign_charge(bench: Bench) -> None:
    """CREATE-6 and GEN-8: another merchant's charge alone."""
    other = bench.second()
    if other.merchant is None:
        raise NotPossible("the second token's merchant is not known (--other-merchant)")
    theirs = bench.charge(by=biller_of(bench, other))
    for create in (bench.me.create, bench.me.create_by_form):
        answer = create([theirs.id])
        for rule in ("CREATE-6", "GEN-7" if bench.reaches_both else "GEN-8"):
            bench.refused(rule, answer, "a create of another merchant's charge", [theirs.made_by])
        if answer.ok:
            break


def all_merchants(bench: Bench) -> None:
    """GEN-7: without the header a provider's token sees the records of all its merchants."""
    other = bench.second()
    if not bench.reaches_both:
        raise NotPossible("the token reaches one merchant only", matters=False)
    ours, theirs = bench.draft(), bench.draft(by=biller_of(bench, other))
    for invoice in (ours, theirs):
        answer = bench.anyone.invoices(f'id:"{invoice.id}"')
        bench.expect(
            "GEN-7",
            invoice.id in [row.get("id") for row in answer.rows],
            kind="not all merchants listed",
            expected="without the merchant header a provider's token lists all its merchants' invoices",
            actual=f"invoice {invoice.id} is missing",
            using=[invoice.made_by, answer],
        )
    # Whose invoice it is, wherever such creates are taken, is seen where answers are observed.
    bench.anyone.create([bench.charge().id])
    for what, call in (("finalize", bench.me.finalize), ("collect", bench.me.collect)):
        if what == "collect" and not bench.options.charges_allowed:
            continue
        answer = call(theirs.id)
        bench.refused("GEN-7", answer, f"{what} of another merchant's invoice under our header", [theirs.made_by])


CHECKS = (
    Check("others do not read our records", ("GEN-8", "GEN-7"), reading),
    Check("others do not act on our records", ("GEN-8", "GEN-7"), acting),
    Check("others do not charge us", ("GEN-8",), charging_others),
    Check("another merchant's charge", ("CREATE-6",), foreign_charge),
    Check("both merchants for themselves", ("GEN-7", "GEN-9"), both_for_themselves),
    Check("charges of two merchants", ("CREATE-8", "CREATE-6"), mixed_charges),
    Check("all merchants of a provider", ("GEN-7",), all_merchants),
)
