"""Faults of making charges and drafts: which charges are taken, what is refused, what is answered."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import replace
from typing import Any

from tests.mutants.catalogue.making import Catalog, is_create, swap
from tests.mutants.config import MIXED, PROVIDER
from tests.mutants.reference.api import Api
from tests.mutants.reference.messages import Reply, Request
from tests.mutants.reference.records import Caller, Charge, Invoice, Merchant, Refusal

CREATE = Catalog("create")


def change_named(api: Api, change: Any) -> None:
    """The ids are what `change` makes of them."""

    def named(caller: Caller, charge_ids: Sequence[int]) -> Any:
        return original(caller, change(charge_ids))

    original = swap(api.billing, "named", named)


def change_all(api: Api, change: Any) -> None:
    """What is taken where no charges are named is what `change` makes of the charges, oldest first."""

    def open_charges(caller: Caller) -> Any:
        return change(original(caller))

    original = swap(api.billing, "open_charges", open_charges)


def acceptable(api: Api, reason: str) -> None:
    """Charges that would be refused for this reason are taken."""

    def why_not(caller: Caller, charge: Charge | None) -> Any:
        wrong = original(caller, charge)
        return None if charge is not None and wrong == reason else wrong

    original = swap(api.billing, "why_not", why_not)


# Which charges


@CREATE.fault("CREATE-1", "CREATE-5", says="charge_ids is ignored: all open charges are taken")
def ids_are_ignored(api: Api) -> None:
    swap(api, "charge_ids", lambda request, body: None)


@CREATE.fault("CREATE-1", "CREATE-5", "CREATE-4", says="of the named charges only the first is taken")
def only_the_first_charge(api: Api) -> None:
    def named(caller: Caller, charge_ids: Sequence[int]) -> Any:
        return original(caller, charge_ids)[:1]

    original = swap(api.billing, "named", named)


@CREATE.fault("CREATE-1", "CREATE-5", "CREATE-4", says="beside the named charges, the oldest open one is taken")
def one_charge_more(api: Api) -> None:
    def named(caller: Caller, charge_ids: Sequence[int]) -> Any:
        charges = original(caller, charge_ids)
        others = [
            charge
            for charge in api.records.charges_in((charges[0].merchant,))
            if charge.status == "Open" and charge not in charges
        ]
        return [*charges, *others[:1]]

    original = swap(api.billing, "named", named)


@CREATE.fault(
    "CREATE-1", "CREATE-5", "CREATE-4", says="the named charges are marked, but the open ones that follow are summed"
)
def all_charges_from_the_first_on(api: Api) -> None:
    def named(caller: Caller, charge_ids: Sequence[int]) -> Any:
        charges = original(caller, charge_ids)
        first = min(charge.id for charge in charges)
        mine = api.records.charges_in((charges[0].merchant,))
        return [charge for charge in mine if charge.id >= first and charge.status == "Open"]

    original = swap(api.billing, "named", named)


@CREATE.fault("CREATE-2", "CREATE-1", says="an empty array of ids is refused")
def empty_ids_are_refused(api: Api) -> None:
    def charge_ids(request: Request, body: Mapping[str, Any]) -> Any:
        if body.get("charge_ids") == []:
            raise api.billing.invalid("Name a charge.", {"charge_ids": ["The charge_ids must not be empty."]})
        return original(request, body)

    original = swap(api, "charge_ids", charge_ids)


@CREATE.fault(
    "CREATE-2",
    "CREATE-1",
    says="an empty array of ids makes an invoice of nothing",
    choices={"no_charges": "empty_draft"},
)
def empty_ids_mean_nothing(api: Api) -> None:
    def create(caller: Caller, charge_ids: Sequence[int] | None) -> Any:
        if charge_ids == []:
            merchant = api.records.merchants[min(caller.scope)]
            return api.billing.book(merchant, [])
        return original(caller, charge_ids)

    original = swap(api.billing, "create", create)


@CREATE.fault("CREATE-2", "CREATE-3", says="without charge_ids the request is refused")
def ids_are_required(api: Api) -> None:
    def charge_ids(request: Request, body: Mapping[str, Any]) -> Any:
        if "charge_ids" not in body:
            raise api.billing.invalid("Name the charges.", {"charge_ids": ["The charge_ids are required."]})
        return original(request, body)

    original = swap(api, "charge_ids", charge_ids)


@CREATE.fault("CREATE-2", "CREATE-5", says="without charge_ids only the latest two charges are taken")
def only_the_latest_two(api: Api) -> None:
    def latest(charges: list[Charge]) -> list[Charge]:
        return [charge for charge in charges if charge.status == "Open"][-2:]

    change_all(api, latest)


@CREATE.fault("CREATE-2", "CREATE-5", says="without charge_ids the oldest charge is left out")
def oldest_charge_left_out(api: Api) -> None:
    def younger(charges: list[Charge]) -> list[Charge]:
        charges = [charge for charge in charges if charge.status == "Open"]
        return charges[1:] if len(charges) > 1 else charges

    change_all(api, younger)


@CREATE.fault(
    "CREATE-2", "CREATE-6", "CREATE-4", "CREATE-5", says="without charge_ids, what is invoiced already is billed again"
)
def all_includes_what_is_invoiced(api: Api) -> None:
    def everything(caller: Caller) -> list[Charge]:
        charges = [charge for charge in api.records.charges_in(caller.scope) if not charge.void]
        return charges if any(charge.status == "Open" for charge in charges) else original(caller)

    original = swap(api.billing, "everything_open", everything)


@CREATE.fault("CREATE-2", "CREATE-5", says="without charge_ids, several charges of one amount count as one")
def equal_amounts_count_once(api: Api) -> None:
    def different(charges: list[Charge]) -> list[Charge]:
        return list({charge.amount: charge for charge in charges if charge.status == "Open"}.values())

    change_all(api, different)


@CREATE.fault(
    "CREATE-2",
    "GEN-8",
    "GEN-7",
    "CREATE-8",
    "CREATE-5",
    "GEN-6",
    says="without charge_ids the charges of other merchants are taken too",
)
def all_includes_other_merchants(api: Api) -> None:
    swap(api.billing, "open_charges", lambda caller: list(api.records.charges.values()))

    def merchant(caller: Caller, charges: Sequence[Charge]) -> Merchant:
        return api.records.merchants[min(caller.scope)]

    swap(api.billing, "billed_merchant", merchant)
    swap(api.billing, "one_currency", lambda charges: None)


# What is refused


@CREATE.fault("CREATE-6", "GEN-6", "CREATE-4", says="a refused create takes those of its charges that are valid")
def refused_create_takes_the_valid(api: Api) -> None:
    def create(caller: Caller, charge_ids: Sequence[int] | None) -> Any:
        try:
            return original(caller, charge_ids)
        except Refusal:
            for number in charge_ids or ():
                charge = api.records.charges.get(number)
                if charge is not None and api.billing.why_not(caller, charge) is None:
                    charge.invoice = 0
            raise

    original = swap(api.billing, "create", create)


@CREATE.fault("GEN-6", "CREATE-6", "LIST-4", says="a refused create leaves an empty draft")
def refused_create_leaves_a_draft(api: Api) -> None:
    def create(caller: Caller, charge_ids: Sequence[int] | None) -> Any:
        try:
            return original(caller, charge_ids)
        except Refusal:
            api.billing.book(api.records.merchants[min(caller.scope)], [])
            raise

    original = swap(api.billing, "create", create)


@CREATE.fault("GEN-6", "CREATE-6", "LIST-4", says="a create refused for charges that are there leaves a draft")
def only_the_ids_are_looked_at_before(api: Api) -> None:
    def create(caller: Caller, charge_ids: Sequence[int] | None) -> Any:
        try:
            return original(caller, charge_ids)
        except Refusal:
            if api.records.charges.keys() >= set(charge_ids or ()):
                api.billing.book(api.records.merchants[min(caller.scope)], [])
            raise

    original = swap(api.billing, "create", create)


@CREATE.fault("CREATE-6", "GEN-5", says="ids that no charge has are left out silently")
def unknown_ids_left_out(api: Api) -> None:
    change_named(api, lambda ids: [number for number in ids if number in api.records.charges] or ids)


@CREATE.fault(
    "CREATE-6", "CREATE-2", "GEN-5", "GEN-6", says="when no charge has any of the ids, all open ones are taken"
)
def unknown_ids_mean_all(api: Api) -> None:
    def named(caller: Caller, charge_ids: Sequence[int]) -> Any:
        if any(number in api.records.charges for number in charge_ids):
            return original(caller, charge_ids)
        return api.billing.everything_open(caller)

    original = swap(api.billing, "named", named)


@CREATE.fault("CREATE-6", "GEN-5", says="a refused create is answered with 200")
def refused_create_is_200(api: Api) -> None:
    def route(request: Request) -> Any:
        try:
            return original(request)
        except Refusal as refusal:
            if is_create(request) and refusal.status != 401:
                return Reply(200, {"message": refusal.message})
            raise

    original = swap(api, "route", route)


@CREATE.fault("CREATE-4", "CREATE-6", says="a charge that is invoiced can be invoiced again")
def invoiced_charges_are_taken_again(api: Api) -> None:
    acceptable(api, "The charge is Invoiced.")


@CREATE.fault("CREATE-6", "CREATE-4", says="invoiced charges among the named are left out silently")
def invoiced_charges_left_out(api: Api) -> None:
    def open_ones(ids: Sequence[int]) -> Sequence[int]:
        return [
            number
            for number in ids
            if number not in api.records.charges or api.records.charges[number].status == "Open"
        ] or ids

    change_named(api, open_ones)


@CREATE.fault("CREATE-6", says="a void charge can be invoiced")
def void_charges_are_taken(api: Api) -> None:
    acceptable(api, "The charge is Void.")


@CREATE.fault("CREATE-6", "CREATE-2", says="without charge_ids, what is void is billed too")
def all_includes_what_is_void(api: Api) -> None:
    def everything(caller: Caller) -> Any:
        for charge in api.billing.open_charges(caller):
            charge.void = False
        return original(caller)

    original = swap(api.billing, "everything_open", everything)


@CREATE.fault("CREATE-4", "CREATE-6", says="charges of a paid invoice can be invoiced again")
def charges_of_paid_invoices_are_taken(api: Api) -> None:
    def why_not(caller: Caller, charge: Charge | None) -> Any:
        invoice = api.records.invoices.get((charge and charge.invoice) or -1)
        return None if invoice and invoice.state == "paid" else original(caller, charge)

    original = swap(api.billing, "why_not", why_not)


@CREATE.fault("CREATE-8", "GEN-8", says="without the header the provider's last merchant is billed", arguments=PROVIDER)
def unselected_bills_the_last_merchant(api: Api) -> None:
    def merchant(caller: Caller, charges: Sequence[Charge]) -> Merchant:
        found: Merchant = original(caller, charges)
        return found if caller.selected or len(caller.reach) == 1 else api.records.merchants[max(caller.reach)]

    original = swap(api.billing, "billed_merchant", merchant)


@CREATE.fault("CREATE-4", "CREATE-6", "FINALIZE-1", says="charges of a finalized invoice can be invoiced again")
def charges_of_locked_invoices_are_taken(api: Api) -> None:
    def why_not(caller: Caller, charge: Charge | None) -> Any:
        wrong = original(caller, charge)
        if charge is not None and charge.invoice is not None and not charge.void:
            invoice = api.records.invoices.get(charge.invoice)
            return None if invoice and invoice.state != "draft" else wrong
        return wrong

    original = swap(api.billing, "why_not", why_not)


@CREATE.fault("CREATE-8", "GEN-8", says="charges of several merchants are put on one invoice", arguments=PROVIDER)
def merchants_are_mixed(api: Api) -> None:
    def merchant(caller: Caller, charges: Sequence[Charge]) -> Merchant:
        number = charges[0].merchant if charges else min(caller.scope)
        return api.records.merchants[number]

    swap(api.billing, "billed_merchant", merchant)
    swap(api.billing, "one_currency", lambda charges: None)


@CREATE.fault(
    "CREATE-8",
    says="charges of several currencies are put on one invoice",
    nuisances=("empty", "mixed_currencies"),
    arguments=MIXED,
)
def currencies_are_mixed(api: Api) -> None:
    swap(api.billing, "one_currency", lambda charges: None)


# What becomes of the charges and the invoice


@CREATE.fault("CREATE-4", "GEN-9", "CREATE-6", says="charges stay Open, and can be invoiced again")
def charges_stay_open(api: Api) -> None:
    swap(api.billing, "take", lambda charge, invoice: None)


@CREATE.fault("CREATE-4", "GEN-9", says="charges are shown as Open, though they can't be invoiced again")
def charges_look_open(api: Api) -> None:
    def charge(record: Charge) -> Any:
        return original(record) | {"status": "Void" if record.void else "Open"}

    original = swap(api.view, "charge", charge)


@CREATE.fault("CREATE-4", "GEN-9", "CREATE-1", says="of several charges the last stays Open")
def last_charge_stays_open(api: Api) -> None:
    def book(merchant: Merchant, charges: Sequence[Charge]) -> Invoice:
        invoice: Invoice = original(merchant, charges)
        if len(charges) > 1:
            charges[-1].invoice = None
        return invoice

    original = swap(api.billing, "book", book)


@CREATE.fault("CREATE-3", "GEN-9", says="new invoices are finalized at once")
def created_finalized(api: Api) -> None:
    def book(merchant: Merchant, charges: Sequence[Charge]) -> Invoice:
        invoice: Invoice = original(merchant, charges)
        api.billing.lock_down(invoice)
        return invoice

    original = swap(api.billing, "book", book)


@CREATE.fault("CREATE-3", "FINALIZE-2", says="drafts are on Stripe from the first")
def created_on_stripe(api: Api) -> None:
    def book(merchant: Merchant, charges: Sequence[Charge]) -> Invoice:
        invoice: Invoice = original(merchant, charges)
        api.stripe.create(invoice)
        return invoice

    original = swap(api.billing, "book", book)


@CREATE.fault("CREATE-3", "GEN-1", says="a draft is called `Pending`")
def drafts_have_another_label(api: Api) -> None:
    def status(invoice: Invoice) -> Any:
        return "Pending" if invoice.state == "draft" else original(invoice)

    original = swap(api.view, "status", status)


@CREATE.fault("CREATE-7", "GEN-9", says="create answers another id than the list")
def created_id_is_not_the_listed(api: Api) -> None:
    def created(invoice: Invoice) -> Any:
        return original(replace(invoice, id=invoice.id + 100_000))

    original = swap(api.view, "created", created)


@CREATE.fault(
    "CREATE-7", "GEN-9", "LIST-4", says="every fifth invoice gets the id of the one before, and takes its place"
)
def ids_are_used_again(api: Api) -> None:
    last = [0, 0]

    def new_invoice_id(merchant: Merchant) -> int:
        last[0] += 1
        if last[0] % 5 == 0 and last[1] in api.records.invoices:
            old = api.records.invoices.pop(last[1])
            api.records.invoices_of[old.merchant].remove(old)
            return last[1]
        last[1] = original(merchant)
        return last[1]

    original = swap(api.billing, "new_invoice_id", new_invoice_id)


@CREATE.fault("CREATE-7", "GEN-9", says="an invoice of a single charge is not kept")
def single_charges_are_not_kept(api: Api) -> None:
    def add_invoice(invoice: Invoice) -> Invoice:
        if len(invoice.charges) == 1:
            return invoice
        added: Invoice = original(invoice)
        return added

    original = swap(api.records, "add_invoice", add_invoice)


@CREATE.fault("GEN-9", "CREATE-5", "CREATE-3", says="create answers the total before the discount that the list shows")
def answered_total_is_another(api: Api) -> None:
    def created(invoice: Invoice) -> Any:
        return original(replace(invoice, total=invoice.total + 1))

    original = swap(api.view, "created", created)


@CREATE.fault("CREATE-3", "GEN-9", "GEN-7", says="the invoice is made out to the provider")
def chargee_is_the_provider(api: Api) -> None:
    def invoice(record: Invoice) -> Any:
        shown = original(record)
        return shown | {"chargee_id": shown["charger_id"], "charger_id": shown["chargee_id"]}

    original = swap(api.view, "invoice", invoice)
