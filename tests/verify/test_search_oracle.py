"""Our own evaluation of searches, by which servers are judged."""

from __future__ import annotations

import pytest

from mockserver.verify.checks.search_oracle import Clause, Joint, OracleQuery

ROW = {"id": 12, "created_at": "2026-01-15T23:59:59.999999Z", "stripe_invoice_id": "in_abc", "status": "Open"}
DRAFT = {"id": 13, "created_at": "2026-01-16T00:00:00Z", "stripe_invoice_id": None, "status": "Draft"}
QUEUED = DRAFT | {"status": "Open"}


@pytest.mark.parametrize(
    ("clause", "row", "verdict"),
    [
        (Clause("id", ":", "12"), ROW, True),
        (Clause("id", ">", "9"), ROW, True),
        (Clause("id", "!:", "12"), ROW, False),
        (Clause("created_at", ":", "2026-01-15"), ROW, True),
        (Clause("created_at", "<=", "2026-01-15"), ROW, True),
        (Clause("created_at", "<", "2026-01-16"), ROW, True),
        (Clause("created_at", ">", "2026-01-15"), ROW, False),
        (Clause("created_at", ">=", "2026-01-16"), DRAFT, True),
        (Clause("stripe_invoice_id", "~", "_a"), ROW, True),
        (Clause("stripe_invoice_id", "!~", "_a"), ROW, False),
        (Clause("stripe_invoice_id", ":", "in_abc"), DRAFT, False),
        (Clause("stripe_invoice_id", "!:", "in_abc"), DRAFT, None),
        (Clause("stripe_invoice_id", ":", "in_abc"), QUEUED, None),
    ],
)
def test_a_clause_is_evaluated(clause: Clause, row: dict[str, object], verdict: bool | None) -> None:
    assert clause.matches(row) is verdict


def search(*parts: tuple[Joint, bool | None]) -> bool | None:
    """A search whose clauses are true, false or open on DRAFT, in this order."""
    clauses = {
        True: Clause("id", ":", "13"),
        False: Clause("id", ":", "1"),
        None: Clause("stripe_invoice_id", "!:", "x"),
    }
    return OracleQuery(tuple((joint, clauses[value]) for joint, value in parts)).matches(DRAFT)


def test_evaluation_is_from_left_to_right() -> None:
    assert search(("AND", True), ("OR", True), ("AND", False)) is False
    assert search(("AND", False), ("AND", False), ("OR", True)) is True


def test_what_is_open_stays_open_unless_the_rest_decides() -> None:
    assert search(("AND", None), ("OR", True)) is True
    assert search(("AND", None), ("AND", False)) is False
    assert search(("AND", None), ("AND", True)) is None
    assert search(("AND", False), ("OR", None)) is None


def test_a_search_has_the_documented_text() -> None:
    query = OracleQuery((("AND", Clause("created_at", ">=", "2026-01-15")), ("OR", Clause("id", ":", "3"))))
    assert query.text() == 'created_at$DATE>="2026-01-15" OR id:"3"'
    assert query.within([Clause("id", "<", "9")]).text().endswith(' AND id<"9"')
