"""What scenarios send that resembles a record's id, an amount or a text, and that it is not read as that."""

from __future__ import annotations

from tests.mutants.scenarios.bed import TestBed, refused

WIDTHS = (32, 64)


def near(number: object) -> list[object]:
    """What is no id of a record: the id and more behind it, and numbers that end in its bits."""
    assert isinstance(number, int)
    return [f"{number}abc", *(number + 2**bits for bits in WIDTHS)]


def nothing_resembles_a_charge(bed: TestBed) -> None:
    charge = bed.charge(700)
    for other in near(charge):
        refused(bed.mine.get_charge(other))
        refused(bed.mine.create(other))
        refused(bed.mine.send("POST", "/billing/invoices", form=[("charge_ids[]", str(other))]))
    assert bed.status_of(charge) == "Open"


def nothing_resembles_a_draft(bed: TestBed) -> None:
    number = bed.draft(700)
    for other in near(number):
        refused(bed.mine.finalize(other))
    assert bed.mine.look(number)["status"] == "Draft"
    wide = int(str(number)) + 2**32
    assert bed.mine.search(f'id:"{wide}"') == []


def nothing_resembles_what_is_due(bed: TestBed) -> None:
    number = bed.locked(700)
    for other in near(number):
        refused(bed.mine.collect(other))
    assert bed.mine.look(number)["stripe_invoice_status"] != "paid"


def nothing_resembles_an_amount(bed: TestBed) -> None:
    for text in ("12abc", "12,50"):
        refused(bed.mine.adjust(text))
        form = [("amount", text), ("description", "a form")]
        refused(bed.mine.send("POST", "/billing/charges/quick-adjustment", form=form))
