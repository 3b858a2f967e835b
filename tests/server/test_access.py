"""Who may see and do what: tokens, the merchant header, strangers' records (GEN-3, GEN-4, GEN-7, GEN-8)."""

from __future__ import annotations

import pytest

from tests.conftest import Api

OPERATIONS = [
    ("GET", "/billing/invoices"),
    ("POST", "/billing/invoices"),
    ("POST", "/billing/invoices/1/finalize"),
    ("POST", "/billing/invoices/1/collect"),
    ("GET", "/billing/charges"),
    ("GET", "/billing/charges/1"),
    ("POST", "/billing/charges/quick-adjustment"),
]


@pytest.mark.parametrize(("method", "path"), OPERATIONS)
@pytest.mark.parametrize("headers", [{}, {"Authorization": "Bearer nobody"}, {"Authorization": "Basic cHJvdmlkZXI6"}])
def test_without_a_known_token_every_operation_is_refused(
    api: Api, method: str, path: str, headers: dict[str, str]
) -> None:
    before = api.everything()
    answer = api.request(method, path, token="", headers=headers)
    assert answer.status_code == 401
    assert isinstance(answer.json()["message"], str)
    assert api.everything() == before


def test_the_token_may_come_as_a_parameter_of_the_query(api: Api) -> None:
    answer = api.get("/billing/invoices", token="", params={"api_token": f"merchant1@{api.world}"})
    assert answer.status_code == 200
    assert {row["chargee_id"] for row in answer.json()["data"]} == {"1"}
    assert "X-Mock-Warning" not in answer.headers


def test_the_token_may_come_as_a_parameter_of_a_form_or_json_body(api: Api) -> None:
    token = f"provider@{api.world}"
    charge, other = api.charge()["id"], api.charge()["id"]
    form = api.post("/billing/invoices", token="", data={"api_token": token, "charge_ids[]": str(charge)})
    json = api.post("/billing/invoices", token="", json={"api_token": token, "charge_ids": [other]})
    assert (form.status_code, json.status_code) == (200, 200)
    assert "X-Mock-Warning" not in {*form.headers, *json.headers}


def test_the_header_restricts_a_provider_to_one_merchant(api: Api) -> None:
    everyone = api.get("/billing/invoices", params={"per_page": 100}).json()
    one = api.get("/billing/invoices", params={"per_page": 100}, headers={"X-Selected-Client-Id": "2"}).json()
    assert {row["chargee_id"] for row in one["data"]} == {"2"}
    assert 0 < one["total"] < everyone["total"]


@pytest.mark.parametrize(("token", "merchant"), [("provider", "987654"), ("merchant1", "2")])
def test_a_merchant_out_of_reach_is_refused(api: Api, token: str, merchant: str) -> None:
    answer = api.get("/billing/invoices", token=token, headers={"X-Selected-Client-Id": merchant})
    assert answer.status_code == 403


def test_a_merchant_sees_only_its_own_records(api: Api) -> None:
    foreign_charge = api.charge(merchant=2)["id"]
    foreign_draft = api.draft(merchant=2)["id"]
    foreign_final = api.finalized(merchant=2)["id"]
    before = api.everything()
    for path in ("/billing/invoices", "/billing/charges"):
        rows = api.get(path, token="merchant1", params={"per_page": 100}).json()["data"]
        assert rows
        assert {row["chargee_id"] for row in rows} == {"1"}
    assert api.get(f"/billing/charges/{foreign_charge}", token="merchant1").status_code == 404
    assert api.create(foreign_charge, token="merchant1").status_code == 422
    assert api.finalize(foreign_draft, token="merchant1").status_code == 404
    assert api.collect(foreign_final, token="merchant1").status_code == 404
    assert api.everything() == before


def test_the_header_keeps_other_merchants_records_out_of_every_operation(api: Api) -> None:
    header = {"X-Selected-Client-Id": "1"}
    foreign_charge = api.charge(merchant=2)["id"]
    foreign_draft = api.draft(merchant=2)["id"]
    assert api.get(f"/billing/charges/{foreign_charge}", headers=header).status_code == 404
    assert api.create(foreign_charge, headers=header).status_code == 422
    assert api.finalize(foreign_draft, headers=header).status_code == 404
    assert api.collect(foreign_draft, headers=header).status_code == 404


def test_worlds_share_nothing(api: Api) -> None:
    charge = api.charge()["id"]
    elsewhere = api.http.get(
        f"{api.server.api}/billing/charges/{charge}", headers={"Authorization": "Bearer provider@elsewhere"}
    )
    assert elsewhere.status_code == 404


@pytest.mark.parametrize(
    ("headers", "query"),
    [
        ({"Authorization": "Bearer @{world}"}, {}),
        ({"Authorization": "Bearer @"}, {}),
        ({"Authorization": "Bearer"}, {}),
        ({"Authorization": "provider@{world}"}, {}),
        ({"Authorization": "Token provider@{world}"}, {}),
        ({"Authorization": ""}, {}),
        ({}, {"api_token": "@{world}"}),
        ({}, {"api_token": "@"}),
        ({}, {"api_token": ""}),
    ],
)
def test_what_holds_no_token_is_refused_by_control_as_by_the_api(
    api: Api, headers: dict[str, str], query: dict[str, str]
) -> None:
    """Else whoever left a variable empty would reset the world that all share."""
    headers = {name: value.format(world=api.world) for name, value in headers.items()}
    query = {name: value.format(world=api.world) for name, value in query.items()}
    answer = api.request("GET", "/billing/invoices", token="", headers=headers, params=query)
    control = api.http.get(f"{api.server.control}/world", headers=headers, params=query)
    assert (control.status_code, control.json()) == (answer.status_code, answer.json())
    assert answer.status_code == 401
    assert "Send a token" in answer.json()["message"]


def test_control_without_a_token_is_of_the_common_world(api: Api) -> None:
    assert api.http.get(f"{api.server.control}/world").json()["name"] == "common"
    named = api.http.get(f"{api.server.control}/world", params={"api_token": f"provider@{api.world}"})
    assert named.json()["name"] == api.world
