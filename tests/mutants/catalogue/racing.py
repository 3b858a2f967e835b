"""Faults that show only when requests come at the same time."""

from __future__ import annotations

import random
import threading
import time
from collections.abc import Callable, Sequence
from contextlib import nullcontext
from typing import Any

from tests.mutants.catalogue.making import Catalog, swap
from tests.mutants.config import PROVIDER
from tests.mutants.reference.api import Api
from tests.mutants.reference.messages import Reply, Request
from tests.mutants.reference.records import Caller, Charge, Invoice, Merchant, Refusal

RACES = Catalog("races")
GAP = 0.02
"""Seconds between looking and acting, in a server whose operations do not wait for each other."""


def linger() -> None:
    time.sleep(GAP)


def stagger() -> None:
    """Long enough to meet others there, but not the same for all."""
    time.sleep(random.uniform(GAP / 3, GAP))


@RACES.fault("CREATE-4", "CREATE-6", "CREATE-1", says="two creates at once both take the same charge")
def two_drafts_of_one_charge(api: Api) -> None:
    only_for(api, "create", stagger)


@RACES.fault("CREATE-4", "CREATE-2", says="two creates of all charges at once both take them")
def two_drafts_of_everything(api: Api) -> None:
    only_for(api, "create", linger, when=lambda charge_ids: not charge_ids)


@RACES.fault("CREATE-4", "CREATE-6", says="two creates at once that share one charge of many both take it")
def two_drafts_that_overlap(api: Api) -> None:
    only_for(api, "create", linger, when=lambda charge_ids: charge_ids is not None and len(charge_ids) > 1)


@RACES.fault(
    "CREATE-5",
    "CREATE-2",
    "CREATE-4",
    says="what is charged while everything is billed is Invoiced, and not in the total",
)
def charged_meanwhile_is_not_summed(api: Api) -> None:
    def create(caller: Caller, charge_ids: Sequence[int] | None) -> Any:
        if charge_ids:
            return original(caller, charge_ids)
        with api.records.lock:
            known = set(api.records.charges)
        linger()
        with api.records.lock:
            later = [charge for number, charge in api.records.charges.items() if number not in known]
            open_since = [charge for charge in later if charge.status == "Open" and charge.merchant in caller.scope]
            for charge in open_since:
                charge.invoice = 0
            return original(caller, charge_ids)

    original = swap(api.billing, "create", create)


@RACES.fault("CREATE-4", "CREATE-6", says="a create of named charges and one of all do not wait for each other")
def named_and_all_lock_apart(api: Api) -> None:
    locks = {True: threading.RLock(), False: threading.RLock()}

    def create(caller: Caller, charge_ids: Sequence[int] | None) -> Any:
        with locks[bool(charge_ids)]:
            return original(caller, charge_ids)

    only_for(api, "create", linger)
    original = swap(api.billing, "create", create)


def only_for(api: Api, operation: str, pause: Any, when: Any = lambda argument: True) -> None:
    """This operation does not take its turn when its argument is so; it takes its time instead."""
    hurried = threading.local()

    def acting(caller: Caller, argument: Any) -> Any:
        hurried.now = when(argument)
        try:
            return original(caller, argument)
        finally:
            hurried.now = False

    def turn() -> Any:
        return nullcontext() if getattr(hurried, "now", False) else wait()

    def maybe_pause() -> None:
        if getattr(hurried, "now", False):
            pause()

    original = swap(api.billing, operation, acting)
    wait = swap(api.billing, "turn", turn)
    swap(api.billing, "pause", maybe_pause)


@RACES.fault("CREATE-7", "LIST-4", "GEN-9", says="invoices made at the same time get the same id")
def one_id_for_two(api: Api) -> None:
    def new_invoice_id(merchant: Merchant) -> int:
        known = max(api.records.invoices, default=0)
        api.records.lock.release()
        try:
            linger()
        finally:
            api.records.lock.acquire()
        return known + 1

    swap(api.billing, "new_invoice_id", new_invoice_id)
    swap(api.billing, "turn", lambda: nullcontext())


@RACES.fault("GEN-9", "CREATE-4", "CREATE-1", says="charges made at the same time get the same id, and one is lost")
def one_id_for_two_charges(api: Api) -> None:
    def add_charge(merchant: Merchant, amount: int, description: str) -> Charge:
        number = max(api.records.charges, default=0) + 1
        linger()
        charge = Charge(number, merchant.id, api.records.now(), merchant.currency, amount, description)
        api.records.charges[number] = charge
        api.records.charges_of[merchant.id].append(charge)
        return charge

    swap(api.records, "add_charge", add_charge)


@RACES.fault("FINALIZE-4", "FINALIZE-2", "COLLECT-4", says="two finalizes at once make two invoices on Stripe")
def two_finalizes(api: Api) -> None:
    only_for(api, "finalize", stagger)

    def lock_down(invoice: Invoice) -> None:
        invoice.state = "finalized"
        invoice.stripe_id = api.stripe.new_id()
        invoice.stripe_status = "open"

    swap(api.billing, "lock_down", lock_down)


@RACES.fault("COLLECT-4", "COLLECT-2", says="two collects at once both pay")
def two_payments(api: Api) -> None:
    only_for(api, "collect", linger)


@RACES.fault(
    "COLLECT-4",
    "COLLECT-2",
    says="two collects at once make two invoices on Stripe and pay both",
    choices={"recollect": "accept"},
    stripe_delay=30.0,
)
def two_stripe_invoices_paid(api: Api) -> None:
    only_for(api, "collect", stagger)

    def put_on_stripe(invoice: Invoice) -> None:
        invoice.stripe_id = api.stripe.new_id()
        invoice.stripe_status = "open"

    swap(api.billing, "put_on_stripe", put_on_stripe)


@RACES.fault(
    "COLLECT-4", "GEN-5", "COLLECT-2", says="the loser of two collects at once crashes", choices={"recollect": "accept"}
)
def losing_collect_crashes(api: Api) -> None:
    only_for(api, "collect", linger)

    def pay(invoice: Invoice) -> None:
        with api.records.lock:
            if invoice.state == "paid":
                raise Refusal(500, "Invoice is already paid")
            original(invoice)

    original = swap(api.billing, "pay", pay)


@RACES.fault("COLLECT-3", "COLLECT-4", "GEN-9", says="after two collects at once the invoice is open again")
def two_collects_leave_it_open(api: Api) -> None:
    only_for(api, "collect", linger)

    def pay(invoice: Invoice) -> None:
        if invoice.state == "paid":
            invoice.state, invoice.stripe_status = "finalized", "open"
            raise api.billing.illegal("The invoice is being paid.")
        original(invoice)

    original = swap(api.billing, "pay", pay)


@RACES.fault(
    "GEN-9",
    "FINALIZE-1",
    "COLLECT-3",
    says="of finalizes at once on different invoices, the last to end undoes the others",
)
def last_finalize_undoes_others(api: Api) -> None:
    only_for(api, "finalize", lambda: None)

    def finalize(caller: Caller, number: int) -> Any:
        drafts = [invoice for invoice in api.records.invoices_in(caller.scope) if invoice.state == "draft"]
        linger()
        result = original(caller, number)
        for invoice in drafts:
            if invoice.id != number:
                invoice.state = "draft"
                invoice.stripe_id = invoice.stripe_status = None
        return result

    original = swap(api.billing, "finalize", finalize)


@RACES.fault(
    "COLLECT-3",
    "COLLECT-4",
    "GEN-9",
    says="of collects at once on different invoices, the last to end undoes the others",
)
def last_collect_undoes_others(api: Api) -> None:
    only_for(api, "collect", lambda: None)

    def collect(caller: Caller, number: int) -> Any:
        unpaid = [invoice for invoice in api.records.invoices_in(caller.scope) if invoice.state == "finalized"]
        linger()
        result = original(caller, number)
        for invoice in unpaid:
            if invoice.id != number and invoice.state == "paid":
                invoice.state, invoice.stripe_status = "finalized", "open"
        return result

    original = swap(api.billing, "collect", collect)


@RACES.fault("CREATE-7", "GEN-9", "LIST-4", says="of invoices made at once, only one gets into the list")
def one_of_two_gets_listed(api: Api) -> None:
    making = threading.Semaphore(1)

    def create(caller: Caller, request: Any, body: Any) -> Reply:
        alone = making.acquire(blocking=False)
        reply: Reply = original(caller, request, body)
        linger()
        if alone:
            making.release()
        elif "invoice" in reply.document:
            lost = api.records.invoices.pop(int(reply.document["invoice"]["id"]))
            api.records.invoices_of[lost.merchant].remove(lost)
        return reply

    original = swap(api, "create_invoice", create)


@RACES.fault("GEN-5", "CREATE-4", "CREATE-6", says="a create that meets another one is a crash")
def deadlock_is_a_crash(api: Api) -> None:
    making = threading.Semaphore(1)

    def create(caller: Caller, request: Any, body: Any) -> Reply:
        if not making.acquire(blocking=False):
            raise Refusal(500, "Deadlock found when trying to get lock")
        try:
            linger()
            reply: Reply = original(caller, request, body)
            return reply
        finally:
            making.release()

    original = swap(api, "create_invoice", create)


@RACES.fault("COLLECT-3", "GEN-9", "FINALIZE-1", says="a collect that meets a finalize pays, and finalize forgets it")
def finalize_forgets_a_payment(api: Api) -> None:
    def lock_down(invoice: Invoice) -> None:
        original(invoice)
        linger()
        if invoice.state == "paid":
            invoice.state, invoice.stripe_status = "finalized", "open"

    only_for(api, "finalize", lambda: None)
    original = swap(api.billing, "lock_down", lock_down)


@RACES.fault("GEN-8", "LIST-4", "GEN-7", says="requests at once on the list get each other's merchant")
def requests_share_a_caller(api: Api) -> None:
    latest: list[Caller] = []

    def visible(caller: Caller) -> Any:
        latest[:] = [caller]
        time.sleep(GAP / 10)
        return original(latest[0])

    original = swap(api, "visible_invoices", visible)


# Callers who are not the same, and losers


def lock_by_caller(api: Api, operation: str, key: Callable[[Caller], object]) -> None:
    """This operation waits only for callers of the same key, and takes its time."""
    locks: dict[object, threading.Lock] = {}
    held = threading.local()

    def acting(caller: Caller, argument: Any) -> Any:
        held.lock = locks.setdefault(key(caller), threading.Lock())
        try:
            return original(caller, argument)
        finally:
            held.lock = None

    original = swap(api.billing, operation, acting)
    wait = swap(api.billing, "turn", lambda: getattr(held, "lock", None) or wait())
    swap(api.billing, "pause", lambda: linger() if getattr(held, "lock", None) else None)


@RACES.fault("CREATE-4", says="creates with the merchant header, and creates without it, do not wait for each other")
def creates_lock_by_header(api: Api) -> None:
    lock_by_caller(api, "create", lambda caller: caller.selected)


@RACES.fault(
    "COLLECT-4",
    says="collects of a provider and of its merchant do not wait for each other: there are two Stripe invoices",
    arguments=PROVIDER,
)
def collects_lock_by_token(api: Api) -> None:
    def put_on_stripe(invoice: Invoice) -> None:
        if invoice.state == "paid":
            invoice.stripe_id = None
        original(invoice)

    original = swap(api.billing, "put_on_stripe", put_on_stripe)
    lock_by_caller(api, "collect", lambda caller: caller.reach)


@RACES.fault("GEN-6", says="a create that is refused because another took its charge meanwhile leaves a draft")
def losers_leave_drafts(api: Api) -> None:
    taken: dict[int, float] = {}
    asked = threading.local()

    def respond(request: Request) -> Reply:
        asked.at = time.monotonic()
        reply: Reply = answered(request)
        return reply

    def create(caller: Caller, charge_ids: Sequence[int] | None) -> Any:
        try:
            return original(caller, charge_ids)
        except Refusal:
            lost = [number for number in charge_ids or () if taken.get(number, 0.0) > asked.at]
            if lost:
                leave_draft([api.records.charges[number] for number in lost])
            raise

    def take(charge: Charge, invoice: Invoice) -> None:
        taken[charge.id] = time.monotonic()
        take_one(charge, invoice)

    def leave_draft(charges: Sequence[Charge]) -> None:
        with api.records.lock:
            merchant = api.records.merchants[charges[0].merchant]
            stray = Invoice(
                id=api.billing.new_invoice_id(merchant),
                merchant=merchant.id,
                created_at=api.records.now(),
                currency=merchant.currency,
                total=sum(charge.amount for charge in charges),
                charges=[],
                description=None,
            )
            api.records.add_invoice(stray)

    answered = swap(api, "respond", respond)
    original = swap(api.billing, "create", create)
    take_one = swap(api.billing, "take", take)
    swap(api.billing, "pause", linger)
