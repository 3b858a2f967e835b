"""What scenarios send in other shapes and other bytes, and that the server lives on."""

from __future__ import annotations

from urllib.parse import quote

from tests.mutants.scenarios.bed import TestBed

CLAUSE = quote('id:"1"')
QUERIES = (
    f"q[]={CLAUSE}",
    f"q[a]={CLAUSE}",
    f"q={CLAUSE}&q={CLAUSE}",
    "page[]=1",
    "per_page[]=1",
    "q=%FF",
    "q=stripe_invoice_id%3A%22a%00%22",
    f"q=stripe_invoice_id%3A%22{quote(chr(0x1F4E6))}%22",
    f"q=stripe_invoice_id%3A%22{'a' * 1_500}%22",
    "q=stripe_invoice_id~%22a%5C%22",
)
FORMS = (b"amount[]=5&description=x", b"amount=5&description[]=x", b"amount=%FF&description=x")
AMOUNTS = (b"1e400", b"1e30", b"1" + b"0" * 30)
FORM_TYPE = {"Content-Type": "application/x-www-form-urlencoded"}


def whatever_comes_it_answers(bed: TestBed) -> None:
    """With anything but a failure."""
    adjustments = "/billing/charges/quick-adjustment"
    answers = [
        *(
            bed.mine.send("GET", f"{path}?{query}")
            for path in ("/billing/invoices", "/billing/charges")
            for query in QUERIES
        ),
        bed.nobody.send("GET", "/billing/invoices?api_token[]=x"),
        *(bed.mine.send("POST", adjustments, raw=body, headers=FORM_TYPE) for body in FORMS),
        *(bed.mine.send("POST", adjustments, raw=b'{"amount": %s, "description": "x"}' % text) for text in AMOUNTS),
        bed.mine.create(*(2**40 + place for place in range(1_200))),
        bed.mine.send("POST", "/billing/invoices", raw=b"charge_ids[0][id]=1", headers=FORM_TYPE),
    ]
    unknown = b'{"charge_ids": [1099511627776]}'
    for headers in (
        {"Content-Type": "application/json; charset=nonsense"},
        {"Content-Type": "multipart/form-data"},
        {"Content-Encoding": "gzip"},
    ):
        answers.append(bed.mine.send("POST", "/billing/invoices", raw=unknown, headers=headers))
    assert all(200 <= answer.status < 500 for answer in answers), [answer.status for answer in answers]
