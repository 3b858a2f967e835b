"""The whole story in one test, without any client of one's own."""

import httpx


def test_a_declined_card_is_collected_three_days_later(mock_world):
    control = mock_world.control
    with httpx.Client(base_url=mock_world.url, headers=mock_world.headers) as api:
        fee = {"amount": 12.5, "description": "Relabelling"}
        merchant = {"X-Selected-Client-Id": "1"}
        charge = api.post("/billing/charges/quick-adjustment", json=fee, headers=merchant).json()["charge"]
        invoice = api.post("/billing/invoices", json={"charge_ids": [charge["id"]]}).json()["invoice"]["id"]
        api.post(f"/billing/invoices/{invoice}/finalize")

        with control.declines("expired_card"):
            assert api.post(f"/billing/invoices/{invoice}/collect").status_code == 402
        control.clock.advance("P3D")
        assert api.post(f"/billing/invoices/{invoice}/collect").status_code == 200

    declined = {"operation": "collectInvoice", "status": 402, "at_most": 1}
    control.verify(declined, {"operation": "collectInvoice", "status": 200}, in_order=True)
