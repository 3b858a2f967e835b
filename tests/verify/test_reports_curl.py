"""The `curl` commands send what was sent, and the ids in them are traced to the answers that made them."""

from __future__ import annotations

import subprocess
from typing import Any

import pytest

from mockserver.core.curl import request
from mockserver.verify.events import RecordedExchange
from mockserver.verify.replay.id_tracing import thread
from mockserver.verify.replay.playing import Ref
from mockserver.verify.reports.scripts.shell import parts_of
from tests.verify.report_streams import BILLED_TWICE, TARGET, charge, exchange, invoice

# A shell in which `curl` tells what it was given instead of sending it.
SHELL = 'TOKEN="se cret"; curl() { printf "%s\\0" "$@"; case "$*" in *@-*) cat;; esac; }\n'


def arguments(command: str) -> list[str]:
    done = subprocess.run(["/bin/sh", "-c", SHELL + command], capture_output=True, check=True)
    assert done.stderr == b""
    return done.stdout.decode("utf-8", "surrogateescape").split("\0")


def curl(exchange: RecordedExchange, **how: Any) -> str:
    headers = [(name, parts_of(value)) for name, value in exchange.headers]
    body = parts_of((exchange.body or b"").decode("utf-8", "surrogateescape"))
    before, given = request(exchange.method, parts_of(exchange.url), headers, body, **how)
    return f"{before}curl -i {given}"


def sent(
    url: str = TARGET + "/x", *, method: str = "POST", body: bytes | None = None, **headers: str
) -> RecordedExchange:
    given = tuple((name.replace("_", "-"), value) for name, value in headers.items())
    return RecordedExchange(method, url, given, body, 200)


@pytest.mark.parametrize(
    "text", ["plain", "it's", 'say "x"', "$HOME `id` $(id) \\ !", "$DATE", "a\nb", "@file", "ü 😀", ""]
)
@pytest.mark.parametrize("separator", [" ", " \\\n  "])
def test_a_shell_passes_on_exactly_what_was_sent(text: str, separator: str) -> None:
    url = f"{TARGET}/x?q={text.strip()}" if "\n" not in text else TARGET
    made = curl(sent(url, body=text.encode(), Accept="a", X_Odd=text.replace("\n", "")), separator=separator)
    given = arguments(made)
    assert url in given
    assert (f"X-Odd: {text}".replace("\n", "") if text else "X-Odd;") in given
    if "\n" in text:
        # In a log, a line that a server has made up would be one by itself.
        assert "\n" not in made.replace(" \\\n", "")
        assert given[-1] == text
    elif text:
        assert given[given.index("--data-raw") + 1] == text


def test_a_secret_stays_a_variable_and_all_else_is_literal() -> None:
    made = curl(sent(Authorization='Bearer $TOKEN "$HOME"', body=b'{"api_token": "$TOKEN", "x": "$DATE"}'))
    assert "se cret" not in made
    given = arguments(made)
    assert 'Authorization: Bearer se cret "$HOME"' in given
    assert '{"api_token": "se cret", "x": "$DATE"}' in given


def test_bytes_that_no_argument_can_hold_go_through_a_pipe() -> None:
    made = curl(sent(body=b"\x00\xff\x1b"))
    assert "\x1b" not in made
    done = subprocess.run(["/bin/sh", "-c", SHELL + made], capture_output=True, check=True)
    assert done.stdout.endswith(b"\x00\xff\x1b")


def test_brackets_and_dots_in_an_address_are_left_alone_by_curl() -> None:
    assert "-g" in arguments(curl(sent(TARGET + "/x?charge_ids[]=1")))
    assert "--path-as-is" in arguments(curl(sent(TARGET + "/a/../b")))


def test_curl_adds_no_header_that_was_not_sent() -> None:
    given = arguments(curl(sent(body=b"x")))
    assert "Accept:" in given
    assert "Content-Type:" in given


def test_headers_that_curl_makes_itself_are_left_out() -> None:
    made = curl(sent(Host="h", Content_Length="3", Accept_Encoding="gzip", Accept="*/*"))
    assert arguments(made) == ["-i", "-X", "POST", TARGET + "/x", ""]


def test_a_body_that_was_sent_in_chunks_is_sent_so_again() -> None:
    assert "Transfer-Encoding: chunked" in arguments(curl(sent(Transfer_Encoding="chunked", body=b"x")))
    assert "chunked" not in curl(sent(Transfer_Encoding="chunked"))


def test_a_long_body_is_left_out_and_said_to_be() -> None:
    assert curl(sent(body=b"x" * 3000), limit=2000).endswith("  # BODY: 3,000 bytes, left out here")


def test_ids_are_traced_to_the_answer_that_made_them() -> None:
    first, second, third = thread(BILLED_TWICE.exchanges)
    assert first.ids == ()
    assert second.body == ('{"charge_ids": [', Ref(0, ("charge", "id")), "]}")
    assert third.ids == second.ids


@pytest.mark.parametrize(
    ("url", "parts"),
    [
        ("/billing/invoices/12/finalize", ("/billing/invoices/", "ID", "/finalize")),
        ("/billing/invoices?q=id%3A%2212%22&page=12", ("/billing/invoices?q=id%3A%22", "ID", "%22&page=12")),
        ('/billing/invoices?q=id>="12"', ('/billing/invoices?q=id>="', "ID", '"')),
        ("/billing/invoices?invoice_id=12", ("/billing/invoices?invoice_id=", "ID")),
        ("/billing/charges/12", ("/billing/charges/12",)),
        ("/billing/invoices?page=12&per_page=12", ("/billing/invoices?page=12&per_page=12",)),
        ("/billing/invoices/129", ("/billing/invoices/129",)),
    ],
)
def test_an_id_in_an_address_is_found_where_one_stands_and_nowhere_else(url: str, parts: tuple[str, ...]) -> None:
    *_, last = thread((charge(57), invoice(12, [57]), exchange("GET", url)))
    made = Ref(1, ("invoice", "id"))
    assert last.url == tuple(made if part == "ID" else part for part in (TARGET + parts[0], *parts[1:]))


def test_an_id_is_found_behind_a_minus() -> None:
    *_, create, finalize = thread(
        (charge(57), invoice(12, [57]), invoice(13, [-57]), exchange("POST", "/billing/invoices/-12/finalize"))
    )
    assert create.body == ('{"charge_ids": [', "-", Ref(0, ("charge", "id")), "]}")
    assert finalize.url == (f"{TARGET}/billing/invoices/-", Ref(1, ("invoice", "id")), "/finalize")


def test_an_amount_that_equals_an_id_is_no_id() -> None:
    *_, last = thread((charge(57), charge(58, 57)))
    assert last.ids == ()


def test_ids_in_a_form_and_stripe_ids_are_found() -> None:
    paid = exchange("POST", "/billing/invoices/1/collect", answers={"invoice": {"stripe_invoice_id": "in_1Abcd"}})
    form = RecordedExchange(
        "POST",
        TARGET + '/billing/invoices?q=stripe_invoice_id:"in_1Abcd"',
        (("Content-Type", "application/x-www-form-urlencoded"),),
        b"charge_ids[]=57&charge_ids%5B%5D=57",
        200,
    )
    *_, last = thread((charge(57), paid, form))
    assert last.ids == (Ref(1, ("invoice", "stripe_invoice_id")), Ref(0, ("charge", "id")), Ref(0, ("charge", "id")))


@pytest.mark.parametrize("answer", [b"[" * 5000, b"\xff", b'{"id": true}', b"null", b'{"data": 3}'])
def test_answers_of_any_kind_are_survived(answer: bytes) -> None:
    odd = exchange("GET", "/billing/invoices", raw=answer)
    assert [threaded.ids for threaded in thread((odd, odd))] == [(), ()]


def test_an_id_by_itself_and_those_in_rows_are_traced_to_what_they_are_of() -> None:
    sends = {"charge_ids": [57], "id": 12, "charges": [{"id": 57, "amount": 57}], "invoice": {"charges": [{"id": 57}]}}
    made = [charge(57), invoice(12, [57]), exchange("POST", "/billing/invoices", sends=sends)]
    of_charge, of_invoice = Ref(0, ("charge", "id")), Ref(1, ("invoice", "id"))
    assert thread(made)[2].ids == (of_charge, of_invoice, of_charge, of_charge)
    adjusted = exchange("POST", "/billing/charges/quick-adjustment", sends={"amount": 57, "id": 57})
    assert thread([charge(57), adjusted])[1].ids == (of_charge,)


def test_what_only_looks_like_a_day_or_a_part_of_an_id_is_sent_as_it_was() -> None:
    odd = exchange("POST", "/billing/invoices", sends={"day": "soon", "days": ["soon"], "part": "in_"})
    answers = {"invoice": {"id": 12, "created_at": "2026-01-31T09:30:00Z", "stripe_invoice_id": "in_abcd"}}
    made = exchange("POST", "/billing/invoices", sends={"charge_ids": [57]}, answers=answers)
    assert thread([charge(57), made, odd])[2].ids == ()
