"""Checks that no parameter and no body ends in a failure of the server, whatever its shape and its bytes (GEN-5)."""

from __future__ import annotations

from collections.abc import Iterator
from urllib.parse import quote

from mockserver.verify.assertions.statements import is_answered
from mockserver.verify.checks.runner import Check
from mockserver.verify.context.context import Context
from mockserver.verify.context.records import UNKNOWN_ID
from mockserver.verify.errors import NotPossible
from mockserver.verify.events import GATEWAY
from mockserver.verify.transport.billing_client import FORM_TYPE, JSON_TYPE
from mockserver.verify.transport.messages import Answer

INVOICES = "/billing/invoices"
CHARGES = "/billing/charges"
ADJUSTMENTS = "/billing/charges/quick-adjustment"
MANY_IDS = 3_000
"""More than a statement of some databases may have parameters."""
LONG_VALUE = 1_500
"""Letters of a search, fewer than web servers take for too long."""
FEW = "per_page=1"
# Brackets are written as RFC 3986 wants them: as they are, Tomcat refuses them before an application is reached.
ARRAYS = (
    ("page%5B%5D=1&per_page=1", "an array for a page"),
    ("page%5Ba%5D=1&per_page=1", "an object for a page"),
    ("per_page%5B%5D=1", "an array for a page size"),
    ("per_page%5Ba%5D%5Bb%5D=1", "objects within each other for a page size"),
    ("page=1&page=2&per_page=1", "a page given twice"),
)
"""For both lists."""
ODD_BYTES = (
    ("page=%FF&per_page=1", "a page in bytes that are no UTF-8"),
    ("per_page=%C3%28", "a page size in bytes that are no UTF-8"),
    ("%FF=%FF&per_page=1", "a parameter's name in bytes that are no UTF-8"),
    ("page=%00&per_page=1", "a page that is a NUL"),
)
"""For both lists."""


def searches() -> Iterator[tuple[str, str]]:
    """Queries for the list of invoices alone, and what each is."""
    id_clause = quote('id:"1"')
    yield f"q%5B%5D={id_clause}&{FEW}", "an array for a search"
    yield f"q%5Ba%5D={id_clause}&{FEW}", "an object for a search"
    yield f"q%5Ba%5D%5Bb%5D={id_clause}&{FEW}", "objects within each other for a search"
    yield f"q={id_clause}&q={id_clause}&{FEW}", "a search given twice"
    yield f"q=%FF&{FEW}", "a search in bytes that are no UTF-8"
    for value, what in (
        ("%FF", "bytes that are no UTF-8"),
        ("%ED%A0%80", "half a surrogate"),
        ("in_%00", "a NUL"),
        (quote("\U0001f4e6"), "a letter beyond the first 65,536"),
        ("a" * LONG_VALUE, "a long text"),
    ):
        yield f"q=stripe_invoice_id%3A%22{value}%22&{FEW}", f"a search for {what}"
    yield f"q=stripe_invoice_id~%22in_%5C%22&{FEW}", "a search for a text that ends in a backslash"


def queries(context: Context) -> None:
    """GEN-5 on lists: whatever the query is, it is refused or read in a lenient way."""
    for query, what in (*searches(), *ARRAYS, *ODD_BYTES):
        _answered(context, context.me.send("GET", f"{INVOICES}?{query}"), what, "an odd query of invoices")
    for query, what in (*ARRAYS, *ODD_BYTES):
        _answered(context, context.me.send("GET", f"{CHARGES}?{query}"), what, "an odd query of charges")
    nobody = context.me.acting(token=None)
    for name in ("api_token%5B%5D", "api_token%5Ba%5D"):
        _answered(
            context,
            nobody.send("GET", f"{INVOICES}?{name}=x&{FEW}"),
            "an api_token that is no text",
            "an odd api_token",
        )


def _answered(context: Context, answer: Answer, what: str, where: str) -> None:
    context.expect(
        "GEN-5",
        is_answered(answer),
        kind=f"{where} makes the server fail",
        because=f"{where} is refused with a 4xx, or read in a lenient way: here {what}",
        proves=answer.status not in GATEWAY,
    )


def adjustments(context: Context) -> None:
    """GEN-5 on adjustments: no amount and no description is beyond a refusal."""
    if context.me.merchant is None or context.options.charge_ids:
        raise NotPossible("charges are not made in this run")
    for body, what in (
        (b"amount[]=5&description=odd", "an array for an amount"),
        (b"amount[a]=5&description=odd", "an object for an amount"),
        (b"amount=5&description[]=odd", "an array for a description"),
        (b"amount=5&description[a][b]=odd", "objects within each other for a description"),
        (b"amount=%FF&description=odd", "an amount in bytes that are no UTF-8"),
        (b"amount=5&description=%FF", "a description in bytes that are no UTF-8"),
        (b"amount=5&description=%00", "a description that is a NUL"),
    ):
        _answered(context, context.me.send("POST", ADJUSTMENTS, body=body, content_type=FORM_TYPE), what, "an odd form")
    for amount in ("1e400", "-1e400", "1e-400", "1" + "0" * 30, "1e30", "-0.0", "0." + "1" * 400):
        body = b'{"amount": %s, "description": "odd"}' % amount.encode()
        answer = context.me.send("POST", ADJUSTMENTS, body=body, content_type=JSON_TYPE)
        _answered(context, answer, amount[:6], "an amount beyond all columns")


def creates(context: Context) -> None:
    """GEN-5 on creates: no shape, type or number of ids makes the server fail."""
    if context.options.charge_ids:
        raise NotPossible("with --charge-ids no other charges of the merchant are touched")
    for body, what in (
        (b"charge_ids[a][b]=%d", "objects within each other for ids"),
        (b"charge_ids[][id]=%d", "objects for ids"),
        (b"charge_ids=%d&charge_ids[]=%d", "a text and an array for ids"),
        (b"charge_ids[]=%%FF", "ids in bytes that are no UTF-8"),
        (b"%%FF=%%FF&charge_ids[]=%d", "a name in bytes that are no UTF-8"),
    ):
        body = body.replace(b"%d", b"%d" % UNKNOWN_ID).replace(b"%%", b"%")
        _answered(context, context.me.send("POST", INVOICES, body=body, content_type=FORM_TYPE), what, "an odd form")
    sound = b'{"charge_ids": [%d]}' % UNKNOWN_ID
    for content_type, what in (
        ("application/json; charset=nonsense", "an unknown charset"),
        ("application/json; charset=utf-16", "a charset that the body is not in"),
        ("multipart/form-data", "a body in parts without a boundary"),
        ("text/xml", "a type of body that is not documented"),
        ("nonsense", "a type of body that is none"),
    ):
        _answered(
            context,
            context.me.send("POST", INVOICES, body=sound, content_type=content_type),
            what,
            "an odd type of body",
        )
    coded = context.me.send(
        "POST", INVOICES, body=sound, content_type=JSON_TYPE, headers=[("Content-Encoding", "gzip")]
    )
    _answered(context, coded, "a body that is said to be compressed", "an odd type of body")
    numerous = context.me.create([UNKNOWN_ID - place for place in range(MANY_IDS)])
    _answered(context, numerous, f"{MANY_IDS:,} ids", "a create of thousands of charges")


CHECKS = (
    Check("odd queries", ("GEN-5",), queries, thorough=True),
    Check("odd bodies of adjustments", ("GEN-5",), adjustments, thorough=True),
    Check("odd bodies of creates", ("GEN-5",), creates, thorough=True),
)
