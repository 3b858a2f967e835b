"""An exchange held to the contract: what the spec has against its request, and against its reply."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from mockserver.contract.contract import Contract, Operation
from mockserver.core.errors import ContractBroken, Refused
from mockserver.core.messages import Request


def request_problems(
    contract: Contract, operation: Operation, params: Mapping[str, str], request: Request
) -> list[str]:
    """What the spec has against such a request; `params` are those of its path, as `Contract.route` gives them."""
    try:
        contract.accept(operation, params, request)
    except Refused as refusal:
        return objections(refusal)
    return []


def objections(refusal: Refused) -> list[str]:
    """What a refusal has against its request, one sentence each."""
    return [problem for problems in (refusal.errors or {}).values() for problem in problems] or [refusal.message]


def reply_problems(contract: Contract, operation: Operation, status: int, body: Any) -> list[str]:
    """What the spec has against such a reply."""
    try:
        contract.check(operation, status, body)
    except ContractBroken as broken:
        return broken.problems
    return []
