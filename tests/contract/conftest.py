"""The contract of `openapi.yaml`, read once for each file of tests."""

from __future__ import annotations

import pytest

from mockserver.contract.contract import Contract
from mockserver.core import resources


@pytest.fixture(scope="module")
def contract() -> Contract:
    return Contract.load(resources.openapi_path())
