"""How a fault is written down, and how it takes the place of a part of the correct server."""

from __future__ import annotations

import functools
from collections.abc import Callable
from typing import Any

from tests.mutants.config import Area, Mutant
from tests.mutants.reference.api import Api
from tests.mutants.reference.messages import Reply, Request

Patch = Callable[[Api], None]


class Catalog:
    """The faults of one area, by name, in the order in which they are written."""

    def __init__(self, area: Area) -> None:
        self.area = area
        self.faults: dict[str, Mutant] = {}

    def fault(self, *rules: str, says: str, **config: Any) -> Callable[[Patch], Patch]:
        """Takes the decorated patch as a fault: its name, the rules that it breaks, what else Fault holds."""

        def take(patch: Patch) -> Patch:
            name = patch.__name__
            if name in self.faults or not rules:
                raise ValueError(f"the fault {name} is there already, or breaks no rule")
            self.faults[name] = Mutant(name=name, area=self.area, rules=rules, says=says, patch=patch, **config)
            return patch

        return take


def swap(part: object, name: str, function: Callable[..., object]) -> Callable[..., Any]:
    """Puts `function` in the place of a method of `part` and returns that method; AttributeError if there is none."""
    original: Callable[..., Any] = getattr(part, name)
    setattr(part, name, functools.wraps(original)(function))
    return original


def after(api: Api, change: Callable[[Request, Reply], Reply]) -> None:
    """Changes every reply before it is sent."""

    def route(request: Request) -> Reply:
        return change(request, original(request))

    original = swap(api, "route", route)


def after_refusal(api: Api, change: Callable[[Reply], Reply]) -> None:
    """Changes every refusal before it is sent."""

    def refused(refusal: object) -> Reply:
        return change(original(refusal))

    original = swap(api, "refused", refused)


def crash(why: str = "Server Error") -> Reply:
    """What a framework answers when nobody has caught the exception."""
    return Reply(500, {"message": why})


def crash_when(api: Api, unlucky: Callable[[Request], bool]) -> None:
    """Every such request ends in an exception that nobody catches."""

    def route(request: Request) -> Reply:
        return crash() if unlucky(request) else original(request)

    original = swap(api, "route", route)


def is_list(request: Request) -> bool:
    return request.method == "GET" and request.path.endswith("/billing/invoices")


def is_create(request: Request) -> bool:
    return request.method == "POST" and request.path.endswith("/billing/invoices")
