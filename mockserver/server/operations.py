"""One function per operationId: load from the store, let billing decide, ask Stripe, save, render.

The caller holds the world's lock. A function that raises a refusal has saved nothing (GEN-6), save `collect_invoice`,
whose attempt itself is what happened.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from functools import lru_cache, partial
from typing import Any

from mockserver.billing import records, render
from mockserver.billing.money import exponent
from mockserver.billing.profile import Profile
from mockserver.billing.records import Charge, Invoice, Merchant
from mockserver.billing.search import query as search
from mockserver.billing.stripe import LOST_ANSWER, UNREACHABLE, Due, Outcome
from mockserver.billing.stripe_currencies import stripe_minor
from mockserver.core.errors import (
    Declined,
    ForeignInvoice,
    IllegalState,
    InvalidRequest,
    NotFound,
    StripeTrouble,
)
from mockserver.core.frozen import Frozen
from mockserver.core.messages import Call, Reply
from mockserver.server.access import no_merchant
from mockserver.state.store.base import Scope, Store
from mockserver.state.world import State, World

LARGEST_PAGE = 2**53
"""The largest page number and size: beyond it a JSON number is not exact for every client."""
USUAL_PAGE = 15
"""Rows of a page where no number is asked for (LIST-2)."""
ADJUSTMENT = "Adjustment"
"""`category` of a charge made by quick adjustment; the documentation names no value for it.

Clients that are public have closed lists of categories, in which this one stands."""


@dataclass(slots=True)
class OperationContext:
    """What an operation acts on: one world, seen by one caller."""

    world: World
    profile: Profile
    scope: Scope
    """The merchants that the token reaches, narrowed by the merchant header (GEN-7, GEN-8)."""
    merchant: int | None
    """The merchant that the header selects."""
    address: str
    """The request's own URL without its query."""
    query_string: str = ""
    """The request's query, still encoded, which page links repeat."""
    stripe_delay: float = 0.0
    """Seconds from finalize to the creation on Stripe."""
    stripe_late: float = 0.0
    """Seconds that a late answer of Stripe takes."""
    payment_delay: float = 0.0
    """Seconds until Stripe reports a payment, where it shows only then."""
    forced: Outcome | None = None
    """How the attempt to charge is to end, whatever the card says."""

    @property
    def state(self) -> State:
        return self.world.state

    @property
    def store(self) -> Store:
        return self.world.state.store


def list_invoices(call: Call, context: OperationContext) -> Reply:
    """LIST-1 to LIST-4, SEARCH-1 to SEARCH-6."""
    profile = context.profile
    number, per_page = _page_asked_for(call, profile)
    because = "LIST-1"
    query = search.NOTHING_ASKED
    if (text := call.query.get("q")) is not None:
        query = search.parse(
            text,
            date_without_modifier=profile.date_without_modifier == "accept",
            ignored=_ignored_in_searches(profile),
        )
        because = " ".join([f"profile:{choice}" for choice in query.ignored]) or "SEARCH-6"
    rows, total = context.store.page_of_invoices(
        context.scope,
        query,
        offset=(number - 1) * per_page,
        limit=per_page,
        newest_first=profile.list_order == "newest_first",
    )
    rendered = context.world.rendered(profile)
    shown = [
        cached[1] if (cached := rendered.get(row.id)) is not None and cached[0] is row else _shown(row, context)
        for row in rows
    ]
    return _page(shown, total, number, per_page, context, because)


@lru_cache(maxsize=8)
def _ignored_in_searches(profile: Profile) -> frozenset[str]:
    """The choices by which what is wrong with a search is ignored."""
    choices = {
        "unknown_search_field": profile.unknown_search_field,
        "bad_search_value": profile.bad_search_value,
        "bad_search_syntax": profile.bad_search_syntax,
    }
    return frozenset(key for key, value in choices.items() if value == "ignore")


def list_charges(call: Call, context: OperationContext) -> Reply:
    """The charges, newest first, in pages like the invoices'."""
    number, per_page = _page_asked_for(call, context.profile)
    rows, total = context.store.page_of_charges(
        context.scope, offset=(number - 1) * per_page, limit=per_page, newest_first=True
    )
    return _page([_charge(row, context) for row in rows], total, number, per_page, context, "LIST-3")


def get_charge(call: Call, context: OperationContext) -> Reply:
    charge_id = call.path["charge"]
    charge = context.store.charge(charge_id)
    if charge is None or charge.merchant not in context.scope:
        raise NotFound(f"There is no charge {charge_id}.", because="GEN-8" if charge else "GEN-5")
    return Reply(200, _with_items(charge, context), because="GEN-9")


def create_quick_adjustment(call: Call, context: OperationContext) -> Reply:
    if context.merchant is None:
        raise no_merchant("it says which merchant owes the charge", "GEN-7")
    merchant = _merchant(context.merchant, context)
    amount = records.exact(call.body["amount"], merchant.currency, field="amount")
    charge = Charge(
        id=context.store.next_charge_id(),
        merchant=merchant.id,
        created_at=context.state.clock.now(),
        currency=merchant.currency,
        amount=amount,
        category=ADJUSTMENT,
        description=call.body["description"],
    )
    context.store.put_charges([charge])
    return Reply(200, _with_items(charge, context), because="GEN-9")


def create_invoice(call: Call, context: OperationContext) -> Reply:
    """CREATE-1 to CREATE-8."""
    charge_ids = call.body.get("charge_ids")
    if charge_ids:
        because, charges = "CREATE-1", _charges_named(charge_ids, context)
        records.billable(charges)
    else:
        because, charges = "CREATE-2", context.store.uninvoiced(context.scope)
        records.one_of_each(charges, hint="; send the header X-Selected-Client-Id, or charge_ids")
    if not charges:
        because = "profile:no_charges"
        if context.profile.no_charges == "refuse":
            problem = "charge_ids may be left out only while there are uninvoiced charges: there are none"
            raise InvalidRequest(problem, because=because, errors={"charge_ids": [problem]})
    merchant = _merchant(charges[0].merchant, context) if charges else _only_merchant(context)
    invoice, billed = records.bill(
        charges, merchant=merchant, invoice_id=context.store.next_invoice_id(), now=context.state.clock.now()
    )
    context.store.put_charges(billed)
    context.store.put_invoice(invoice)
    provider = context.world.blueprint.provider
    show = partial(render.invoice_in_event, invoice, billed, merchant, provider, context.profile)
    context.world.emit("invoice.created", show, now=invoice.created_at)
    body = {"message": "Invoice created.", "invoice": _shown(invoice, context)}
    return Reply(context.profile.create_status, body, because=because)


def finalize_invoice(call: Call, context: OperationContext) -> Reply:
    """FINALIZE-1 to FINALIZE-4."""
    invoice = _invoice(call.path["invoice"], context)
    now = context.state.clock.now()
    try:
        invoice = records.finalize(invoice, now=now)
    except IllegalState as refusal:
        if context.profile.refinalize == "refuse":
            raise
        return _acted("Invoice finalized already.", invoice, context, refusal.because, context.profile.finalize_status)
    context.store.put_invoice(invoice)
    context.state.enqueue(invoice, due=now + round(context.stripe_delay * 1_000_000))
    context.state.settle()
    invoice = context.store.invoice(invoice.id) or invoice
    return _acted("Invoice finalized.", invoice, context, "FINALIZE-1", context.profile.finalize_status)


def collect_invoice(call: Call, context: OperationContext) -> Reply:
    """COLLECT-1 to COLLECT-5; raises `Declined` or `StripeTrouble` for an attempt that did not succeed."""
    invoice = _invoice(call.path["invoice"], context)
    try:
        records.collectable(invoice)
    except IllegalState as refusal:
        if not ((invoice.paid or invoice.payment_pending) and context.profile.recollect == "accept"):
            raise
        return _acted("Invoice paid already.", invoice, context, refusal.because, context.profile.collect_status)
    stripe, card = context.state.stripe, _merchant(invoice.merchant, context).card
    outcome = stripe.choose(card, forced=context.forced)
    if outcome not in UNREACHABLE and invoice.stripe_invoice_id is None:
        invoice = context.state.put_on_stripe(invoice)
    due = Due(
        invoice.id,
        invoice.stripe_invoice_id,
        invoice.merchant,
        stripe_minor(invoice.total, invoice.currency, exponent=exponent(invoice.currency)),
        invoice.currency,
        card,
        nothing=invoice.total <= 0,
    )
    outcome = stripe.attempt(due, outcome, now=context.state.clock.now())
    because = f"COLLECT-3 outcome:{outcome.name}"
    if outcome.declined:
        raise Declined(f"The card on file was declined: {_codes(outcome)}.", because=because)
    if not outcome.paid:
        raise _trouble(outcome, because)
    if context.profile.payment_shown == "later":
        shown_at = context.state.clock.now() + round(context.payment_delay * 1_000_000)
        invoice = context.state.pay_later(invoice, due=shown_at)
        because += " profile:payment_shown"
    else:
        invoice = records.pay(invoice)
        context.store.put_invoice(invoice)
    reply = _acted("Payment collected.", invoice, context, because, context.profile.collect_status)
    reply.delay = context.stripe_late if outcome.late else 0.0
    return reply


OPERATIONS: dict[str, Callable[[Call, OperationContext], Reply]] = {
    "listInvoices": list_invoices,
    "createInvoice": create_invoice,
    "finalizeInvoice": finalize_invoice,
    "collectInvoice": collect_invoice,
    "listCharges": list_charges,
    "getCharge": get_charge,
    "createQuickAdjustment": create_quick_adjustment,
}
"""Every operation of the spec by its operationId."""


def _page_asked_for(call: Call, profile: Profile) -> tuple[int, int]:
    number, per_page = call.query.get("page", 1), call.query.get("per_page", USUAL_PAGE)
    if number < 1:
        if profile.page_below_one == "refuse":
            raise _invalid("page", f"page must be 1 or more, got {_short(number)}", "profile:page_below_one")
        number = 1
    if number > LARGEST_PAGE:
        raise _invalid("page", f"page must be at most {LARGEST_PAGE}, got {_short(number)}", "GEN-5")
    if per_page < 1:
        raise _invalid("per_page", f"per_page must be 1 or more, got {_short(per_page)}", "GEN-5")
    largest = profile.per_page_max
    # LIST-2: the default is 15, however little may be asked for.
    if largest is not None and per_page > largest and per_page != USUAL_PAGE:
        if profile.per_page_above_max == "refuse":
            problem = f"per_page must be at most {largest}, got {_short(per_page)}"
            raise _invalid("per_page", problem, "profile:per_page_above_max")
        per_page = largest
    if per_page > LARGEST_PAGE:
        raise _invalid("per_page", f"per_page must be at most {LARGEST_PAGE}, got {_short(per_page)}", "GEN-5")
    return number, per_page


def _invalid(field: str, problem: str, because: str) -> InvalidRequest:
    return InvalidRequest(problem, because=because, errors={field: [problem]})


def _short(number: int) -> str:
    return str(number) if abs(number) < 10**20 else "a number of more than 20 digits"


def _page(
    rows: Sequence[dict[str, Any]], total: int, number: int, per_page: int, context: OperationContext, because: str
) -> Reply:
    body = render.page(
        rows,
        total=total,
        number=number,
        per_page=per_page,
        profile=context.profile,
        address=context.address,
        query_string=context.query_string,
    )
    return Reply(200, body, because=because)


def _charges_named(charge_ids: Sequence[int], context: OperationContext) -> list[Charge]:
    """The charges with these ids, in their order; refuses strangers (CREATE-6) and, by profile, duplicates."""
    if len(set(charge_ids)) < len(charge_ids):
        if context.profile.duplicate_charge_ids == "refuse":
            twice = Counter(charge_ids).most_common(1)[0][0]
            problem = f"charge_ids names charge {_short(twice)} more than once"
            raise _invalid("charge_ids", problem, "profile:duplicate_charge_ids")
        charge_ids = list(dict.fromkeys(charge_ids))
    charges, problems = [], []
    for index, charge_id in enumerate(charge_ids):
        charge = context.store.charge(charge_id)
        if charge is None or charge.merchant not in context.scope:
            problems.append(f"charge_ids.{index}: there is no charge {_short(charge_id)}")
        else:
            charges.append(charge)
    if problems:
        raise InvalidRequest(problems[0], because="CREATE-6", errors={"charge_ids": problems})
    return charges


def _only_merchant(context: OperationContext) -> Merchant:
    if len(context.scope) != 1:
        raise _invalid(
            "X-Selected-Client-Id", "Send the header X-Selected-Client-Id: it says whose invoice it is.", "CREATE-8"
        )
    return _merchant(next(iter(context.scope)), context)


def _invoice(invoice_id: int, context: OperationContext) -> Invoice:
    invoice = context.store.invoice(invoice_id)
    if invoice is None:
        raise NotFound(f"There is no invoice {_short(invoice_id)}.", because="FINALIZE-3 COLLECT-5")
    if invoice.merchant not in context.scope:
        raise ForeignInvoice(f"There is no invoice {invoice_id} for you.", because="profile:foreign_invoice_status")
    return invoice


def _merchant(merchant_id: int, context: OperationContext) -> Merchant:
    merchant = context.store.merchant(merchant_id)
    if merchant is None:
        raise LookupError(f"the store has records of merchant {merchant_id}, but not the merchant")
    return merchant


def _shown(invoice: Invoice, context: OperationContext) -> Frozen:
    rendered = context.world.rendered(context.profile)
    cached = rendered.get(invoice.id)
    if cached is not None and cached[0] is invoice:
        return cached[1]
    shown = Frozen(
        render.invoice(invoice, _merchant(invoice.merchant, context), context.world.blueprint.provider, context.profile)
    )
    rendered[invoice.id] = invoice, shown
    return shown


def _charge(charge: Charge, context: OperationContext) -> dict[str, Any]:
    return render.charge(charge, _merchant(charge.merchant, context), context.world.blueprint.provider, context.profile)


def _with_items(charge: Charge, context: OperationContext) -> dict[str, Any]:
    return {"charge": _charge(charge, context), "charge_items": []}


def _acted(message: str, invoice: Invoice, context: OperationContext, because: str, status: int) -> Reply:
    body: dict[str, Any] = {"message": message}
    if context.profile.action_body == "message_and_invoice":
        body["invoice"] = _shown(invoice, context)
    return Reply(status, body, because=because)


def _codes(outcome: Outcome) -> str:
    return outcome.reason if outcome.decline_code is None else f"{outcome.code} ({outcome.decline_code})"


def _trouble(outcome: Outcome, because: str) -> StripeTrouble:
    if outcome is LOST_ANSWER:
        return StripeTrouble("Stripe did not answer: whether the card was charged is not known.", because=because)
    headers = {"Retry-After": "1"} if outcome.name == "stripe_rate_limited" else None
    return StripeTrouble(f"Stripe can't be reached: {outcome.name}.", because=because, headers=headers)
