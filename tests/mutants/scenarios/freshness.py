"""What scenarios ask twice, with something done in between, or somebody else asking; and pages far away."""

from __future__ import annotations

from tests.mutants.client import Answer
from tests.mutants.scenarios.bed import SIZE, TestBed, refused

FAR = ((2**32 + 1, 1), (2**60 + 1, 16), (2**63 // 15 + 2, 15))


def ends(bed: TestBed, *, of_charges: bool = False) -> list[Answer]:
    ask = bed.mine.charges if of_charges else bed.mine.page
    first = ask(per_page=SIZE)
    return [first, ask(per_page=SIZE, page=first.document["last_page"])]


def row(answers: list[Answer], number: object) -> dict[str, object]:
    found: list[dict[str, object]] = [row for answer in answers for row in answer.rows if row["id"] == number]
    return found[0]


def nothing_is_kept(bed: TestBed) -> None:
    """Of charges and of invoices that change."""
    ends(bed, of_charges=True)
    charge = bed.charge(700)
    assert row(ends(bed, of_charges=True), charge)["status"] == "Open"
    assert bed.status_of(charge) == "Open"
    total = ends(bed)[0].document["total"]
    number = bed.mine.create(charge).invoice["id"]
    assert bed.status_of(charge) == "Invoiced"
    assert row(ends(bed, of_charges=True), charge)["status"] == "Invoiced"
    assert row(ends(bed), number)["status"] == "Draft"
    assert ends(bed)[0].document["total"] == total + 1
    bed.mine.finalize(number)
    assert row(ends(bed), number)["status"] != "Draft"


def nothing_is_shared(bed: TestBed) -> None:
    """With other merchants, other headers, and those who have no token."""
    charge = bed.charge(700)
    number = bed.mine.create(charge).invoice["id"]
    for talk in (bed.other, bed.talk(bed.mine.token, 2), bed.nobody):
        bed.mine.get_charge(charge)
        refused(talk.get_charge(charge))
        for query in ({"q": f'id:"{number}"'}, {"per_page": 7}):
            bed.mine.page(**query)
            answer = talk.page(**query)
            assert answer.status in (401, 403, 404, 422) or number not in [row["id"] for row in answer.rows], answer
            assert answer.status == 401 or talk is not bed.nobody


def far_away_is_nothing(bed: TestBed) -> None:
    for page, size in FAR:
        for answer in (bed.mine.page(page=page, per_page=size), bed.mine.charges(page=page, per_page=size)):
            assert answer.refused or answer.rows == [], answer


def charges_are_in_pages(bed: TestBed) -> None:
    bed.draft(500, 600, 700, 800)
    pages = [bed.mine.charges(page=page, per_page=size) for page, size in ((1, 2), (2, 2), (1, 4))]
    one, two, both = ([row["id"] for row in page.rows] for page in pages)
    assert one + two == both and len(both) == 4, (one, two, both)
    assert bed.mine.charges(page=10_000, per_page=2).rows == []
