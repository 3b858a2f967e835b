"""Checks of searches whose value, or whose spelling in an address, is easily taken for something else."""

from __future__ import annotations

from urllib.parse import quote

from mockserver.verify.assertions.statements import all_of, any_of, id_of, is_refused, of, status_of, succeeds
from mockserver.verify.checks.runner import Check
from mockserver.verify.context.context import Context
from mockserver.verify.context.records import UNKNOWN_ID
from mockserver.verify.monitor.canonical import FIREWALL

IGNORED = ("unknown_search_field", "bad_search_value", "bad_search_syntax")
"""Choices by which a server leaves out what it can't read."""


def nought(context: Context) -> None:
    """SEARCH-4: `id:"0"` finds nothing; a clause is not absent because its value is 0."""
    if any(context.profile.get(choice) != "refuse" for choice in IGNORED):
        # Where no id is 0, it may be a bad value, and be left out as one.
        return
    context.records.draft()
    answer = context.me.invoices('id:"0"')
    context.expect(
        "SEARCH-4",
        any_of(is_refused(answer), of(answer).each("id").is_within([0])),
        kind="id: of 0",
        because='`id:"0"` finds no invoice, or is refused',
        actual=("it finds", of(answer).each("id")),
    )


def encoded_spaces(context: Context) -> None:
    """SEARCH-1: a space may be written as `%20`, as encodeURIComponent does, where others write a plus."""
    draft = context.records.draft()
    invoice, text = id_of("invoice", draft.id), f'id:"{draft.id}" OR id:"{UNKNOWN_ID}"'
    by_plus = context.me.invoices(text)
    if not all_of(succeeds(by_plus), of(by_plus).each("id").includes(invoice)).is_true():
        # Then it is not the spaces.
        return
    answer = context.me.send("GET", f"/billing/invoices?q={quote(text, safe='')}")
    context.expect(
        "SEARCH-1",
        any_of(
            status_of(answer).is_one_of(*FIREWALL), all_of(succeeds(answer), of(answer).each("id").includes(invoice))
        ),
        kind="spaces written as %20",
        because=f"`{text}` finds invoice {draft.id}, however its spaces are written in the address",
        actual=("it finds", of(answer).each("id")) if answer.ok else f"the answer is {answer.brief()}",
        using=[draft.made_by, by_plus],
    )


CHECKS = (
    Check("searching for the id 0", ("SEARCH-4",), nought, thorough=True),
    Check("spaces in a search", ("SEARCH-1",), encoded_spaces, thorough=True),
)
