"""No answer, whatever is in it, breaks the judge."""

from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st

from tests.watch.traffic import Traffic, charge, invoice, page

NAMES = [*invoice(1), *charge(1), *page([]), "invoice", "charge"]

REQUESTS = [
    ("GET", "/billing/invoices"),
    ("GET", "/billing/invoices?q=id%3E%220%22"),
    ("GET", "/billing/invoices?page=2&per_page=2"),
    ("POST", "/billing/invoices"),
    ("POST", "/billing/invoices/1/finalize"),
    ("POST", "/billing/invoices/1/collect"),
    ("GET", "/billing/charges"),
    ("GET", "/billing/charges/1"),
    ("POST", "/billing/charges/quick-adjustment"),
]

JSON = st.recursive(
    st.none() | st.booleans() | st.integers(-(10**20), 10**20) | st.floats(allow_nan=False) | st.text(max_size=5),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.sampled_from([*NAMES, "x"]), inner, max_size=6),
    max_leaves=12,
)


@st.composite
def answers(draw: st.DrawFn) -> object:
    """A sound answer in which something is replaced, or anything at all."""
    row = {**invoice(1), draw(st.sampled_from(NAMES)): draw(JSON)}
    content = draw(st.sampled_from([page([row, invoice(2)]), {"message": "", "invoice": row}, {"charge": charge(1)}]))
    content = {**content, draw(st.sampled_from(NAMES)): draw(JSON)}
    return draw(st.sampled_from([content, draw(JSON)]))


def test_a_row_that_is_no_object_is_told_as_that() -> None:
    traffic = Traffic()
    assert traffic.say("GET", "/billing/invoices", page([invoice(1), []]))  # type: ignore[list-item]
    assert traffic.broken == {"LIST-1"}


@given(st.lists(st.tuples(st.sampled_from(REQUESTS), answers(), st.sampled_from([200, 201, 422, 500])), max_size=6))
def test_no_answer_whatever_is_in_it_breaks_the_judge(exchanges: list[tuple[tuple[str, str], object, int]]) -> None:
    traffic = Traffic()
    for (method, target), content, status in exchanges:
        traffic.say(method, target, content, status)
    assert traffic.ends() in (0, 1, 3)
