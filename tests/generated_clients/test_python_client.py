"""A typed Python client generated from `openapi.yaml` comes out whole, and works against the server."""

from __future__ import annotations

import importlib
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from types import ModuleType
from typing import Any

import httpx
import pytest

from mockserver.server.process import Running

SPEC = Path(__file__).parents[2] / "openapi.yaml"
PACKAGE = "billing_client"
WORLD = "python-client"
MERCHANT = {"x_selected_client_id": 1}


@pytest.fixture(scope="module")
def client_path(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Path]:
    """The generated package's parent, on the import path."""
    path = tmp_path_factory.mktemp("client")
    config = path / "config.yaml"
    config.write_text(f"package_name_override: {PACKAGE}\npost_hooks: []\n", "utf-8")
    command = [sys.executable, "-m", "openapi_python_client", "generate", "--meta", "none", "--fail-on-warning"]
    options = ["--path", str(SPEC), "--config", str(config), "--output-path", str(path / PACKAGE)]
    done = subprocess.run(command + options, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stdout + done.stderr
    assert "warning" not in (done.stdout + done.stderr).lower()
    sys.path.insert(0, str(path))
    yield path
    sys.path.remove(str(path))


def load(name: str) -> ModuleType:
    return importlib.import_module(f"{PACKAGE}.{name}")


@pytest.fixture
def models(client_path: Path) -> ModuleType:
    return load("models")


@pytest.fixture
def operations(client_path: Path) -> dict[str, Any]:
    """The generated functions that return status and parsed answer, by module name."""
    modules = {
        "charges": ("create_quick_adjustment", "get_charge", "list_charges"),
        "invoices": ("create_invoice", "list_invoices", "finalize_invoice", "collect_invoice"),
    }
    return {name: load(f"api.{tag}.{name}").sync_detailed for tag, names in modules.items() for name in names}


@pytest.fixture
def client(client_path: Path, server: Running) -> Iterator[Any]:
    with load("client").AuthenticatedClient(base_url=server.api, token=f"provider@{WORLD}") as opened:
        yield opened


def test_every_module_of_the_client_can_be_imported(client_path: Path) -> None:
    files = sorted((client_path / PACKAGE).rglob("*.py"))
    for file in files:
        parts = file.relative_to(client_path).with_suffix("").parts
        importlib.import_module(".".join(part for part in parts if part != "__init__"))
    assert len(files) > 20


def test_the_client_walks_from_a_charge_to_a_paid_invoice(
    client: Any, operations: dict[str, Any], models: ModuleType
) -> None:
    adjustment = models.NewQuickAdjustment(amount=12.5, description="Relabelling")
    made = operations["create_quick_adjustment"](client=client, body=adjustment, **MERCHANT).parsed.charge
    assert operations["get_charge"](made.id, client=client).parsed.charge == made
    assert operations["list_charges"](client=client, **MERCHANT).parsed.data[0] == made

    wanted = models.NewInvoice(charge_ids=[made.id])
    draft = operations["create_invoice"](client=client, body=wanted, **MERCHANT).parsed.invoice
    assert (draft.status, draft.total, draft.stripe_invoice_status) == ("Draft", 12.5, None)
    early = operations["collect_invoice"](draft.id, client=client)
    assert isinstance(early.parsed, models.Error)
    assert isinstance(operations["finalize_invoice"](draft.id, client=client).parsed, models.ActedInvoice)
    assert isinstance(operations["collect_invoice"](draft.id, client=client).parsed, models.ActedInvoice)

    page = operations["list_invoices"](client=client, q=f'id:"{draft.id}"').parsed
    (paid,) = page.data
    assert (page.total, page.from_, page.to) == (1, 1, 1)
    assert paid.stripe_invoice_status is models.StripeInvoiceStatus.PAID
    assert paid.created_at.tzinfo is not None


def test_the_client_invoices_by_form(client: Any, operations: dict[str, Any], models: ModuleType) -> None:
    charges = [
        operations["create_quick_adjustment"](
            client=client, body=models.NewQuickAdjustment(amount=amount, description="A fee"), **MERCHANT
        ).parsed.charge.id
        for amount in (0.1, 0.2)
    ]
    wanted = models.NewInvoiceForm(charge_ids=charges)
    assert operations["create_invoice"](client=client, body=wanted, **MERCHANT).parsed.invoice.total == 0.3


def test_a_refusal_arrives_as_the_error_of_the_client(
    server: Running, operations: dict[str, Any], models: ModuleType
) -> None:
    with load("client").Client(base_url=server.api) as stranger:
        answer = operations["list_invoices"](client=stranger)
    assert answer.status_code == httpx.codes.UNAUTHORIZED
    assert isinstance(answer.parsed, models.Error)
    assert answer.parsed.message


def test_the_token_can_be_given_as_an_argument(server: Running, operations: dict[str, Any], models: ModuleType) -> None:
    with load("client").Client(base_url=server.api) as stranger:
        answer = operations["list_invoices"](client=stranger, api_token=f"provider@{WORLD}")
    assert isinstance(answer.parsed, models.InvoicePage)
