"""What stands in front of the API, or was told to answer wrongly, is not judged as the API."""

from __future__ import annotations

import pytest

from tests.watch.traffic import Traffic


@pytest.mark.parametrize("status", [520, 524, 530])
def test_a_network_in_front_of_the_api_is_not_the_api(status: int) -> None:
    traffic = Traffic()
    assert traffic.say("GET", "/billing/invoices", status=status) == []


@pytest.mark.parametrize("status", [502, 503, 504, 429])
def test_what_stands_in_front_of_the_api_is_not_the_api(status: int) -> None:
    traffic = Traffic()
    traffic.say("GET", "/billing/invoices", "<html>", status)
    assert not traffic.broken
    assert traffic.ends() == 3


@pytest.mark.parametrize(
    ("status", "header", "told"),
    [
        (403, ("cf-mitigated", "challenge"), set()),
        (403, ("Server", "nginx"), set()),
        (406, ("Server", "nginx"), set()),
        (401, ("WWW-Authenticate", 'Basic realm="staging"'), set()),
        (401, ("WWW-Authenticate", "Negotiate"), set()),
        (401, ("WWW-Authenticate", "Bearer"), {"GEN-1", "GEN-5"}),
        (401, ("Server", "nginx"), {"GEN-1", "GEN-5"}),
        (407, ("Proxy-Authenticate", "Basic"), set()),
        (408, ("Connection", "close"), set()),
        (421, ("Server", "nginx"), set()),
        (425, ("Server", "nginx"), set()),
        (511, ("Server", "nginx"), set()),
        (404, ("Server", "nginx"), {"GEN-1", "GEN-5"}),
        (422, ("Server", "nginx"), {"GEN-1", "GEN-5"}),
    ],
)
def test_a_page_of_what_stands_in_front_of_the_api_is_no_breach(
    status: int, header: tuple[str, str], told: set[str]
) -> None:
    traffic = Traffic()
    sent = (("Content-Type", "text/html"), header)
    traffic.say("GET", "/billing/invoices", status=status, answer_headers=sent, raw=b"<html>")
    assert traffic.broken == told


def test_a_refusal_in_json_is_judged_whoever_may_have_given_it() -> None:
    traffic = Traffic()
    traffic.say("GET", "/billing/invoices", {"error": "no"}, 403)
    assert traffic.broken == {"GEN-5"}


def test_a_page_that_leads_elsewhere_is_told_with_where() -> None:
    traffic = Traffic()
    traffic.say("GET", "/billing/invoices", status=302, answer_headers=(("Location", "/login"),), raw=b"")
    assert [breach.actual for breach in traffic.breaches.values()] == ["it redirects to /login (request 1)"]


@pytest.mark.parametrize("header", ["fault:1:schema", "prefer:outcome=lost_answer"])
def test_what_a_fake_was_told_to_do_wrong_is_no_breach(header: str) -> None:
    traffic = Traffic()
    sent = (("Content-Type", "application/json"), ("X-Mock-Trace", header))
    traffic.say("GET", "/billing/invoices", {"message": "no"}, 500, answer_headers=sent)
    assert not traffic.broken
