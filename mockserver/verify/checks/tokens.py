"""Checks of tokens that are none, and that databases and clients make something of all the same."""

from __future__ import annotations

from mockserver.verify.assertions.statements import is_refused, status_of
from mockserver.verify.checks.runner import Check
from mockserver.verify.context.context import Context

NOBODY = ("null", "undefined")
"""What JavaScript sends where its token is missing."""
ANY_TEXT = "%"
"""What stands for any text in the LIKE of SQL."""


def of_nobody(context: Context) -> None:
    """GEN-4: `Bearer null` is an unknown token like any other, and a pattern is none."""
    for token in NOBODY:
        if token == context.options.token:
            continue
        for where, name in (("header", "token"), ("query", "api_token")):
            answer = context.me.acting(token=token, token_in=where).invoices()
            what = f"the {name} {token}"
            context.expect(
                "GEN-4",
                status_of(answer).equals(401),
                kind=f"listInvoices with {what} not 401",
                because=f"{what} is nobody's, and is answered with 401",
            )
    answer = context.me.acting(token=ANY_TEXT).invoices()
    context.expect(
        "GEN-4",
        # As a malformed one it may be refused otherwise (RFC 6750, 3.1).
        is_refused(answer),
        kind="listInvoices with a pattern for a token",
        because=f"the token {ANY_TEXT} is nobody's, and is refused",
    )


CHECKS = (Check("tokens of nobody", ("GEN-4",), of_nobody, thorough=True),)
