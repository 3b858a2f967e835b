"""Searches as they pass by: their text as clauses, and whether the rows that come match them."""

from __future__ import annotations

import re
from functools import lru_cache
from typing import cast

from mockserver.verify.assertions.statements import of
from mockserver.verify.checks.search_oracle import Clause, Field, Joint, OracleQuery
from mockserver.watch.judging.sight import Sight
from mockserver.watch.judging.telling import Teller

_CLAUSE = re.compile(r'(?:^| (AND|OR) )(id|stripe_invoice_id|created_at)(?:\$DATE)?(!?[:~]|[<>]=?)"([^"]*)"')


@lru_cache(maxsize=512)
def read_search(text: str) -> OracleQuery:
    """A search in the documented grammar as clauses."""
    return OracleQuery(
        tuple(
            (cast(Joint, joint or "AND"), Clause(cast(Field, name), operator, value))
            for joint, name, operator, value in _CLAUSE.findall(text)
        )
    )


def rows_match(sight: Sight, teller: Teller) -> None:
    """SEARCH-2, -3 and -5: a search shows nothing that does not match it."""
    text = sight.reading.query.get("q")
    if text is None or not sight.plain:
        return
    search = read_search(text)
    rule = _rule(search)
    # When an invoice gets onto Stripe between the search and the reading of its row, it may seem not to match.
    may_change = any(clause.field == "stripe_invoice_id" for _, clause in search.parts)
    wrong = next((row for row in sight.rows if search.matches(row) is False), None)
    kind = "listInvoices shows what does not match" + (" by its Stripe id" if may_change else "")
    if wrong is None:
        sight.held.update({rule, "SEARCH-1"} if sight.rows else ())
        teller.cleared(sight, kind)
        return
    number = wrong.get("id")
    (teller.suspect if may_change else teller.breach)(
        sight,
        rule,
        kind,
        f"every row matches {text}",
        lambda answer: of(answer).each("id").lacks(number),
        actual=f"invoice {number} is shown, which does not",
    )


def _rule(search: OracleQuery) -> str:
    if len(search.parts) > 1:
        return "SEARCH-2"
    return "SEARCH-5" if search.parts[0][1].field == "created_at" else "SEARCH-3"
